"""How long notes would last if no key were struck twice.

With the pedal down a note lasts until the dampers fall. Where its key is struck again before, it is
heard to end there: nearly a quarter of the notes of MAESTRO do. A network that is told how long
each note lasts is then told of a quarter of all notes when they will be struck, and on which key;
and when it plays it has to settle that with a length, long before it can know what the music will
be. So it learns lengths that do not tell: as long as the dampers stay up.

The notes themselves say how long that is. While the dampers are up no note ends but by its own key;
so they fall when the next note ends of itself.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..notes import Note, sort_notes

TOLERANCE_S = 0.003
"""A note that ends within this of its key's next stroke ends by it; times in files are rounded."""


def ring_on(
    pitches: NDArray[Any], onsets: NDArray[Any], ends: NDArray[Any], tolerance: float
) -> NDArray[Any]:
    """Returns the ends `(N,)` of notes if no key were struck twice.

    Of 33,000 notes of 40 files that the next stroke of their key ends, 99 % come within 6 % of what
    the pedals in the file say (98.6 % in other collections than MAESTRO).

    Args:
        pitches: `(N,)`, in the order of `sort_notes`.
        onsets: `(N,)`, in any unit.
        ends: `(N,)`, in the same unit.
        tolerance: `TOLERANCE_S` in that unit.
    """
    by_key = np.lexsort((onsets, pitches))
    before, after = by_key[:-1], by_key[1:]
    again = pitches[before] == pitches[after]
    before, after = before[again], after[again]
    cut = before[np.abs(onsets[after] - ends[before]) <= tolerance]
    ends_itself = np.ones(len(ends), dtype=bool)
    ends_itself[cut] = False
    falls = np.sort(ends[ends_itself])
    if not len(falls) or not len(cut):
        return ends
    place = np.minimum(np.searchsorted(falls, ends[cut] - tolerance), len(falls) - 1)
    rung = ends.copy()
    rung[cut] = np.maximum(ends[cut], falls[place])
    return rung


def as_heard(notes: Iterable[Note]) -> list[Note]:
    """Returns the notes as they are heard: each ends where its key is struck again, if before."""
    next_start: dict[int, float] = {}
    heard = []
    for note in reversed(sort_notes(notes)):
        struck_again = next_start.get(note.pitch, note.end)
        cut = note.start < struck_again < note.end
        heard.append(replace(note, end=struck_again) if cut else note)
        next_start[note.pitch] = note.start
    return sort_notes(heard)


def let_ring(notes: Iterable[Note]) -> list[Note]:
    """Returns the notes as long as they would last if no key were struck twice."""
    ordered = sort_notes(notes)
    pitches = np.array([n.pitch for n in ordered], dtype=int)
    onsets = np.array([n.start for n in ordered], dtype=float)
    ends = np.array([n.end for n in ordered], dtype=float)
    rung = ring_on(pitches, onsets, ends, TOLERANCE_S).tolist()
    return [
        note if end == note.end else replace(note, end=end)
        for note, end in zip(ordered, rung, strict=True)
    ]
