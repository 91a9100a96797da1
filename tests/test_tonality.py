"""Tonality: values worked out by hand, edge cases, and music in no key."""

import dataclasses
import math

import numpy as np
import pytest

from pyzzicato.evaluation.arrays import note_arrays
from pyzzicato.evaluation.tonality import (
    cosine,
    key_clarity,
    measure_tonality,
    pitch_class_entropy,
    window_counts,
)
from pyzzicato.notes import Note, transpose_notes

C_MAJOR = (60, 62, 64, 65, 67, 69, 71)


def line(pitches: list[int], step: float = 0.25) -> list[Note]:
    """Returns a melody: one note every `step` seconds."""
    return [Note(p, i * step, i * step + 0.2, 64) for i, p in enumerate(pitches)]


def tonal(n: int = 240) -> list[Note]:
    """Returns chords and steps in C major, the tonic triad most often."""
    rng = np.random.default_rng(2)
    weights = np.array([5, 2, 4, 2, 4, 2, 1]) / 20
    return line(rng.choice(C_MAJOR, n, p=weights).tolist())


def noise(n: int = 240) -> list[Note]:
    """Returns notes at random over four octaves."""
    return line(np.random.default_rng(3).integers(36, 84, n).tolist())


# Values by hand -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pitches", "bits"),
    [
        ([60], 0.0),
        ([60, 72, 84], 0.0),
        ([60, 64], 1.0),
        ([60, 64, 67, 71], 2.0),
        ([60, 60, 60, 62], 0.8113),
    ],
)
def test_entropy_by_hand(pitches: list[int], bits: float) -> None:
    found = measure_tonality(line(pitches), 10.0)
    assert found.pitch_class_entropy == pytest.approx(bits, abs=1e-4)


def test_entropy_of_all_twelve() -> None:
    assert pitch_class_entropy(np.ones(12)) == pytest.approx(math.log2(12))
    assert pitch_class_entropy(np.zeros(12)) is None


def test_windows_begin_every_four_seconds() -> None:
    notes = [Note(p, s, s + 0.1, 64) for p, s in ((60, 0.0), (61, 4.0), (62, 8.0), (63, 11.9))]
    windows = window_counts(note_arrays(notes), 16.0)
    # 0-8, 4-12, 8-16: a note at 8 belongs to the second and third.
    assert [w[:4].tolist() for w in windows] == [[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 1, 1]]


@pytest.mark.parametrize(("seconds", "n"), [(3.0, 1), (8.0, 1), (11.9, 1), (12.0, 2), (60.0, 14)])
def test_number_of_windows(seconds: float, n: int) -> None:
    assert len(window_counts(note_arrays([]), seconds)) == n


def test_windows_hold_one_key_at_a_time() -> None:
    # Eight seconds on two pitch classes, eight on two others: one bit each, two over all.
    notes = line([60, 64] * 16 + [61, 65] * 16)
    found = measure_tonality(notes, 16.0)
    assert found.pitch_class_entropy == pytest.approx(2.0)
    # The window across the border hears all four; the median of 1, 2 and 1 is 1.
    assert found.window_entropy == pytest.approx(1.0)


def test_windows_with_few_notes_are_left_out() -> None:
    notes = line([60, 64] * 16) + [Note(61, 20.0, 21.0, 64)]
    assert measure_tonality(notes, 32.0).window_entropy == pytest.approx(1.0)
    assert measure_tonality(line([60, 64, 67]), 8.0).window_entropy is None


def test_kinship_by_hand() -> None:
    # (1, 1) against (1, 0): cos 45 degrees.
    found = measure_tonality(line([60]), 10.0, seed_notes=line([60, 64]))
    assert found.kinship == pytest.approx(math.sqrt(0.5))


def test_kinship_of_a_piece_with_itself_and_with_a_stranger() -> None:
    notes = tonal()
    assert measure_tonality(notes, 60.0, notes).kinship == pytest.approx(1.0)
    assert measure_tonality(line([60, 64]), 5.0, line([61, 63])).kinship == 0.0


def test_octaves_do_not_matter() -> None:
    notes = tonal()
    found = measure_tonality(transpose_notes(notes, -12), 60.0, notes)
    assert found == measure_tonality(notes, 60.0, notes)


@pytest.mark.parametrize("tonic", range(12))
def test_a_major_scale_fits_its_key(tonic: int) -> None:
    counts = np.zeros(12)
    counts[[(tonic + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)]] = 1
    profile = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
    expected = np.corrcoef(counts, np.roll(profile, tonic))[0, 1]
    assert key_clarity(counts) == pytest.approx(expected)


@pytest.mark.parametrize("tonic", [0, 5])
def test_the_minor_profile_fits_itself(tonic: int) -> None:
    minor = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
    assert key_clarity(np.roll(minor, tonic)) == pytest.approx(1.0)


def test_key_clarity_of_all_twelve_alike_is_zero() -> None:
    assert key_clarity(np.full(12, 7.0)) == 0.0
    assert key_clarity(np.zeros(12)) is None


# Edges ----------------------------------------------------------------------------------------


def test_silence_has_no_tonality() -> None:
    found = measure_tonality([], 60.0, seed_notes=tonal())
    assert list(dataclasses.asdict(found).values()) == [None] * 5


def test_no_seed_no_kinship() -> None:
    assert measure_tonality(tonal(), 60.0).kinship is None
    assert measure_tonality(tonal(), 60.0, seed_notes=[]).kinship is None
    assert cosine(np.zeros(12), np.ones(12)) is None


def test_one_note() -> None:
    found = measure_tonality([Note(60, 0.0, 1.0, 64)], 60.0)
    assert found.pitch_class_entropy == 0.0
    assert found.window_entropy is None
    assert found.key_clarity is not None
    assert 0 < found.key_clarity < 1


def test_a_bad_length_is_refused() -> None:
    with pytest.raises(ValueError, match="seconds must be above 0"):
        measure_tonality([], 0.0)
    with pytest.raises(ValueError, match="struck before 5 s"):
        measure_tonality([Note(60, 6.0, 7.0, 64)], 5.0)


# Bad pieces -----------------------------------------------------------------------------------


def test_noise_is_in_no_key() -> None:
    seed = tonal(40)
    good, bad = measure_tonality(tonal(), 60.0, seed), measure_tonality(noise(), 60.0, seed)
    assert bad.pitch_class_entropy is not None
    assert bad.pitch_class_entropy > 3.5
    assert bad.window_entropy is not None
    assert good.window_entropy is not None
    assert bad.window_entropy > 3.2 > 2.8 > good.window_entropy
    assert good.kinship is not None
    assert bad.kinship is not None
    assert good.kinship > 0.95 > 0.85 > bad.kinship
    assert good.window_key_clarity is not None
    assert bad.window_key_clarity is not None
    assert good.window_key_clarity > 0.8 > 0.7 > bad.window_key_clarity


def test_a_transposed_continuation_is_a_stranger_to_its_seed() -> None:
    seed = tonal(40)
    near = measure_tonality(tonal(), 60.0, seed).kinship
    far = measure_tonality(transpose_notes(tonal(), 6), 60.0, seed).kinship
    assert near is not None
    assert far is not None
    assert far < 0.5 < near


def test_one_note_repeated_has_no_entropy() -> None:
    found = measure_tonality(line([60] * 240), 60.0)
    assert (found.pitch_class_entropy, found.window_entropy) == (0.0, 0.0)
