"""The parts of decoding: each changes a draw as it says, counts where it did, and can be off."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from made_graphs import made_events, made_roll

from pyzzicato.models.architecture import REPRESENTATIONS, Architecture
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding import PART_NAMES
from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.playing.decoding.parts import (
    Part,
    Parts,
    Played,
    Temperature,
    Threshold,
    TopA,
)
from pyzzicato.playing.decoding.values import DecodingValues
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations import Representation, representation_of
from pyzzicato.representations.touch import SeedTouch

SETTINGS = GenerationSettings(seconds=20.0, seed_seconds=4.0)


@pytest.fixture(params=REPRESENTATIONS)
def representation(request: pytest.FixtureRequest) -> Representation:
    """Returns each representation in turn."""
    return representation_of(Architecture(request.param))


def neutral(representation: Representation) -> Draw:
    """Returns what draws from a network as it is."""
    n_logits = sum(representation.numbers.values())
    return Draw.neutral(4, len(representation.numbers), n_logits)


def steered(part: Part, representation: Representation, draw: Draw | None = None) -> Draw:
    """Returns a draw as a part changes it after a seed."""
    draw = draw or neutral(representation)
    part.steer(draw, representation.decoder(tune(2), 2.0, SeedTouch(tune(2), 0)))
    return draw


def unlike(draw: Draw, representation: Representation) -> set[str]:
    """Returns what differs from a neutral draw."""
    other = vars(neutral(representation))
    return {name for name, value in vars(draw).items() if not np.array_equal(value, other[name])}


def test_a_neutral_draw_is_neutral() -> None:
    draw = Draw.neutral(3, 2, 5)
    assert draw.uniform.tolist() == [0.5] * 3
    assert (draw.temperature.tolist(), draw.top_a.tolist()) == ([1.0, 1.0], [0.0, 0.0])
    assert draw.bias.tolist() == [0.0] * 5
    assert {array.dtype.name for array in vars(draw).values()} == {"float32"}


def test_temperatures_multiply(representation: Representation) -> None:
    part = Temperature(0.25, representation.temperature_powers)
    draw = steered(part, representation, steered(part, representation))
    once = [0.25**power for power in representation.temperature_powers]
    assert draw.temperature.tolist() == pytest.approx([factor**2 for factor in once])
    assert len(once) == len(representation.numbers)
    assert draw.temperature.dtype == np.float32
    assert unlike(draw, representation) == {"temperature"} and part.n_acted == 2


def test_of_two_limits_the_higher_counts(representation: Representation) -> None:
    n = len(representation.numbers)
    draw = steered(TopA(np.full(n, 0.1)), representation)
    part = TopA(np.linspace(0.05, 0.2, n))
    assert steered(part, representation, draw).top_a == pytest.approx(
        np.maximum(0.1, np.linspace(0.05, 0.2, n))
    )
    assert draw.top_a.dtype == np.float32
    assert unlike(draw, representation) == {"top_a"} and part.n_acted == 1


def test_a_threshold_takes_the_place_of_all_random_numbers(representation: Representation) -> None:
    part = Threshold(0.3)
    draw = steered(part, representation)
    assert draw.uniform.tolist() == [np.float32(0.3)] * 4 and draw.uniform.dtype == np.float32
    assert unlike(draw, representation) == {"uniform"} and part.n_acted == 1


def test_a_neutral_part_changes_nothing_and_has_not_acted(representation: Representation) -> None:
    n = len(representation.numbers)
    for part in (Temperature(1.0, representation.temperature_powers), TopA(np.zeros(n))):
        assert unlike(steered(part, representation), representation) == set()
        assert part.n_acted == 0


class Noting:
    """A part that notes what is asked of it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log, self.n_acted = name, log, 0

    def steer(self, draw: Draw, decoder: object) -> None:
        self.log.append(f"{self.name} steers")
        self.n_acted += 1

    def listen(self, played: Played) -> None:
        self.log.append(f"{self.name} listens at {played.seconds:g}")

    def begin_anew(self) -> None:
        self.log.append(f"{self.name} begins anew")


def test_all_parts_are_asked_in_their_order(representation: Representation) -> None:
    log: list[str] = []
    parts = Parts([Noting("first", log), Noting("second", log)])
    decoder = representation.decoder(tune(2), 2.0, SeedTouch(tune(2), 0))
    parts.steer(neutral(representation), decoder)
    parts.listen(Played(0.5, [40], 1))
    parts.begin_anew()
    assert log == [
        *("first steers", "second steers"),
        *("first listens at 0.5", "second listens at 0.5"),
        *("first begins anew", "second begins anew"),
    ]
    assert parts.acted == {"first": 1, "second": 1}


# ---- In a piece ---------------------------------------------------------------------------------


@pytest.fixture(params=REPRESENTATIONS)
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    """Returns a model of each representation in which every part of decoding has work to do."""
    if request.param == "roll":
        made = made_roll(tmp_path, -4.0, 5.0)
    else:
        made = made_events(tmp_path, pitch=np.linspace(-2, 2, 88))
    numbers = made.representation.numbers
    made.decoding = DecodingValues(top_a=dict.fromkeys(numbers, 0.005))
    return made


def test_each_part_can_be_switched_off(model: Model) -> None:
    settings = replace(SETTINGS, density=0.5)
    everything = continue_seed(model, tune(), settings)
    assert set(everything.acted) == {"temperature", *PART_NAMES}
    for name in PART_NAMES:
        piece = continue_seed(model, tune(), replace(settings, without=(name,)))
        assert set(piece.acted) == {"temperature", *PART_NAMES} - {name}
        if everything.acted[name] and name != "top_a":
            assert piece.new_notes != everything.new_notes
    for name in ("top_a", "density"):
        assert everything.acted[name] > 0


def test_with_every_part_off_a_model_plays_as_it_is(model: Model) -> None:
    settings = replace(SETTINGS, without=PART_NAMES)
    piece = continue_seed(model, tune(), settings)
    assert piece.acted == {"temperature": 0}
    plain = replace(model, decoding=DecodingValues())
    assert continue_seed(plain, tune(), settings).new_notes == piece.new_notes
