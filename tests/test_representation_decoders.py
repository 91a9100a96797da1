"""Steps become notes as they come, the seed's last notes are handed over, held keys are known."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import tune

from pyzzicato.models.architecture import Architecture
from pyzzicato.notes import LOWEST_PITCH, Note, sort_notes
from pyzzicato.representations import representation_of
from pyzzicato.representations.event_bins import (
    DURATIONS_S,
    ONSET_TICKS,
    SIZES,
    TICK_S,
    encode_events,
    onset_bins,
)
from pyzzicato.representations.interface import SURE
from pyzzicato.representations.note_events import NoteDecoder
from pyzzicato.representations.pianoroll import FS, notes_to_roll, roll_to_notes
from pyzzicato.representations.roll import RollDecoder
from pyzzicato.representations.touch import SeedTouch


def frames_of(notes: list[Note]) -> list[tuple[int, int, int]]:
    """Returns (onset frame, pitch, offset frame) of each note, in order."""
    return sorted((round(n.start * FS), n.pitch, round(n.end * FS)) for n in notes)


def roll_decoder(seed: list[Note], seed_seconds: float) -> RollDecoder:
    """Returns a decoder of a seed at the project's frame rate."""
    return RollDecoder(seed, seed_seconds, FS, SeedTouch(seed, 0))


def keys(*pitches: int) -> np.ndarray:
    """Returns the `(88,)` frame in which these pitches sound."""
    frame = np.zeros(88, np.uint8)
    frame[[pitch - 21 for pitch in pitches]] = 1
    return frame


def restless_frames(n: int, density: float, rng: np.random.Generator) -> np.ndarray:
    """Returns `(n, 88)` frames with long notes too: a key mostly goes on as it was."""
    frames = (rng.random((n, 88)) < density).astype(np.uint8)
    for t in range(1, n):
        stays = rng.random(88) < 0.8
        frames[t, stays] = frames[t - 1, stays]
    return frames


def lowest_onset(decoder: NoteDecoder) -> int:
    """Returns the shortest onset step that may follow."""
    if decoder.impossible is None:
        return 0
    assert {*decoder.impossible.tolist()} <= {0.0, -SURE}
    onsets = decoder.impossible[: SIZES[0]]
    assert not decoder.impossible[SIZES[0] :].any() and (np.diff(onsets) >= 0).all()
    return int((onsets < 0).sum())


def test_each_representation_has_its_decoder() -> None:
    seed = tune(2)
    touch = SeedTouch(seed, 0)
    on_roll = representation_of(Architecture()).decoder(seed, 2.0, touch)
    on_events = representation_of(Architecture("events")).decoder(seed, 2.0, touch)
    assert isinstance(on_roll, RollDecoder) and isinstance(on_events, NoteDecoder)
    assert np.array_equal(on_roll.seed_steps, notes_to_roll(seed, 40) > 0)
    assert np.array_equal(on_events.seed_steps, encode_events(seed))
    for decoder in (on_roll, on_events):
        assert decoder.seconds == 0
        assert decoder.sounding == decoder.struck == []


@pytest.mark.parametrize("density", [0.02, 0.5])
def test_frames_played_equal_reading_the_whole_roll(density: float) -> None:
    rng = np.random.default_rng(5)
    seed = tune(3)
    decoder = roll_decoder(seed, 3.0)
    frames = restless_frames(200, density, rng)
    new = [note for frame in frames for note in decoder.play(frame)] + decoder.let_go(10.0)
    moved = [replace(n, start=n.start + 3.0, end=n.end + 3.0) for n in new]
    whole = np.concatenate(((notes_to_roll(seed, 60) > 0).astype(np.uint8), frames))
    assert frames_of(decoder.seed_as_held() + moved) == frames_of(roll_to_notes(whole))
    assert decoder.seconds == 10.0
    assert decoder.impossible is None


