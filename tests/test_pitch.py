"""Memories along the keys by hand, and networks that read every key alike."""

import math

import pytest
import torch
from torch import Tensor

from pyzzicato.models.pitch import PitchMemory, PitchNet

SPANS = (1.0, 4.0, 50.0)
GAIN = 8.0


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
    for plane, span in enumerate((1.0, 4.0)):
        fade = math.exp(-1 / span)
        fives = [1, fade, fade**2 + 1, fade**3 + fade]
        # Of all that is remembered, and one more: key 87 is struck at the last step.
        totals = [fives[0], fives[1], fives[2], fives[3] + 1]
        shares = [GAIN * five / (total + 1) for five, total in zip(fives, totals, strict=True)]
        assert seen[0, :, 5, plane].tolist() == pytest.approx(shares)
        last = GAIN * 1 / (totals[3] + 1)
        assert seen[0, :, 87, plane].tolist() == pytest.approx([0, 0, 0, last])
        assert bare[0, [5, 87], plane].tolist() == pytest.approx([fives[3], 1])
    others = [key for key in range(88) if key not in (5, 87)]
    assert not seen[0, :, others].any()


def test_a_single_stroke_and_a_chord_by_hand() -> None:
    memory = PitchMemory([1000.0])
    single, _ = memory(struck_at(1, (0, 40)), memory.start(1))
    assert float(single[0, 0, 40, 0]) == pytest.approx(GAIN / 2)
    chord, _ = memory(struck_at(1, (0, 40), (0, 44), (0, 47)), memory.start(1))
    assert chord[0, 0, [40, 44, 47], 0].tolist() == pytest.approx([GAIN / 4] * 3)


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
    seen, bare = memory(struck, memory.start(1))
    assert torch.isfinite(seen).all()
    # Struck at each step, a memory nears 1 / (1 - decay).
    full = (1 - math.exp(-2000 / 1000)) / (1 - math.exp(-1 / 1000))
    assert float(bare[0, 0, 1]) == pytest.approx(full, rel=1e-3)
    assert float(bare[0, 0, 0]) == pytest.approx(1 / (1 - math.exp(-1)), rel=1e-4)


def scale_struck(n: int, density: int) -> Tensor:
    """Returns `(1, n, 88)`: a C major scale up and down, each stroke of so many octaves at once."""
    strokes = []
    for t in range(n):
        key = (15, 17, 19, 20, 22, 24, 26, 24, 22, 20, 19, 17)[t % 12]
        strokes += [(t, key + 12 * octave) for octave in range(density)]
    return struck_at(n, *strokes)


def remembered(struck: Tensor, span: float) -> Tensor:
    """Returns the `(88,)` shares after the last step, taken in parts."""
    memory = PitchMemory([span])
    state = memory.start(1)
    for part in struck.split(500, dim=1):
        seen, state = memory(part, state)
    return seen[0, -1, :, 0]


def test_memories_do_not_grow_with_the_length() -> None:
    # A memory as long as a piece: after 240 steps and after 6,000 it reads alike.
    early, late = (remembered(scale_struck(n, 1), 3000.0) for n in (240, 6000))
    assert torch.allclose(early, late, atol=0.05)
    assert float(early.sum()) == pytest.approx(GAIN, rel=0.01)
    assert early.sum() < late.sum() < GAIN


def test_memories_do_not_grow_with_the_density() -> None:
    thin, dense = (remembered(scale_struck(240, n), 3000.0) for n in (1, 5))
    assert thin.sum() < dense.sum() < GAIN
    # Five octaves at once: each key has a fifth of the share, each class what it had.
    assert torch.allclose(dense[15:27], thin[15:27] / 5, atol=0.01)
    folded = torch.nn.functional.pad(dense, (0, 8)).view(8, 12).sum(0)
    assert torch.allclose(
        folded, torch.nn.functional.pad(thin, (0, 8)).view(8, 12).sum(0), atol=0.05
    )


def film_of(net: PitchNet, context: Tensor) -> tuple[Tensor, Tensor]:
    """Returns scale and shift, `(H,)` each, for one backbone's vector."""
    film = net.film.weight @ context + net.film.bias
    return film.chunk(2)


def convolved(conv: torch.nn.Conv2d, x: Tensor, key: int) -> Tensor:
    """Returns one key's sum over the keys around it, for `(88, F)`."""
    reach = conv.kernel_size[1] // 2
    total = conv.bias.clone()
    for tap in range(-reach, reach + 1):
        if 0 <= key + tap < 88:
            total = total + conv.weight[:, :, 0, tap + reach] @ x[key + tap]
    return total


def around_the_circle(net: PitchNet, memories: Tensor, key: int) -> Tensor:
    """Returns one key's sum over all keys, by how far up their classes are, for `(88, n)`."""
    weight = net.classes.weight.view(-1, 12, net.n_memories)
    total = torch.zeros(len(weight))
    for other in range(88):
        total = total + weight[:, (other - key) % 12] @ memories[other]
    return total


