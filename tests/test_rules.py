"""How a step is chosen: guidance, temperature and the draw of the next key, by hand."""

import math

import numpy as np
import pytest
import torch

from pyzzicato.models import SamplingRule


def log_odds_of(*chances: float) -> np.ndarray:
    """Returns the log-odds of chances, float32 as a head gives them."""
    p = np.array(chances)
    return np.log(p / (1 - p)).astype(np.float32)


def test_without_guidance_there_is_one_view_and_logits_stay_as_they_are() -> None:
    logits = torch.randn(3, 5)
    assert SamplingRule().n_views == 1
    assert torch.equal(SamplingRule().guide(logits), logits)


@pytest.mark.parametrize(
    ("guidance", "expected"), [(0.0, [1.0, -2.0]), (0.5, [2.0, -2.5]), (3.0, [7.0, -5.0])]
)
def test_guidance_by_hand(guidance: float, expected: list[float]) -> None:
    rule = SamplingRule(guidance=guidance)
    assert rule.n_views == 2
    # First the row with the composer, then the one without.
    guided = rule.guide(torch.tensor([[3.0, -3.0], [1.0, -2.0]]))
    assert guided.tolist() == [pytest.approx(expected)]


def test_guidance_pairs_each_row_with_its_own_plain_one() -> None:
    given, plain = torch.randn(4, 6), torch.randn(4, 6)
    guided = SamplingRule(guidance=2.5).guide(torch.cat((given, plain)))
    for row in range(4):
        assert torch.allclose(guided[row], plain[row] + 2.5 * (given[row] - plain[row]))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax_at_a_temperature(temperature: float) -> None:
    logits = torch.tensor([2.0, 0.0, -1.0, 1.0])
    rule = SamplingRule(temperature)
    drawn = rule.draw(logits.expand(20_000, -1).clone(), torch.Generator().manual_seed(0))
    assert drawn.shape == (20_000,)
    weights = [math.exp(x / temperature) for x in logits.tolist()]
    for choice, weight in enumerate(weights):
        share = float((drawn == choice).float().mean())
        # Six standard deviations are at most 6 * 0.5 / sqrt(20,000) = 0.021.
        assert share == pytest.approx(weight / sum(weights), abs=0.022)


def test_choices_below_the_lowest_are_never_drawn_and_the_rest_keep_their_odds() -> None:
    logits = torch.tensor([9.0, 1.0, 0.0, 1.0]).expand(20_000, -1)
    drawn = SamplingRule().draw(logits.clone(), torch.Generator().manual_seed(0), lowest=2)
    assert set(drawn.tolist()) == {2, 3}
    assert float((drawn == 3).float().mean()) == pytest.approx(1 / (1 + math.exp(-1)), abs=0.022)
    last = SamplingRule().draw(logits[:50].clone(), torch.Generator().manual_seed(0), lowest=3)
    assert set(last.tolist()) == {3}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_next_key_is_that_of_one_coin_after_the_other(temperature: float) -> None:
    chances = (0.1, 0.5, 0.02, 0.7)
    rule = SamplingRule(temperature)
    # Draws on an even grid give each index its chance to within one part in 2,000.
    draws = (np.arange(2000) + 0.5) / 2000
    found = [rule.next_key(log_odds_of(*chances), draw) for draw in draws]
    still_silent = 1.0
    for i, chance in enumerate(chances):
        odds = (chance / (1 - chance)) ** (1 / temperature)
        expected = still_silent * odds / (1 + odds)
        assert found.count(i) / 2000 == pytest.approx(expected, abs=1.1e-3)
        still_silent /= 1 + odds
    assert found.count(len(chances)) / 2000 == pytest.approx(still_silent, abs=1.1e-3)


def test_the_next_key_by_threshold_is_the_first_above_it_whatever_the_draw() -> None:
    odds = log_odds_of(0.1, 0.29, 0.31, 0.9)
    for draw in (0.001, 0.5, 0.999):
        assert SamplingRule(threshold=0.3).next_key(odds, draw) == 2
        assert SamplingRule(threshold=0.05).next_key(odds, draw) == 0
        assert SamplingRule(threshold=0.95).next_key(odds, draw) == 4


def test_certain_keys_need_no_luck() -> None:
    rule = SamplingRule(0.01)
    for draw in (1e-12, 0.5, 1 - 1e-12):
        assert rule.next_key(np.array([-1e4, -1e4, 1e4], dtype=np.float32), draw) == 2
        assert rule.next_key(np.full(88, -1e4, dtype=np.float32), draw) == 88
