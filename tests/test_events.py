"""Note events: bins by hand, and notes that come back as near as the bins are fine."""

import numpy as np
import pytest
from random_music import random_music

from pyzzicato.notes import LOWEST_PITCH, Note, sort_notes
from pyzzicato.representations.event_bins import (
    DURATIONS_S,
    ONSET_TICKS,
    SIZES,
    TICK_S,
    VELOCITIES,
    check_events,
    decode_events,
    encode_events,
    event_note,
    onset_bin_after,
)


def random_notes(n: int, seed: int, mean_gap_s: float = 0.1) -> list[Note]:
    """Returns notes on the whole keyboard, at any times, of any length the bins have."""
    rng = np.random.default_rng(seed)
    # No silence is longer than a step can be.
    onsets = np.cumsum(np.minimum(rng.exponential(mean_gap_s, n), 3.9))
    lengths = np.exp(rng.uniform(np.log(0.03), np.log(6.0), n))
    return [
        Note(int(rng.integers(21, 109)), float(t), float(t + d), int(rng.integers(1, 128)))
        for t, d in zip(onsets, lengths, strict=True)
    ]


def test_the_bins_are_those_documented() -> None:
    assert SIZES == (57, 88, 48, 16)
    assert ONSET_TICKS[:12].tolist() == list(range(12))
    assert ONSET_TICKS[-1] == 400
    assert (np.diff(ONSET_TICKS) > 0).all()
    # In equal ratios, as far as whole ticks allow: 0.1 s and more are hit within 5 %.
    assert (ONSET_TICKS[12:] / ONSET_TICKS[11:-1]).max() < 1.13
    assert (DURATIONS_S[0], DURATIONS_S[-1]) == pytest.approx((0.03, 6.0))
    assert DURATIONS_S[1:] / DURATIONS_S[:-1] == pytest.approx([200 ** (1 / 47)] * 47)
    assert VELOCITIES.tolist() == [4 + 8 * i for i in range(16)]


def test_a_tune_by_hand() -> None:
    notes = [
        Note(60, 0.0, 0.03, 64),
        Note(67, 0.05, 6.05, 127),
        Note(62, 0.05, 0.08, 1),
        Note(21, 0.15, 0.18, 7),
        Note(108, 4.15, 4.18, 8),
    ]
    assert encode_events(notes).tolist() == [
        [0, 39, 0, 8],
        # Of one onset: in ascending order, the second 0 ticks after the first.
        [5, 41, 0, 0],
        [0, 46, 47, 15],
        [10, 0, 0, 0],
        [56, 87, 0, 1],
    ]
    back = decode_events(encode_events(notes))
    assert [(n.pitch, n.velocity) for n in back] == [
        (60, 68),
        (62, 4),
        (67, 124),
        (21, 4),
        (108, 12),
    ]
    assert [n.start for n in back] == pytest.approx([0.0, 0.05, 0.05, 0.15, 4.15])
    assert [n.duration for n in back] == pytest.approx([0.03, 0.03, 6.0, 0.03, 0.03])


def test_no_notes_are_no_events() -> None:
    assert encode_events([]).shape == (0, 4)
    assert encode_events([]).dtype == np.uint8
    assert decode_events(np.zeros((0, 4), dtype=np.uint8)) == []


def test_the_first_onset_counts_from_the_start_of_the_passage() -> None:
    notes = [Note(60, 10.07, 10.5, 64)]
    events = encode_events(notes, start_s=10.0)
    assert ONSET_TICKS[events[0, 0]] == 7
    assert decode_events(events, start_s=10.0)[0].start == pytest.approx(10.07)
    # A tick is the nearest: 4 ms early is none at all.
    assert encode_events([Note(60, 10.0, 10.5, 64)], start_s=10.004)[0, 0] == 0


@pytest.mark.parametrize("column", range(4))
def test_every_bin_comes_back_as_itself(column: int) -> None:
    events = np.tile(np.array([20, 39, 20, 8], dtype=np.uint8), (SIZES[column], 1))
    events[:, column] = np.arange(SIZES[column])
    for event in events:
        assert encode_events(decode_events(event[None])).tolist() == [event.tolist()]


@pytest.mark.parametrize("seed", range(5))
def test_notes_come_back_within_half_a_bin(seed: int) -> None:
    notes = random_notes(300, seed)
    events = encode_events(notes)
    back = decode_events(events)
    assert len(back) == len(notes)
    half_a_step = (DURATIONS_S[1] / DURATIONS_S[0]) ** 0.5
    # Of one onset the order may change; whoever has the same pitch and comes next is the note.
    by_pitch: dict[int, list[Note]] = {}
    for note in back:
        by_pitch.setdefault(note.pitch, []).append(note)
    for note in notes:
        came = by_pitch[note.pitch].pop(0)
        # Half a tick and half the bin of the step before it.
        assert abs(came.start - note.start) < 0.005 + 0.06 * 4
        assert (
            1 / half_a_step < came.duration / note.duration * (1 + 1e-9) < half_a_step * (1 + 2e-9)
        )
        assert abs(came.velocity - note.velocity) <= 4
    assert not any(by_pitch.values())


