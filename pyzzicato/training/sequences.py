"""Batches of whole pieces of unlike length, for the piano-roll benchmarks.

`batches.py` draws crops from hours of music; here an epoch goes through every frame once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..representations.roll_passages import transpose_frames
from .sequence_settings import SequenceSettings

Frames = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Part:
    """Targets `first + 1` to `first + length` of a piece, to be moved by so many semitones."""

    piece: int
    first: int
    length: int
    semitones: int


class SequenceBatches:
    """Goes through all frames of the pieces, epoch by epoch, parts of like length together.

    What a step sees depends on the seed and the step alone, so nothing is to be saved to resume.

    Args:
        pieces: `(T, 88)` zeros and ones; those of a single frame hold nothing to learn.
        settings: `batch_frames`, `crop_frames`, `transpose`, `transpose_share` and `seed` are
            used.

    Raises:
        ValueError: if no piece has two frames.
    """

    def __init__(self, pieces: Sequence[Frames], settings: SequenceSettings) -> None:
        self._pieces = [piece for piece in pieces if len(piece) > 1]
        if not self._pieces:
            raise ValueError("there is nothing to train on; the pieces must have two frames")
        self._settings = settings
        self._epoch, self._first_step = 0, 0
        self._plan = self._epoch_plan(0)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Returns frames `(B, T + 1, 88)` uint8 and which targets are real, `(B, T)` bool."""
        if step < self._first_step:
            self._epoch, self._first_step = 0, 0
            self._plan = self._epoch_plan(0)
        while step >= self._first_step + len(self._plan):
            self._first_step += len(self._plan)
            self._epoch += 1
            self._plan = self._epoch_plan(self._epoch)
        parts = self._plan[step - self._first_step]
        longest = max(part.length for part in parts)
        frames = np.zeros((len(parts), longest + 1, 88), dtype=np.uint8)
        for row, part in zip(frames, parts, strict=True):
            cut = self._pieces[part.piece][part.first : part.first + part.length + 1]
            row[: part.length + 1] = transpose_frames(cut, part.semitones)
        lengths = torch.tensor([part.length for part in parts])
        return torch.from_numpy(frames), torch.arange(longest) < lengths[:, None]

    def _epoch_plan(self, epoch: int) -> list[list[_Part]]:
        rng = np.random.default_rng([self._settings.seed, epoch])
        # Sorted by length; parts of one length meet others of it in each epoch.
        parts = sorted(self._cut(rng), key=lambda part: (part.length, rng.random()))
        plan: list[list[_Part]] = [[]]
        for part in parts:
            if plan[-1] and (len(plan[-1]) + 1) * part.length > self._settings.batch_frames:
                plan.append([])
            plan[-1].append(part)
        return [plan[i] for i in rng.permutation(len(plan))]

    def _cut(self, rng: np.random.Generator) -> list[_Part]:
        crop, furthest = self._settings.crop_frames, self._settings.transpose
        parts = []
        for i, piece in enumerate(self._pieces):
            n = len(piece) - 1
            offset = int(rng.integers(1, crop + 1)) if n > crop else n
            edges = [0, *range(offset, n, crop), n]
            for first, last in zip(edges, edges[1:], strict=False):
                moved = rng.random() < self._settings.transpose_share
                semitones = int(rng.integers(-furthest, furthest + 1)) if moved else 0
                parts.append(_Part(i, first, last - first, semitones))
        return parts
