"""Heads that draw, against the slow obvious way and against the exact chances."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from draw_scenes import (
    CHANNELS,
    Scene,
    independent_scene,
    joint_scene,
    note_scene,
    remembering_scene,
)
from lively_heads import fixed_head, lively_joint_head
from slow_draws import (
    note_logits,
    shape_note_logits,
    slow_chance,
    slow_frame,
    slow_guide,
    slow_note,
)
from torch import Tensor

from pyzzicato.models import SamplingRule
from pyzzicato.models.draws import IndependentDraw
from pyzzicato.models.joint_head import JointHead
from pyzzicato.models.pitch_steps import RollPast
from pyzzicato.representations.event_bins import SIZES

RULES = [
    SamplingRule(),
    SamplingRule(temperature=0.5),
    SamplingRule(temperature=2.0),
    SamplingRule(guidance=2.0),
    SamplingRule(temperature=1.5, guidance=0.0),
    SamplingRule(temperature=1.5, tempering=0.6),
    SamplingRule(0.8, pacing=0.5, holding=1.0),
    SamplingRule(guidance=2.0, pacing=-1.0, holding=-0.5),
]
THRESHOLDS = [SamplingRule(threshold=0.4), SamplingRule(threshold=0.4, guidance=2.0)]


def drawn_steps(scene: Scene, rule: SamplingRule, n: int, at_least: int = 0) -> np.ndarray:
    """Returns n draws of the same step, `(n, A)`."""
    rng = np.random.default_rng(0)
    return np.stack([scene.draw(scene.views, rule, rng, at_least) for _ in range(n)])


# ---- 88 coins -----------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("rule", [*RULES, *THRESHOLDS], ids=str)
@pytest.mark.parametrize("make", [independent_scene, remembering_scene])
def test_independent_frames_are_those_of_the_slow_way(make, rule: SamplingRule) -> None:
    scene = make(rule.n_views)
    for number in range(3):
        fast, slow = np.random.default_rng(number), np.random.default_rng(number)
        frame = scene.draw(scene.views, rule, fast, 0)
        assert frame.dtype == np.uint8
        assert frame.tolist() == slow_frame(scene.head, scene.seen, rule, slow).tolist()
        # Both have drawn as many numbers.
        assert fast.random() == slow.random()
        assert 0 < frame.sum() < 88


def fixed_draw(*probabilities: float) -> IndependentDraw:
    """Returns the head of these probabilities, after silence."""
    past = RollPast(None)
    past.take(np.zeros(len(probabilities), dtype=np.uint8))
    return IndependentDraw(fixed_head(*probabilities), past)


def fixed_frames(rule: SamplingRule, n: int, *probabilities: float) -> np.ndarray:
    """Returns n frames of keys of these probabilities."""
    draw, rng = fixed_draw(*probabilities), np.random.default_rng(0)
    views = [np.zeros(1, dtype=np.float32)] * rule.n_views
    return np.stack([draw(views, rule, rng, 0) for _ in range(n)])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_are_the_probabilities(temperature: float) -> None:
    chances = (0.02, 0.2, 0.5, 0.8, 0.99)
    frames = fixed_frames(SamplingRule(temperature), 20_000, *chances)
    for i, chance in enumerate(chances):
        odds = (chance / (1 - chance)) ** (1 / temperature)
        # Six standard deviations of a frequency are at most 6 * 0.5 / sqrt(20,000) = 0.021.
        assert frames[:, i].mean() == pytest.approx(odds / (1 + odds), abs=0.022)


def test_temperature_limits() -> None:
    assert (fixed_frames(SamplingRule(0.01), 500, 0.3, 0.7) == [0, 1]).all()
    hot = fixed_frames(SamplingRule(1e6), 20_000, 0.3, 0.7)
    assert hot.mean(axis=0).tolist() == pytest.approx([0.5, 0.5], abs=0.022)


def test_independent_keys_are_independent_of_each_other() -> None:
    frames = fixed_frames(SamplingRule(), 20_000, 0.5, 0.5)
    assert (frames.sum(axis=1) == 2).mean() == pytest.approx(0.25, abs=0.022)


@pytest.mark.parametrize("make", [independent_scene, remembering_scene, joint_scene])
def test_a_threshold_draws_nothing(make) -> None:
    scene = make()
    rng = np.random.default_rng(0)
    scene.draw(scene.views, SamplingRule(threshold=0.3), rng, 0)
    assert rng.random() == np.random.default_rng(0).random()


def test_a_threshold_sounds_the_keys_above_it() -> None:
    frames = fixed_frames(SamplingRule(threshold=0.3), 2, 0.05, 0.29, 0.31, 0.95)
    assert frames.tolist() == [[0, 0, 1, 1]] * 2


def test_a_sounding_key_has_its_own_log_odds_on_top() -> None:
    head = fixed_head(0.5, 0.5)
    with torch.no_grad():
        head.stay.copy_(torch.tensor([math.log(3), math.log(9)]))
    past = RollPast(None)
    draw = IndependentDraw(head, past)
    past.take(np.array([1, 0], dtype=np.uint8))
    views = [np.zeros(1, dtype=np.float32)]
    for threshold, frame in [(0.49, [1, 1]), (0.74, [1, 0]), (0.76, [0, 0])]:
        drawn = draw(views, SamplingRule(threshold=threshold), np.random.default_rng(0), 0)
        assert drawn.tolist() == frame


# ---- Keys given the keys below them -------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("rule", [*RULES, *THRESHOLDS], ids=str)
def test_joint_frames_are_those_of_one_coin_after_the_other(rule: SamplingRule) -> None:
    for number in range(2):
        scene = joint_scene(rule.n_views)
        fast, slow = np.random.default_rng(number), np.random.default_rng(number)
        frame = scene.draw(scene.views, rule, fast, 0)
        assert frame.dtype == np.uint8
        assert frame.tolist() == slow_frame(scene.head, scene.seen, rule, slow).tolist()
        assert fast.random() == slow.random()
        assert 0 < frame.sum() < 88


# A minor third, a tone and a leap: what one key says to the next differs.
FOUR = [30, 33, 35, 60]
N_DRAWS = 3000


def exact_chances(scene: Scene, rule: SamplingRule) -> dict[tuple[int, ...], float]:
    """Returns the chance of each frame of the four keys, from one coin after the other."""
    chances = {}
    present = scene.seen[0, CHANNELS:].view(88, -1)[:, 0]
    for sounds in itertools.product((0, 1), repeat=4):
        chances[sounds] = 1.0
        frame = torch.zeros(88)
        for key, sound in zip(FOUR, sounds, strict=True):
            views = scene.head.logits_given(scene.seen, frame.expand(len(scene.seen), -1))
            p = slow_chance(rule, slow_guide(rule, views)[key], bool(present[key]))
            chances[sounds] *= p if sound else 1 - p
            frame[key] = sound
    return chances


@torch.no_grad()
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_frames_are_drawn_as_often_as_their_chances_say(rule: SamplingRule) -> None:
    scene = joint_scene(rule.n_views, lively_joint_head(CHANNELS, 3, 1, FOUR))
    chances = exact_chances(scene, rule)
    assert sum(chances.values()) == pytest.approx(1.0, abs=1e-6)
    frames = drawn_steps(scene, rule, N_DRAWS)
    assert frames.sum() == frames[:, FOUR].sum()
    counts = Counter(map(tuple, frames[:, FOUR].tolist()))
    for sounds, chance in chances.items():
        deviation = (chance * (1 - chance) / N_DRAWS) ** 0.5
        assert abs(counts[sounds] / N_DRAWS - chance) < 6 * deviation + 1e-4, sounds


@dataclass(frozen=True)
class Watched(SamplingRule):
    """Keeps the log-odds of each try."""

    tries: list[np.ndarray] = field(default_factory=list)

    def guide(self, views: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the guided log-odds."""
        self.tries.append(SamplingRule.guide(self, views).copy())
        return self.tries[-1]