def test_a_note_over_the_border_is_held_as_long_as_the_model_holds_it() -> None:
    seed = [Note(60, 0.0, 0.5, 40), Note(60, 0.75, 1.0, 80), Note(64, 0.0, 1.0, 50)]
    decoder = roll_decoder(seed, 1.0)
    assert decoder.play(keys(60)) == decoder.play(keys(60)) == []
    # What the seed left sounding is not new.
    assert decoder.sounding == []
    assert decoder.play(keys(67)) == []
    velocity = SeedTouch(seed, 0).strike([67], 0.1)[0]
    assert decoder.sounding == [Note(67, 0.1, 0.15, velocity)]
    assert decoder.play(keys()) == [Note(67, 0.1, 0.15, velocity)]
    assert decoder.let_go(0.2) == decoder.sounding == []
    # 60 sounded two frames on, as its last stroke; 64 was let go at once.
    assert decoder.seed_as_held() == sort_notes([seed[0], replace(seed[1], end=1.1), seed[2]])


def test_keys_still_down_at_the_end_are_let_go_there() -> None:
    seed = [Note(60, 0.0, 1.0, 40)]
    decoder = roll_decoder(seed, 1.0)
    decoder.play(keys(60, 67))
    decoder.play(keys(60, 67))
    assert [(n.pitch, n.start, n.end) for n in decoder.let_go(0.1)] == [(67, 0.0, 0.1)]
    assert decoder.seed_as_held() == [Note(60, 0.0, 1.1, 40)]
    assert decoder.sounding == []


def test_sounding_keys_become_the_notes_that_end() -> None:
    decoder = roll_decoder(tune(2), 2.0)
    held: dict[tuple[int, float], Note] = {}
    for frame in restless_frames(100, 0.1, np.random.default_rng(1)):
        for note in decoder.play(frame):
            before = held.pop((note.pitch, note.start))
            # Its pitch, onset and velocity were known while it sounded, and its end so far.
            assert before == note
        held = {(n.pitch, n.start): n for n in decoder.sounding}
        assert all(n.end == decoder.seconds for n in held.values())
        assert decoder.sounding == sort_notes(decoder.sounding)
    assert held


def event(step: int, pitch: int, duration: int = 20, velocity: int = 8) -> np.ndarray:
    """Returns one `(4,)` event of a pitch; the others are bins."""
    return np.array([step, pitch - 21, duration, velocity], dtype=np.uint8)


# The last note is struck at 1 s; the seed is 2 s long.
SEED = [Note(60, 0.0, 0.5, 64), Note(64, 1.0, 1.5, 64)]


def bin_of(seconds: float) -> int:
    """Returns the bin of a step of exactly so many seconds."""
    (found,) = np.flatnonzero(round(seconds / TICK_S) == ONSET_TICKS)
    return int(found)


def test_the_first_new_note_waits_for_the_seeds_end() -> None:
    decoder = NoteDecoder(SEED, 2.0)
    last = float(np.sum(ONSET_TICKS[decoder.seed_steps[:, 0]]) * TICK_S)
    lowest = lowest_onset(decoder)
    assert ONSET_TICKS[lowest] * TICK_S >= 2.0 - last > ONSET_TICKS[lowest - 1] * TICK_S
    decoder.play(event(lowest, 67))
    # The clock begins where the seed ends: what was left of the seed has passed.
    assert decoder.seconds == pytest.approx(ONSET_TICKS[lowest] * TICK_S - (2.0 - last), abs=0.006)
    assert decoder.seconds >= 0
    assert lowest_onset(decoder) == 0
    decoder.play(event(bin_of(0.05), 67))
    assert decoder.sounding[0].start == pytest.approx(decoder.seconds)


def test_a_seed_that_ends_in_a_long_silence_is_waited_for() -> None:
    decoder = NoteDecoder(SEED, 30.0)
    assert lowest_onset(decoder) == len(ONSET_TICKS) - 1
    assert decoder.play(event(len(ONSET_TICKS) - 1, 67)) == []
    assert decoder.seconds == 0.0


