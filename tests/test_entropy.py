"""Entropy in closed loop beside held-out nats: sums by hand, and what cannot be compared."""

import numpy as np
import pytest

from pyzzicato.evaluation.entropy import NumberEntropy, compare_entropies


def test_every_step_counts_alike():
    played = {"pitch": [[1.0, 2.0, 3.0], np.array([1.0, 1.0, 2.0, 2.0, 6.0, 6.0])]}
    held_out = {"pitch": [[1.0], [2.0, 3.0]]}
    found = compare_entropies(played, held_out)["pitch"]
    assert found.closed_loop == pytest.approx(24 / 9)
    assert found.thirds == pytest.approx((1.0, 2.0, 5.0))
    assert found.held_out == pytest.approx(2.0)
    assert found.growth == pytest.approx(24 / 9 - 2.0)


def test_a_model_that_plays_as_it_foresees_does_not_grow():
    nats = [np.random.default_rng(0).exponential(2.0, 300)]
    found = compare_entropies({"frame": nats}, {"frame": nats})["frame"]
    assert found.growth == 0.0
    assert found.closed_loop == found.held_out


def test_each_number_is_compared_with_itself():
    found = compare_entropies({"a": [[1.0] * 3], "b": [[4.0] * 3]}, {"b": [[1.0]], "a": [[2.0]]})
    assert (found["a"].growth, found["b"].growth) == (-1.0, 3.0)


def test_nothing_has_no_entropy():
    empty = NumberEntropy(None, (None, None, None), None, None)
    assert compare_entropies({"pitch": []}, {"pitch": [[]]}) == {"pitch": empty}
    one = compare_entropies({"pitch": [[2.0]]}, {"pitch": []})["pitch"]
    assert one == NumberEntropy(2.0, (2.0, None, None), None, None)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match=r"same numbers, got \['onset'\] and \['pitch'\]"):
        compare_entropies({"onset": [[1.0]]}, {"pitch": [[1.0]]})
    for wrong in (float("nan"), float("inf"), -0.5):
        with pytest.raises(ValueError, match="pitch must have finite nats"):
            compare_entropies({"pitch": [[wrong]]}, {"pitch": [[1.0]]})
