"""A model that is given more does at first what the one did that its weights are from."""

from typing import Any

import pytest
import torch
from conftest import tiny_config
from model_cases import STEPS, livened

from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.training.growth import grow_weights

NEW: dict[str, dict[str, Any]] = {
    "densities": {"densities": [3.0, 9.0]},
    "recalls": {"recalls": [1, 2], "densities": [3.0, 9.0]},
    "chords": {"chords": 3},
    "chords and recalls": {"chords": 2, "recalls": [1, 2]},
    "attention": {
        "backbone": "attention",
        "n_heads": 2,
        "recall_heads": 2,
        "endings": [2.0],
        "densities": [3.0, 9.0],
    },
    "ends": {"hears_ends": True, "densities": [3.0, 9.0]},
}
ON_EVENTS = ("attention", "ends")
KINDS: dict[str, dict[str, Any]] = {
    "independent": {"spans": [4.0, 9.0], "recent": 3},
    "joint": {"head": "joint"},
    "notes": {"representation": "events", "head": "notes"},
}


def _fits(kind: str, what: str) -> bool:
    return "chords" not in NEW[what] if kind == "notes" else what not in ON_EVENTS


@pytest.mark.parametrize("kind, what", [(k, w) for k in KINDS for w in NEW if _fits(k, w)])
def test_what_is_new_says_nothing(kind: str, what: str) -> None:
    options = {**KINDS[kind], "composers": ["bach"]}
    old = livened(PyzzicatoModel(tiny_config(**options))).eval()
    new = PyzzicatoModel(tiny_config(**options, **NEW[what])).eval()
    new.load_state_dict(grow_weights(old.state_dict(), new))
    if new.config.recall_heads:
        # A learnt recall speaks at once.
        torch.nn.init.zeros_(new.head.recalled.bias)
    # The same few steps again and again: there is much to recall.
    steps = STEPS[new.config.representation](2, 4).repeat(1, 8, 1)
    numbers = torch.tensor([1, 1])
    with torch.no_grad():
        losses = [
            model.head.nll(model.hidden(steps[:, :-1], start)[0], steps[:, 1:])
            for model, start in (
                (old, old.start(2, numbers)),
                (new, new.start(2, numbers, numbers)),
            )
        ]
    assert torch.allclose(*losses, atol=1e-4)
    livened(new)
    with torch.no_grad():
        seen, _ = new.hidden(steps[:, :-1], new.start(2, numbers, numbers))
        assert not torch.allclose(new.head.nll(seen, steps[:, 1:]), losses[0])


def test_recalls_are_learnt_after_chords() -> None:
    options = {"head": "joint", "chords": 3}
    old = livened(PyzzicatoModel(tiny_config(**options)))
    new = PyzzicatoModel(tiny_config(**options, recalls=[1]))
    name = "head.net.conv1.weight"
    was, grown = old.state_dict()[name], grow_weights(old.state_dict(), new)[name]
    assert not grown[:, 5].any()  # after two frames and three chords
    assert torch.equal(torch.cat((grown[:, :5], grown[:, 6:]), dim=1), was)


def test_recalls_are_forgotten_where_there_are_none() -> None:
    options = {"representation": "events", "head": "notes", "recent": 3}
    old = livened(PyzzicatoModel(tiny_config(**options, recalls=[1, 2])))
    new = PyzzicatoModel(tiny_config(**options, recall_heads=2))
    name = "head.net.conv1.weight"
    was, left = old.state_dict()[name], grow_weights(old.state_dict(), new)[name]
    assert torch.equal(left, torch.cat((was[:, :3], was[:, 5:]), dim=1))


def test_weights_of_a_like_model_are_left_as_they_are() -> None:
    model = PyzzicatoModel(tiny_config(head="joint", recalls=[2]))
    weights = model.state_dict()
    assert grow_weights(weights, model) == weights
