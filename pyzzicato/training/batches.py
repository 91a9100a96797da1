"""Batches of crops, drawn so that a run can be stopped and resumed without a trace."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..representations import Representation, Steps
from ..representations.passages import Change
from .mistakes import take_crowds, take_detours, take_stutters
from .store import NoteStore, StoredPiece
from .train_settings import TrainSettings

_FURTHEST_TEMPO = 3.0
"""A crop at another tempo altogether is up to so many times slower or faster."""


class Batch(NamedTuple):
    """What an update learns from.

    Attributes:
        steps: `(B, T, A)` uint8, with mistakes where noise is wanted.
        targets: `(B, T, A)` uint8, one step later, without mistakes (`Representation.intended`).
        composers: `(B,)` numbers as the model takes them, 0 for any.
        densities: `(B,)` likewise, of the crops as they were written.
        endings: `(B, T)` likewise, of how much is left of the piece after each step.
    """

    steps: Tensor
    targets: Tensor
    composers: Tensor
    densities: Tensor
    endings: Tensor


class CropSampler:
    """Draws random crops of the pieces, transposed and stretched at random.

    Which crops a step sees depends on the seed, the step and the process alone, so nothing needs to
    be saved to resume, and two processes never draw the same.

    Args:
        store: prepared pieces.
        pieces: those to draw from; each by its length, made even among composers as wanted.
        representation: how notes become steps.
        settings: used are `batch_size`, `crop_steps`, `transpose`, `stretch`, `tempos`, `noise`,
            `detours`, `crowds`, `stutters`, `openings`, `evenness`, `composer_dropout`,
            `density_dropout` and `seed`.
        composers: full names of the composers the model knows and their numbers.
        density: returns the number the model takes for the density of a crop; None for a model
            without that condition.
        endings: returns the numbers the model takes for seconds left of a piece; None likewise.

    Raises:
        ValueError: if there is no piece.
    """

    def __init__(
        self,
        store: NoteStore,
        pieces: Sequence[StoredPiece],
        representation: Representation,
        settings: TrainSettings,
        composers: Mapping[str, int] | None = None,
        density: Callable[[Steps], int] | None = None,
        endings: Callable[[NDArray[np.float64]], NDArray[np.int64]] | None = None,
    ) -> None:
        if not pieces:
            raise ValueError("there is no piece to train on; check the composers and splits")
        self._store = store
        self._pieces = list(pieces)
        self._representation = representation
        self._settings = settings
        self._composers = composers or {}
        self._density = density
        self._endings = endings

    def batch(self, step: int, process: int = 0) -> Batch:
        """Returns the crops of an update."""
        seed = self._settings.seed
        rng = np.random.default_rng([seed, step, process])
        at_hand = self._store.at_hand(self._pieces, step, process, seed)
        shares = self._shares(at_hand)
        chosen = rng.choice(len(at_hand), size=self._settings.batch_size, p=shares)
        pieces = [at_hand[i] for i in chosen]
        crops, left = zip(*(self._crop(piece, rng) for piece in pieces), strict=True)
        strayed = [self._strayed(crop, rng) for crop in crops]
        seen = [self._noisy(crop[:-1], rng) for crop in strayed]
        targets = map(self._representation.intended, crops, strayed)
        composers = [self._composers.get(piece.composer, 0) for piece in pieces]
        densities = [0 if self._density is None else self._density(crop) for crop in crops]
        endings = np.zeros((len(crops), self._settings.crop_steps), dtype=np.int64)
        if self._endings is not None:
            given = rng.random((len(crops), 1)) >= self._settings.endings_dropout
            endings = self._endings(np.stack(left)[:, :-1]) * given
        return Batch(
            torch.from_numpy(np.stack(seen)),
            torch.from_numpy(np.stack([*targets])),
            self._drop_some(composers, self._settings.composer_dropout, rng),
            self._drop_some(densities, self._settings.density_dropout, rng),
            torch.from_numpy(endings),
        )

    def _shares(self, pieces: Sequence[StoredPiece]) -> NDArray[np.float64]:
        """Returns how often each piece is drawn, with a sum of 1."""
        lengths = np.array([piece.length for piece in pieces], dtype=float)
        groups = np.array([self._composers.get(piece.composer, 0) for piece in pieces])
        of_group = np.bincount(groups, lengths)
        lengths /= of_group[groups] ** self._settings.evenness
        shares: NDArray[np.float64] = lengths / lengths.sum()
        return shares

    @staticmethod
    def _drop_some(numbers: Sequence[int], dropout: float, rng: np.random.Generator) -> Tensor:
        """Returns the numbers, a share of them 0."""
        return torch.from_numpy(np.where(rng.random(len(numbers)) < dropout, 0, numbers))

    def _strayed(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns steps with passages as a model may play them that has lost its way, or begins."""
        strayed = take_detours(steps, self._settings.detours, self._representation, rng)
        strayed = take_crowds(strayed, self._settings.crowds, self._representation, rng)
        strayed = take_stutters(strayed, self._settings.stutters, self._representation, rng)
        if self._settings.openings and rng.random() < self._settings.openings:
            strayed = self._representation.open(strayed, rng)
        return strayed

    def _noisy(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns steps with single mistakes."""
        return self._representation.add_noise(steps, self._settings.noise, rng)

    def _crop(
        self, piece: StoredPiece, rng: np.random.Generator
    ) -> tuple[Steps, NDArray[np.float64]]:
        """Returns `(crop_steps + 1, A)` steps, and the seconds left of the piece after each.

        A piece that is shorter begins again.
        """
        n_steps = self._settings.crop_steps + 1
        room = self._representation.room(piece, n_steps)
        furthest, widest = self._settings.transpose, 1 + self._settings.stretch
        if self._settings.tempos and rng.random() < self._settings.tempos:
            widest = _FURTHEST_TEMPO
        change = Change(
            int(rng.integers(-furthest, furthest + 1)),
            float(widest ** rng.uniform(-1, 1)),
        )
        place = int(rng.integers(room))
        crop: Steps = self._representation.crop(self._store, piece, place, n_steps, change)
        left = self._representation.seconds_left(self._store, piece, place, crop, change)
        if len(crop) < n_steps:
            return np.resize(crop, (n_steps, crop.shape[1])), np.resize(left, n_steps)
        return crop, left
