"""A span is played anew: what is around it stays, and what follows decides what is chosen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from made_graphs import made_events, made_roll

import pyzzicato
from pyzzicato.notes import Note, end_of, separate_strokes
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.redo import _LEAN, NOTHING_FOLLOWS, _leaning, redo_span, stream_redo
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations.event_bins import SIZES


@pytest.fixture(scope="module")
def model() -> Model:
    """Returns the default model: a span that leads on takes one that has learnt."""
    return pyzzicato.load_model()


PIECE = separate_strokes(pyzzicato.load_seed("bach-prelude-c-major").notes)[0]


def test_all_outside_the_span_stays_and_nothing_is_left_ringing(model: Model) -> None:
    piece = redo_span(model, PIECE, 4.0, 7.0, tries=3)
    outside = [n for n in PIECE if not 4 <= n.start < 7]
    assert [(n.pitch, n.start) for n in piece.seed_notes] == [(n.pitch, n.start) for n in outside]
    assert [n for n in piece.seed_notes if n.start >= 7] == [n for n in outside if n.start >= 7]
    assert piece.new_notes and all(4 <= n.start < 7 for n in piece.new_notes)
    assert separate_strokes(piece.notes)[1] == 0
    rings = end_of([n for n in PIECE if n.start < 7])
    assert end_of(piece.new_notes) <= max(rings, 7.3)
    assert piece.seed_seconds == 4 and piece.remarks == ()


def test_more_tries_make_what_follows_likelier(model: Model) -> None:
    few, many = (redo_span(model, PIECE, 4.0, 7.0, tries=n).facts for n in (1, 12))
    assert few["nats_after"] == few["nats_after_plain"]
    assert many["nats_after"] < many["nats_after_plain"]
    assert many["nats_after_before"] == pytest.approx(few["nats_after_before"])


def test_the_same_draw_gives_the_same_span_and_another_another(model: Model) -> None:
    settings = GenerationSettings(rng=3)
    first, again, other = (
        redo_span(model, PIECE, 4.0, 6.0, s, tries=2).new_notes
        for s in (settings, settings, replace(settings, rng=4))
    )
    assert first == again != other


def test_it_hands_over_between_the_tries(model: Model) -> None:
    parts = list(stream_redo(model, PIECE, 4.0, 6.0, tries=4))
    assert len(parts) > 4 and parts[-1] is not None and not any(parts[:-1])


def test_the_last_span_of_a_piece_is_carried_on_plainly(model: Model) -> None:
    end = end_of(PIECE)
    piece = redo_span(model, PIECE, end - 4, end, tries=2)
    assert piece.remarks == (NOTHING_FOLLOWS,)
    assert set(piece.facts) == {"tries"}


def test_the_end_of_a_span_leans_to_the_pitch_classes_of_what_follows() -> None:
    bias = _leaning([Note(60, 0.0, 1.0, 64), Note(72, 1.0, 2.0, 64), Note(67, 2.0, 3.0, 64)])
    keys = bias[SIZES[0] : SIZES[0] + SIZES[1]]
    assert np.count_nonzero(bias) == np.count_nonzero(keys) == 88
    c, g, absent = (float(keys[pitch - 21]) for pitch in (48, 55, 50))
    assert c > g > 0 > absent == pytest.approx(_LEAN * np.log(0.5))
    assert np.ptp(keys[27::12]) == 0  # all C


def test_a_note_that_rings_into_the_span_ends_where_its_key_is_struck(tmp_path: Path) -> None:
    held = [Note(60, 0.0, 9.0, 64), Note(62, 1.0, 1.5, 64), *tune(2)]
    notes = [held[0], held[1], Note(70, 8.0, 9.0, 64)]
    # It strikes middle C again and again, half a second apart.
    onset, pitch = np.full(57, -50.0), np.full(88, -50.0)
    onset[31], pitch[39] = 50.0, 50.0
    model = made_events(tmp_path, onset=list(onset), pitch=list(pitch))
    piece = redo_span(model, notes, 3.0, 6.0, tries=1)
    first = piece.new_notes[0]
    assert first.pitch == 60 and piece.seed_notes[0].end == pytest.approx(first.start)


def test_a_long_silence_before_the_span_is_no_fault(model: Model) -> None:
    late = [replace(n, start=n.start + 100, end=n.end + 100) for n in PIECE]
    piece = redo_span(model, [PIECE[0], *late], 90.0, 95.0, tries=1)
    assert piece.seed_notes[0].start == PIECE[0].start


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ((4.0, 5.0), "end - start must be 2 to 20"),
        ((6.0, 4.0), "end - start must be"),
        ((0.0, 4.0), "start must be above 0.00 s"),
        ((4.0, 60.0), "end must be"),
        ((float("nan"), 60.0), "start must be"),
    ],
)
def test_a_span_must_lie_in_the_piece(model: Model, span: tuple[float, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        redo_span(model, PIECE, *span)


def test_rolls_and_wrong_numbers_of_tries_are_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="model must be one of note events"):
        redo_span(made_roll(tmp_path, 0.0), PIECE, 4.0, 7.0)
    with pytest.raises(ValueError, match="tries must be a whole number from 1 to 64"):
        redo_span(model, PIECE, 4.0, 7.0, tries=0)
