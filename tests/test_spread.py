"""Spreads and rates over pieces."""

import numpy as np
import pytest

from pyzzicato.evaluation.spread import Spread, rate_of, spread_of


def test_spread_by_hand() -> None:
    found = spread_of([1, 2, None, 3, 4, 5])
    assert (found.n, found.n_undefined) == (5, 1)
    assert (found.mean, found.median) == (3.0, 3.0)
    assert found.sd == pytest.approx(np.sqrt(2))
    assert found.p5 == pytest.approx(1.2)
    assert found.p95 == pytest.approx(4.8)


def test_spread_of_one_and_of_none() -> None:
    assert spread_of([7.0]) == Spread(1, 0, 7.0, 0.0, 7.0, 7.0, 7.0)
    assert spread_of([]) == Spread(0, 0, None, None, None, None, None)
    assert spread_of([None, None]) == Spread(0, 2, None, None, None, None, None)


def test_wilson_interval_by_its_formula() -> None:
    found = rate_of([True] * 3 + [False] * 17)
    n, p, z = 20, 0.15, 1.959964
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert (found.count, found.n, found.share) == (3, 20, pytest.approx(0.15))
    assert found.low == pytest.approx(middle - half)
    assert found.high == pytest.approx(middle + half)


def test_rates_at_the_ends() -> None:
    never, always = rate_of([False] * 10), rate_of([True] * 10)
    assert (never.share, never.low) == (0.0, 0.0)
    assert 0.2 < never.high < 0.4
    assert (always.share, always.high) == (1.0, 1.0)
    assert always.low == pytest.approx(1 - never.high)


def test_a_rate_of_nothing_knows_nothing() -> None:
    found = rate_of([])
    assert (found.count, found.n, found.share, found.low, found.high) == (0, 0, None, 0.0, 1.0)


def test_more_confidence_is_a_wider_interval() -> None:
    verdicts = [True, False, False, False]
    wide, narrow = rate_of(verdicts, 0.99), rate_of(verdicts, 0.5)
    assert wide.low < narrow.low < narrow.high < wide.high
    with pytest.raises(ValueError, match="confidence must be above 0 and below 1"):
        rate_of(verdicts, 1.0)
