"""From measures of single pieces to figures of a set: spreads, and rates with intervals.

The spread over pieces is a measure in itself: a model whose pieces are all alike has the median of
real music and none of its variety.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest


@dataclass(frozen=True, slots=True)
class Spread:
    """One measure over a set of pieces. All but `n` and `n_undefined` are None if `n` is 0.

    Attributes:
        n: pieces that have the measure.
        n_undefined: pieces for which it is undefined, left out of the rest.
        mean: average.
        sd: standard deviation over the pieces (divided by `n`); 0 for one piece.
        p5: 5th percentile, interpolated linearly.
        median: 50th percentile.
        p95: 95th percentile.
    """

    n: int
    n_undefined: int
    mean: float | None
    sd: float | None
    p5: float | None
    median: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Rate:
    """How many pieces of a set a verdict holds for.

    Attributes:
        count: pieces it holds for.
        n: pieces judged.
        share: `count / n`; None if `n` is 0.
        low: lower end of the confidence interval; 0.0 if `n` is 0.
        high: upper end of the confidence interval; 1.0 if `n` is 0.
    """

    count: int
    n: int
    share: float | None
    low: float
    high: float


def spread_of(values: Iterable[float | int | None]) -> Spread:
    """Returns median, percentiles, mean and deviation of one measure over pieces."""
    listed = list(values)
    known = np.array([v for v in listed if v is not None], dtype=np.float64)
    n_undefined = len(listed) - len(known)
    if not len(known):
        return Spread(0, n_undefined, None, None, None, None, None)
    p5, median, p95 = (float(p) for p in np.percentile(known, (5, 50, 95)))
    mean, sd = float(known.mean()), float(known.std())
    return Spread(len(known), n_undefined, mean, sd, p5, median, p95)


def rate_of(verdicts: Iterable[bool], confidence: float = 0.95) -> Rate:
    """Returns the share of pieces a verdict holds for, with a Wilson score interval.

    Wilson's interval stays within 0 and 1 and is sound for small sets and for rates near 0, which
    the usual "plus or minus two standard errors" is not.

    Args:
        verdicts: one a piece.
        confidence: of the interval, above 0 and below 1.

    Raises:
        ValueError: if `confidence` is out of its range.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
        Journal of the American Statistical Association 22, 1927; scipy.stats.binomtest.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be above 0 and below 1, got {confidence}; 0.95 is usual")
    listed = [bool(v) for v in verdicts]
    count, n = sum(listed), len(listed)
    if n == 0:
        return Rate(0, 0, None, 0.0, 1.0)
    interval = binomtest(count, n).proportion_ci(confidence, method="wilson")
    return Rate(count, n, count / n, float(interval.low), float(interval.high))
