"""The independent head: 88 sigmoids and a bonus for going on, against hand-computed values."""

import math

import pytest
import torch

from pyzzicato.models import SamplingRule
from pyzzicato.models.heads import IndependentHead


def fixed_head(*probabilities: float) -> IndependentHead:
    """Returns a head that gives these probabilities after silence, whatever the backbone says."""
    head = IndependentHead(1, n_keys=len(probabilities))
    with torch.no_grad():
        head.out.weight.zero_()
        head.out.bias.copy_(torch.logit(torch.tensor(probabilities)))
    return head


def test_independent_nll_is_the_sum_of_the_keys() -> None:
    head = fixed_head(0.5, 0.9, 0.1)
    targets = torch.tensor([[[1, 1, 0], [0, 0, 1]]], dtype=torch.uint8)
    nll = head.nll(torch.zeros(1, 2, 1 + 3), targets)
    expected = [
        -math.log(0.5) - math.log(0.9) - math.log(0.9),
        -math.log(0.5) - math.log(0.1) - math.log(0.1),
    ]
    assert nll.shape == (1, 2)
    assert nll[0].tolist() == pytest.approx(expected, rel=1e-5)


def test_a_sounding_key_gets_its_own_log_odds_on_top() -> None:
    head = fixed_head(0.5, 0.5)
    with torch.no_grad():
        head.stay.copy_(torch.tensor([math.log(3), math.log(9)]))
    silent, sounding = torch.zeros(1, 1, 1 + 2), torch.tensor([[[0.0, 1.0, 1.0]]])
    assert torch.sigmoid(head.logits(silent))[0, 0].tolist() == pytest.approx([0.5, 0.5])
    assert torch.sigmoid(head.logits(sounding))[0, 0].tolist() == pytest.approx([0.75, 0.9])


def test_fresh_independent_head_is_a_careful_copy() -> None:
    head = IndependentHead(4)
    chances = torch.sigmoid(head.logits(torch.tensor([[0.0] * 4 + [1.0] * 44 + [0.0] * 44])))[0]
    # The backbone's vector is 0 here: what is left is the head's start.
    assert chances[:44].tolist() == pytest.approx([0.91] * 44, abs=0.005)
    assert chances[44:].tolist() == pytest.approx([0.007] * 44, abs=0.0005)


def test_threshold_sounds_the_keys_above_it_and_draws_nothing() -> None:
    head = fixed_head(0.05, 0.29, 0.31, 0.95)
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    frame = head.sample(torch.zeros(2, 1 + 4), SamplingRule(threshold=0.3), generator)
    assert frame.tolist() == [[0, 0, 1, 1]] * 2
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_sampled_frequencies_are_the_probabilities(temperature: float) -> None:
    chances = (0.02, 0.2, 0.5, 0.8, 0.99)
    head = fixed_head(*chances)
    generator = torch.Generator().manual_seed(0)
    frames = head.sample(torch.zeros(20_000, 1 + 5), SamplingRule(temperature), generator)
    assert frames.dtype == torch.uint8
    for i, chance in enumerate(chances):
        odds = (chance / (1 - chance)) ** (1 / temperature)
        # Six standard deviations of a frequency are at most 6 * 0.5 / sqrt(20,000) = 0.021.
        assert float(frames[:, i].float().mean()) == pytest.approx(odds / (1 + odds), abs=0.022)


def test_temperature_limits() -> None:
    head = fixed_head(0.3, 0.7)
    generator = torch.Generator().manual_seed(0)
    cold = head.sample(torch.zeros(500, 1 + 2), SamplingRule(0.01), generator)
    assert (cold == torch.tensor([0, 1])).all()
    hot = head.sample(torch.zeros(20_000, 1 + 2), SamplingRule(1e6), generator).float().mean(0)
    assert hot.tolist() == pytest.approx([0.5, 0.5], abs=0.022)


def test_sampled_keys_are_independent_of_each_other() -> None:
    head = fixed_head(0.5, 0.5)
    generator = torch.Generator().manual_seed(0)
    frames = head.sample(torch.zeros(20_000, 1 + 2), SamplingRule(), generator)
    both = float((frames.sum(1) == 2).float().mean())
    assert both == pytest.approx(0.25, abs=0.022)


def test_guidance_exaggerates_what_the_composer_adds() -> None:
    # The weight turns the one channel into log-odds: 1 with the composer, 0.5 without.
    head = fixed_head(0.5)
    with torch.no_grad():
        head.out.weight.fill_(1.0)
    seen = torch.tensor([[1.0, 0.0]] * 20_000 + [[0.5, 0.0]] * 20_000)
    for guidance, log_odds in ((0.0, 0.5), (1.5, 1.25), (3.0, 2.0)):
        rule = SamplingRule(guidance=guidance)
        frames = head.sample(seen, rule, torch.Generator().manual_seed(0))
        assert frames.shape == (20_000, 1)
        expected = 1 / (1 + math.exp(-log_odds))
        assert float(frames.float().mean()) == pytest.approx(expected, abs=0.022)
