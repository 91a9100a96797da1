"""How dense playing is, kept near what is meant."""

import math

import pytest
import torch
from conftest import tiny_config, tune

from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.pacemaker import EASE, FREE, FURTHEST, HEARD_S, Pacemaker
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings


def after(density: float, seconds: float, meant: float = 8.0, kind: str = "events") -> Pacemaker:
    """Returns a pacemaker that has heard so many notes a second, ten times a second."""
    pacemaker = Pacemaker(meant, kind)
    for step in range(1, round(10 * seconds) + 1):
        pacemaker.hear(step / 10, round(density / 10 * step) - round(density / 10 * (step - 1)))
    return pacemaker


def test_near_what_is_meant_playing_is_left_to_itself() -> None:
    assert Pacemaker(8.0, "roll").pacing == 0
    for density in (7.0, 8.0, 9.5):
        assert after(density, 100).pacing == 0


@pytest.mark.parametrize("kind", EASE)
def test_beyond_it_is_eased_off_or_urged_on_the_more_the_further(kind: str) -> None:
    for density in (2.0, 5.0, 11.0, 16.0, 32.0):
        away = math.log(density / 8)
        expected = EASE[kind] * (away - math.copysign(FREE, away))
        assert after(density, 200, kind=kind).pacing == pytest.approx(expected, rel=0.05, abs=0.02)
    bound = EASE[kind] * (FURTHEST - FREE)
    assert after(800, 200, kind=kind).pacing == pytest.approx(bound)
    assert after(0, 500, kind=kind).pacing == pytest.approx(-bound)


def test_what_was_heard_fades() -> None:
    # From 8 to nothing: a quarter less after the logarithm of that times HEARD_S.
    free_s = HEARD_S * FREE
    assert after(0, free_s - 0.2).pacing == 0 > after(0, free_s + 0.2).pacing
    # However coarse the steps.
    coarse = Pacemaker(8.0, "events")
    coarse.hear(20.0, 1)
    assert coarse.pacing == pytest.approx(after(0, 20.0).pacing, rel=0.1)


KINDS = {"roll": {"head": "joint"}, "events": {"representation": "events", "head": "notes"}}


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_plays_more_notes_or_fewer_when_asked(kind: str) -> None:
    """Untrained ones too, which know of no densities."""
    torch.manual_seed(0)
    model = PyzzicatoModel(tiny_config(**KINDS[kind])).eval()
    with torch.no_grad():
        if kind == "roll":
            model.head.own.bias.fill_(-4.0)
    n_notes = [
        len(continue_seed(model, tune(), GenerationSettings(60.0, density=density)).new_notes)
        for density in (0.5, 1.0, 2.0)
    ]
    assert n_notes[0] < n_notes[1] < n_notes[2]
    assert n_notes[2] > 1.2 * n_notes[0]
