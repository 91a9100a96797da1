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
        tempering: multiplies the temperature where keys are drawn: those of a frame, or the pitch
            of a note. When, how long and how loud a note is, is drawn at the temperature alone:
            more tamely drawn, notes become short and dense.
        pacing: log-odds by which playing is made calmer, in any music and however drawn
            (exponential tilting of the distribution): on note events they favour long onset steps
            over the shortest, on a roll they are taken from the keys that do not sound.
        holding: log-odds by which keys are held longer: on note events they favour the longest
            duration over the shortest, on a roll they are given to the keys that sound.
    """

    temperature: float = 1.0
    threshold: float | None = None
    guidance: float = 1.0
    tempering: float = 1.0
    pacing: float = 0.0
    holding: float = 0.0

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
        return _tilt(onsets, self.pacing, len(onsets) // 2)

    def hold(self, durations: Numbers) -> Numbers:
        """Returns `(V,)` logits of durations, shortest first, with the longer ones favoured.

        In proportion: durations lie in equal ratios, so that a chance is multiplied by a power of
        the duration.
        """
        return _tilt(durations, self.holding, len(durations) - 1)

    def choose(
        self, logits: Numbers, rng: np.random.Generator, lowest: int = 0, tempering: float = 1.0
    ) -> int:
        """Returns one of the V choices, drawn, for `(V,)` guided logits.

        Args:
            logits: of the choices.
            rng: of the draw.
            lowest: choices below it are not to be drawn.
            tempering: the rule's, where it holds.
        """
        scaled = logits[lowest:].astype(np.float64) / (self.temperature * tempering)
        reached = np.exp(scaled - scaled.max()).cumsum()
        return lowest + int(reached.searchsorted(rng.random() * reached[-1], side="right"))

    def cuts(self, present: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float64]:
        """Returns the log-odds that each key must pass to sound, `(n,)`.

        A key sounds where its log-odds, tempered and paced or held, pass a number drawn from the
        logistic distribution: with just the chance that they stand for. By a threshold nothing is
        drawn, and nothing changed.

        Args:
            present: 1 for each of n keys that sounds, else 0.
            rng: of the draws.
        """
        if self.threshold is not None:
            return np.full(len(present), np.log(self.threshold / (1 - self.threshold)))
        cuts = self.temperature * self.tempering * rng.logistic(size=len(present))
        if self.pacing or self.holding:
            cuts += np.where(present, -self.holding, self.pacing)
        return cuts


def _tilt(logits: Numbers, log_odds: float, highest: int) -> Numbers:
    """Returns logits to which what rises from 0 to `log_odds` at `highest`, and stays, is added."""
    if not log_odds:
        return logits
    share = np.minimum(np.arange(len(logits)) / highest, 1.0)
    return logits + (log_odds * share).astype(np.float32)
