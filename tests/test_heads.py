"""The independent head: 88 sigmoids and a bonus for going on, against hand-computed values."""

import math

import pytest
import torch
from lively_heads import fixed_head, lively_independent_head

from pyzzicato.models.independent_head import IndependentHead


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


def planes_of(keys: list[int]) -> torch.Tensor:
    """Returns `(1, 1, 5 + 88 * 3)`: a hidden vector and planes in which the keys sound."""
    planes = torch.zeros(88, 3)
    planes[keys, 0] = 1.0
    planes[keys, 2] = 0.5
    hidden = torch.linspace(-1, 1, 5)
    return torch.cat((hidden, planes.flatten()))[None, None]


@pytest.mark.parametrize("semitones", [-7, 1, 12])
@torch.no_grad()
def test_transposed_memories_have_transposed_log_odds(semitones: int) -> None:
    head = lively_independent_head(5, n_planes=3, n_memories=1)
    head.out.weight.zero_()  # what the backbone says of each key is the key's own
    keys = [40, 43, 47, 52]
    logits = head.logits(planes_of(keys))[0, 0]
    moved = head.logits(planes_of([key + semitones for key in keys]))[0, 0]
    inside = torch.arange(30, 60)
    assert logits[inside].std() > 0.05
    assert torch.allclose(moved[inside + semitones], logits[inside], atol=1e-5)


def test_memories_are_told_apart_from_the_hidden_vector() -> None:
    head = lively_independent_head(5, n_planes=3, n_memories=1)
    seen = planes_of([40]).requires_grad_()
    head.logits(seen).sum().backward()
    assert seen.grad is not None
    assert (seen.grad[..., :5] != 0).all()
    # No gradient is worked out for the planes.
    assert (seen.grad[..., 5:] == 0).all()
