"""The joint head against the slow obvious way: one key after the other, each a coin."""

import itertools

import pytest
import torch
from lively_heads import lively_joint_head
from torch import Tensor
from torch.nn import functional as F

from pyzzicato.models.joint_head import JointHead

CHANNELS, PLANES, MEMORIES = 5, 3, 1


def lively_head(keys: list[int] | None = None) -> JointHead:
    """Returns a head whose keys speak to each other; only `keys` can sound, None for all."""
    return lively_joint_head(CHANNELS, PLANES, MEMORIES, keys)


def random_seen(n: int) -> Tensor:
    """Returns `(n, C + 88 * F)`: hidden vectors, present frames and two more planes."""
    planes = torch.randn(n, 88, PLANES)
    planes[..., 0] = (torch.rand(n, 88) < 0.1).float()
    return torch.cat((torch.randn(n, CHANNELS), planes.flatten(1)), dim=1)


def one_by_one(head: JointHead, seen: Tensor, frame: Tensor) -> Tensor:
    """Returns `(88,)` log-odds: each key's in a pass that knows only the keys below it."""
    below = torch.tril(torch.ones(88, 88), diagonal=-1) * frame
    return head.logits_given(seen.expand(88, -1), below).diagonal()


def test_log_odds_by_the_formula() -> None:
    head = lively_head()
    seen = random_seen(1)
    frame = (torch.rand(88) < 0.2).float()
    hidden, planes = seen[0, :CHANNELS], seen[:, CHANNELS:].view(1, 88, PLANES)
    present = planes[0, :, 0]
    expected = []
    for k in range(88):
        z = head.net(planes, seen[:, :CHANNELS])[0, k]
        for j in range(k):
            interval = k - j - 1
            z = z + frame[j] * head.below[0, interval]
            z = z + frame[j] * (1 - present[j]) * head.below[1, interval]
        units = torch.relu(head.mix(torch.relu(z)))
        expected.append(head.out(units)[0] + head.own(hidden)[k] + head.stay * present[k])
    assert torch.allclose(head.logits_given(seen, frame[None])[0], torch.stack(expected), atol=1e-4)


@torch.no_grad()
def test_nll_is_the_sum_of_the_coins() -> None:
    head = lively_head()
    seen = random_seen(4)
    targets = (torch.rand(2, 2, 88) < 0.15).to(torch.uint8)
    nll = head.nll(seen.view(2, 2, -1), targets)
    assert nll.shape == (2, 2)
    for row, frame, measured in zip(seen, targets.view(4, 88), nll.flatten(), strict=True):
        logits = one_by_one(head, row, frame)
        slow = F.binary_cross_entropy_with_logits(logits, frame.float(), reduction="sum")
        assert float(measured) == pytest.approx(float(slow), rel=1e-4)


@torch.no_grad()
def test_chances_of_all_frames_add_up_to_1() -> None:
    head = lively_head([20, 24, 27, 50])
    frames = torch.zeros(16, 88)
    for frame, sounds in zip(frames, itertools.product((0, 1), repeat=4), strict=True):
        frame[[20, 24, 27, 50]] = torch.tensor(sounds, dtype=torch.float32)
    nll = head.nll(random_seen(1).expand(1, 16, -1), frames[None])
    assert float(torch.exp(-nll.double()).sum()) == pytest.approx(1.0, abs=1e-5)


@torch.no_grad()
def test_logits_are_those_above_silence() -> None:
    head = lively_head()
    seen = random_seen(6)
    logits = head.logits(seen.view(2, 3, -1))
    assert logits.shape == (2, 3, 88)
    silence = torch.zeros(88)
    for row, given in zip(seen, logits.view(6, 88), strict=True):
        assert torch.allclose(given, one_by_one(head, row, silence), atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("semitones", [-6, 2, 12])
def test_transposed_music_has_transposed_log_odds(semitones: int) -> None:
    head = lively_head()
    # What a hidden vector says of single keys knows registers; without it all keys are alike.
    head.own.weight.zero_()
    planes, frame = torch.zeros(1, 88, PLANES), torch.zeros(1, 88)
    planes[:, 36:52] = torch.randn(1, 16, PLANES)
    planes[:, 36:52, 0] = (torch.rand(1, 16) < 0.3).float()
    frame[0, [37, 40, 44, 49]] = 1
    hidden = torch.randn(1, CHANNELS)

    def log_odds(by: int) -> Tensor:
        moved = planes.roll(by, dims=1).flatten(1)
        given: Tensor = head.logits_given(torch.cat((hidden, moved), dim=1), frame.roll(by, dims=1))
        return given[0]

    reach = head.net.reach
    keys = torch.arange(reach + max(0, -semitones), 88 - reach - max(0, semitones))
    assert len(keys) > 20
    plain, moved = log_odds(0), log_odds(semitones)
    assert torch.allclose(moved[keys + semitones], plain[keys], atol=1e-4)
    assert not torch.allclose(moved[keys], plain[keys], atol=0.1)


@torch.no_grad()
def test_a_fresh_head_is_a_careful_copy() -> None:
    head = JointHead(CHANNELS, PLANES, MEMORIES, size=24)
    present = torch.zeros(1, 1, 88)
    present[..., :44] = 1
    planes = F.pad(present[..., None], (0, PLANES - 1))
    seen = torch.cat((torch.zeros(1, 1, CHANNELS), planes.flatten(2)), dim=-1)
    copied, moved = head.nll(seen, present), head.nll(seen, 1 - present)
    assert float(copied) < 15 < 200 < float(moved)


def test_no_gradient_is_worked_out_for_the_planes() -> None:
    seen = random_seen(4).requires_grad_()
    lively_head().nll(seen.view(2, 2, -1), torch.ones(2, 2, 88)).sum().backward()
    assert seen.grad is not None
    assert seen.grad[:, :CHANNELS].all()
    assert not seen.grad[:, CHANNELS:].any()
