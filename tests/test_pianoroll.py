"""Notes -> roll -> notes: nothing may get lost but time between frames."""

import numpy as np
import pytest
from conftest import tune

from pyzzicato.notes import Note, sort_notes
from pyzzicato.representations.pianoroll import (
    FS,
    WINDOW_FRAMES,
    notes_to_roll,
    roll_to_notes,
    seconds_to_frames,
    windows,
)


def frames_of(notes: list[Note], fs: int = FS) -> list[tuple[int, int, int, int]]:
    """Returns (pitch, onset frame, offset frame, velocity) of each note."""
    return [(n.pitch, round(n.start * fs), round(n.end * fs), n.velocity) for n in notes]


def random_notes(rng: np.random.Generator, fs: int) -> list[Note]:
    """Returns notes off the grid; strokes of one key are at least three frames apart."""
    notes = []
    for pitch in rng.choice(np.arange(21, 109), size=12, replace=False):
        onset = float(rng.uniform(0, 5)) / fs
        for _ in range(int(rng.integers(1, 9))):
            held = float(rng.uniform(0.01, 12)) / fs
            notes.append(Note(int(pitch), onset, onset + held, int(rng.integers(1, 128))))
            onset += held + float(rng.uniform(0, 3)) / fs
            onset = max(onset, notes[-1].start + 3 / fs)
    return sort_notes(notes)


def test_axes_are_time_from_0_and_pitch_from_a0() -> None:
    roll = notes_to_roll([Note(21, 0.0, 0.1, 11), Note(108, 0.05, 0.15, 99)])
    assert roll.dtype == np.uint8
    assert roll.shape == (3, 88)
    assert roll[:, 0].tolist() == [11, 11, 0]
    assert roll[:, 87].tolist() == [0, 99, 99]
    assert roll[:, 1:87].sum() == 0


def test_notes_on_the_grid_come_back_as_they_were() -> None:
    notes = tune(10)
    assert frames_of(roll_to_notes(notes_to_roll(notes))) == frames_of(notes)


