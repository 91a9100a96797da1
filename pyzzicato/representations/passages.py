"""Passages of stored music, as training cuts and changes them before they become steps."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..notes import HIGHEST_PITCH, LOWEST_PITCH, Note


class PieceOfNotes(Protocol):
    """A stored piece: how many notes it has, and how long it is in seconds."""

    @property
    def length(self) -> int:
        """Returns the number of notes."""
        ...

    @property
    def seconds(self) -> float:
        """Returns the length in seconds."""
        ...


class NoteSource(Protocol):
    """Stored pieces, such as a `NoteStore`."""

    def packed(self, piece: Any, first: int = 0, n: int | None = None) -> NDArray[np.void]:
        """Returns a piece's notes from note `first`, at most `n`: onset, duration, pitch, velocity.

        Times are in milliseconds.
        """
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """How a passage is changed before it is learnt.

    Attributes:
        semitones: it is moved by; notes that leave the keyboard are dropped.
        stretch: all times are multiplied by it.
    """

    semitones: int = 0
    stretch: float = 1.0

    def apply(self, packed: NDArray[np.void], from_s: float) -> list[Note]:
        """Returns the notes, changed, with `from_s` seconds of the piece as their new 0.

        Notes struck before `from_s` begin at 0; they are left out if they have ended by then.
        """
        notes = []
        for onset, duration, pitch, velocity in packed.tolist():
            start = max(0.0, (onset / 1000 - from_s) * self.stretch)
            end = ((onset + duration) / 1000 - from_s) * self.stretch
            pitch += self.semitones
            if end > start and LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
                notes.append(Note(pitch, start, end, velocity))
        return notes
