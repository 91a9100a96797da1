"""Parts of a piece that can be kept: its top and lowest voice, and the two hands."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from ..notes import Note, sort_notes

CHORD_S = 0.05
"""Notes struck within this time are struck together."""
_HIDES_S = 1.0
"""A note that is held hides what is struck later on its far side for so long."""
_AROUND_S = 3.0
"""So far to both sides the notes are looked at that say where the hands part."""


def top_voice(notes: Sequence[Note]) -> list[Note]:
    """Returns the highest of the notes struck together, where nothing higher sounds on (skyline).

    A note hides lower ones for as long as it sounds, a second at most: with the pedal down a melody
    would hide all that is under it.

    Source: Uitdenbogerd & Zobel, "Manipulation of music for melody matching", 1998 (there without
        the limit).
    """
    return _outer(notes, lambda note: note.pitch)


def bottom_voice(notes: Sequence[Note]) -> list[Note]:
    """Returns the lowest of the notes struck together, likewise."""
    return _outer(notes, lambda note: -note.pitch)


def right_hand(notes: Sequence[Note]) -> list[Note]:
    """Returns the notes that the right hand is likely to play.

    Hands are guessed: at each moment they part at the widest gap between the pitches struck around
    it, of those gaps that lie in the middle half of their range.
    """
    return _by_hand(notes)[1]


def left_hand(notes: Sequence[Note]) -> list[Note]:
    """Returns the other notes, see `right_hand`."""
    return _by_hand(notes)[0]


VOICES: dict[str, Callable[[Sequence[Note]], list[Note]]] = {
    "top": top_voice,
    "bottom": bottom_voice,
    "right": right_hand,
    "left": left_hand,
}
"""Parts by the names that can be asked for."""


def _outer(notes: Sequence[Note], height: Callable[[Note], int]) -> list[Note]:
    ordered = sort_notes(notes)
    kept: list[Note] = []
    hiding: list[Note] = []
    i = 0
    while i < len(ordered):
        together = [n for n in ordered[i : i + 16] if n.start < ordered[i].start + CHORD_S]
        at = ordered[i].start
        i += len(together)
        hiding = [n for n in hiding if min(n.end, n.start + _HIDES_S) > at]
        outer = max(together, key=height)
        if all(height(n) <= height(outer) for n in hiding):
            kept.append(outer)
            hiding.append(outer)
    return kept


def _by_hand(notes: Sequence[Note]) -> tuple[list[Note], list[Note]]:
    ordered = sort_notes(notes)
    starts = [n.start for n in ordered]
    hands: tuple[list[Note], list[Note]] = [], []
    for note in ordered:
        near = slice(
            bisect_left(starts, note.start - _AROUND_S), bisect_left(starts, note.start + _AROUND_S)
        )
        parts_at = _parting([n.pitch for n in ordered[near]])
        hands[note.pitch >= parts_at].append(note)
    return hands


def _parting(pitches: Sequence[int]) -> float:
    """Returns between which pitches two hands part that strike these."""
    struck = sorted(set(pitches))
    quarter = (struck[-1] - struck[0]) / 4
    low, high = struck[0] + quarter, struck[-1] - quarter
    gaps = [
        (b - a, (a + b) / 2)
        for a, b in zip(struck, struck[1:], strict=False)
        if low <= (a + b) / 2 <= high
    ]
    return max(gaps)[1] if gaps else (struck[0] + struck[-1]) / 2