@pytest.mark.parametrize("mean_gap_s", [0.02, 0.12, 0.8])
def test_what_is_encoded_decoded_and_encoded_again_is_the_same(mean_gap_s: float) -> None:
    events = encode_events(random_notes(4000, seed=2, mean_gap_s=mean_gap_s))
    assert encode_events(decode_events(events)).tolist() == events.tolist()


@pytest.mark.parametrize("mean_gap_s", [0.02, 0.12, 0.8])
def test_onsets_do_not_drift(mean_gap_s: float) -> None:
    notes = random_notes(4000, seed=1, mean_gap_s=mean_gap_s)
    true = np.array([note.start for note in notes])
    back = np.array([note.start for note in decode_events(encode_events(notes))])
    # Sorted by onset on both sides: only a chord's notes may have changed places.
    errors = np.abs(back - true)
    # Half a tick and half a bin of the longest step, however many notes came before.
    assert errors.max() <= 0.005 + 0.065 * np.diff(true).max()
    early, late = errors[:1000].mean(), errors[-1000:].mean()
    assert late < 1.5 * early + 0.002


def test_notes_of_a_chord_ascend_and_stay_together() -> None:
    chord = [
        Note(pitch, 0.05 + spread, 2.0, 64)
        for pitch, spread in ((72, 0.0), (60, 0.004), (67, 0.002))
    ]
    events = encode_events(chord)
    assert events[:, 1].tolist() == [60 - 21, 67 - 21, 72 - 21]
    assert events[1:, 0].tolist() == [0, 0]
    assert {note.start for note in decode_events(events)} == {0.05}


def test_a_long_silence_becomes_four_seconds_and_costs_nothing_after() -> None:
    notes = [Note(60, 0.0, 0.5, 64), Note(62, 9.0, 9.5, 64), Note(64, 9.5, 9.9, 64)]
    back = decode_events(encode_events(notes))
    assert [note.start for note in back] == pytest.approx([0.0, 4.0, 4.5], abs=0.02)
    # Exactly 4 s is no long silence.
    back = decode_events(encode_events([notes[0], Note(62, 4.0, 4.5, 64), Note(64, 4.1, 5, 64)]))
    assert [note.start for note in back] == pytest.approx([0.0, 4.0, 4.1])


@pytest.mark.parametrize("seed", range(4))
def test_what_was_decoded_is_encoded_the_same(seed: int) -> None:
    """Models are trained on encoded notes and hear what they played decoded: it must be one."""
    rng = np.random.default_rng(seed)
    events = np.stack([rng.integers(size, size=200) for size in SIZES], axis=1).astype(np.uint8)
    # Notes of one onset in ascending order, as encoding has them.
    events[events[:, 0] == 0, 0] = 1
    assert encode_events(decode_events(events)).tolist() == events.tolist()


def test_random_music_is_recognisable() -> None:
    notes = random_music(3)
    back = decode_events(encode_events(notes))
    assert sorted(n.pitch for n in back) == sorted(n.pitch for n in notes)
    starts = np.array([[n.start for n in sort_notes(some)] for some in (notes, back)])
    assert np.abs(starts[0] - starts[1]).max() < 0.03


def test_the_note_of_an_event() -> None:
    note = event_note(np.array([3, 0, 47, 15], dtype=np.uint8), 2.5)
    assert note == Note(LOWEST_PITCH, 2.5, 2.5 + float(DURATIONS_S[47]), 124)


def test_the_shortest_step_that_lasts_at_least_so_long() -> None:
    assert [onset_bin_after(s) for s in (0.0, 0.01, 0.011, 0.1, 4.0, 5.0)] == [0, 1, 2, 10, 56, 56]
    for seconds in np.linspace(0, 4, 401):
        found = onset_bin_after(float(seconds))
        assert ONSET_TICKS[found] * TICK_S >= seconds - 1e-6
        assert found == 0 or ONSET_TICKS[found - 1] * TICK_S < seconds


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (np.zeros((3, 5), np.uint8), r"events must be \(N, 4\), got \(3, 5\); rows are notes"),
        (np.zeros(4, np.uint8), r"events must be \(N, 4\), got \(4,\)"),
        (np.array([[57, 0, 0, 0]], np.uint8), "onset step must be 0 to 56, got 57"),
        (np.array([[0, 0, 0, 0], [0, 88, 0, 0]], np.uint8), "pitch must be 0 to 87, got 88"),
        (np.array([[0, 0, 48, 0]], np.uint8), "duration must be 0 to 47, got 48"),
        (np.array([[0, 0, 0, 16]], np.uint8), "velocity must be 0 to 15, got 16"),
    ],
)
def test_what_is_no_events_is_refused(events: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode_events(events)
    with pytest.raises(ValueError, match=words):
        check_events(events)