def test_notes_end_when_the_next_is_struck_after_their_end() -> None:
    decoder = NoteDecoder(SEED, 2.0)
    decoder.play(event(lowest_onset(decoder), 67, duration=0))
    began = decoder.seconds
    (first,) = decoder.sounding
    assert first == Note(67, began, began + float(DURATIONS_S[0]), 68)
    # After 0.02 s it still sounds, after 0.1 s it has ended.
    assert decoder.play(event(bin_of(0.02), 71, duration=47)) == []
    assert [n.pitch for n in decoder.sounding] == [67, 71]
    assert decoder.play(event(bin_of(0.08), 74)) == [first]
    assert [n.pitch for n in decoder.sounding] == [71, 74]
    assert decoder.seconds == pytest.approx(began + 0.1)


def test_a_key_struck_again_ends_the_note_it_holds() -> None:
    decoder = NoteDecoder(SEED, 2.0)
    decoder.play(event(lowest_onset(decoder), 67, duration=47))
    (long,) = decoder.sounding
    (ended,) = decoder.play(event(bin_of(0.1), 67, duration=0, velocity=15))
    assert ended == replace(long, end=decoder.seconds)
    assert [n.velocity for n in decoder.sounding] == [124]
    # One that had ended before keeps its end.
    (short,) = decoder.sounding
    assert decoder.play(event(bin_of(0.1), 67)) == [short]


def test_a_key_struck_twice_at_once_is_one_note() -> None:
    decoder = NoteDecoder(SEED, 2.0)
    decoder.play(event(lowest_onset(decoder), 67, velocity=3))
    assert decoder.play(event(0, 67, velocity=9)) == []
    assert [(n.pitch, n.velocity) for n in decoder.sounding] == [(67, 76)]


def test_stopping_lets_go_of_what_sounds_and_drops_what_was_not_struck_yet() -> None:
    decoder = NoteDecoder(SEED, 2.0)
    decoder.play(event(lowest_onset(decoder), 60, duration=47))
    decoder.play(event(0, 62, duration=0))
    decoder.play(event(bin_of(0.1), 64, duration=47))
    struck, at_s = decoder.sounding, decoder.seconds
    end = at_s + 0.05
    stopped = decoder.let_go(end)
    assert stopped == [replace(n, end=min(n.end, end)) for n in struck]
    assert decoder.sounding == decoder.let_go(end) == []
    # A note struck at the very end or after it is none.
    decoder.play(event(bin_of(0.1), 66))
    assert decoder.let_go(decoder.seconds) == []


