"""Passages of a roll: cut from a piece, spoilt as a network's own may be, and what follows."""

import numpy as np
from numpy.typing import NDArray

from ..notes import N_PITCHES
from .interface import Steps
from .passages import Change, NoteSource, PieceOfNotes
from .pianoroll import notes_to_roll

# A note struck longer ago than this is taken to have ended when a crop begins.
_LOOK_BACK_S = 15.0
_OPENING_FRAMES = 8, 61
# Shares of the mistakes.
_STICKING = 0.06
_CLUSTERS = 0.03
_BLURS = 0.015
# Of the key that is struck again and again: frames from stroke to stroke.
_STUTTER_FRAMES = 2, 17


class RollPassages:
    """What training does with frames, `fs` a second."""

    fs: int

    def room(self, piece: PieceOfNotes, n_steps: int) -> int:
        """Returns how many frames a crop can begin at."""
        return max(0, int(np.ceil(piece.seconds * self.fs)) - n_steps) + 1

    def crop(
        self, store: NoteSource, piece: PieceOfNotes, place: int, n_steps: int, change: Change
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
        self, store: NoteSource, piece: PieceOfNotes, place: int, steps: Steps, change: Change
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
        that is struck is let go: rolls that no music holds, but that a model may produce when it
        plays on from its own notes, and must find its way out of.
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
        struck = np.flatnonzero(steps[:n].any(axis=1))
        if not len(struck):
            return opened
        end = int(struck[-1]) + 1
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


def _some_notes(frames: Steps, share: float, rng: np.random.Generator) -> Steps:
    """Returns the frames with some of the notes only, each kept with the chance `share`."""
    struck = np.diff(frames, axis=0, prepend=np.zeros_like(frames[:1])) == 1
    # The notes of each key are numbered; before its first note a key is silent anyway.
    number = np.cumsum(struck, axis=0)
    kept = rng.random((len(frames) + 1, frames.shape[1])) < share
    return frames * np.take_along_axis(kept, number, axis=0)


def transpose_frames(frames: NDArray[np.uint8], semitones: int) -> NDArray[np.uint8]:
    """Returns `(T, 88)` frames moved along the keys; keys that leave the keyboard are dropped."""
    moved = np.zeros_like(frames)
    if semitones >= 0:
        moved[:, semitones:] = frames[:, : frames.shape[1] - semitones]
    else:
        moved[:, :semitones] = frames[:, -semitones:]
    return moved
