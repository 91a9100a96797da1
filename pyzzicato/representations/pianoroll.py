"""Piano rolls: notes on a grid of 88 keys and `FS` frames a second.

A roll is a `(T, 88)` uint8 array: row 0 is time 0, column 0 is A0 (MIDI 21), the value is the
velocity of the sounding note and 0 is silence. Models see only whether a key sounds (`roll > 0`);
the velocities ride along so that a roll turns back into the notes it came from.

A key that is struck again while it sounds would melt into one long note on such a roll. The frame
before each new stroke is therefore left silent; a stroke that follows too closely for that is moved
to the second frame after the one before, and two strokes of a key in one frame are one note.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..notes import LOWEST_PITCH, N_PITCHES, Note, sort_notes

FS = 20
"""Frames a second (the article's grid)."""
WINDOW_FRAMES = 10 * FS
"""n_feat: the frames a network looks back on, ten seconds as in the article."""

Roll = NDArray[np.uint8]


def seconds_to_frames(seconds: float, fs: int = FS) -> int:
    """Returns the nearest frame to a time in seconds, halves rounded up."""
    return int(np.floor(seconds * fs + 0.5))


def notes_to_roll(notes: Iterable[Note], n_frames: int | None = None, fs: int = FS) -> Roll:
    """Returns the `(T, 88)` roll of the notes; the value is the velocity, 0 is silence.

    Onsets and offsets go to the nearest frame, every note lasts at least one frame, and a key
    struck again keeps a silent frame between its two notes (see the module's docstring).

    Args:
        notes: any notes, in seconds.
        n_frames: T; notes beyond it are cut. By default the roll ends with the last note.
        fs: frames a second.
    """
    strokes = list(_strokes(sort_notes(notes), fs))
    if n_frames is None:
        n_frames = max((offset for _, _, offset, _ in strokes), default=0)
    roll = np.zeros((n_frames, N_PITCHES), dtype=np.uint8)
    for pitch, onset, offset, velocity in strokes:
        roll[onset:offset, pitch - LOWEST_PITCH] = velocity
    return roll


def _strokes(ordered: list[Note], fs: int) -> Iterator[tuple[int, int, int, int]]:
    """Yields (pitch, onset, offset, velocity) in frames, with gaps between strokes of one key."""
    sounding: dict[int, tuple[int, int, int]] = {}
    struck: dict[int, int] = {}
    for note in ordered:
        frame = seconds_to_frames(note.start, fs)
        onset, offset = frame, max(frame + 1, seconds_to_frames(note.end, fs))
        velocity = note.velocity
        before = sounding.get(note.pitch)
        if before is not None:
            first, last, loudness = before
            if frame == struck[note.pitch]:
                # The same frame twice: one note, as long and as loud as the longer and louder.
                sounding[note.pitch] = (first, max(last, offset), max(loudness, velocity))
                continue
            onset = max(frame, first + 2)
            offset = max(offset, onset + 1)
            yield note.pitch, first, min(last, onset - 1), loudness
        struck[note.pitch] = frame
        sounding[note.pitch] = (onset, offset, velocity)
    for pitch, (first, last, loudness) in sounding.items():
        yield pitch, first, last, loudness


def roll_to_notes(roll: Roll, fs: int = FS) -> list[Note]:
    """Returns the notes of a `(T, 88)` roll: one for each unbroken run of a key.

    A note's velocity is the value at its first frame (1 to 127).

    Raises:
        ValueError: if `roll` is not `(T, 88)`.
    """
    check_roll(roll)
    sounds = np.pad(roll > 0, ((1, 1), (0, 0))).astype(np.int8)
    edges = np.diff(sounds, axis=0)
    # Transposed, so that the n-th onset of a key pairs with its n-th offset.
    keys, onsets = np.nonzero(edges.T == 1)
    _, offsets = np.nonzero(edges.T == -1)
    return sort_notes(
        Note(LOWEST_PITCH + int(k), float(a) / fs, float(b) / fs, min(127, int(roll[a, k])))
        for k, a, b in zip(keys, onsets, offsets, strict=True)
    )


def windows(roll: Roll, n_feat: int = WINDOW_FRAMES) -> tuple[Roll, Roll]:
    """Returns the article's training pairs: features `(N, n_feat, 88)`, targets `(N, 88)`.

    Window i holds frames i to i + n_feat - 1 and its target is frame i + n_feat. Both are views of
    `roll`, so nothing is copied however many windows there are. Training on a whole sequence with a
    target at each frame does the same work once; this function is the definition it must equal.

    Raises:
        ValueError: if the roll is not `(T, 88)` or has no frame after the first window.
    """
    check_roll(roll)
    if n_feat < 1 or len(roll) <= n_feat:
        raise ValueError(
            f"n_feat must be 1 to {len(roll) - 1} for a roll of {len(roll)} frames, got {n_feat}; "
            "take a longer roll or a shorter window"
        )
    views = np.lib.stride_tricks.sliding_window_view(roll[:-1], n_feat, axis=0)
    return views.transpose(0, 2, 1), roll[n_feat:]


def check_roll(roll: Roll) -> None:
    """Raises ValueError unless `roll` is a `(T, 88)` array."""
    if roll.ndim != 2 or roll.shape[1] != N_PITCHES:
        raise ValueError(f"roll must be (T, {N_PITCHES}), got {roll.shape}; rows are frames")
