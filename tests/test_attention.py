"""Attention above the LSTM: step by step, causal, and aware of notes and seconds."""

import math
from pathlib import Path

import pytest
import torch
from conftest import tiny_config
from model_cases import livened, random_events
from torch import Tensor

from pyzzicato.models.architecture import LOOKING_BACK
from pyzzicato.models.attention import AttentionBackbone, Block
from pyzzicato.models.model import PyzzicatoModel


def build(**choices: object) -> PyzzicatoModel:
    """Returns a lively debug model with attention and a learnt recall."""
    options = {
        "representation": "events",
        "head": "notes",
        "backbone": "attention",
        "n_heads": 2,
        "n_blocks": 2,
        "recall_heads": 3,
        "composers": ["bach"],
    }
    return livened(PyzzicatoModel(tiny_config(**{**options, **choices}))).eval()


@torch.no_grad()
@pytest.mark.parametrize("view", [1024, 9])
@pytest.mark.parametrize("parts", [(1,) * 40, (17, 23), (39, 1)])
@pytest.mark.parametrize("backbone", LOOKING_BACK)
def test_any_cut_gives_what_the_whole_gives(
    backbone: str, view: int, parts: tuple[int, ...]
) -> None:
    model = build(backbone=backbone, view=view, endings=[2.0, 8.0])
    steps = random_events(2, 40)
    endings = torch.randint(3, (2, 40))
    whole, _ = model.hidden(steps, model.start(2), {"ending": endings})
    state, found = model.start(2), []
    for part, left in zip(steps.split(parts, 1), endings.split(parts, 1), strict=True):
        seen, state = model.hidden(part, state, {"ending": left})
        found.append(seen)
    assert torch.allclose(torch.cat(found, dim=1), whole, atol=1e-4)
    # What is kept does not grow beyond what is looked back on.
    seen = state.backbone if backbone == "transformer" else state.backbone.above
    kept = [block.keys.past.shape[1] for block in seen.blocks]
    assert max(kept) <= view - 1


@torch.no_grad()
def test_a_saved_model_gives_what_it_gave(tmp_path: Path) -> None:
    model = build(endings=[2.0])
    model.save_pretrained(tmp_path)
    loaded = PyzzicatoModel.from_pretrained(tmp_path).eval()
    steps = random_events(2, 30)
    (was, _), (now, _) = (m.hidden(steps, m.start(2)) for m in (model, loaded))
    assert torch.equal(was, now)


@torch.no_grad()
def test_what_comes_later_changes_no_earlier_loss() -> None:
    model = build()
    steps = random_events(2, 30)
    other = torch.cat((steps[:, :20], random_events(2, 10)), dim=1)
    before, after = (
        model.head.nll(model.hidden(s[:, :-1], model.start(2))[0], s[:, 1:]) for s in (steps, other)
    )
    assert torch.equal(before[:, :19], after[:, :19])
    assert not torch.allclose(before[:, 19:], after[:, 19:])


def gradient_of(backbone: AttentionBackbone, n: int, at: int) -> Tensor:
    """Returns `(n,)`: how much hidden step `at` depends on each step's input but its seconds."""
    x = torch.randn(4, n, 7)
    x[..., -1] = x[..., -1].abs()
    x.requires_grad_()
    hidden, _ = backbone(x, backbone.start(4))
    (gradient,) = torch.autograd.grad(hidden[:, at].abs().sum(), x)
    return gradient[..., :-1].abs().sum(dim=(0, 2))


def test_no_gradient_flows_from_the_future_and_all_of_the_past_is_seen() -> None:
    config = tiny_config(representation="events", head="notes", backbone="attention", n_heads=2)
    backbone = AttentionBackbone(7, config)
    for weight in backbone.parameters():
        weight.data += 0.2 * torch.randn_like(weight)
    gradient = gradient_of(backbone, n=40, at=25)
    assert gradient[26:].max() == 0
    assert (gradient[:26] > 0).all()


def test_a_new_block_says_nothing() -> None:
    block = Block(8, 2, 32, 16, 0.0)
    x, turns = torch.randn(2, 5, 8), torch.randn(2, 5, 2, 2)
    y, _ = block(x, turns, block.start(2))
    assert torch.equal(x, y)


@torch.no_grad()
def test_a_block_attends_by_hand() -> None:
    """Two notes, one head of four channels, no turning: softmax of the two products."""
    block = Block(4, 1, 4, 16, 0.0)
    block.qkv.weight.copy_(torch.eye(4).repeat(3, 1))
    block.out.weight.copy_(torch.eye(4))
    x = torch.tensor([[[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]]])
    still = torch.tensor([1.0, 0.0])[None, None, :, None].expand(1, 2, 2, 2)
    y, _ = block(x, still, block.start(1))
    # Normed, each has one channel of 2: products of 4 with itself and 0 with the other, halved.
    share = 1 / (1 + math.exp(-4 / 2))
    assert y[0, 0].tolist() == pytest.approx([4.0, 0.0, 0.0, 0.0], abs=1e-4)
    assert y[0, 1].tolist() == pytest.approx([2 * (1 - share), 2 + 2 * share, 0.0, 0.0], abs=1e-4)


@torch.no_grad()
def test_attention_knows_distances_and_not_places() -> None:
    """The same notes after a rest of notes or of seconds attend to each other alike."""
    config = tiny_config(representation="events", head="notes", backbone="attention", n_heads=2)
    backbone = AttentionBackbone(7, config)
    block = Block(8, 2, 32, 16, 0.0)
    for weight in block.parameters():
        weight.add_(0.3 * torch.randn_like(weight))
    x = torch.randn(1, 6, 8)
    places = torch.rand(1, 6, 2).cumsum(1)

    def turns(places: Tensor) -> Tensor:
        angles = places @ torch.tensor(backbone.blocks.rates)
        return torch.stack((angles.cos(), angles.sin()), dim=2)

    here, _ = block(x, turns(places), block.start(1))
    later, _ = block(x, turns(places + torch.tensor([30.0, 12.5])), block.start(1))
    slower, _ = block(x, turns(places * torch.tensor([1.0, 2.0])), block.start(1))
    assert torch.allclose(here, later, atol=1e-4)
    assert not torch.allclose(here, slower, atol=1e-3)


@torch.no_grad()
def test_what_is_left_of_a_piece_is_given_step_by_step() -> None:
    model = build(endings=[2.0, 8.0])
    steps = random_events(1, 6)
    plain, _ = model.hidden(steps, model.start(1))
    unknown, _ = model.hidden(
        steps, model.start(1), {"ending": torch.zeros(1, 6, dtype=torch.long)}
    )
    late, _ = model.hidden(steps, model.start(1), {"ending": torch.tensor([[0, 0, 0, 1, 1, 1]])})
    assert torch.equal(plain, unknown)
    assert torch.equal(plain[:, :3], late[:, :3])
    assert not torch.allclose(plain[:, 3:], late[:, 3:])
