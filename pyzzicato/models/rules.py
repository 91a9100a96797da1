"""How a step is chosen from a distribution."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class SamplingRule:
    """How the next step is chosen from a distribution.

    Attributes:
        temperature: logits are divided by it before a step is drawn; 1 draws from the model's own
            distribution. Above 0.
        threshold: the article's way on a roll: nothing is drawn, a key sounds where its probability
            passes the threshold, 0 to 1. None to draw.
        guidance: how much of what the composer makes of a piece is played: 1 is the composer's
            own distribution, more exaggerates what sets it apart from all composers' (classifier-
            free guidance, Ho & Salimans 2022, arXiv:2207.12598, on logits).
    """

    temperature: float = 1.0
    threshold: float | None = None
    guidance: float = 1.0

    @property
    def n_views(self) -> int:
        """Returns how many rows a piece has in what a head is given: with and without composer."""
        return 1 if self.guidance == 1 else 2

    def spread(self, rows: Tensor) -> Tensor:
        """Returns `(B, C)` rows for all views, `(n_views * B, C)`."""
        return rows if self.n_views == 1 else rows.repeat(self.n_views, 1)

    def guide(self, logits: Tensor) -> Tensor:
        """Returns `(B, V)` logits for `(B, V)`, or for `(2 B, V)` of both views, guided ones."""
        if self.n_views == 1:
            return logits
        given, plain = logits.chunk(2)
        return plain + self.guidance * (given - plain)

    def draw(self, logits: Tensor, generator: torch.Generator, lowest: int = 0) -> Tensor:
        """Returns one of V choices a row, `(B,)`, for the `(n_views * B, V)` logits of a head.

        Args:
            logits: from both views of each piece.
            generator: of the draws.
            lowest: choices below it are not to be drawn.
        """
        # In numpy: for a single row of a hundred numbers torch costs several times as much.
        guided = self.guide(logits).double().numpy() / self.temperature
        guided[:, :lowest] = -np.inf
        reached = np.exp(guided - guided.max(axis=1, keepdims=True)).cumsum(axis=1)
        draws = torch.rand(len(guided), 1, generator=generator, dtype=torch.float64).numpy()
        return torch.from_numpy((reached <= draws * reached[:, -1:]).sum(axis=1))

    def next_key(self, log_odds: NDArray[np.float32], draw: float) -> int:
        """Returns the index of the first key that sounds, or the number of keys if none does.

        Args:
            log_odds: of each key in turn, given that none of the keys before it sounds.
            draw: uniform in 0 to 1; it decides for all keys at once by the inverse of the
                distribution of that index.
        """
        if self.threshold is not None:
            cut = np.log(self.threshold / (1 - self.threshold))
            sounds = np.flatnonzero(log_odds > cut)
            return int(sounds[0]) if len(sounds) else len(log_odds)
        # -log(1 - sigmoid(x)) = log(1 + exp(x)), summed over the keys that stay silent.
        silent = np.cumsum(np.logaddexp(0.0, log_odds.astype(np.float64) / self.temperature))
        return int(np.searchsorted(silent, -np.log1p(-draw), side="left"))
