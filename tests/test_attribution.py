"""Whose music a seed is most like: each composer's nats, one pass after the other."""

import numpy as np
import pytest
import torch
from conftest import tiny_config
from model_cases import STEPS, livened

from pyzzicato.attribution import composer_nats, likeliest_composer
from pyzzicato.models.model import PyzzicatoModel

KINDS = {
    "roll": {},
    "joint": {"head": "joint"},
    "events": {"representation": "events", "head": "notes"},
}
COMPOSERS = ["bach", "chopin", "liszt"]


@pytest.fixture(params=KINDS)
def knowing(request: pytest.FixtureRequest) -> PyzzicatoModel:
    """Returns a lively model of each kind that knows three composers."""
    return livened(PyzzicatoModel(tiny_config(**KINDS[request.param], composers=COMPOSERS)))


def music(model: PyzzicatoModel, n: int) -> np.ndarray:
    """Returns random steps `(n, A)` of a model's representation."""
    return STEPS[model.config.representation](1, n)[0].numpy()


@torch.no_grad()
def slow_nats(model: PyzzicatoModel, steps: np.ndarray, composer: int) -> float:
    """Returns mean nats a step after the first, as one composer's."""
    piece = torch.from_numpy(steps)[None]
    return float(model(piece[:, :-1], piece[:, 1:], torch.tensor([composer])).loss)


def test_nats_are_those_of_one_pass_for_each_composer(knowing: PyzzicatoModel) -> None:
    steps = music(knowing, 40)
    nats = composer_nats(knowing, steps)
    expected = [slow_nats(knowing.eval(), steps, number) for number in range(4)]
    assert nats.tolist() == pytest.approx(expected, rel=1e-5)
    assert len({round(value, 4) for value in expected}) == 4
    assert likeliest_composer(knowing, steps) == int(np.argmin(expected))


def test_of_a_long_seed_the_end_is_judged(knowing: PyzzicatoModel) -> None:
    steps = music(knowing, 700)
    nats = composer_nats(knowing, steps)
    assert nats.tolist() == pytest.approx(composer_nats(knowing, steps[-600:]).tolist())
    assert nats.tolist() != pytest.approx(composer_nats(knowing, steps[:600]).tolist())


def notes(model: PyzzicatoModel, n: int) -> np.ndarray:
    """Returns the steps of a scale of `n` notes; on a roll each is held for five frames."""
    if model.config.representation == "events":
        return np.array([[10, 30 + i, 20, 8] for i in range(n)], dtype=np.uint8)
    roll = np.zeros((5 * n, 88), dtype=np.uint8)
    roll[np.arange(5 * n), 30 + np.arange(5 * n) // 5] = 1
    return roll


def test_fewer_than_eight_notes_are_nobodys(knowing: PyzzicatoModel) -> None:
    """However long they sound: a model has its favourite for one note, too."""
    enough = notes(knowing, 8)
    if composer_nats(knowing, enough).argmin() == 0:
        weight = knowing.composers.weight.data
        weight[:2] = weight[:2].flip(0)
    assert likeliest_composer(knowing, enough) > 0
    assert likeliest_composer(knowing, notes(knowing, 7)) == 0
    if knowing.config.representation == "roll":
        chord = np.repeat(np.eye(88, dtype=np.uint8)[[40, 44, 47]].sum(0, keepdims=True), 60, 0)
        assert likeliest_composer(knowing, chord.astype(np.uint8)) == 0


def test_nobody_is_heard_in_a_single_step_or_by_a_model_that_knows_nobody(
    knowing: PyzzicatoModel,
) -> None:
    assert likeliest_composer(knowing, music(knowing, 1)) == 0
    ignorant = PyzzicatoModel(tiny_config())
    assert likeliest_composer(ignorant, music(ignorant, 20)) == 0
