"""Ratings: from votes between two takes to the strength of each system, and how sure that is.

The model is Bradley and Terry's: a system of strength a is preferred to one of strength b with the
probability `1 / (1 + exp(b - a))`. "Neither" counts as half a win for both. Strengths are shown as
the chance of being preferred to an average system, 0 to 1.

Source: Bradley and Terry, Rank Analysis of Incomplete Block Designs I, Biometrika 39 (1952). Where
we differ: a normal prior of standard deviation `PRIOR_SD` on the strengths keeps them finite while
there are few votes, or when a system has won all of them; intervals are from the curvature of the
posterior at its top (Laplace's approximation).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .vote_book import Tally
from .votes import CRITERIA

PRIOR_SD = 1.5
"""Of strengths, in logits: 95 % of systems are taken to lie between 5 % and 95 %."""
_Z_95 = 1.959964
"""Of the normal distribution: 95 % lie within so many standard deviations."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rating:
    """A system's place on the leaderboard.

    Attributes:
        system: its name.
        strength: chance of being preferred to an average system, 0 to 1.
        low: lower end of the 95 % interval of `strength`.
        high: upper end.
        n_votes: votes that compared it.
        marks: mean mark for each criterion, 1 to 5; None where nobody gave one.
    """

    system: str
    strength: float
    low: float
    high: float
    n_votes: int
    marks: dict[str, float | None]


def leaderboard(tally: Tally) -> list[Rating]:
    """Returns the systems that have votes, the strongest first.

    Systems that no chain of votes connects are held together by the prior alone: their intervals
    are wide.

    Args:
        tally: of the votes.
    """
    names = sorted({system for *systems, _ in tally.pairs for system in systems})
    if not names:
        return []
    # Here: it takes long to import, and the page opens without.
    from scipy.special import expit

    wins = _count_wins(tally, names)
    strengths, sd = _fit(wins)
    low, high = expit(strengths - _Z_95 * sd), expit(strengths + _Z_95 * sd)
    rows = [
        Rating(
            system=name,
            strength=float(expit(strengths[i])),
            low=float(low[i]),
            high=float(high[i]),
            n_votes=round(float(wins[i].sum() + wins[:, i].sum())),
            marks=_mean_marks(tally, name),
        )
        for i, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: (-row.strength, row.system))


def _count_wins(tally: Tally, names: Sequence[str]) -> Floats:
    """Returns how often system i was preferred to j, `(n, n)`; "neither" is half for each."""
    place = {name: i for i, name in enumerate(names)}
    wins = np.zeros((len(names), len(names)))
    for (first, second, winner), n in tally.pairs.items():
        share = {0: 1.0, 1: 0.0, None: 0.5}[winner]
        wins[place[first], place[second]] += share * n
        wins[place[second], place[first]] += (1 - share) * n
    return wins


def _fit(wins: Floats) -> tuple[Floats, Floats]:
    """Returns the strengths in logits, mean 0, and the standard deviation of each."""
    from scipy.optimize import minimize
    from scipy.special import expit, log_expit

    n = len(wins)

    def cost(strengths: Floats) -> tuple[float, Floats]:
        gap = strengths[:, None] - strengths[None]
        nll = -float((wins * log_expit(gap)).sum()) + float(strengths @ strengths) / (
            2 * PRIOR_SD**2
        )
        surprise = wins * expit(-gap)
        gradient = surprise.sum(axis=0) - surprise.sum(axis=1) + strengths / PRIOR_SD**2
        return nll, gradient

    found = minimize(cost, np.zeros(n), jac=True, method="L-BFGS-B").x
    found = found - found.mean()
    chance = expit(found[:, None] - found[None])
    weight = (wins + wins.T) * chance * (1 - chance)
    curvature = np.diag(weight.sum(axis=1)) - weight + np.eye(n) / PRIOR_SD**2
    # Only differences between systems are seen in votes: what moves all of them alike is taken out.
    centre = np.eye(n) - 1 / n
    covariance = centre @ np.linalg.inv(curvature) @ centre
    return found, np.sqrt(np.diag(covariance).clip(min=0))


def _mean_marks(tally: Tally, name: str) -> dict[str, float | None]:
    given = {criterion: tally.marks.get((name, criterion), (0, 0)) for criterion in CRITERIA}
    return {
        criterion: round(total / n, 2) if n else None for criterion, (n, total) in given.items()
    }
