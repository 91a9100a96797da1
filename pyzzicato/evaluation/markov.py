"""A per-key first-order Markov model: the plainest network-free player of a piano roll.

Each key goes on or off by two chances of its own, one for when it sounds now and one for when it is
silent; the other keys and all earlier frames do not matter. It is a baseline twice over: for the
likelihood of held-out music, and as a generator that keeps the density and the note lengths of its
training music and nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..notes import N_PITCHES
from ..representations.pianoroll import check_roll

Frames = NDArray[np.uint8]
Chances = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarkovModel:
    """Two chances a key.

    Attributes:
        stay_chances: `(88,)` p(a key sounds in the next frame | it sounds now).
        start_chances: `(88,)` p(a key sounds in the next frame | it is silent now).

    Raises:
        ValueError: if an array is not `(88,)` or a chance is not strictly between 0 and 1.
    """

    stay_chances: Chances
    start_chances: Chances

    def __post_init__(self) -> None:
        for name in ("stay_chances", "start_chances"):
            chances = getattr(self, name)
            if chances.shape != (N_PITCHES,) or not np.all((chances > 0) & (chances < 1)):
                raise ValueError(
                    f"{name} must be ({N_PITCHES},) chances above 0 and below 1, got shape "
                    f"{chances.shape}; count the model on training frames"
                )

    def chances(self, frames: Frames) -> Chances:
        """Returns the `(..., 88)` chance of each key in the frame after each of `frames`."""
        return np.where(frames > 0, self.stay_chances, self.start_chances)

    def nll(self, frames: Frames) -> Chances:
        """Returns nats a frame, `(T - 1,)`, of a `(T, 88)` piece; its first frame is not scored.

        Raises:
            ValueError: if `frames` is not `(T, 88)`.
        """
        check_roll(frames)
        return frame_nats(frames[1:], self.chances(frames[:-1]))

    def continue_roll(self, last_frame: Frames, n_frames: int, rng: np.random.Generator) -> Frames:
        """Returns `(n_frames, 88)` zeros and ones drawn from the model after `last_frame`.

        Args:
            last_frame: `(88,)`, above 0 where a key sounds; the seed's last frame.
            n_frames: at or above 0.
            rng: the same state gives the same frames.

        Raises:
            ValueError: if `last_frame` is not `(88,)` or `n_frames` is negative.
        """
        if last_frame.shape != (N_PITCHES,):
            raise ValueError(f"last_frame must be ({N_PITCHES},), got {last_frame.shape}")
        if n_frames < 0:
            raise ValueError(f"n_frames must be 0 or more, got {n_frames}")
        draws = rng.random((n_frames, N_PITCHES))
        # Drawn against both chances at once: only the choice between them needs the frame before.
        if_sounding, if_silent = draws < self.stay_chances, draws < self.start_chances
        roll = np.zeros((n_frames, N_PITCHES), dtype=np.uint8)
        now = last_frame > 0
        for i in range(n_frames):
            now = np.where(now, if_sounding[i], if_silent[i])
            roll[i] = now
        return roll

    def save(self, path: Path) -> Path:
        """Writes the model to a small `.npz` file and returns its path."""
        with path.open("wb") as file:
            np.savez(file, stay_chances=self.stay_chances, start_chances=self.start_chances)
        return path

    @classmethod
    def load(cls, path: Path) -> "MarkovModel":
        """Returns the model that `save` wrote.

        Raises:
            ValueError: if the file cannot be read or holds no such model.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(
                    np.asarray(arrays["stay_chances"], dtype=np.float64),
                    np.asarray(arrays["start_chances"], dtype=np.float64),
                )
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path.name} holds no Markov model ({error}); count one and save it there"
            ) from error


def count_markov(pieces: Iterable[Frames]) -> MarkovModel:
    """Returns the model of `(T, 88)` training pieces, read one at a time.

    Both chances are smoothed by adding one to each count (Laplace), so that a key that the training
    pieces never strike costs much but not everything.

    Raises:
        ValueError: if a piece is not `(T, 88)`, or no piece has a second frame.
    """
    stays, starts = np.zeros(N_PITCHES), np.zeros(N_PITCHES)
    sounding, n_frames = np.zeros(N_PITCHES), 0
    for piece in pieces:
        check_roll(piece)
        on = piece > 0
        stays += (on[1:] & on[:-1]).sum(axis=0)
        starts += (on[1:] & ~on[:-1]).sum(axis=0)
        sounding += on[:-1].sum(axis=0)
        n_frames += max(0, len(on) - 1)
    if n_frames == 0:
        raise ValueError("no frame to count; the pieces must have at least two frames")
    return MarkovModel((stays + 1) / (sounding + 2), (starts + 1) / (n_frames - sounding + 2))


def frame_nats(frames: Frames, chances: Chances) -> Chances:
    """Returns nats a frame, `(T,)`: what `(T, 88)` frames cost keys that sound with `chances`.

    The sum over the keys of -log p(key), as the networks' independent head counts it.

    Args:
        frames: above 0 where a key sounds.
        chances: `(T, 88)` or `(88,)`, above 0 and below 1.
    """
    nats: Chances = -np.log(np.where(frames > 0, chances, 1 - chances)).sum(axis=-1)
    return nats
