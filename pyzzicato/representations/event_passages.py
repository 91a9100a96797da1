"""Passages of note events: cut from a piece, spoilt as a network's own may be, and what follows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..notes import N_PITCHES
from .event_bins import ONSET_TICKS, SIZES, TICK_S, encode_events, onset_bins
from .interface import Steps
from .passages import Change, NoteSource, PieceOfNotes
from .ringing import TOLERANCE_S, ring_on

# Of the key that is struck again and again: notes in a row.
_STUTTER_NOTES = 3, 13
# Notes struck within so many ticks are one chord.
_CHORD_TICKS = 3
# Whether a note rings on, and until when, is seen in so many notes before and after a passage.
_NOTES_AROUND = 64


@dataclass(frozen=True)
class EventPassages:
    """What training does with note events.

    Attributes:
        lets_ring: whether notes last as if no key were struck twice (see `ringing.py`).
    """

    lets_ring: bool = False

    def room(self, piece: PieceOfNotes, n_steps: int) -> int:
        """Returns how many notes a crop can begin at."""
        return max(0, piece.length - n_steps) + 1

    def crop(
        self, store: NoteSource, piece: PieceOfNotes, place: int, n_steps: int, change: Change
    ) -> Steps:
        """Returns `(N, 4)` from note `place`; its onset step counts from the note before."""
        packed = self._packed(store, piece, place, n_steps)
        return encode_events(change.apply(packed, _note_before_s(store, piece, place)))

    def _packed(
        self, store: NoteSource, piece: PieceOfNotes, place: int, n_steps: int
    ) -> NDArray[Any]:
        """Returns so many notes of a piece from note `place`, as long as they last."""
        if not self.lets_ring:
            return store.packed(piece, place, n_steps)
        first = max(0, place - _NOTES_AROUND)
        around = store.packed(piece, first, place - first + n_steps + _NOTES_AROUND)
        return _ringing(around)[place - first :][:n_steps]

    def seconds_left(
        self, store: NoteSource, piece: PieceOfNotes, place: int, steps: Steps, change: Change
    ) -> NDArray[np.float64]:
        """Returns `(N,)` seconds of the piece that are left when each note is struck."""
        total = (piece.seconds - _note_before_s(store, piece, place)) * change.stretch
        passed: NDArray[np.float64] = np.cumsum(ONSET_TICKS[steps[:, 0]]) * TICK_S
        return total - passed

    def add_noise(self, steps: Steps, share: float, rng: np.random.Generator) -> Steps:
        """Returns notes a share of which has a wrong pitch within an octave and a wrong length."""
        noised = steps.copy()
        wrong = np.flatnonzero(rng.random(len(steps)) < share)
        for column, reach in ((1, 12), (2, 6)):
            moved = steps[wrong, column].astype(int) + rng.integers(-reach, reach + 1, len(wrong))
            noised[wrong, column] = np.clip(moved, 0, SIZES[column] - 1)
        return noised

    def transpose(self, steps: Steps, semitones: int) -> Steps:
        """Returns notes moved along the keys; what would leave the keys moves an octave less."""
        moved = steps.copy()
        pitches = steps[:, 1].astype(int) + semitones
        pitches = np.where(pitches < 0, pitches + 12, pitches)
        moved[:, 1] = np.where(pitches < N_PITCHES, pitches, pitches - 12)
        return moved

    def crowd(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns notes that follow each other up to twice as fast or as slowly.

        Chords stay together: only what is struck apart is moved.
        """
        ticks = ONSET_TICKS[steps[:, 0]]
        faster = 2.0 ** rng.uniform(-1, 1)
        apart = ticks > _CHORD_TICKS
        moved = steps.copy()
        moved[apart, 0] = onset_bins(np.maximum(ticks[apart] * faster, _CHORD_TICKS + 1))
        return moved

    def stutter(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns notes of which the first 3 to 12 are of one key, one after the other."""
        n = int(rng.integers(*_STUTTER_NOTES))
        stuttered = steps.copy()
        stuttered[:n, 1] = steps[0, 1]
        is_apart = ONSET_TICKS[steps[:, 0]] > _CHORD_TICKS
        if is_apart.any():
            together = np.flatnonzero(~is_apart[:n])
            stuttered[together, 0] = rng.choice(steps[is_apart, 0], len(together))
        return stuttered

    def open(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns the notes as they are: a crop of notes begins with a single one anyway."""
        return steps

    def intended(self, steps: Steps, strayed: Steps) -> Steps:
        """Returns `(T, 4)`: the next note as written, whatever was played before it."""
        return steps[1:]


def _ringing(packed: NDArray[np.void]) -> NDArray[np.void]:
    """Returns packed notes as long as they would last if no key were struck twice."""
    onsets = packed["onset"].astype(np.int64)
    ends = ring_on(packed["pitch"], onsets, onsets + packed["duration"], 1000 * TOLERANCE_S)
    rung = packed.copy()
    rung["duration"] = np.minimum(ends - onsets, np.iinfo(packed.dtype["duration"]).max)
    return rung


def _note_before_s(store: NoteSource, piece: PieceOfNotes, place: int) -> float:
    """Returns when the note before note `place` is struck, 0 before the first."""
    return float(store.packed(piece, max(0, place - 1), 1)["onset"].sum()) / 1000
