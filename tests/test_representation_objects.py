"""A representation as the rest of the package sees it: the same questions to each."""

import numpy as np
import pytest
from conftest import tune
from random_music import random_music

from pyzzicato.models.architecture import REPRESENTATIONS, Architecture
from pyzzicato.notes import Note, end_of
from pyzzicato.representations import Representation, representation_of
from pyzzicato.representations.event_bins import SIZES
from pyzzicato.representations.interface import SURE
from pyzzicato.representations.touch import SeedTouch

ROLL = representation_of(Architecture())
EVENTS = representation_of(Architecture("events"))


@pytest.fixture(params=REPRESENTATIONS)
def representation(request: pytest.FixtureRequest) -> Representation:
    """Returns each representation in turn."""
    return representation_of(Architecture(request.param))


def after(representation: Representation, *sounding: int):
    """Returns the decoder after a seed of a second in which these keys sound to the end."""
    seed = [Note(21 + key, 0.0, 1.0, 64) for key in sounding]
    return representation.decoder(seed, 1.0, SeedTouch(seed, 0))


def test_a_step_is_what_is_drawn_of_it(representation: Representation) -> None:
    steps = representation.encode(tune())
    names = list(representation.numbers)
    if representation.unit == "frame":
        assert (names, steps.shape) == (["keys"], (len(steps), representation.numbers["keys"]))
    else:
        assert names == ["onset", "pitch", "duration", "velocity"]
        assert (steps < list(representation.numbers.values())).all()
    assert steps.dtype == np.uint8


def test_notes_come_back_as_near_as_the_grid_is_fine(representation: Representation) -> None:
    notes = tune()
    back = representation.decode(representation.encode(notes))
    assert [n.pitch for n in back] == [n.pitch for n in notes]
    for note, original in zip(back, notes, strict=True):
        assert note.start == pytest.approx(original.start, abs=0.0251)
        assert note.end == pytest.approx(original.end, abs=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_what_comes_back_once_comes_back_for_ever(
    representation: Representation, seed: int
) -> None:
    steps = representation.encode(random_music(60, seed))
    again = representation.encode(representation.decode(steps))
    assert np.array_equal(again, steps[: len(again)]) and not steps[len(again) :].any()


def test_a_passage_has_the_length_it_is_said_to_have() -> None:
    assert ROLL.encode(tune(3), 5.0).shape == ROLL.encode(tune(9), 5.0).shape == (100, 88)
    assert ROLL.encode([], 2.0).shape == (40, 88)
    assert EVENTS.encode([], 2.0).shape == (0, 4)


def test_a_rolls_frames_are_the_architectures() -> None:
    slow = representation_of(Architecture(fs=4))
    assert len(slow.encode([Note(60, 0.0, 2.0, 40)])) == 8
    assert slow.decode(slow.encode([Note(60, 0.5, 2.0, 40)])) == [Note(60, 0.5, 2.0, 64)]


def test_lengths_are_rounded_up_to_whole_steps() -> None:
    assert [ROLL.whole_seconds(s) for s in (1.0, 1.01, 1.05)] == pytest.approx([1.0, 1.05, 1.05])
    assert [EVENTS.whole_seconds(s) for s in (1.0, 1.001)] == pytest.approx([1.0, 1.01])


def test_strokes_and_seconds_are_counted_after_the_first_step() -> None:
    notes = [Note(40 + i, i * 0.5, i * 0.5 + 0.4, 64) for i in range(9)]
    for representation, seconds in ((ROLL, 4.35), (EVENTS, 4.0)):
        steps = representation.encode(notes)
        assert representation.count_strokes(steps) == 8
        # Of note events a passage ends with the last onset.
        assert representation.seconds_after_first(steps) == pytest.approx(seconds, rel=0.02)
        assert representation.count_strokes(steps[:1]) == 0
        assert representation.seconds_after_first(steps[:1]) == 0


def test_a_roll_is_made_sparser_where_no_key_sounds_and_longer_where_one_does() -> None:
    decoder = after(ROLL, 3, 60)
    sparser, longer = ROLL.sparser(0.5, decoder), ROLL.longer(1.5, decoder)
    assert (sparser.dtype, longer.dtype) == (np.float32, np.float32)
    sounds = np.isin(np.arange(88), [3, 60])
    assert sparser.tolist() == np.where(sounds, 0.0, -0.5).tolist()
    assert longer.tolist() == np.where(sounds, 1.5, 0.0).tolist()
    assert (ROLL.sparser(-0.5, decoder) == -sparser).all()


def test_note_events_are_made_sparser_by_onset_steps_and_longer_by_durations() -> None:
    decoder = after(EVENTS, 3)
    sparser, longer = EVENTS.sparser(0.8, decoder), EVENTS.longer(0.8, decoder)
    assert sparser.shape == longer.shape == (sum(SIZES),)
    # In proportion, and the longer half alike.
    assert sparser[[0, 7, 14, 28, 40, 56]].tolist() == pytest.approx([0, 0.2, 0.4, 0.8, 0.8, 0.8])
    assert not sparser[57:].any()
    durations = longer[57 + 88 : 57 + 88 + 48]
    assert durations.tolist() == pytest.approx(np.linspace(0, 0.8, 48).tolist())
    assert np.count_nonzero(longer) == 47


def test_a_key_to_avoid_is_not_struck_but_may_go_on_sounding() -> None:
    decoder = after(ROLL, 60)
    assert not ROLL.avoid(60, decoder).any()
    bias = ROLL.avoid(61, decoder)
    assert np.flatnonzero(bias).tolist() == [61] and bias[61] == -np.float32(SURE)
    notes = EVENTS.avoid(61, after(EVENTS, 60))
    assert np.flatnonzero(notes).tolist() == [57 + 61] and notes[57 + 61] == -np.float32(SURE)


def test_a_decoder_undoes_what_is_encoded(representation: Representation) -> None:
    """A seed and what follows it, played step by step, are the notes of the whole."""
    notes = random_music(80, 4)
    seed_seconds = representation.whole_seconds(end_of(notes) / 2)
    seed = [n for n in notes if n.end <= seed_seconds]
    first_of_rest = next(n for n in notes if n.start >= seed_seconds)
    rest = [n for n in notes if n.start >= first_of_rest.start]
    steps = representation.encode([*seed, *rest])
    decoder = representation.decoder(seed, seed_seconds, SeedTouch(seed, 0))
    n_seed = len(decoder.seed_steps)
    assert np.array_equal(steps[:n_seed], decoder.seed_steps)
    new = [note for step in steps[n_seed:] for note in decoder.play(step)]
    new += decoder.let_go(600.0)
    assert sorted(n.pitch for n in new) == sorted(n.pitch for n in rest)
    for note, original in zip(sorted(new, key=lambda n: n.start), rest, strict=True):
        assert note.start + seed_seconds == pytest.approx(original.start, abs=0.06)
