"""Recurrence: does music come back to its own figures? And does it strike clean chords?

A *figure* is a few notes in reading order (see `arrays`: onsets on a grid of 50 ms, then from low
to high). It *recurs* if the same one stands anywhere before it in the passage: the same intervals,
in any transposition, or the same pitches. Rhythm and loudness do not matter. Trills, scales and
repeated chords recur too, in real music as in made.

A *chord* is what is struck within one line of that grid. A chord of n keys has n (n - 1) / 2
intervals. *Clashes* are the sharpest among them: minor seconds and major sevenths, an octave wider
or not. A key struck twice in one chord makes no interval.

On this grid performances and rolls are read alike: the medians of held-out MAESTRO performances,
60 s each, are 0.179, 0.078 and 0.045 for figures of 4, 6 and 8 notes as played, and 0.178, 0.075
and 0.044 put on a roll. Read on a finer grid chords fall apart: on one of 10 ms it is 0.141, 0.053
and 0.022. Passages recur more the longer they are: compare equal lengths.

Undefined values are None, never NaN; each attribute of `Recurrence` says when.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..notes import N_PITCHES, Note
from .arrays import Floats, Ints, NoteArrays, note_arrays, reading_lines
from .fingerprints import run_codes

FIGURE_NOTES = (4, 6, 8)
"""Notes of a figure: a turn, a motif, half a phrase."""
MINOR_SECOND, MAJOR_SEVENTH = 1, 11
"""Semitones above the lower key, octaves taken off."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """What one passage repeats, and how its chords sound.

    Attributes:
        recurrence_4: share of the figures of 4 notes whose intervals stood before in the passage,
            0 to 1. None below 4 notes. Real: 0.18 (0.05 to 0.45).
        recurrence_6: the same for 6 notes. Real: 0.08 (0.00 to 0.27).
        recurrence_8: the same for 8 notes. Real: 0.05 (0.00 to 0.19).
        exact_recurrence_4: share of the figures of 4 notes whose pitches stood before. None below 4
            notes.
        exact_recurrence_6: the same for 6 notes.
        exact_recurrence_8: the same for 8 notes. Equals 1 - `distinct_8grams` of `stability`.
        minor_seconds: share of minor seconds (and minor ninths, and so on) among the intervals
            within chords. None if no two keys are struck together. Real: 0.012.
        major_sevenths: the same of major sevenths. Real: 0.011.
        clashes: both together.
    """

    recurrence_4: float | None
    recurrence_6: float | None
    recurrence_8: float | None
    exact_recurrence_4: float | None
    exact_recurrence_6: float | None
    exact_recurrence_8: float | None
    minor_seconds: float | None
    major_sevenths: float | None
    clashes: float | None


def measure_recurrence(notes: Sequence[Note]) -> Recurrence:
    """Returns how much of a passage is repeated, and how its chords sound.

    Args:
        notes: the notes in any order, on any clock. A continuation is measured without its seed.
    """
    arrays = note_arrays(notes)
    intervals, exact = (
        [recurring_share(arrays.pitches, n, exact=exactly) for n in FIGURE_NOTES]
        for exactly in (False, True)
    )
    counts = chord_intervals(arrays)
    n_intervals = counts.sum()
    classes = np.arange(N_PITCHES) % 12
    second, seventh, clashes = (
        float(counts[np.isin(classes, sharp)].sum() / n_intervals) if n_intervals else None
        for sharp in (MINOR_SECOND, MAJOR_SEVENTH, (MINOR_SECOND, MAJOR_SEVENTH))
    )
    return Recurrence(
        recurrence_4=intervals[0],
        recurrence_6=intervals[1],
        recurrence_8=intervals[2],
        exact_recurrence_4=exact[0],
        exact_recurrence_6=exact[1],
        exact_recurrence_8=exact[2],
        minor_seconds=second,
        major_sevenths=seventh,
        clashes=clashes,
    )


def recurring_share(pitches: Ints, n_notes: int, *, exact: bool = False) -> float | None:
    """Returns the share of figures that stood before in the passage; None below `n_notes` notes.

    Figures overlap: N notes have N - `n_notes` + 1 of them.

    Args:
        pitches: `(N,)` MIDI numbers in reading order.
        n_notes: notes of a figure, 2 to 8.
        exact: whether the pitches must be the same, not just the intervals.

    Raises:
        ValueError: if `n_notes` is out of its range.

    Source: intervals as the viewpoint in which patterns are sought: D. Conklin and
        C. Anagnostopoulou, "Representation and discovery of multiple viewpoint patterns", ICMC
        2001. The count is one minus distinct-n of Li et al., "A diversity-promoting objective
        function for neural conversation models", NAACL 2016, over figures instead of words.
    """
    if not 2 <= n_notes <= 8:
        raise ValueError(f"n_notes must be 2 to 8, got {n_notes}; 4, 6 and 8 are usual")
    if len(pitches) < n_notes:
        return None
    figures = run_codes(pitches, n_notes) if exact else run_codes(np.diff(pitches), n_notes - 1)
    return 1 - len(np.unique(figures)) / len(figures)


def recurring_notes(notes: Sequence[Note], n_notes: int = 6) -> list[Note]:
    """Returns the notes of figures that stand more than once in a passage, the first time too.

    Args:
        notes: in any order.
        n_notes: notes of a figure, see `recurring_share`; figures are compared by their intervals.
    """
    if len(notes) < n_notes:
        return []
    lines = reading_lines(np.array([note.start for note in notes]))
    order = sorted(zip(lines, notes, strict=True), key=lambda it: (it[0], it[1].pitch, it[1].start))
    read = [note for _, note in order]
    figures = run_codes(np.diff([note.pitch for note in read]), n_notes - 1)
    _, which, times = np.unique(figures, return_inverse=True, return_counts=True)
    firsts = np.flatnonzero(times[which] > 1)
    return [read[i] for i in sorted({int(i) + k for i in firsts for k in range(n_notes)})]


def chord_intervals(arrays: NoteArrays) -> Floats:
    """Returns `(88,)` how often each number of semitones stands between two keys of one chord.

    All pairs of a chord's keys count; 0 semitones never does.

    Source: minor seconds and major sevenths as the most dissonant interval class: D. Huron,
        "Interval-class content in equally tempered pitch-class sets", Music Perception 11, 1994.
    """
    lines, counts = reading_lines(arrays.starts), np.zeros(N_PITCHES)
    for step in range(1, len(arrays)):
        together = lines[step:] == lines[:-step]
        if not together.any():
            break
        semitones = (arrays.pitches[step:] - arrays.pitches[:-step])[together]
        counts += np.bincount(semitones, minlength=N_PITCHES)
    counts[0] = 0
    return counts