@torch.no_grad()
@pytest.mark.parametrize(("n_planes", "n_memories"), [(2, 1), (3, 3), (7, 2)])
def test_net_equals_the_slow_obvious_sums(n_planes: int, n_memories: int) -> None:
    net = PitchNet(n_planes, n_memories, 3, context_size=4, kernels=(5, 3))
    planes, context = torch.randn(2, 88, n_planes), torch.randn(2, 4)
    for row in range(2):
        scale, shift = film_of(net, context[row])
        memories = planes[row, :, n_planes - n_memories :]
        units = []
        for key in range(88):
            first = convolved(net.conv1, planes[row], key) + around_the_circle(net, memories, key)
            units.append(torch.relu(first * (1 + scale) + shift))
        heard = torch.stack(units)
        expected = torch.stack([convolved(net.conv2, heard, key) for key in range(88)])
        assert torch.allclose(net(planes, context)[row], expected, atol=1e-4)


def reached_by(n_planes: int, n_memories: int, kernels: tuple[int, int]) -> Tensor:
    """Returns `(88, F)`: how much the units of key 44 depend on each number of the planes."""
    reached = torch.zeros(88, n_planes)
    for _ in range(3):
        # Several draws: in one, a ReLU may hide a dependence.
        net = PitchNet(n_planes, n_memories, 8, context_size=4, kernels=kernels)
        planes = torch.randn(2, 88, n_planes, requires_grad=True)
        out = net(planes, torch.randn(2, 4))
        (gradient,) = torch.autograd.grad(out[:, 44].abs().sum(), planes)
        reached += gradient.abs().sum(dim=0)
    return reached


@pytest.mark.parametrize("kernels", [(37, 13), (5, 3)])
def test_a_key_reaches_as_far_as_documented(kernels: tuple[int, int]) -> None:
    reached = reached_by(3, 1, kernels)
    reach = PitchNet(3, 1, 8, 4, kernels).reach
    assert reach == kernels[0] // 2 + kernels[1] // 2
    near = list(range(44 - reach, 45 + reach))
    for plane in (0, 1):
        assert reached[:, plane].nonzero().flatten().tolist() == near
    # Memories are heard around the circle of pitch classes too, from all keys of a class.
    assert (reached[:, 2] > 0).all()


@torch.no_grad()
def test_the_circle_reaches_all_keys_of_a_class_alike() -> None:
    net = PitchNet(2, 1, 1, context_size=1, kernels=(1, 1))
    for weight in net.parameters():
        weight.zero_()
    net.conv2.weight.fill_(1.0)
    # A fifth up, in whichever octave.
    net.classes.weight[0, 7] = 1.0
    for struck in (0, 7, 50, 87):
        planes = torch.zeros(1, 88, 2)
        planes[0, struck, 1] = 1.0
        heard = net(planes, torch.zeros(1, 1))[0, :, 0]
        assert heard.nonzero().flatten().tolist() == [
            key for key in range(88) if (struck - key) % 12 == 7
        ]
        # The planes that are no memories are not on the circle.
        assert not net(planes.flip(2), torch.zeros(1, 1)).any()


@torch.no_grad()
@pytest.mark.parametrize("semitones", [-19, -7, 1, 7, 12])
def test_transposed_planes_give_transposed_units(semitones: int) -> None:
    net = PitchNet(3, 2, 4, context_size=5)
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


@torch.no_grad()
def test_a_memory_an_octave_away_is_the_same_on_the_circle_alone() -> None:
    net = PitchNet(2, 2, 4, context_size=5)
    net.conv1.weight.zero_()
    planes = torch.zeros(1, 88, 2)
    planes[:, 35:55] = torch.randn(1, 20, 2)
    context = torch.randn(1, 5)
    out = net(planes, context)
    for octaves in (-2, 1, 2):
        assert torch.allclose(net(planes.roll(12 * octaves, dims=1), context), out, atol=1e-5)
    assert not torch.allclose(net(planes.roll(7, dims=1), context), out, atol=1e-2)


def test_every_weight_of_the_net_learns() -> None:
    net = PitchNet(3, 2, 4, context_size=5)
    net(torch.randn(2, 88, 3), torch.randn(2, 5)).square().sum().backward()
    for name, weight in net.named_parameters():
        assert weight.grad is not None, name
        # Not the tensor alone: each tap and each class is used.
        assert (weight.grad.abs() > 0).float().mean() > 0.99, name


def test_the_backbone_bends_all_keys_alike() -> None:
    net = PitchNet(2, 1, 4, context_size=3)
    planes = torch.randn(1, 1, 2).expand(2, 88, 2)
    out = net(planes, torch.stack((torch.zeros(3), torch.ones(3))))
    assert not torch.allclose(out[0], out[1])
    # Away from the edges every key hears the same along the keys; on the circle the classes of the
    # lowest four keys have one key more.
    net.classes.weight.data.zero_()
    out = net(planes, torch.stack((torch.zeros(3), torch.ones(3))))
    inside = out[:, net.reach : 88 - net.reach]
    assert torch.allclose(inside, inside[:, :1].expand_as(inside), atol=1e-5)
