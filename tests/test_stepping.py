"""A piece step by step: what a stepper keeps to itself, and what it leaves alone.

That its numbers are those of whole-sequence passes is held for all models in `test_models.py`.
"""

import copy

import numpy as np
import pytest
import torch
from conftest import tiny_config
from model_cases import STEPS, backbone_vectors, livened

from pyzzicato.models import SamplingRule, Stepper
from pyzzicato.models.model import PyzzicatoModel

KINDS = {
    "roll": {"backbone": "wavenet"},
    "joint": {"backbone": "lstm", "head": "joint", "composers": ["bach", "chopin"]},
    "events": {
        "backbone": "conv1d",
        "representation": "events",
        "head": "notes",
        "composers": ["bach", "chopin"],
    },
}


@pytest.fixture(params=KINDS)
def player(request: pytest.FixtureRequest) -> PyzzicatoModel:
    """Returns a lively model of each kind in turn."""
    return livened(PyzzicatoModel(tiny_config(**KINDS[request.param]))).eval()


def music(model: PyzzicatoModel, n: int = 30) -> np.ndarray:
    """Returns random steps `(n, A)` of a model's representation."""
    return STEPS[model.config.representation](1, n)[0].numpy()


def play(stepper: Stepper, n: int = 10, rng: int = 0) -> list[list[int]]:
    """Returns the next n steps, drawn and taken."""
    draws, played = np.random.default_rng(rng), []
    for _ in range(n):
        played.append(stepper.draw(SamplingRule(1.5), draws))
        stepper.take(played[-1])
    return [step.tolist() for step in played]


def test_a_model_gives_its_stepper(player: PyzzicatoModel) -> None:
    steps = music(player)
    given, made = player.stepper([1]), Stepper(player, [1])
    for stepper in (given, made):
        stepper.hear(steps)
    assert np.array_equal(given.hidden[0], made.hidden[0])
    assert play(given) == play(made)
    assert len(player.stepper().hidden) == 0


def test_a_piece_begins_with_a_step_that_is_heard(player: PyzzicatoModel) -> None:
    with pytest.raises(AssertionError, match="begins with a step that is heard"):
        Stepper(player).draw(SamplingRule(), np.random.default_rng(0))


def test_hearing_is_taking_one_step_after_the_other(player: PyzzicatoModel) -> None:
    steps = music(player)
    heard, taken = Stepper(player), Stepper(player)
    heard.hear(steps[:10])
    heard.hear(steps[10:])
    for step in steps:
        taken.take(step)
    assert np.array_equal(heard.hidden[0], taken.hidden[0])
    assert play(heard) == play(taken)


def test_drawing_alone_changes_nothing(player: PyzzicatoModel) -> None:
    steps = music(player)
    restless, calm = Stepper(player), Stepper(player)
    for step in steps:
        restless.take(step)
        calm.take(step)
        drawn = [restless.draw(SamplingRule(), np.random.default_rng(0)).tolist() for _ in range(3)]
        assert drawn[0] == drawn[1] == drawn[2]
    assert np.array_equal(restless.hidden[0], calm.hidden[0])
    assert play(restless) == play(calm)


def test_two_pieces_of_one_model_do_not_hear_each_other(player: PyzzicatoModel) -> None:
    first, second = music(player), music(player)
    alone = Stepper(player)
    alone.hear(first)
    one, other = Stepper(player), Stepper(player)
    for a, b in zip(first, second, strict=True):
        one.take(a)
        other.take(b)
        other.draw(SamplingRule(), np.random.default_rng(0))
    assert np.array_equal(one.hidden[0], alone.hidden[0])
    assert not np.array_equal(one.hidden[0], other.hidden[0])
    assert play(one) == play(alone)


def test_playing_leaves_the_model_as_it_was(player: PyzzicatoModel) -> None:
    before = copy.deepcopy(player.state_dict())
    player.train()
    stepper = Stepper(player, [1, 0])
    stepper.hear(music(player))
    play(stepper, 30)
    assert player.training
    for name, weight in player.state_dict().items():
        assert torch.equal(weight, before[name]), name
    assert all(weight.grad is None for weight in player.parameters())


def test_nothing_is_dropped_whatever_the_models_mode(player: PyzzicatoModel) -> None:
    steps = music(player)
    stepper = Stepper(player, [1])
    stepper.hear(steps)
    expected, hidden = play(stepper), stepper.hidden[0]
    for module in player.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5
    player.train()
    again = Stepper(player, [1])
    again.hear(steps)
    assert play(again) == expected
    assert np.array_equal(again.hidden[0], hidden)


def test_the_composer_speaks_before_the_backbone_and_past_it() -> None:
    model = livened(PyzzicatoModel(tiny_config(**KINDS["events"]))).eval()
    steps = music(model, 5)
    assert model.composers is not None and model.manner is not None
    with torch.no_grad():
        manners = model.manner(model.composers.weight).numpy()
    stepper = Stepper(model, [1, 2])
    stepper.hear(steps)
    piece = torch.from_numpy(steps)[None]
    for number, hidden in zip((1, 2), stepper.hidden, strict=True):
        whole = backbone_vectors(model, piece, number)[-1].numpy()
        assert hidden == pytest.approx(whole, abs=1e-5)
    # Without the way past it, what is left came through the backbone.
    with torch.no_grad():
        model.manner.weight.zero_()
    through = Stepper(model, [1, 2])
    through.hear(steps)
    for number, hidden, both in zip((1, 2), through.hidden, stepper.hidden, strict=True):
        assert hidden + manners[number] == pytest.approx(both, abs=1e-5)
    assert not np.allclose(through.hidden[0], through.hidden[1], atol=1e-2)
    assert not np.allclose(manners[1], manners[2], atol=1e-2)


def test_the_first_onset_may_be_held_back() -> None:
    model = PyzzicatoModel(tiny_config(**KINDS["events"])).eval()
    stepper, rng = Stepper(model), np.random.default_rng(0)
    stepper.hear(music(model))
    drawn = [stepper.draw(SamplingRule(), rng, at_least=50)[0] for _ in range(50)]
    assert min(drawn) == 50 and max(drawn) == 56
    # A roll has no onset steps: there it says nothing.
    on_roll = Stepper(PyzzicatoModel(tiny_config(head="joint")))
    on_roll.take(np.zeros(88, dtype=np.uint8))
    frames = [on_roll.draw(SamplingRule(), np.random.default_rng(0), n).tolist() for n in (0, 50)]
    assert frames[0] == frames[1]
