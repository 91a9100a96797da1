"""Notes as arrays, and the few sums on them that several families of measures share.

Reading order: many measures need the notes one after another. Two hands never strike a chord at
once to the millisecond, and a model on a roll always does; notes are therefore ordered by onset on
a grid of `GRID_A_SECOND`, then from low to high, so that both are read alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..notes import Note

GRID_A_SECOND = 20
"""Onsets that fall on one line of this grid (every 50 ms) are read as struck together."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NoteArrays:
    """N notes in reading order.

    Attributes:
        pitches: `(N,)` MIDI numbers.
        starts: `(N,)` onsets in seconds.
        ends: `(N,)` offsets in seconds.
        velocities: `(N,)` 1 to 127.
    """

    pitches: Ints
    starts: Floats
    ends: Floats
    velocities: Ints

    def __len__(self) -> int:
        """Returns how many notes there are."""
        return len(self.pitches)


def note_arrays(notes: Sequence[Note], seconds: float | None = None) -> NoteArrays:
    """Returns the notes as arrays, in reading order.

    Args:
        notes: the notes of one piece on its own clock, from 0, in any order.
        seconds: the piece's length. What rings on past it does not count: offsets are cut there.
            None if the length does not matter.

    Raises:
        ValueError: if `seconds` is not a number above 0, or a note is struck at or after it.
    """
    starts = np.array([n.start for n in notes], dtype=np.float64)
    ends = np.array([n.end for n in notes], dtype=np.float64)
    pitches = np.array([n.pitch for n in notes], dtype=np.int64)
    velocities = np.array([n.velocity for n in notes], dtype=np.int64)
    if seconds is not None:
        if not (math.isfinite(seconds) and seconds > 0):
            raise ValueError(f"seconds must be above 0, got {seconds}; give the piece's length")
        if len(starts) and starts.max() >= seconds:
            raise ValueError(
                f"notes must be struck before {seconds:g} s, the piece's length, got one at "
                f"{starts.max():.3f} s; cut the notes or give the right length"
            )
        ends = np.minimum(ends, seconds)
    order = np.lexsort((starts, pitches, reading_lines(starts)))
    return NoteArrays(pitches[order], starts[order], ends[order], velocities[order])


def reading_lines(starts: Floats) -> Ints:
    """Returns the line of the grid nearest to each onset, halves up: notes of one are a chord."""
    return np.floor(starts * GRID_A_SECOND + 0.5).astype(np.int64)


def sounding_seconds(starts: Floats, ends: Floats) -> float:
    """Returns for how long at least one of the notes sounds, in seconds; 0.0 for no notes.

    Exact, on no grid: overlapping notes count once.

    Args:
        starts: `(N,)` onsets in any order.
        ends: `(N,)` offsets.
    """
    if not len(starts):
        return 0.0
    order = np.argsort(starts)
    starts, reached = starts[order], np.maximum.accumulate(ends[order])
    begins = np.maximum(starts[1:], reached[:-1])
    return float(reached[0] - starts[0] + np.maximum(0.0, reached[1:] - begins).sum())


def pitch_class_counts(pitches: Ints) -> Floats:
    """Returns `(12,)` how many of the notes are a C, a C sharp, and so on to B."""
    return np.bincount(pitches % 12, minlength=12).astype(np.float64)
