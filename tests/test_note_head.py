"""The head of notes: four distributions in a row, against the same by hand."""

import pytest
import torch
from lively_heads import lively_note_head
from slow_draws import note_logits
from torch import Tensor

from pyzzicato.models.note_head import NoteHead
from pyzzicato.representations.event_bins import SIZES

CHANNELS, PLANES, MEMORIES = 6, 4, 2


def lively_head(hears_ends: bool = False) -> NoteHead:
    """Returns a head in which each number depends much on those before it."""
    return lively_note_head(CHANNELS, PLANES, MEMORIES, hears_ends)


def random_seen(n: int) -> Tensor:
    """Returns `(n, C + 88 * F)`: hidden vectors and planes."""
    return torch.randn(n, CHANNELS + 88 * PLANES)


def random_notes(n: int) -> Tensor:
    """Returns `(n, 4)` notes."""
    return torch.stack([torch.randint(size, (n,)) for size in SIZES], dim=-1).to(torch.uint8)


@torch.no_grad()
@pytest.mark.parametrize("hears_ends", [False, True])
def test_nll_is_the_sum_of_four_conditionals(hears_ends: bool) -> None:
    head = lively_head(hears_ends)
    seen, notes = random_seen(6), random_notes(6)
    attributes = head.attribute_nll(seen.view(2, 3, -1), notes.view(2, 3, 4))
    assert attributes.shape == (2, 3, 4)
    tables = [torch.log_softmax(logits, dim=-1) for logits in note_logits(head, seen, notes)]
    for i, table in enumerate(tables):
        expected = -table[torch.arange(6), notes[:, i].long()]
        assert torch.allclose(attributes.view(6, 4)[:, i], expected, atol=1e-4)
    nll = head.nll(seen.view(2, 3, -1), notes.view(2, 3, 4))
    assert torch.allclose(nll, attributes.sum(-1))


@torch.no_grad()
def test_logits_are_those_of_the_onset_step() -> None:
    head = lively_head()
    seen = random_seen(6)
    logits = head.logits(seen.view(2, 3, -1))
    assert logits.shape == (2, 3, SIZES[0])
    assert torch.allclose(logits.view(6, -1), note_logits(head, seen, random_notes(6))[0])


def pitch_curve(head: NoteHead, hidden: Tensor, planes: Tensor) -> Tensor:
    """Returns `(88,)` log-chances of the pitches after one onset step."""
    notes = torch.zeros(88, 1, 4, dtype=torch.uint8)
    notes[:, 0, 1] = torch.arange(88)
    seen = torch.cat((hidden, planes.flatten()))
    return -head.attribute_nll(seen.expand(88, 1, -1), notes)[:, 0, 1]


@torch.no_grad()
@pytest.mark.parametrize("semitones, hears_ends", [(-6, False), (2, False), (12, False), (5, True)])
def test_a_transposed_past_has_transposed_pitches(semitones: int, hears_ends: bool) -> None:
    head = lively_head(hears_ends)
    # What a hidden vector says of single keys knows registers; without it all keys are alike.
    head.own.weight.zero_()
    head.own.bias.zero_()
    planes = torch.zeros(88, PLANES)
    planes[36:52] = torch.randn(16, PLANES)
    hidden = torch.randn(CHANNELS)
    plain = pitch_curve(head, hidden, planes)
    moved = pitch_curve(head, hidden, planes.roll(semitones, dims=0))
    reach = head.net.reach
    keys = torch.arange(reach + max(0, -semitones), 88 - reach - max(0, semitones))
    assert len(keys) > 20
    # The keys at the edges are not alike, so all chances may share one factor.
    factor = moved[keys[0] + semitones] - plain[keys[0]]
    assert torch.allclose(moved[keys + semitones], plain[keys] + factor, atol=1e-3)
    assert not torch.allclose(moved[keys], plain[keys] + factor, atol=0.05)


@torch.no_grad()
def test_registers_are_known_by_the_hidden_vector() -> None:
    head = lively_head()
    planes = torch.zeros(88, PLANES)
    curve = pitch_curve(head, torch.randn(CHANNELS), planes)
    inside = curve[head.net.reach : 88 - head.net.reach]
    assert float(inside.std()) > 0.1


@torch.no_grad()
def test_a_head_that_hears_ends_chooses_by_them() -> None:
    """Another end changes the chances of onset step, pitch and duration, and not only of one."""
    head = lively_head(hears_ends=True)
    planes = torch.zeros(88, PLANES)
    planes[60, -1] = 1.0
    later = planes.clone()
    later[60, -1] = 1.3
    hidden = torch.zeros(CHANNELS)
    note = torch.tensor([[[3, 50, 30, 5]]], dtype=torch.uint8)
    nats = [
        head.attribute_nll(torch.cat((hidden, ends.flatten()))[None, None], note)[0, 0]
        for ends in (planes, later)
    ]
    assert ((nats[0] - nats[1]).abs()[:3] > 1e-4).all()


def test_no_gradient_is_worked_out_for_the_planes() -> None:
    seen = random_seen(4).requires_grad_()
    lively_head().nll(seen.view(2, 2, -1), random_notes(4).view(2, 2, 4)).sum().backward()
    assert seen.grad is not None
    assert seen.grad[:, :CHANNELS].all()
    assert not seen.grad[:, CHANNELS:].any()
