"""Fingerprints of notes: codes that stay the same when music is transposed or slightly retimed.

Notes are put in playing order (`playing_order`). Each run of `GRAM_NOTES` successive notes, a gram,
has a code made of the intervals between them, so transposing changes nothing; time does not enter
once the notes are ordered, so stretching changes nothing either. Of the codes only some are kept,
chosen by winnowing in such a way that any two pieces that share `SURE_NOTES` successive notes keep
at least one code in common. Figures that belong to everybody (scales, trills, repeated notes,
broken chords) are recognised here too, because they must not pass for copying.

References:
    Schleimer, Wilkerson, Aiken 2003, "Winnowing: Local Algorithms for Document Fingerprinting".
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..notes import Note

CHORD_GAP_S = 0.04
"""A note struck less than this after the one before belongs to its chord. On held-out MAESTRO
performances whose onsets were moved at random (sd 10 ms), 84 % of all grams outlast the retiming at
40 ms, 58 % at 20 ms, and 79 % with chords cut on a grid that begins with their first note."""
GRAM_NOTES = 8
"""Notes of a gram (the `k` of winnowing)."""
WINDOW_GRAMS = 5
"""Successive grams of which at least one is kept (the `w`): about one code in three is."""
SURE_NOTES = GRAM_NOTES + WINDOW_GRAMS - 1
"""A shared run of so many notes is found for certain: 12, the shortest that measures speak of."""
FIGURE_INTERVALS = 4
"""Intervals that make a figure."""
FIGURE_MEMORY_NOTES = 32
"""How far back a figure counts as the same one going on."""
PAIR_MEMORY_NOTES = 16
"""How far back a pair of keys counts as one being played over and over."""

Floats = NDArray[np.float64]
Pitches = NDArray[np.int16]
Hashes = NDArray[np.uint32]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]


def playing_order(notes: Sequence[Note]) -> tuple[Floats, Pitches]:
    """Returns onsets and pitches in an order that small changes of timing leave alone.

    Fingers strike the notes of a chord some milliseconds apart, in any order. Notes less than
    `CHORD_GAP_S` after the one before are one chord, read from low to high. (A grid, as in
    `arrays.note_arrays`, would cut chords in two wherever its lines fall.)

    Args:
        notes: the notes of one piece, in any order; only onsets and pitches matter.

    Returns:
        onsets `(N,)` in seconds and pitches `(N,)`. Within a chord onsets may step back a little.
    """
    onsets = np.array([note.start for note in notes], dtype=np.float64)
    pitches = np.array([note.pitch for note in notes], dtype=np.int16)
    by_time = np.lexsort((pitches, onsets))
    chords = np.zeros(len(onsets), dtype=np.int64)
    chords[1:] = np.cumsum(np.diff(onsets[by_time]) >= CHORD_GAP_S)
    order = by_time[np.lexsort((pitches[by_time], chords))]
    return onsets[order], pitches[order]


def gram_hashes(pitches: Pitches) -> Hashes:
    """Returns the codes `(N - GRAM_NOTES + 1,)` of all grams; none if there are too few notes.

    The seven intervals of a gram fit into 56 bits exactly; the multiplications mix them (the
    constants are those of splitmix64, Steele et al. 2014) and the upper half is kept.

    Args:
        pitches: `(N,)` in playing order.
    """
    codes = run_codes(np.diff(pitches), GRAM_NOTES - 1).astype(np.uint64)
    codes = (codes ^ codes >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ codes >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return (codes >> np.uint64(32)).astype(np.uint32)


def distinctive_grams(pitches: Pitches) -> Flags:
    """Returns which grams may serve as fingerprints `(N - GRAM_NOTES + 1,)`.

    Left out are those of fewer than four pitch classes (repeated notes, octaves, trills, broken
    triads), of fewer than three different intervals (scales), and those that repeat every one, two
    or three notes (sequences).

    Args:
        pitches: `(N,)` in playing order.
    """
    n_grams = max(0, len(pitches) - GRAM_NOTES + 1)
    intervals = np.diff(pitches).astype(np.int64)
    # Sets of small numbers as bits; intervals that differ by 64 semitones share a bit, no harm.
    classes = np.uint64(1) << (pitches % 12).astype(np.uint64)
    kinds = np.uint64(1) << (intervals % 64).astype(np.uint64)
    distinctive = _different(classes, GRAM_NOTES, n_grams) >= 4
    distinctive &= _different(kinds, GRAM_NOTES - 1, n_grams) >= 3
    for period in (1, 2, 3):
        same = intervals[period:] == intervals[:-period]
        repeats = np.ones(n_grams, dtype=np.bool_)
        for i in range(GRAM_NOTES - 1 - period):
            repeats &= same[i : i + n_grams]
        distinctive &= ~repeats
    return distinctive


def _different(bits: NDArray[np.uint64], size: int, n_windows: int) -> NDArray[np.uint8]:
    """Returns how many different bits are set in each window of `size` elements."""
    union = np.zeros(n_windows, dtype=np.uint64)
    for i in range(size):
        union |= bits[i : i + n_windows]
    return np.bitwise_count(union)


def winnow(hashes: Hashes, distinctive: Flags) -> Places:
    """Returns which grams a piece is known by, in ascending order.

    Of each `WINDOW_GRAMS` successive grams the one with the smallest code is kept, the last of
    equal ones; grams that are not distinctive are never kept. The choice depends on the window's
    codes alone: two pieces that share a window (`SURE_NOTES` notes) with a distinctive gram share a
    choice.

    Args:
        hashes: `(G,)` codes of all grams.
        distinctive: `(G,)` which of them may be kept.
    """
    if len(hashes) < WINDOW_GRAMS:
        return np.flatnonzero(distinctive)
    ranked = np.where(distinctive, hashes.astype(np.int64), np.int64(1) << 32)
    from_the_end = sliding_window_view(ranked, WINDOW_GRAMS)[:, ::-1].argmin(axis=1)
    chosen = np.arange(len(from_the_end)) + WINDOW_GRAMS - 1 - from_the_end
    # The choice never steps back from one window to the next: equal ones stand side by side.
    chosen = chosen[np.diff(chosen, prepend=-1) != 0]
    return np.asarray(chosen[distinctive[chosen]])


def fresh_notes(pitches: Pitches) -> Flags:
    """Returns which notes do more than go on with a figure `(N,)`.

    A note goes on with a figure if the `FIGURE_INTERVALS` intervals that lead to it have occurred
    in the `FIGURE_MEMORY_NOTES` notes before, the same in the same order; or if it and the note
    before it are a pair of keys struck in this order in the `PAIR_MEMORY_NOTES` notes before. So
    scales, arpeggios and sequences bring nothing new after their first turn, nor do
    trills, tremolos and basses that return to a few keys, whatever is played above them. Of three
    octaves of a scale 9 notes count, of an Alberti bass 5, of any trill 3.

    Args:
        pitches: `(N,)` in playing order.
    """
    intervals = run_codes(np.diff(pitches), FIGURE_INTERVALS)
    pairs = run_codes(pitches, 2)
    fresh = np.ones(len(pitches), dtype=np.bool_)
    fresh[FIGURE_INTERVALS:] &= ~_recurs(intervals, FIGURE_MEMORY_NOTES)
    fresh[1:] &= ~_recurs(pairs, PAIR_MEMORY_NOTES)
    return fresh


def run_codes(values: NDArray[np.integer[Any]], size: int) -> Places:
    """Returns a number for each run of `size` values, equal only for equal runs.

    Args:
        values: `(N,)` whole numbers, -128 to 127: pitches or intervals.
        size: values a run, 1 to 8.

    Returns:
        `(N - size + 1,)` codes; none if there are too few values.
    """
    n_runs = max(0, len(values) - size + 1)
    runs = np.zeros(n_runs, dtype=np.int64)
    for i in range(size):
        runs = runs << 8 | (values[i : i + n_runs].astype(np.int64) + 128)
    return runs


def _recurs(runs: Places, memory: int) -> Flags:
    """Returns which runs equal one of the `memory` runs before them."""
    recurs = np.zeros(len(runs), dtype=np.bool_)
    for back in range(1, min(memory, len(runs) - 1) + 1):
        recurs[back:] |= runs[back:] == runs[:-back]
    return recurs
