"""How a step is drawn from logits and uniform numbers: by hand, and by the exact chances."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch
from graph_store import playable
from model_cases import CASES, halved, livened, random_events, random_roll
from slow_draws import (
    chance_of_key,
    chances_of_number,
    note_logits,
    rate_shifts,
    shifts_of,
    slow_step,
)
from torch import Tensor

from pyzzicato.models.drawing import SURE, Controls, choose, guide, key_cuts, limit_keys
from pyzzicato.models.joint_head import JointHead
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.models.note_head import NoteHead
from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.playing.loaded_model import Model
from pyzzicato.representations.event_bins import SIZES

N_DRAWS = 2000


def controls(**options: object) -> Controls:
    """Returns controls of one key or number, neutral but for what is given."""
    neutral = {"uniform": [0.5], "temperature": [1.0], "top_a": [0.0]}
    neutral |= {"bias": [0.0], "view_weights": [1.0]}
    return Controls(**{name: torch.tensor(v) for name, v in {**neutral, **options}.items()})


def choice(
    logits: list[float], uniform: float, temperature: float = 1.0, top_a: float = 0.0
) -> int:
    """Returns what is drawn of n choices."""
    numbers = (torch.tensor(x) for x in (logits, uniform, temperature, top_a))
    return int(choose(*numbers))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [([0.0, 1.0], [1.0, -2.0]), ([0.5, 0.5], [2.0, -2.5]), ([3.0, -2.0], [7.0, -5.0])],
)
def test_guidance_by_hand(weights: list[float], expected: list[float]) -> None:
    views = torch.tensor([[3.0, -3.0], [1.0, -2.0]])
    assert guide(views, controls(view_weights=weights)).tolist() == pytest.approx(expected)
    assert guide(views[:1], controls()).tolist() == views[0].tolist()


def test_a_choice_by_hand() -> None:
    # Chances of 1/2, 1/4 and 1/4: their sums are reached at 0.5, 0.75 and 1.
    logits = [math.log(2.0), 0.0, 0.0]
    for number, drawn in [(0.0, 0), (0.49, 0), (0.51, 1), (0.74, 1), (0.76, 2), (0.999, 2)]:
        assert choice(logits, number) == drawn
    # Half the temperature squares the chances: 4, 1 and 1 of 6.
    for number, drawn in [(0.66, 0), (0.67, 1), (0.83, 1), (0.84, 2)]:
        assert choice(logits, number, temperature=0.5) == drawn


def test_top_a_leaves_out_by_the_square_of_the_likeliest_whatever_the_temperature() -> None:
    # Chances of 10, 5 and 1 of 16: shares of the square of the first are 0.8 and 0.16.
    logits = [0.0, math.log(0.5), math.log(0.1)]
    for temperature in (0.5, 1.0, 4.0):
        assert choice(logits, 0.9999, temperature, top_a=0.15) == 2
        assert choice(logits, 0.9999, temperature, top_a=0.17) == 1
        assert choice(logits, 0.9999, temperature, top_a=0.79) == 1
        assert choice(logits, 0.9999, temperature, top_a=0.81) == 0
    # What is left keeps its odds: 2 to 1.
    assert [choice(logits, u, top_a=0.2) for u in (0.66, 0.67)] == [0, 1]
    # Where all are as likely, all stay; where one is sure, little does.
    assert choice([0.0] * 20, 0.9999, top_a=1.0) == 19
    assert choice([0.0, math.log(0.05)], 0.9999, top_a=0.06) == 0


@pytest.mark.parametrize("temperature", [0.01, 1.0, 4.0])
def test_extreme_logits_neither_overflow_nor_let_the_impossible_happen(temperature: float) -> None:
    for logits in ([-1e4, 1e4, -1e4], [-SURE, 0.0, -SURE], [0.0, SURE, 3.0]):
        for number in (0.0, 0.5, 1 - 2**-24):
            assert choice(logits, number, temperature) == 1


def test_all_choices_can_be_drawn_and_no_other() -> None:
    logits = [0.0] * 48
    drawn = [choice(logits, u) for u in np.linspace(0, 1 - 2**-24, 481).tolist()]
    assert sorted({*drawn}) == list(range(48)) and drawn == sorted(drawn)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("bias", [0.0, 1.5, -2.0])
@pytest.mark.parametrize("top_a", [0.0, 0.02])
def test_a_key_sounds_where_its_number_is_below_its_chance(
    temperature: float, bias: float, top_a: float
) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.random(500).astype(np.float32)
    log_odds, present = rng.normal(-1.0, 3.0, 500), rng.integers(2, size=500)
    given = controls(
        uniform=numbers.tolist(), temperature=[temperature], bias=[bias] * 500, top_a=[top_a]
    )
    odds = torch.from_numpy(log_odds).float()
    held = torch.from_numpy(present)
    sounds = limit_keys(odds, held, given) > key_cuts(odds, held, given)
    draw = Draw(*(np.array(x) for x in (numbers, [temperature], [top_a], [bias] * 500)))
    shifts = rate_shifts(odds.tolist(), present.tolist(), draw)
    for key, (shift, number) in enumerate(zip(shifts, numbers.tolist(), strict=True)):
        chance = chance_of_key(float(odds[key]), draw, key, shift, bool(present[key]))
        if abs(chance - number) > 1e-4:  # Nearer than that, rounding decides.
            assert bool(sounds[key]) == (number < chance)


def test_temperature_keeps_the_rate_of_strokes_and_of_releases() -> None:
    log_odds = torch.tensor([-4.0, -6.0, -7.5, -9.0, 3.0, 5.0, 6.0])
    present = torch.tensor([0, 0, 0, 0, 1, 1, 1])
    plain = torch.exp(torch.where(present > 0, -log_odds, log_odds))
    for temperature in (0.5, 0.8, 1.5):
        # The median draw of a key tells the log-odds that it is drawn by.
        given = controls(uniform=[0.5] * 7, temperature=[temperature], bias=[0.0] * 7, top_a=[0.0])
        by = (log_odds - key_cuts(log_odds, present, given)) / temperature
        rates = torch.exp(torch.where(present > 0, -by, by))
        for kind in (0, 1):
            wanted = float(plain[present == kind].sum())
            assert float(rates[present == kind].sum()) == pytest.approx(wanted, rel=1e-4)
        # The tamer, the more of it is the likeliest.
        assert (float(rates[0] / rates[1]) > math.exp(2.0)) == (temperature < 1)


def test_a_threshold_is_a_number_for_all_keys() -> None:
    silent = torch.zeros(3)
    given = controls(uniform=[0.25] * 3, bias=[0.0] * 3)
    assert key_cuts(silent - 2.0, silent, given).tolist() == pytest.approx([-math.log(3)] * 3)


def test_keys_beyond_top_a_are_certain() -> None:
    # Of the two, sounding and not, the less likely one is drawn at 0.1 of the other or more.
    log_odds = torch.tensor([math.log(x) for x in (20.0, 9.0, 1.0, 1 / 9, 1 / 20)])
    silent, held = torch.zeros(5), torch.ones(5)
    made = limit_keys(log_odds, silent, controls(top_a=[0.1]))
    assert made[[0, 4]].tolist() == [SURE, -SURE]
    assert torch.equal(made[1:4], log_odds[1:4])
    assert torch.equal(limit_keys(log_odds, silent, controls()), log_odds)
    # One that sounds may always be let go.
    made = limit_keys(log_odds, held, controls(top_a=[0.1]))
    assert made[4] == -SURE
    assert torch.equal(made[:4], log_odds[:4])
    # A key that must not sound does not, however sure the network is of it.
    given = controls(uniform=[0.5] * 5, bias=[-SURE] * 5)
    assert not bool(made[0] > key_cuts(log_odds, torch.zeros(5), given)[0])


# ---- Graphs draw as often as they should --------------------------------------------------------


def lively_notes() -> PyzzicatoModel:
    """Returns a network of note events whose numbers depend much on each other."""
    torch.manual_seed(3)
    return halved(livened(CASES["wavenet, notes"].build()))


FOUR = [30, 33, 35, 60]


def four_keys(strength: float) -> PyzzicatoModel:
    """Returns a network whose keys speak strongly to those above; four can sound, or all."""
    torch.manual_seed(3)
    network = livened(CASES["lstm, joint"].build(head_size=6, hidden_size=4, dense_size=4))
    head = network.head
    assert isinstance(head, JointHead)
    with torch.no_grad():
        torch.nn.init.normal_(head.below, std=strength)
        torch.nn.init.normal_(head.out.weight, std=1.0)
        head.stay.fill_(1.5)
        head.own.bias.fill_(-1.0)
    return halved(network)


def drawn_steps(model: Model, first: np.ndarray, draw: Draw, n: int) -> np.ndarray:
    """Returns n draws of the step after `first`, `(n, A)`."""
    rng, steps = np.random.default_rng(0), []
    for _ in range(n):
        draw.uniform = rng.random(len(draw.uniform)).astype(np.float32)
        run = model.start({"composer": [1], "density": [1]})
        run.feed(first[None])
        steps.append(run.draw(draw)[0])
    return np.stack(steps)


def shaped_draw(model: Model, temperature: float, top_a: float, bias: float) -> Draw:
    """Returns how to draw, with a bias on every third thing."""
    draw = Draw.neutral(*(model.graph.size(n) for n in ("uniform", "temperature", "bias")))
    draw.temperature *= np.float32(temperature)
    draw.top_a += np.float32(top_a)
    draw.bias[::3] += np.float32(bias)
    return draw


@torch.no_grad()
def test_silence_ends_however_unlikely_each_stroke_is() -> None:
    network = four_keys(0.0)
    assert isinstance(network.head, JointHead)
    torch.nn.init.zeros_(network.head.out.weight)
    torch.nn.init.zeros_(network.head.own.weight)
    network.head.own.bias.fill_(-6.0)
    model = playable(halved(network))
    draw = shaped_draw(model, 1.0, 0.02, 0.0)
    silence, one = np.zeros((2, 88), dtype=np.uint8)
    one[40] = 1
    # exp(-6) of 88 keys are 0.22 strokes a frame; each is below the limit of 0.02.
    assert 5 < drawn_steps(model, silence, draw, 60).sum() < 25
    assert not np.delete(drawn_steps(model, one, draw, 60), 40, axis=1).any()


SHAPES = {"plain": (1.0, 0.0, 0.0), "warm": (1.7, 0.0, 0.5), "cut": (1.4, 0.02, 0.5)}


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_frames_are_drawn_as_often_as_their_chances_say(shape: tuple[float, ...]) -> None:
    network = four_keys(3.0)
    model, head = playable(network), network.head
    assert isinstance(head, JointHead)
    first = random_roll(1, 1)[0]
    draw = shaped_draw(model, *shape)
    draw.bias[[k for k in range(88) if k not in FOUR]] = -SURE
    seen, _ = network.hidden(first[None], network.start(1, torch.tensor([1]), torch.tensor([1])))
    shifts = shifts_of(head, seen[0], [1.0], draw)
    chances = {}
    for sounds in itertools.product((0, 1), repeat=4):
        chances[sounds] = 1.0
        frame = torch.zeros(1, 88)
        for key, sound in zip(FOUR, sounds, strict=True):
            log_odds = float(head.logits_given(seen[0], frame)[0, key])
            p = chance_of_key(log_odds, draw, key, shifts[key], bool(first[0, key]))
            chances[sounds] *= p if sound else 1 - p
            frame[0, key] = sound
    assert sum(chances.values()) == pytest.approx(1.0)
    frames = drawn_steps(model, first[0].numpy(), draw, N_DRAWS)
    assert frames.sum() == frames[:, FOUR].sum()
    counts = Counter(map(tuple, frames[:, FOUR].tolist()))
    assert len(counts) > 3
    for sounds, chance in chances.items():
        deviation = (chance * (1 - chance) / N_DRAWS) ** 0.5
        assert abs(counts[sounds] / N_DRAWS - chance) < 6 * deviation + 1e-4, sounds


@pytest.mark.parametrize("strength", [3.0, 60.0])
def test_the_search_for_a_frame_ends_and_is_right_however_strongly_keys_speak(
    strength: float,
) -> None:
    network = four_keys(strength)
    model = playable(network)
    rng = np.random.default_rng(2)
    for _ in range(4):
        steps = random_roll(1, 3)[0].numpy()
        run = model.start({"composer": [1], "density": [1]})
        run.feed(steps)
        draw = shaped_draw(model, 1.0, 0.0, 0.0)
        draw.uniform = rng.random(88).astype(np.float32)
        assert run.draw(draw)[0].tolist() == slow_step(network, steps, [(1, 1.0)], 1, draw)


def check_draws(notes: Tensor, chances: list[Tensor]) -> None:
    """Asserts that each number is drawn from its own distribution, given those before it."""
    for i, p in enumerate(chances):
        drawn = notes[:, i].long()
        # How often each value comes, within six standard deviations.
        shares = torch.bincount(drawn, minlength=p.shape[1]) / len(drawn)
        deviations = (p * (1 - p)).mean(0).sqrt() / math.sqrt(len(drawn))
        assert ((shares - p.mean(0)).abs() < 6 * deviations + 3e-4).all(), i
        # Mean surprise is the mean entropy only if every draw was from the right distribution.
        logs = torch.log(p.clamp(min=1e-30))
        surprise = -logs[torch.arange(len(drawn)), drawn]
        entropy = -(p * logs).sum(-1)
        spread = ((p * logs**2).sum(-1) - entropy**2).mean().sqrt()
        gap = float((surprise.mean() - entropy.mean()).abs())
        assert gap <= 6 * float(spread) / math.sqrt(len(drawn)) + 1e-9, i


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_each_number_of_a_note_is_drawn_from_its_distribution(shape: tuple[float, ...]) -> None:
    network = lively_notes()
    model, head = playable(network), network.head
    assert isinstance(head, NoteHead)
    first = random_events(1, 1)
    draw = shaped_draw(model, *shape)
    # Nothing is struck before the fourteenth onset step.
    draw.bias[:14] = -SURE
    notes = torch.from_numpy(drawn_steps(model, first[0, 0].numpy(), draw, N_DRAWS))
    assert int(notes[:, 0].min()) >= 14
    seen, _ = network.hidden(first, network.start(1, torch.tensor([1])))
    logits = note_logits(head, seen[0].expand(N_DRAWS, -1), notes)
    chances = []
    for i, rows in enumerate(logits):
        different, place = torch.unique(rows, dim=0, return_inverse=True)
        each = torch.stack([chances_of_number(row, draw, i) for row in different])
        chances.append(each[place])
        assert each.shape[1] == SIZES[i]
    check_draws(notes, chances)
