"""The joint head against the slow obvious way: one key after the other, each a coin."""

import itertools
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pyzzicato.models import SamplingRule
from pyzzicato.models.joint_head import JointHead

CHANNELS, PLANES, UNITS = 5, 3, 6


def lively_head(keys: list[int] | None = None) -> JointHead:
    """Returns a head whose keys speak to each other; only `keys` can sound, None for all."""
    head = JointHead(CHANNELS, PLANES, UNITS).eval()
    with torch.no_grad():
        torch.nn.init.normal_(head.below, std=1.0)
        torch.nn.init.normal_(head.out.weight, std=1.0)
        head.stay.fill_(1.5)
        head.own.bias.fill_(-1.0)
        if keys is not None:
            head.own.bias.fill_(-60.0)
            head.own.bias[keys] = 0.0
    return head


def random_seen(n: int, n_views: int = 1) -> Tensor:
    """Returns `(n_views * n, C + 88 * F)`: hidden vectors, present frames and two more planes.

    The views of a piece have the same past, so the same planes.
    """
    planes = torch.randn(n, 88, PLANES)
    planes[..., 0] = (torch.rand(n, 88) < 0.1).float()
    hidden = torch.randn(n_views * n, CHANNELS)
    return torch.cat((hidden, planes.flatten(1).repeat(n_views, 1)), dim=1)


def one_by_one(head: JointHead, seen: Tensor, frame: Tensor) -> Tensor:
    """Returns `(88,)` log-odds: each key's in a pass that knows only the keys below it."""
    below = torch.tril(torch.ones(88, 88), diagonal=-1) * frame
    return head.logits_given(seen.expand(88, -1), below).diagonal()


@dataclass(frozen=True)
class Dictation(SamplingRule):
    """Chooses the keys of a frame that is given, and keeps the log-odds that each choice saw."""

    frame: tuple[int, ...] = ()
    heard: list[np.ndarray] = field(default_factory=list)

    def next_key(self, log_odds: np.ndarray, draw: float) -> int:
        """Returns the index of the frame's next key."""
        self.heard.append(log_odds.copy())
        first = 88 - len(log_odds)
        return min((key for key in self.frame if key >= first), default=88) - first


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
@pytest.mark.parametrize("guidance", [1.0, 0.0, 2.5])
def test_every_choice_of_the_fast_way_sees_the_log_odds_of_the_slow_one(guidance: float) -> None:
    head = lively_head()
    for density in (0.0, 0.05, 0.3):
        frame = (torch.rand(88) < density).float()
        keys = tuple(frame.nonzero().flatten().tolist())
        rule = Dictation(guidance=guidance, frame=keys)
        seen = random_seen(1, rule.n_views)
        drawn = head.sample(seen, rule, torch.Generator())
        assert drawn.tolist() == [frame.int().tolist()]
        # One choice for each key that sounds, and one that none above the last does.
        firsts = [0, *(key + 1 for key in keys)]
        assert [88 - len(log_odds) for log_odds in rule.heard] == [f for f in firsts if f < 88]
        for log_odds in rule.heard:
            first = 88 - len(log_odds)
            so_far = frame * (torch.arange(88) < first)
            views = head.logits_given(seen, so_far.expand(rule.n_views, -1))
            expected = rule.guide(views)[0, first:]
            assert torch.allclose(torch.from_numpy(log_odds), expected, atol=1e-4)


# A minor third, a tone and a leap: what one key says to the next differs.
FOUR = [30, 33, 35, 60]
N_DRAWS = 1500


def slow_chances(head: JointHead, seen: Tensor, rule: SamplingRule) -> dict[tuple[int, ...], float]:
    """Returns the chance of each frame of the four keys, from one coin after the other."""
    chances = {}
    for sounds in itertools.product((0, 1), repeat=4):
        frame = torch.zeros(88)
        frame[FOUR] = torch.tensor(sounds, dtype=torch.float32)
        views = torch.stack([one_by_one(head, view, frame) for view in seen])
        p = torch.sigmoid(rule.guide(views)[0, FOUR].double() / rule.temperature)
        chances[sounds] = float(torch.where(frame[FOUR] > 0, p, 1 - p).prod())
    return chances


@torch.no_grad()
@pytest.mark.parametrize(
    "rule",
    [
        SamplingRule(),
        SamplingRule(temperature=0.5),
        SamplingRule(temperature=2.0),
        SamplingRule(guidance=2.0),
        SamplingRule(temperature=1.5, guidance=0.0),
    ],
    ids=str,
)
def test_frames_are_drawn_as_often_as_their_chances_say(rule: SamplingRule) -> None:
    head = lively_head(FOUR)
    seen = random_seen(1, rule.n_views)
    chances = slow_chances(head, seen, rule)
    assert sum(chances.values()) == pytest.approx(1.0, abs=1e-6)
    many = seen.repeat_interleave(N_DRAWS, dim=0)
    frames = head.sample(many, rule, torch.Generator().manual_seed(0))
    assert frames.dtype == torch.uint8 and frames.shape == (N_DRAWS, 88)
    assert int(frames.sum()) == int(frames[:, FOUR].sum())
    counts = Counter(map(tuple, frames[:, FOUR].tolist()))
    for sounds, chance in chances.items():
        deviation = (chance * (1 - chance) / N_DRAWS) ** 0.5
        assert abs(counts[sounds] / N_DRAWS - chance) < 6 * deviation + 1e-4, sounds


@torch.no_grad()
@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_threshold_takes_key_after_key_from_below(guidance: float) -> None:
    head = lively_head()
    rule = SamplingRule(threshold=0.4, guidance=guidance)
    for _ in range(3):
        seen = random_seen(1, rule.n_views)
        greedy = torch.zeros(88)
        for key in range(88):
            views = head.logits_given(seen, greedy.expand(rule.n_views, -1))
            greedy[key] = float(torch.sigmoid(rule.guide(views)[0, key]) > 0.4)
        drawn = head.sample(seen, rule, torch.Generator())
        assert 0 < greedy.sum() < 88
        assert drawn[0].tolist() == greedy.int().tolist()


@torch.no_grad()
def test_a_row_is_drawn_as_it_would_be_in_other_company() -> None:
    head = lively_head()
    seen = random_seen(3)
    rule = SamplingRule(threshold=0.5)
    together = head.sample(seen, rule, torch.Generator())
    for row in range(3):
        assert torch.equal(
            head.sample(seen[row : row + 1], rule, torch.Generator())[0], together[row]
        )


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
    head = JointHead(CHANNELS, PLANES, 24)
    present = torch.zeros(1, 1, 88)
    present[..., :44] = 1
    planes = F.pad(present[..., None], (0, PLANES - 1))
    seen = torch.cat((torch.zeros(1, 1, CHANNELS), planes.flatten(2)), dim=-1)
    copied, moved = head.nll(seen, present), head.nll(seen, 1 - present)
    assert float(copied) < 15 < 200 < float(moved)
