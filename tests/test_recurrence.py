"""Recurrence and clashes: values counted by hand, identity, order, and what is undefined."""

from dataclasses import astuple, replace

import numpy as np
import pytest
from random_music import line, random_music

from pyzzicato.evaluation.arrays import note_arrays
from pyzzicato.evaluation.recurrence import (
    FIGURE_NOTES,
    chord_intervals,
    measure_recurrence,
    recurring_notes,
    recurring_share,
)
from pyzzicato.notes import Note, shift_notes, stretch_notes, transpose_notes
from pyzzicato.representations.pianoroll import notes_to_roll, roll_to_notes

# Four notes, another, the four again a third higher, another, the four again as they were.
THEME = [60, 62, 65, 61]
PIECE = [*THEME, 80, *(pitch + 3 for pitch in THEME), 40, *THEME]


def chord(pitches, start=0.0, spread_s=0.0):
    return [Note(p, start + i * spread_s, start + 1.0, 64) for i, p in enumerate(pitches)]


def test_figures_are_counted_by_hand():
    # 14 notes have 11 figures of 4; the second and third theme say the first one's intervals again.
    assert recurring_share(np.array(PIECE), 4) == pytest.approx(2 / 11)
    assert recurring_share(np.array(PIECE), 4, exact=True) == pytest.approx(1 / 11)
    assert recurring_share(np.array(PIECE), 6) == 0.0
    measured = measure_recurrence(line(PIECE))
    assert measured.recurrence_4 == pytest.approx(2 / 11)
    assert measured.exact_recurrence_4 == pytest.approx(1 / 11)
    assert (measured.recurrence_6, measured.recurrence_8) == (0.0, 0.0)
    assert (measured.minor_seconds, measured.major_sevenths, measured.clashes) == (None,) * 3


@pytest.mark.parametrize("n_notes", FIGURE_NOTES)
def test_a_piece_said_twice_recurs_by_half(n_notes):
    pitches = np.random.default_rng(0).permutation(88)[:40] + 21
    once, twice = recurring_share(pitches, n_notes), recurring_share(np.tile(pitches, 2), n_notes)
    assert once == 0.0
    # The figures that lie across the seam are new.
    assert twice == pytest.approx((40 - n_notes + 1) / (80 - n_notes + 1))


def test_one_key_over_and_over_is_one_figure():
    assert recurring_share(np.full(50, 60), 4) == pytest.approx(1 - 1 / 47)


@pytest.mark.parametrize("n_notes", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("exact", [False, True])
def test_codes_count_as_a_plain_loop_does(n_notes, exact):
    pitches = np.random.default_rng(n_notes).integers(60, 62, 300)
    said: set[tuple[int, ...]] = set()
    again = 0
    for i in range(len(pitches) - n_notes + 1):
        figure = pitches[i : i + n_notes]
        key = tuple(figure.tolist() if exact else np.diff(figure).tolist())
        again += key in said
        said.add(key)
    share = recurring_share(pitches, n_notes, exact=exact)
    assert share == pytest.approx(again / (len(pitches) - n_notes + 1))
    assert share > 0


def test_the_widest_intervals_are_told_apart():
    pitches = np.array([21, 108, 21, 108, 21, 107, 21, 108])
    assert recurring_share(pitches, 3) == pytest.approx(1 / 6)


def test_transposing_and_stretching_change_nothing():
    piece = random_music(0)
    piece += shift_notes(piece, 60.0)
    measured = measure_recurrence(piece)
    assert measured.recurrence_4 > 0.4 and measured.clashes > 0
    assert measure_recurrence(transpose_notes(piece, 5)) == measured
    # A multiple of the grid's step, so that all onsets stay where they are between its lines.
    assert astuple(measure_recurrence(shift_notes(piece, 3.0))) == pytest.approx(astuple(measured))
    assert measure_recurrence(line(PIECE)) == measure_recurrence(stretch_notes(line(PIECE), 2.0))


def test_a_roll_is_read_like_the_performance_it_is_of():
    piece = random_music(1)
    on_roll = measure_recurrence(roll_to_notes(notes_to_roll(piece)))
    assert astuple(on_roll) == pytest.approx(astuple(measure_recurrence(piece)))


def test_order_of_the_notes_does_not_matter():
    piece = random_music(2)
    assert measure_recurrence(piece[::-1]) == measure_recurrence(piece)


def test_all_intervals_of_a_chord_count():
    # C E G B: thirds 4, 3, 4, fifths 7, 7, a major seventh 11. C and D flat, and a ninth higher.
    notes = [*chord((60, 64, 67, 71)), *chord((60, 61, 73), start=2.0)]
    counts = chord_intervals(note_arrays(notes))
    expected = {1: 1, 3: 1, 4: 2, 7: 2, 11: 1, 12: 1, 13: 1}
    assert {i: int(n) for i, n in enumerate(counts) if n} == expected
    measured = measure_recurrence(notes)
    assert measured.minor_seconds == pytest.approx(2 / 9)
    assert measured.major_sevenths == pytest.approx(1 / 9)
    assert measured.clashes == pytest.approx(3 / 9)


def test_a_chord_is_what_falls_on_one_line_of_the_grid():
    together = chord((60, 61), start=1.0, spread_s=0.02)
    apart = chord((60, 61), start=1.0, spread_s=0.05)
    assert measure_recurrence(together).minor_seconds == 1.0
    assert measure_recurrence(apart).minor_seconds is None


def test_one_key_struck_twice_makes_no_interval():
    once = Note(60, 0.0, 0.01, 64)
    assert measure_recurrence([once, replace(once, start=0.015, end=1.0)]).clashes is None


@pytest.mark.parametrize("n_notes", [0, 1, 3])
def test_too_few_notes_have_no_figures(n_notes):
    assert astuple(measure_recurrence(line(PIECE[:n_notes]))) == (None,) * 9


@pytest.mark.parametrize("n_notes", [0, 1, 9])
def test_figures_of_other_lengths_are_refused(n_notes):
    with pytest.raises(ValueError, match="n_notes must be 2 to 8"):
        recurring_share(np.array(PIECE), n_notes)


def test_notes_of_a_figure_that_comes_back_are_found_both_times_in_another_key():
    theme, between = [60, 64, 62, 67, 65, 69], [40, 41, 43, 46, 50, 55, 61, 68]
    pitches = [*theme, *between, *(pitch + 3 for pitch in theme)]
    notes = [Note(pitch, i * 0.5, i * 0.5 + 0.4, 64) for i, pitch in enumerate(pitches)]
    found = recurring_notes(notes[::-1])
    assert found == [*notes[:6], *notes[-6:]]
    assert recurring_notes(notes[:6]) == recurring_notes(notes[:3]) == []
