"""Batches of crops, drawn so that a run can be stopped and resumed without a trace."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .store import RollStore, StoredPiece


class CropSampler:
    """Draws random crops of the pieces, transposed at random.

    Which crops a step sees depends on the seed, the step and the process alone, so nothing needs to
    be saved to resume, and two processes never draw the same.

    Args:
        store: prepared pieces.
        pieces: those to draw from; each by its share of all frames.
        batch_size: crops a batch.
        n_frames: frames a crop, not counting the last target.
        transpose: crops are moved by up to so many semitones either way, 0 to 11; keys that leave
            the keyboard fall silent.
        seed: any whole number at or above 0.

    Raises:
        ValueError: if there is no piece.
    """

    def __init__(
        self,
        store: RollStore,
        pieces: Sequence[StoredPiece],
        *,
        batch_size: int,
        n_frames: int,
        transpose: int = 0,
        seed: int = 0,
    ) -> None:
        if not pieces:
            raise ValueError("there is no piece to train on; check the composers and splits")
        self._store = store
        self._pieces = list(pieces)
        lengths = np.array([piece.length for piece in pieces], dtype=float)
        self._shares = lengths / lengths.sum()
        self._batch_size = batch_size
        self._n_frames = n_frames
        self._transpose = transpose
        self._seed = seed

    def batch(self, step: int, process: int = 0) -> tuple[Tensor, Tensor]:
        """Returns steps and targets, both `(B, T, 88)` uint8; targets are one frame later."""
        rng = np.random.default_rng([self._seed, step, process])
        chosen = rng.choice(len(self._pieces), size=self._batch_size, p=self._shares)
        crops = np.stack([self._crop(self._pieces[i], rng) for i in chosen])
        frames = torch.from_numpy(crops)
        return frames[:, :-1], frames[:, 1:]

    def _crop(self, piece: StoredPiece, rng: np.random.Generator) -> NDArray[np.uint8]:
        room = max(0, piece.length - self._n_frames - 1)
        frames = self._store.frames(piece, int(rng.integers(room + 1)), self._n_frames + 1)
        frames = transpose_frames(frames, int(rng.integers(-self._transpose, self._transpose + 1)))
        # A piece shorter than the crop is followed by silence.
        return np.pad(frames, ((0, self._n_frames + 1 - len(frames)), (0, 0)))


def transpose_frames(frames: NDArray[np.uint8], semitones: int) -> NDArray[np.uint8]:
    """Returns `(T, 88)` frames moved along the keys; keys that leave the keyboard are dropped."""
    moved = np.zeros_like(frames)
    if semitones >= 0:
        moved[:, semitones:] = frames[:, : frames.shape[1] - semitones]
    else:
        moved[:, :semitones] = frames[:, -semitones:]
    return moved


def middle_crops(
    store: RollStore, pieces: Sequence[StoredPiece], n_frames: int
) -> list[NDArray[np.uint8]]:
    """Returns the middle `n_frames` of each piece, `(T, 88)`; whole pieces where shorter.

    Held-out losses are measured on these, the same at each evaluation and for each model. The
    middle, because openings and ends are slower and quieter than the rest.
    """
    return [store.frames(p, max(0, (p.length - n_frames) // 2), n_frames) for p in pieces]
