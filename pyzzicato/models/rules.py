"""How a step is chosen from a distribution."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]


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
        pacing: on note events, log-odds by which long onset steps are favoured over the shortest:
            above 0 plays more calmly (exponential tilting of the distribution).
    """

    temperature: float = 1.0
    threshold: float | None = None
    guidance: float = 1.0
    pacing: float = 0.0

    @property
    def n_views(self) -> int:
        """Returns how often a piece is heard: once, or with and without its composer."""
        return 1 if self.guidance == 1 else 2

    def guide(self, views: Sequence[Numbers]) -> Numbers:
        """Returns the logits of the one view, or of both, with the composer and without, guided."""
        if len(views) == 1:
            return views[0]
        given, plain = views
        return plain + np.float32(self.guidance) * (given - plain)

    def pace(self, onsets: Numbers) -> Numbers:
        """Returns `(V,)` logits of onset steps, shortest first, with the longer ones favoured.

        In proportion over the first half of the steps, and all of the second half alike: dense
        music becomes calmer, and sparse music does not fall silent.
        """
        if not self.pacing:
            return onsets
        share = np.minimum(np.arange(len(onsets)) / (len(onsets) // 2), 1.0)
        return onsets + (self.pacing * share).astype(np.float32)

    def choose(self, logits: Numbers, rng: np.random.Generator, lowest: int = 0) -> int:
        """Returns one of the V choices, drawn, for `(V,)` guided logits.

        Args:
            logits: of the choices.
            rng: of the draw.
            lowest: choices below it are not to be drawn.
        """
        scaled = logits[lowest:].astype(np.float64) / self.temperature
        reached = np.exp(scaled - scaled.max()).cumsum()
        return lowest + int(reached.searchsorted(rng.random() * reached[-1], side="right"))

    def cuts(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Returns the log-odds that each of n keys must pass to sound, `(n,)`.

        A key with the chance p, tempered, sounds where a number drawn uniformly in 0 to 1 is below
        p: where its log-odds pass the temperature times those of the number. By a threshold nothing
        is drawn.

        Args:
            n: keys.
            rng: of the draws.
        """
        if self.threshold is not None:
            return np.full(n, np.log(self.threshold / (1 - self.threshold)))
        drawn = rng.random(n)
        # A drawn 0 lets the key sound in any case.
        with np.errstate(divide="ignore"):
            return self.temperature * (np.log(drawn) - np.log1p(-drawn))
