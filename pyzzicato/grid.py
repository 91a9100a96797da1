"""Onsets on the grid of a tempo map, as a score or a studio has them.

A grid is the places that cut each quarter note into equal parts; `Performance.grid` says how many a
piece needs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .midi import Performance, Timing
from .midi.performance import GRID_S
from .notes import Note, separate_strokes, sort_notes

_SHORTEST_S = 0.02


def quantise(
    notes: Iterable[Note],
    like: Performance,
    *,
    strength: float = 1.0,
    begins_s: float = 0.0,
    like_start_s: float = 0.0,
    division: int | None = None,
) -> list[Note]:
    """Returns the notes with their onsets moved towards the grid of `like`.

    Notes keep their lengths, but end where their keys are struck again; onsets of one key that come
    to one place become one note. Where `like` has no grid nothing is moved.

    Args:
        notes: in seconds.
        like: the performance whose tempo map counts; it goes on with its last tempo.
        strength: 0 leaves onsets where they are, 1 puts them on the grid.
        begins_s: notes struck before it (the seed) are left alone.
        like_start_s: where in `like`, in seconds after its first note, time 0 of the notes is.
        division: parts of a quarter note; those that `like` needs if None.

    Raises:
        ValueError: if `strength` is not 0 to 1, or `division` is below 1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be 0 to 1, got {strength}; 1 is on the grid")
    if division is not None and division < 1:
        raise ValueError(f"division must be 1 or more, got {division}; 4 is a 16th note")
    listed = sort_notes(notes)
    division = division or like.grid()
    if division is None or strength == 0:
        return listed
    origin = like.start_s + like_start_s
    moved = [note for note in listed if note.start < begins_s]
    for note in listed[len(moved) :]:
        place = like.timing.nearest_place(note.start + origin, division) - origin
        start = max(begins_s, 0.0, note.start + strength * (place - note.start))
        moved.append(replace(note, start=start, end=start + max(note.duration, _SHORTEST_S)))
    return separate_strokes(moved)[0]


def share_on_grid(notes: Sequence[Note], timing: Timing, division: int) -> float:
    """Returns the share of onsets within 10 ms of a place of the grid, 0 to 1; 0.0 for no notes.

    Args:
        notes: on the clock of `timing`.
        timing: the tempo map.
        division: parts of a quarter note.
    """
    near = [
        abs(timing.nearest_place(note.start, division) - note.start) <= GRID_S for note in notes
    ]
    return sum(near) / len(near) if near else 0.0
