"""Memories along the keys by hand, and networks that read every key alike."""

import math

import pytest
import torch
from torch import Tensor

from pyzzicato.models.pitch import PitchMemory, PitchNet

SPANS = (1.0, 4.0, 50.0)


def struck_at(n: int, *strokes: tuple[int, int]) -> Tensor:
    """Returns `(1, n, 88)` with ones at (step, key)."""
    struck = torch.zeros(1, n, 88)
    for step, key in strokes:
        struck[0, step, key] = 1
    return struck


def test_memories_by_hand() -> None:
    memory = PitchMemory([1.0, 4.0])
    seen, bare = memory(struck_at(4, (0, 5), (2, 5), (3, 87)), memory.start(1))
    assert seen.shape == (1, 4, 88, 2)
    fast = [1, math.exp(-1), math.exp(-2) + 1, math.exp(-3) + math.exp(-1)]
    slow = [1, math.exp(-0.25), math.exp(-0.5) + 1, math.exp(-0.75) + math.exp(-0.25)]
    assert seen[0, :, 5, 0].tolist() == pytest.approx(fast)
    # Scaled by the root of its span.
    assert seen[0, :, 5, 1].tolist() == pytest.approx([value / 2 for value in slow])
    assert seen[0, :, 87].tolist() == [[0, 0]] * 3 + [[1, 0.5]]
    others = [key for key in range(88) if key not in (5, 87)]
    assert not seen[0, :, others].any()
    assert bare[0, 5].tolist() == pytest.approx([fast[3], slow[3]])


@pytest.mark.parametrize("lengths", [(1,) * 30, (12, 18), (1, 28, 1)])
def test_one_step_or_many_give_the_same_memories(lengths: tuple[int, ...]) -> None:
    memory = PitchMemory(SPANS)
    struck = (torch.rand(2, 30, 88) < 0.1).float()
    whole, after = memory(struck, memory.start(2))
    state, parts = memory.start(2), []
    for part in struck.split(lengths, dim=1):
        seen, state = memory(part, state)
        parts.append(seen)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)
    assert torch.allclose(state, after, atol=1e-5)


def test_a_long_passage_neither_overflows_nor_forgets_too_soon() -> None:
    memory = PitchMemory([1.0, 1000.0])
    struck = torch.ones(1, 2000, 88)
    seen, _ = memory(struck, memory.start(1))
    assert torch.isfinite(seen).all()
    # Struck at each step, a memory nears 1 / (1 - decay).
    full = (1 - math.exp(-2000 / 1000)) / (1 - math.exp(-1 / 1000))
    assert float(seen[0, -1, 0, 1]) == pytest.approx(full / math.sqrt(1000), rel=1e-3)
    assert float(seen[0, -1, 0, 0]) == pytest.approx(1 / (1 - math.exp(-1)), rel=1e-4)


def test_net_equals_the_slow_obvious_sums() -> None:
    net = PitchNet(2, 3, context_size=4, kernels=(5, 3))
    planes, context = torch.randn(1, 88, 2), torch.randn(1, 4)
    film = net.film.weight @ context[0] + net.film.bias
    scale, shift = film[:3], film[3:]

    def convolved(conv: torch.nn.Conv2d, x: Tensor, key: int) -> Tensor:
        reach = conv.kernel_size[1] // 2
        total = conv.bias.clone()
        for tap in range(-reach, reach + 1):
            if 0 <= key + tap < 88:
                total = total + conv.weight[:, :, 0, tap + reach] @ x[key + tap]
        return total

    units = torch.stack(
        [torch.relu(convolved(net.conv1, planes[0], k) * (1 + scale) + shift) for k in range(88)]
    )
    expected = torch.stack([convolved(net.conv2, units, key) for key in range(88)])
    assert torch.allclose(net(planes, context)[0], expected, atol=1e-5)


@pytest.mark.parametrize("kernels", [(37, 13), (5, 3)])
def test_a_key_reaches_as_far_as_documented(kernels: tuple[int, int]) -> None:
    reached = torch.zeros(88)
    for _ in range(3):
        # Several draws: in one, a ReLU may hide a dependence.
        net = PitchNet(3, 8, context_size=4, kernels=kernels)
        planes = torch.randn(2, 88, 3, requires_grad=True)
        out = net(planes, torch.randn(2, 4))
        (gradient,) = torch.autograd.grad(out[:, 44].abs().sum(), planes)
        reached += gradient.abs().sum(dim=(0, 2))
    assert net.reach == kernels[0] // 2 + kernels[1] // 2
    assert reached.nonzero().flatten().tolist() == list(range(44 - net.reach, 45 + net.reach))


@pytest.mark.parametrize("semitones", [-7, 1, 12])
def test_transposed_planes_give_transposed_units(semitones: int) -> None:
    net = PitchNet(3, 4, context_size=5)
    planes = torch.zeros(2, 88, 3)
    planes[:, 35:55] = torch.randn(2, 20, 3)
    context = torch.randn(2, 5)
    out = net(planes, context)
    moved = net(planes.roll(semitones, dims=1), context)
    # Two convolutions end at the keyboard's edges: within reach of them all keys are not alike.
    keys = torch.arange(net.reach, 88 - net.reach)
    keys = keys[(keys + semitones >= net.reach) & (keys + semitones < 88 - net.reach)]
    assert len(keys) > 20
    assert torch.allclose(moved[:, keys + semitones], out[:, keys], atol=1e-5)
    assert not torch.allclose(moved[:, keys], out[:, keys], atol=1e-2)


def test_the_backbone_bends_all_keys_alike() -> None:
    net = PitchNet(2, 4, context_size=3)
    planes = torch.randn(1, 1, 2).expand(2, 88, 2)
    out = net(planes, torch.stack((torch.zeros(3), torch.ones(3))))
    assert not torch.allclose(out[0], out[1])
    # Away from the edges every key hears the same here.
    inside = out[:, net.reach : 88 - net.reach]
    assert torch.allclose(inside, inside[:, :1].expand_as(inside), atol=1e-5)