def quarrelling_head() -> JointHead:
    """Returns a head in which a key sounds exactly where the key below it is silent."""
    head = JointHead(CHANNELS, 3, 1, size=1).eval()
    with torch.no_grad():
        for weight in head.parameters():
            weight.zero_()
        head.net.conv2.bias.fill_(1.0)
        head.below[0, 0] = -1.0
        head.mix.weight.fill_(1.0)
        head.out.weight.fill_(10.0)
        head.own.bias.fill_(-5.0)
    return head


def test_the_search_ends_where_every_key_depends_on_the_one_below() -> None:
    scene = joint_scene(1, quarrelling_head())
    rule = Watched(threshold=0.5)
    frame = scene.draw(scene.views, rule, np.random.default_rng(0), 0)
    assert frame.tolist() == [1, 0] * 44
    # Each try puts one key right at least, and the last finds nothing to change.
    assert 10 < len(rule.tries) <= 89


@torch.no_grad()
@pytest.mark.parametrize("scale", [3.0, 1000.0])
def test_the_search_ends_and_is_right_however_strongly_keys_speak(scale: float) -> None:
    n_tries = []
    for number in range(4):
        head = lively_joint_head(CHANNELS, 3, 1)
        head.below.mul_(scale)
        scene = joint_scene(1, head)
        rule = Watched()
        frame = scene.draw(scene.views, rule, np.random.default_rng(number), 0)
        slow = slow_frame(head, scene.seen, SamplingRule(), np.random.default_rng(number))
        assert frame.tolist() == slow.tolist()
        n_tries.append(len(rule.tries))
    assert 5 < max(n_tries) <= 89