@pytest.mark.parametrize("seed", range(3))
def test_all_events_become_notes_that_a_keyboard_can_play(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = np.stack([rng.integers(size, size=400) for size in SIZES], axis=1).astype(np.uint8)
    events[:, 1] = rng.integers(40, 52, 400)
    decoder = NoteDecoder(tune(3), 3.0)
    events[0, 0] = lowest_onset(decoder)
    made: list[Note] = []
    sounding: list[Note] = []
    for step in events:
        ended = decoder.play(step)
        # Only what sounded can end, at its own end or where its key is struck again.
        for note in ended:
            assert any((n.pitch, n.start) == (note.pitch, note.start) for n in sounding)
            assert note.end <= decoder.seconds + 1e-9
        made += ended
        sounding = decoder.sounding
        assert len({n.pitch for n in sounding}) == len(sounding)
        assert sounding == sort_notes(sounding)
    made += decoder.let_go(decoder.seconds + 1)
    onsets = {(round(n.start, 6), n.pitch) for n in made}
    assert len(onsets) == len(made)
    # Every stroke is there but those of a key struck twice at once.
    strokes = {
        (t, int(key))
        for t, key in zip(np.cumsum(ONSET_TICKS[events[:, 0]]), events[:, 1], strict=True)
    }
    assert len(made) == len(strokes)
    last_of: dict[int, Note] = {}
    for note in sort_notes(made):
        before = last_of.get(note.pitch)
        assert before is None or before.end <= note.start + 1e-9
        last_of[note.pitch] = note


def test_the_seed_is_handed_back_as_it_was() -> None:
    decoder = NoteDecoder(SEED, 2.0)
    decoder.play(event(lowest_onset(decoder), 64))
    assert decoder.seed_as_held() == SEED


@pytest.mark.parametrize("kind", ["roll", "events"])
def test_the_end_of_the_seed_may_be_fed_without_a_key_held(kind: str) -> None:
    seed = [Note(60, 0.0, 2.0, 64), Note(67, 1.0, 2.0, 64)]
    decoder = representation_of(Architecture(kind)).decoder(seed, 2.0, SeedTouch(seed, 0))
    written = decoder.seed_steps.copy()
    assert np.array_equal(decoder.end_of_seed(1), written[-1:])
    fed = decoder.end_of_seed(400, let_go=60 - LOWEST_PITCH)
    assert np.array_equal(decoder.seed_steps, written)
    if kind == "events":
        assert np.array_equal(fed, written)
    else:
        assert np.argwhere(fed != written).tolist() == [[39, 60 - LOWEST_PITCH]]


def test_what_is_struck_and_what_sounds_is_known_step_by_step() -> None:
    decoder = roll_decoder([Note(60, 0.0, 1.0, 40)], 1.0)
    assert decoder.n_sounding == 1
    seen = []
    for pitches in ((60, 67, 64), (67, 64), (), (60,)):
        decoder.play(keys(*pitches))
        seen.append((decoder.struck, decoder.n_sounding))
    assert seen == [([43, 46], 3), ([], 2), ([], 0), ([39], 1)]
    notes = NoteDecoder(SEED, 2.0)
    assert notes.n_sounding == 0
    notes.play(event(lowest_onset(notes), 67, duration=47))
    notes.play(event(0, 71, duration=0))
    assert (notes.struck, notes.n_sounding) == ([50], 2)
    notes.play(event(bin_of(0.1), 74))
    assert (notes.struck, notes.n_sounding) == ([53], 2)


def test_after_all_keys_were_let_go_a_sounding_key_is_struck_anew() -> None:
    decoder = roll_decoder([Note(60, 0.0, 1.0, 40)], 1.0)
    decoder.play(keys(60, 67))
    assert [(n.pitch, n.end) for n in decoder.let_go(0.05)] == [(67, 0.05)]
    decoder.play(keys(60, 67))
    assert decoder.struck == [39, 46]
    assert [(n.pitch, n.start) for n in decoder.let_go(0.1)] == [(60, 0.05), (67, 0.05)]
    assert decoder.seed_as_held() == [Note(60, 0.0, 1.05, 40)]


# ---- On a grid ----------------------------------------------------------------------------------


def quarters(seconds: float) -> float:
    """Moves an onset to the nearest quarter of a second."""
    return round(seconds * 4) / 4


def test_strokes_of_frames_wait_for_the_grid() -> None:
    decoder = roll_decoder([Note(60, 0.0, 1.0, 40)], 1.0)
    drawn = [
        keys(),
        keys(67),
        keys(67),
        keys(67, 72),
        keys(67),
        keys(67),
        keys(),
        keys(),
        *[keys()] * 3,
    ]
    new = []
    for frame in drawn:
        new += decoder.play(decoder.on_grid(frame, quarters))
    # Key 67 is drawn at 0.05 s, key 72 at 0.15 s and let go at once: both are struck at 0.25 s.
    assert [(n.pitch, n.start, n.end) for n in new] == [(67, 0.25, 0.3), (72, 0.25, 0.3)]


def test_events_go_to_the_grid_and_their_time_runs_on() -> None:
    decoder = NoteDecoder([Note(60, 0.0, 1.0, 40)], 1.0)

    def play(ticks: int, key: int) -> float:
        step = np.array([onset_bins(ticks), key, 30, 8], dtype=np.uint8)
        decoder.play(decoder.on_grid(step, quarters))
        return decoder.seconds

    # The first onset counts from the seed's only note, which was struck a second before its end.
    # Steps of about a second are 4 % apart.
    assert play(104, 40) <= 0.04
    # Steps of 60 ms, each too short for the grid, come to the next place all the same.
    times = [play(6, 40 + i) for i in range(16)]
    assert max(abs(at - quarters(at)) for at in times) <= 0.04
    assert times[0] <= 0.04 and times[-1] == pytest.approx(1.0, abs=0.02)
    assert sorted(times) == times
