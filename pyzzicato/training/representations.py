"""What training needs to know of a representation: how notes become steps, and how to cut them.

Both cut a passage from a piece's packed notes, transpose it, change its tempo and turn it into
steps; a roll's crop is so many frames, a crop of events so many notes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..models.config import PyzzicatoConfig
from ..notes import HIGHEST_PITCH, LOWEST_PITCH, N_PITCHES, Note
from ..representations.event_bins import ONSET_TICKS, SIZES, TICK_S, encode_events, onset_bins
from ..representations.pianoroll import notes_to_roll
from .store import NoteStore, StoredPiece

Steps = NDArray[np.uint8]

# A note struck longer ago than this is taken to have ended when a roll's crop begins.
_LOOK_BACK_S = 15.0
_OPENING_FRAMES = 8, 61
# Of the mistakes in rolls.
_STICKING = 0.06
_CLUSTERS = 0.03
_BLURS = 0.015
# Of the key that is struck again and again: frames from stroke to stroke, and notes in a row.
_STUTTER_FRAMES = 2, 17
_STUTTER_NOTES = 3, 13
# Notes struck within so many ticks are one chord.
_CHORD_TICKS = 3


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


class Representation(Protocol):
    """How notes become the steps of a model."""

    @property
    def unit(self) -> str:
        """Returns what a step is, in words."""
        ...

    def encode(self, notes: Sequence[Note]) -> Steps:
        """Returns the `(T, A)` steps of a passage from 0 seconds."""
        ...

    def room(self, piece: StoredPiece, n_steps: int) -> int:
        """Returns how many places a crop of a piece can begin at, 1 or more."""
        ...

    def crop(
        self, store: NoteStore, piece: StoredPiece, place: int, n_steps: int, change: Change
    ) -> Steps:
        """Returns at most `n_steps` steps of a piece, `(T, A)`, from place number `place`."""
        ...

    def seconds_left(
        self, store: NoteStore, piece: StoredPiece, place: int, steps: Steps, change: Change
    ) -> NDArray[np.float64]:
        """Returns `(T,)` seconds of the piece that are left after each step of a crop."""
        ...

    def add_noise(self, steps: Steps, share: float, rng: np.random.Generator) -> Steps:
        """Returns steps of which a share is wrong, as a model's own may be."""
        ...

    def transpose(self, steps: Steps, semitones: int) -> Steps:
        """Returns steps moved along the keys by -6 to 6 semitones."""
        ...

    def crowd(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns as many steps of a passage that is denser than it was, or thinner."""
        ...

    def stutter(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns as many steps of a passage in which one key is struck again and again."""
        ...

    def open(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns steps that begin as a new piece may, with little to be heard at first."""
        ...

    def intended(self, steps: Steps, strayed: Steps) -> Steps:
        """Returns what should follow each of the steps of a piece that has strayed.

        Args:
            steps: `(T + 1, A)`, as written.
            strayed: the same with mistaken passages (`mistakes.py`), as they were played.

        Returns:
            `(T, A)`.
        """
        ...


@dataclass(frozen=True, slots=True)
class RollSteps:
    """Frames of a roll, `fs` a second."""

    fs: int
    unit: str = "frame"

    def encode(self, notes: Sequence[Note]) -> Steps:
        """Returns `(T, 88)` zeros and ones."""
        return (notes_to_roll(notes, fs=self.fs) > 0).astype(np.uint8)

    def room(self, piece: StoredPiece, n_steps: int) -> int:
        """Returns how many frames a crop can begin at."""
        return max(0, int(np.ceil(piece.seconds * self.fs)) - n_steps) + 1

    def crop(
        self, store: NoteStore, piece: StoredPiece, place: int, n_steps: int, change: Change
    ) -> Steps:
        """Returns `(T, 88)` from frame `place`, T `n_steps` or less at the end of a piece."""
        packed = store.packed(piece)
        from_s = place / self.fs
        until_s = from_s + n_steps / self.fs / change.stretch
        onsets = packed["onset"]
        first, last = np.searchsorted(onsets, [1000 * (from_s - _LOOK_BACK_S), 1000 * until_s])
        notes = change.apply(packed[first:last], from_s)
        n_left = int(np.ceil((piece.seconds - from_s) * change.stretch * self.fs))
        roll = notes_to_roll(notes, max(1, min(n_steps, n_left)), self.fs)
        return (roll > 0).astype(np.uint8)

    def seconds_left(
        self, store: NoteStore, piece: StoredPiece, place: int, steps: Steps, change: Change
    ) -> NDArray[np.float64]:
        """Returns `(T,)` seconds of the piece that are left after each frame."""
        total = (piece.seconds - place / self.fs) * change.stretch
        return total - np.arange(1, len(steps) + 1) / self.fs

    def add_noise(self, steps: Steps, share: float, rng: np.random.Generator) -> Steps:
        """Returns frames in some of which keys sound or are silent by mistake.

        In a share of the frames a mistake begins. Half of them: a key that sounds falls silent for
        one to eight frames. Of the others, most: a key within an octave of one that sounds is
        struck and let go likewise. Now and then it sticks, for up to eight seconds, or three to
        thirty keys all over the keyboard sound for up to a second, or for one to ten seconds no key
        that is struck is let go: rolls that no music holds, but that a model may come upon when it
        hears itself, and must find its way out of.
        """
        noised = steps.copy()
        for i in np.flatnonzero(rng.random(len(steps)) < share):
            sounding = np.flatnonzero(steps[i])
            near = int(rng.choice(sounding)) if len(sounding) else int(rng.integers(N_PITCHES))
            kind = rng.random()
            if kind < 0.5 and len(sounding):
                noised[i : i + int(rng.integers(1, 9)), near] = 0
            elif kind > 1 - _BLURS:
                n_frames = int(rng.integers(self.fs, 10 * self.fs + 1))
                np.maximum.accumulate(noised[i : i + n_frames], out=noised[i : i + n_frames])
            elif kind > 1 - _BLURS - _CLUSTERS:
                keys = rng.integers(N_PITCHES, size=int(rng.integers(3, 31)))
                noised[i : i + int(rng.integers(2, self.fs + 1)), keys] = 1
            else:
                n_frames = int(rng.integers(1, 9))
                if kind > 1 - _BLURS - _CLUSTERS - _STICKING:
                    n_frames = int(rng.integers(self.fs // 2, 8 * self.fs + 1))
                key = int(np.clip(near + rng.integers(-12, 13), 0, N_PITCHES - 1))
                noised[i : i + n_frames, key] = 1
        return noised

    def transpose(self, steps: Steps, semitones: int) -> Steps:
        """Returns frames moved along the keys; keys that leave the keyboard fall silent."""
        return transpose_frames(steps, semitones)

    def crowd(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns frames without some of the notes, or with some of them echoed.

        An echo comes up to eight frames later, in the same place or in another octave, fifth or
        third. The notes of a passage are dropped or echoed each with the same chance, drawn from 0
        to 1.
        """
        chosen = _some_notes(steps, float(rng.random()), rng)
        if rng.random() < 0.5:
            return steps * (1 - chosen)
        late = int(rng.integers(1, 9))
        # The last passage of a crop may be shorter than that.
        echo = np.concatenate((np.zeros_like(steps[:late]), chosen))[: len(steps)]
        return steps | transpose_frames(echo, int(rng.choice((-12, -7, -4, 0, 3, 7, 12))))

    def stutter(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns frames in which a key is struck every two to sixteen frames, at most.

        It is one of those that sound at first, or else one of the passage. Of the others those that
        sound at first are held as written, and no more are struck.
        """
        keys = np.flatnonzero(steps[0] if steps[0].any() else steps.any(axis=0))
        if not len(keys):
            return steps
        key = int(rng.choice(keys))
        stuttered = np.minimum.accumulate(steps)
        stuttered[:, key] = 0
        waits = rng.integers(2, int(rng.integers(*_STUTTER_FRAMES)) + 1, size=len(steps))
        held = float(rng.random())
        for start, wait in zip(np.cumsum(waits) - waits, waits, strict=True):
            stuttered[start : start + max(1, int(held * wait)), key] = 1
        return stuttered

    def open(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns frames of which the first 8 to 60 are silent but for one note, or for a chord.

        That is what sounded last of what was written there, for as long as it did.
        """
        n = min(int(rng.integers(*_OPENING_FRAMES)), len(steps))
        opened = steps.copy()
        opened[:n] = 0
        heard = np.flatnonzero(steps[:n].any(axis=1))
        if not len(heard):
            return opened
        end = int(heard[-1]) + 1
        keys = np.flatnonzero(steps[end - 1])
        if rng.random() < 0.5:
            keys = rng.choice(keys, 1)
        for key in keys:
            silent = np.flatnonzero(steps[:end, key] == 0)
            opened[silent[-1] + 1 if len(silent) else 0 : end, key] = 1
        return opened

    def intended(self, steps: Steps, strayed: Steps) -> Steps:
        """Returns `(T, 88)`: new notes as written, and those that sound as long as they do.

        A note that was played by mistake is held like any other, and one that was left out is not
        made up for in its middle: otherwise a model would learn to let go of every key too soon,
        and to strike again.
        """
        written, played = steps[:-1] == 1, strayed[:-1] == 1
        follows = np.where(played & ~written, strayed[1:], steps[1:])
        return np.where(written & ~played, np.uint8(0), follows)


@dataclass(frozen=True, slots=True)
class EventSteps:
    """Note events."""

    unit: str = "note"

    def encode(self, notes: Sequence[Note]) -> Steps:
        """Returns `(N, 4)` bins."""
        return encode_events(notes)

    def room(self, piece: StoredPiece, n_steps: int) -> int:
        """Returns how many notes a crop can begin at."""
        return max(0, piece.length - n_steps) + 1

    def crop(
        self, store: NoteStore, piece: StoredPiece, place: int, n_steps: int, change: Change
    ) -> Steps:
        """Returns `(N, 4)` from note `place`; its onset step counts from the note before."""
        packed = store.packed(piece, place, n_steps)
        return encode_events(change.apply(packed, _note_before_s(store, piece, place)))

    def seconds_left(
        self, store: NoteStore, piece: StoredPiece, place: int, steps: Steps, change: Change
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


def _note_before_s(store: NoteStore, piece: StoredPiece, place: int) -> float:
    """Returns when the note before note `place` is struck, 0 before the first."""
    return float(store.packed(piece, max(0, place - 1), 1)["onset"].sum()) / 1000


def _some_notes(frames: Steps, share: float, rng: np.random.Generator) -> Steps:
    """Returns the frames with some of the notes only, each kept with the chance `share`."""
    struck = np.diff(frames, axis=0, prepend=np.zeros_like(frames[:1])) == 1
    # The notes of each key are numbered; before its first note a key is silent anyway.
    number = np.cumsum(struck, axis=0)
    kept = rng.random((len(frames) + 1, frames.shape[1])) < share
    return frames * np.take_along_axis(kept, number, axis=0)


def representation_of(config: PyzzicatoConfig) -> Representation:
    """Returns how notes become the steps of a model with this config."""
    return RollSteps(config.fs) if config.representation == "roll" else EventSteps()


def transpose_frames(frames: NDArray[np.uint8], semitones: int) -> NDArray[np.uint8]:
    """Returns `(T, 88)` frames moved along the keys; keys that leave the keyboard are dropped."""
    moved = np.zeros_like(frames)
    if semitones >= 0:
        moved[:, semitones:] = frames[:, : frames.shape[1] - semitones]
    else:
        moved[:, :semitones] = frames[:, -semitones:]
    return moved


def middle_crops(
    store: NoteStore, pieces: Iterable[StoredPiece], representation: Representation, n_steps: int
) -> list[Steps]:
    """Returns the middle `n_steps` of each piece, `(T, A)`; whole pieces where shorter.

    Held-out losses are measured on these, the same at each evaluation and for each model. The
    middle, because openings and ends are slower and quieter than the rest.
    """
    return [
        representation.crop(store, p, (representation.room(p, n_steps) - 1) // 2, n_steps, Change())
        for p in pieces
    ]
