"""The independent head: 88 sigmoids and a bonus for going on, against hand-computed values."""

import math

import pytest
import torch
from lively_heads import fixed_head

from pyzzicato.models.heads import IndependentHead


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
