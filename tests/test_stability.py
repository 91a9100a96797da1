"""Stability: values worked out by hand, edge cases, and pieces that must be found bad."""

import dataclasses
import math

import numpy as np
import pytest

from pyzzicato.evaluation.arrays import sounding_seconds
from pyzzicato.evaluation.stability import distinct_share, measure_stability, run_lengths
from pyzzicato.notes import Note


def line(pitches: list[int], step: float = 0.5, length: float = 0.4, at: float = 0.0) -> list[Note]:
    """Returns a melody: one note every `step` seconds."""
    return [Note(p, at + i * step, at + i * step + length, 64) for i, p in enumerate(pitches)]


def scale(n: int, step: float = 0.5) -> list[Note]:
    """Returns `n` notes that never repeat a figure of eight."""
    rng = np.random.default_rng(1)
    return line(rng.integers(40, 90, n).tolist(), step)


# Values by hand -------------------------------------------------------------------------------


def test_density_silence_and_gap() -> None:
    notes = [Note(60, 1.0, 2.0, 64), Note(64, 1.5, 3.0, 64), Note(67, 7.0, 8.0, 64)]
    found = measure_stability(notes, 10.0)
    assert found.n_notes == 3
    assert found.notes_a_second == pytest.approx(0.3)
    # 1-3 and 7-8 sound: three of ten seconds.
    assert found.silent_share == pytest.approx(0.7)
    assert found.longest_gap_s == pytest.approx(4.0)
    assert found.longest_note_s == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("start", "end", "gap"), [(4.0, 5.0, 5.0), (6.0, 7.0, 6.0), (0.0, 10.0, 0.0)]
)
def test_gap_counts_the_beginning_and_the_end(start: float, end: float, gap: float) -> None:
    assert measure_stability([Note(60, start, end, 64)], 10.0).longest_gap_s == pytest.approx(gap)


def test_a_long_note_under_short_ones_is_no_silence() -> None:
    notes = [Note(36, 0.0, 9.0, 64), Note(60, 1.0, 1.1, 64), Note(62, 2.0, 2.1, 64)]
    found = measure_stability(notes, 9.0)
    assert found.silent_share == 0.0
    assert found.longest_gap_s == 0.0


def test_drift_is_last_third_over_first() -> None:
    notes = line([60, 62, 64, 65], at=0.0) + line([60], at=4.5) + line([60, 62], at=6.5)
    assert measure_stability(notes, 9.0).drift == pytest.approx(0.5)


def test_drift_is_undefined_after_an_empty_first_third() -> None:
    assert measure_stability(line([60, 62], at=8.0), 10.0).drift is None


def test_runs_of_one_key() -> None:
    pitches = [60] * 9 + [62] + [64] * 3 + [60]
    assert run_lengths(np.array(pitches)).tolist() == [9, 1, 3, 1]
    found = measure_stability(line(pitches), 8.0)
    assert found.longest_run == 9
    assert found.stuck_share == pytest.approx(9 / 14)


def test_a_chord_breaks_a_run() -> None:
    notes = line([60] * 10) + line([64] * 10)
    found = measure_stability(notes, 8.0)
    assert found.longest_run == 1
    assert found.stuck_share == 0.0


def test_distinct_share_by_hand() -> None:
    # Of the pairs 12, 21, 12, 23 three differ.
    assert distinct_share(np.array([1, 2, 1, 2, 3]), 2) == pytest.approx(3 / 4)


def test_a_spread_chord_reads_like_a_struck_one() -> None:
    struck = [Note(p, 0.5 * i, 0.5 * i + 0.4, 64) for i in range(8) for p in (60, 64, 67)]
    delays = [(60, 0.02), (64, 0.0), (67, 0.01)]
    spread = [Note(p, 0.5 * i + d, 0.5 * i + 0.4, 64) for i in range(8) for p, d in delays]
    alike = measure_stability(struck, 4.0).distinct_8grams
    assert measure_stability(spread, 4.0).distinct_8grams == alike == pytest.approx(3 / 17)


def test_repetition_growth() -> None:
    figure = [60, 62, 64, 65, 67, 69, 71, 72]
    fresh = scale(20)
    looped = line(figure * 2 + figure[:4], at=10.0)
    # The second half has 13 figures of eight, and only 8 of them differ.
    found = measure_stability(fresh + looped, 20.0)
    assert found.repetition_growth == pytest.approx(1 - 8 / 13)


@pytest.mark.parametrize(
    ("gap", "restruck"), [(0.0, 1), (0.04, 1), (0.05, 1), (0.08, 0), (-0.3, 1)]
)
def test_restruck_notes(gap: float, restruck: int) -> None:
    notes = [Note(60, 1.0, 2.0, 64), Note(60, 2.0 + gap, 3.0, 64), Note(64, 2.0, 3.0, 64)]
    assert measure_stability(notes, 4.0).restruck_share == pytest.approx(restruck / 3)


@pytest.mark.parametrize(("apart", "stutters"), [(0.05, 1), (0.1, 1), (0.12, 0)])
def test_stutter_looks_at_onsets_of_the_same_key(apart: float, stutters: int) -> None:
    notes = [Note(60, 1.0, 1.04, 64), Note(60, 1.0 + apart, 2.0, 64), Note(61, 1.02, 2.0, 64)]
    assert measure_stability(notes, 4.0).stutter_share == pytest.approx(stutters / 3)