@torch.no_grad()
def test_after_n_tries_the_n_lowest_keys_are_settled_to_the_bit() -> None:
    """Otherwise a cut between two roundings of one sum could keep the search going for ever."""
    for number in range(10):
        head = lively_joint_head(CHANNELS, 3, 1)
        head.below.mul_(10.0)
        scene = joint_scene(2, head)
        rule = Watched(temperature=2.0, guidance=1.5)
        scene.draw(scene.views, rule, np.random.default_rng(number), 0)
        assert len(rule.tries) > 2
        for n, log_odds in enumerate(rule.tries, start=1):
            assert np.array_equal(log_odds[:n], rule.tries[-1][:n])


@torch.no_grad()
def test_a_head_that_copies_needs_one_try() -> None:
    head = JointHead(CHANNELS, 3, 1, size=6).eval()
    head.own.weight.zero_()
    head.stay.fill_(10.0)
    scene = joint_scene(1, head)
    rule = Watched(threshold=0.5)
    present = scene.seen[0, CHANNELS:].view(88, 3)[:, 0]
    frame = scene.draw(scene.views, rule, np.random.default_rng(0), 0)
    assert frame.tolist() == present.tolist()
    assert len(rule.tries) == 1


# ---- The four numbers of a note -----------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("at_least", [0, 40])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_notes_are_those_of_the_slow_way(rule: SamplingRule, at_least: int) -> None:
    scene = note_scene(rule.n_views)
    for number in range(20):
        fast, slow = np.random.default_rng(number), np.random.default_rng(number)
        note = scene.draw(scene.views, rule, fast, at_least)
        assert note.dtype == np.uint8
        expected = slow_note(scene.head, scene.seen, rule, slow, at_least)
        assert note.tolist() == expected.tolist()
        assert fast.random() == slow.random()


@dataclass(frozen=True)
class Dictation(SamplingRule):
    """Chooses the numbers of a note that is given, and keeps the logits that each choice saw."""

    note: tuple[int, ...] = ()
    heard: list[np.ndarray] = field(default_factory=list)

    def choose(self, logits: np.ndarray, *_: object, **__: object) -> int:
        """Returns the note's next number."""
        self.heard.append(logits.copy())
        return self.note[len(self.heard) - 1]


@torch.no_grad()
@pytest.mark.parametrize("guidance", [1.0, 0.0, 2.5])
def test_every_choice_sees_the_logits_of_the_torch_head(guidance: float) -> None:
    scene = note_scene(SamplingRule(guidance=guidance).n_views)
    for note in [(0, 0, 0, 0), (56, 87, 47, 15), (7, 40, 20, 9)]:
        rule = Dictation(guidance=guidance, note=note)
        drawn = scene.draw(scene.views, rule, np.random.default_rng(0), 0)
        assert tuple(drawn.tolist()) == note
        told = torch.tensor(note).expand(len(scene.seen), -1)
        for heard, views in zip(rule.heard, note_logits(scene.head, scene.seen, told), strict=True):
            assert heard == pytest.approx(slow_guide(rule, views).numpy(), abs=1e-4)


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
@pytest.mark.parametrize("at_least", [0, 40])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_each_number_is_drawn_from_its_distribution(rule: SamplingRule, at_least: int) -> None:
    scene = note_scene(rule.n_views)
    notes = torch.from_numpy(drawn_steps(scene, rule, N_DRAWS, at_least))
    assert int(notes[:, 0].min()) >= at_least
    # Both views of a piece are told the same note so far.
    by_view = [
        note_logits(scene.head, view.expand(N_DRAWS, -1), notes.long()) for view in scene.seen
    ]
    guided = [slow_guide(rule, torch.stack(views)) for views in zip(*by_view, strict=True)]
    shaped = shape_note_logits(rule, guided)
    shaped[0][:, :at_least] = -torch.inf
    check_draws(notes, [torch.softmax(logits, dim=-1) for logits in shaped])


def test_the_last_onset_step_can_be_all_that_is_left() -> None:
    notes = drawn_steps(note_scene(), SamplingRule(), 50, at_least=SIZES[0] - 1)
    assert set(notes[:, 0].tolist()) == {SIZES[0] - 1}