@pytest.mark.parametrize("fs", [10, 20, 50])
def test_random_notes_come_back_within_half_a_frame(fs: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        notes = random_notes(rng, fs)
        back = roll_to_notes(notes_to_roll(notes, fs=fs), fs=fs)
        # Rounding may swap onsets that fall into one frame: compare key by key.
        by_key = sorted(notes, key=lambda n: (n.pitch, n.start))
        back = sorted(back, key=lambda n: (n.pitch, n.start))
        assert [(n.pitch, n.velocity) for n in back] == [(n.pitch, n.velocity) for n in by_key]
        for i, (note, copy) in enumerate(zip(by_key, back, strict=True)):
            assert abs(copy.start - note.start) <= 0.5 / fs + 1e-9
            struck_again = i + 1 < len(by_key) and by_key[i + 1].pitch == note.pitch
            if struck_again and copy.end < note.end - 0.5 / fs:
                # Ended early, but only to leave the silent frame before the next stroke.
                assert copy.end == pytest.approx(back[i + 1].start - 1 / fs)
            else:
                longest = max(note.end + 0.5 / fs, copy.start + 1 / fs)
                assert note.end - 0.5 / fs - 1e-9 <= copy.end <= longest + 1e-9


def test_a_roll_comes_back_as_it_was() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        roll = notes_to_roll(random_notes(rng, FS))
        assert np.array_equal(notes_to_roll(roll_to_notes(roll)), roll)


def test_a_key_struck_again_at_once_stays_two_notes() -> None:
    notes = [Note(60, 0.0, 0.5, 40), Note(60, 0.5, 1.0, 80)]
    roll = notes_to_roll(notes)
    assert roll[:, 39].tolist() == [40] * 9 + [0] + [80] * 10
    assert frames_of(roll_to_notes(roll)) == [(60, 0, 9, 40), (60, 10, 20, 80)]


def test_overlapping_strokes_of_a_key_stay_two_notes() -> None:
    notes = [Note(60, 0.0, 2.0, 40), Note(60, 0.5, 1.0, 80)]
    assert frames_of(roll_to_notes(notes_to_roll(notes))) == [(60, 0, 9, 40), (60, 10, 20, 80)]


def test_strokes_in_neighbouring_frames_are_moved_apart() -> None:
    notes = [Note(60, 0.0, 0.05, 40), Note(60, 0.05, 0.1, 80)]
    assert frames_of(roll_to_notes(notes_to_roll(notes))) == [(60, 0, 1, 40), (60, 2, 3, 80)]


def test_a_fast_repetition_keeps_every_stroke() -> None:
    notes = [Note(60, i * 0.07, i * 0.07 + 0.03, 40 + i) for i in range(6)]
    onsets = [
        (onset, velocity)
        for _, onset, _, velocity in frames_of(roll_to_notes(notes_to_roll(notes)))
    ]
    assert onsets == [(0, 40), (2, 41), (4, 42), (6, 43), (8, 44), (10, 45)]


def test_strokes_in_one_frame_are_one_note_the_longer_and_louder() -> None:
    notes = [Note(60, 0.0, 0.5, 40), Note(60, 0.01, 0.2, 80), Note(64, 0.0, 0.2, 60)]
    assert frames_of(roll_to_notes(notes_to_roll(notes))) == [(60, 0, 10, 80), (64, 0, 4, 60)]


def test_the_shortest_note_lasts_a_frame() -> None:
    assert frames_of(roll_to_notes(notes_to_roll([Note(60, 1.0, 1.001, 5)]))) == [(60, 20, 21, 5)]


def test_times_go_to_the_nearest_frame_halves_up() -> None:
    assert [seconds_to_frames(s) for s in (0.0, 0.0249, 0.025, 0.074, 0.5)] == [0, 0, 1, 1, 10]


def test_n_frames_cuts_or_adds_silence() -> None:
    notes = [Note(60, 0.0, 1.0, 40), Note(62, 0.9, 1.0, 50)]
    cut = notes_to_roll(notes, n_frames=12)
    assert cut.shape == (12, 88)
    assert frames_of(roll_to_notes(cut)) == [(60, 0, 12, 40)]
    longer = notes_to_roll(notes, n_frames=30)
    assert np.array_equal(longer[:20], notes_to_roll(notes))
    assert longer[20:].sum() == 0


def test_no_notes_are_no_frames() -> None:
    assert notes_to_roll([]).shape == (0, 88)
    assert roll_to_notes(np.zeros((5, 88), np.uint8)) == []
    assert roll_to_notes(np.zeros((0, 88), np.uint8)) == []


def test_a_roll_of_zeros_and_ones_and_one_of_loud_bytes_are_read() -> None:
    roll = np.zeros((4, 88), np.uint8)
    roll[1:3, 0] = 1
    roll[0:2, 87] = 255
    assert frames_of(roll_to_notes(roll)) == [(108, 0, 2, 127), (21, 1, 3, 1)]


@pytest.mark.parametrize("shape", [(88,), (5, 87), (1, 5, 88)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"roll must be \(T, 88\), got"):
        roll_to_notes(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match=r"roll must be \(T, 88\), got"):
        windows(np.zeros(shape, np.uint8), 1)


def test_windows_are_ten_seconds_and_the_frame_after() -> None:
    roll = notes_to_roll(tune(15))
    features, targets = windows(roll)
    assert WINDOW_FRAMES == 200
    n = len(roll) - 200
    assert features.shape == (n, 200, 88)
    assert targets.shape == (n, 88)
    for i in range(n):
        assert np.array_equal(features[i], roll[i : i + 200])
        assert np.array_equal(targets[i], roll[i + 200])


def test_windows_copy_nothing() -> None:
    roll = notes_to_roll(tune(15))
    features, targets = windows(roll, 50)
    assert np.shares_memory(features, roll)
    assert np.shares_memory(targets, roll)
    # The views reach every frame: a change of the roll shows in window and target.
    roll[60] = 9
    assert (features[20, 40] == 9).all()
    assert (targets[10] == 9).all()


@pytest.mark.parametrize("n_feat", [0, 10, 11])
def test_windows_longer_than_the_roll_are_refused(n_feat: int) -> None:
    with pytest.raises(ValueError, match=f"n_feat must be 1 to 9 .* got {n_feat}"):
        windows(np.zeros((10, 88), np.uint8), n_feat)