def test_hanging_notes() -> None:
    notes = [Note(60, 0.0, 10.0, 64), Note(62, 0.0, 10.5, 64), *line([70, 71])]
    found = measure_stability(notes, 12.0)
    assert found.hanging_share == pytest.approx(1 / 4)
    assert found.longest_note_s == pytest.approx(10.5)


# Edges ----------------------------------------------------------------------------------------


def test_silence() -> None:
    found = measure_stability([], 60.0)
    assert found.n_notes == 0
    assert found.notes_a_second == 0.0
    assert (found.silent_share, found.longest_gap_s) == (1.0, 60.0)
    assert found.longest_run == 0
    undefined = (
        "drift",
        "stuck_share",
        "distinct_8grams",
        "repetition_growth",
        "restruck_share",
        "stutter_share",
        "hanging_share",
        "longest_note_s",
    )
    assert [getattr(found, name) for name in undefined] == [None] * len(undefined)
    assert found.dried_up
    assert found.mostly_silent


def test_one_note() -> None:
    found = measure_stability([Note(60, 0.0, 1.0, 64)], 60.0)
    assert found.notes_a_second == pytest.approx(1 / 60)
    assert found.drift == 0.0
    assert (found.longest_run, found.stuck_share) == (1, 0.0)
    assert (found.restruck_share, found.stutter_share, found.hanging_share) == (0.0, 0.0, 0.0)
    assert found.distinct_8grams is None
    assert found.repetition_growth is None
    assert found.dried_up
    assert found.mostly_silent


def test_what_rings_past_the_end_does_not_count() -> None:
    found = measure_stability([Note(60, 9.0, 30.0, 64)], 10.0)
    assert found.longest_note_s == pytest.approx(1.0)
    assert found.silent_share == pytest.approx(0.9)


def test_the_order_of_the_notes_does_not_matter() -> None:
    notes = scale(60, step=0.1)
    assert measure_stability(notes[::-1], 7.0) == measure_stability(notes, 7.0)


def test_no_value_is_ever_nan() -> None:
    for notes in ([], [Note(60, 0.0, 1.0, 64)], line([60] * 7), scale(30)):
        for value in dataclasses.asdict(measure_stability(notes, 20.0)).values():
            assert value is None or math.isfinite(value)


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf])
def test_the_length_must_be_above_zero(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds must be above 0"):
        measure_stability([], seconds)


def test_a_note_after_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="struck before 10 s"):
        measure_stability([Note(60, 10.0, 11.0, 64)], 10.0)


def test_sounding_seconds_of_overlapping_and_touching_notes() -> None:
    starts, ends = np.array([5.0, 0.0, 1.0, 3.0]), np.array([6.0, 2.0, 1.5, 4.0])
    assert sounding_seconds(starts, ends) == pytest.approx(4.0)
    assert sounding_seconds(np.zeros(0), np.zeros(0)) == 0.0


# Verdicts and bad pieces ----------------------------------------------------------------------


def test_a_steady_piece_passes() -> None:
    found = measure_stability(scale(120), 60.0)
    assert found.drift == pytest.approx(1.0)
    assert not found.dried_up
    assert not found.mostly_silent
    assert found.distinct_8grams == 1.0
    assert found.repetition_growth == 0.0


def test_stopping_after_ten_seconds_is_drying_up_and_silence() -> None:
    found = measure_stability(scale(20), 60.0)
    assert found.drift == 0.0
    assert found.dried_up
    assert found.mostly_silent


def test_fading_to_single_notes_is_drying_up() -> None:
    last = line([60, 62, 64, 65], step=5.0, length=5.0, at=40.0)
    found = measure_stability(scale(80) + last, 60.0)
    assert found.drift == pytest.approx(0.1)
    assert found.dried_up


def test_slow_music_is_not_dried_up() -> None:
    found = measure_stability(line([60, 64, 67, 72] * 5, step=3.0, length=3.0), 60.0)
    assert not found.dried_up
    assert not found.mostly_silent


def test_turning_from_very_fast_to_fast_is_not_drying_up() -> None:
    fast, slower = scale(400, step=0.05), line([60, 62, 64] * 25, step=0.25, length=0.2, at=41.0)
    found = measure_stability(fast + slower, 60.0)
    assert found.drift is not None
    assert found.drift < 0.25
    assert not found.dried_up


def test_a_held_chord_is_dried_up_though_not_silent() -> None:
    found = measure_stability([Note(p, 0.0, 60.0, 64) for p in (48, 55, 64)], 60.0)
    assert found.dried_up
    assert not found.mostly_silent
    assert found.hanging_share == 1.0


def test_a_looped_seed_repeats_itself() -> None:
    seed = scale(20)
    looped = [
        Note(n.pitch, n.start + 10 * i, n.end + 10 * i, n.velocity) for i in range(6) for n in seed
    ]
    found = measure_stability(looped, 60.0)
    assert found.distinct_8grams == pytest.approx(20 / 113)
    assert found.repetition_growth == pytest.approx(0.0)
    assert not found.dried_up


def test_one_note_repeated_is_stuck() -> None:
    found = measure_stability(line([60] * 120), 60.0)
    assert (found.longest_run, found.stuck_share) == (120, 1.0)
    assert found.distinct_8grams == pytest.approx(1 / 113)
