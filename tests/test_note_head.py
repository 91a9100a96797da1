"""The head of notes: four distributions in a row, against the same by hand."""

import math

import pytest
import torch
from torch import Tensor

from pyzzicato.events import SIZES
from pyzzicato.models import SamplingRule
from pyzzicato.models.note_head import NoteHead

CHANNELS, PLANES = 6, 4


def lively_head() -> NoteHead:
    """Returns a head in which each number depends much on those before it."""
    head = NoteHead(CHANNELS, PLANES, size=5).eval()
    with torch.no_grad():
        for table in (head.after_onset, head.after_pitch, head.after_duration):
            table.weight.mul_(20)
        for layer in (head.onset, head.own, head.duration[2], head.velocity[2]):
            layer.weight.mul_(3)
    return head


def random_seen(n: int) -> Tensor:
    """Returns `(n, C + 88 * F)`: hidden vectors and planes."""
    return torch.randn(n, CHANNELS + 88 * PLANES)


def random_notes(n: int) -> Tensor:
    """Returns `(n, 4)` notes."""
    return torch.stack([torch.randint(size, (n,)) for size in SIZES], dim=-1).to(torch.uint8)


def logits_of(head: NoteHead, seen: Tensor, notes: Tensor) -> list[Tensor]:
    """Returns `(n, V)` logits of each of the four numbers, given those before it in `notes`."""
    onset, pitch, duration, _ = notes.long().unbind(-1)
    hidden, planes = seen[:, :CHANNELS], seen[:, CHANNELS:].view(-1, 88, PLANES)
    tables = [head.onset(hidden)]
    hidden = hidden + head.after_onset.weight[onset]
    units = torch.relu(head.net(planes, hidden))
    by_key = units @ head.key.weight[0] + head.key.bias
    tables.append(by_key + head.own(hidden))
    hidden = hidden + head.after_pitch.weight[pitch]
    tables.append(head.duration(hidden))
    hidden = hidden + head.after_duration.weight[duration]
    tables.append(head.velocity(hidden))
    return tables


@torch.no_grad()
def test_nll_is_the_sum_of_four_conditionals() -> None:
    head = lively_head()
    seen, notes = random_seen(6), random_notes(6)
    attributes = head.attribute_nll(seen.view(2, 3, -1), notes.view(2, 3, 4))
    assert attributes.shape == (2, 3, 4)
    tables = [torch.log_softmax(logits, dim=-1) for logits in logits_of(head, seen, notes)]
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
    assert torch.allclose(logits.view(6, -1), logits_of(head, seen, random_notes(6))[0])


N_DRAWS = 4000


def check_draws(notes: Tensor, chances: list[Tensor]) -> None:
    """Asserts that each number is drawn from its own distribution, given those before it."""
    for i, p in enumerate(chances):
        drawn = notes[:, i].long()
        # How often each value comes, within six standard deviations.
        expected = p.mean(0)
        shares = torch.bincount(drawn, minlength=p.shape[1]) / len(drawn)
        deviations = (p * (1 - p)).mean(0).sqrt() / math.sqrt(len(drawn))
        assert ((shares - expected).abs() < 6 * deviations + 3e-4).all(), i
        # Mean surprise is the mean entropy only if every draw was from the right distribution.
        logs = torch.log(p.clamp(min=1e-30))
        surprise = -logs[torch.arange(len(drawn)), drawn]
        entropy = -(p * logs).sum(-1)
        spread = ((p * logs**2).sum(-1) - entropy**2).mean().sqrt()
        gap = float((surprise.mean() - entropy.mean()).abs())
        assert gap < 6 * float(spread) / math.sqrt(len(drawn)), i


@torch.no_grad()
@pytest.mark.parametrize(
    "rule",
    [
        SamplingRule(),
        SamplingRule(temperature=0.6),
        SamplingRule(temperature=2.0),
        SamplingRule(guidance=2.0),
        SamplingRule(temperature=1.5, guidance=0.0),
    ],
    ids=str,
)
def test_each_number_is_drawn_from_its_distribution(rule: SamplingRule) -> None:
    head = lively_head()
    views = random_seen(rule.n_views)
    seen = views.repeat_interleave(N_DRAWS, dim=0)
    notes = head.sample(seen, rule, torch.Generator().manual_seed(0))
    assert notes.dtype == torch.uint8 and notes.shape == (N_DRAWS, 4)
    # Both views of a piece are told the same note so far.
    tables = logits_of(head, seen, notes.repeat(rule.n_views, 1))
    check_draws(notes, [torch.softmax(rule.guide(t) / rule.temperature, dim=-1) for t in tables])


@torch.no_grad()
@pytest.mark.parametrize("guidance", [1.0, 1.5])
def test_an_onset_at_least_so_late_is_drawn_given_that_it_is(guidance: float) -> None:
    head = lively_head()
    rule = SamplingRule(guidance=guidance)
    seen = random_seen(rule.n_views).repeat_interleave(N_DRAWS, dim=0)
    notes = head.sample(seen, rule, torch.Generator().manual_seed(0), at_least=40)
    assert int(notes[:, 0].min()) == 40
    tables = [rule.guide(t) for t in logits_of(head, seen, notes.repeat(rule.n_views, 1))]
    tables[0][:, :40] = -torch.inf
    check_draws(notes, [torch.softmax(t, dim=-1) for t in tables])
    last = head.sample(seen, rule, torch.Generator(), at_least=SIZES[0] - 1)
    assert set(last[:, 0].tolist()) == {SIZES[0] - 1}


def pitch_curve(head: NoteHead, hidden: Tensor, planes: Tensor) -> Tensor:
    """Returns `(88,)` log-chances of the pitches after one onset step."""
    notes = torch.zeros(88, 1, 4, dtype=torch.uint8)
    notes[:, 0, 1] = torch.arange(88)
    seen = torch.cat((hidden, planes.flatten()))
    return -head.attribute_nll(seen.expand(88, 1, -1), notes)[:, 0, 1]


@torch.no_grad()
@pytest.mark.parametrize("semitones", [-6, 2, 12])
def test_a_transposed_past_has_transposed_pitches(semitones: int) -> None:
    head = lively_head()
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
