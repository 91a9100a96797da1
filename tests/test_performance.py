"""A piece as it is played: which parts steer, from which numbers it is drawn, and in what time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from made_graphs import architecture, made_events, made_roll

from pyzzicato.notes import Note
from pyzzicato.playing.decoding import PART_NAMES
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.performer import Performer
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations import StepDecoder
from pyzzicato.representations.touch import SeedTouch

PLAIN = GenerationSettings(without=PART_NAMES)


def begun(model: Model, settings: GenerationSettings = PLAIN, **options: object) -> Performer:
    """Returns the tune's first two seconds, ready to be carried on."""
    return Performer(model, decoder_of(model), settings, **{**GIVEN, **options})  # type: ignore


def decoder_of(model: Model) -> StepDecoder:
    """Returns what turns the steps that follow those seconds into notes."""
    return model.representation.decoder(tune(2), 2.0, SeedTouch(tune(2), 0))


GIVEN = {"composer": 0, "density": 8.0, "rng": None}


@pytest.fixture(autouse=True)
def _fresh_numbers() -> None:
    GIVEN["rng"] = np.random.default_rng(0)


def test_a_frame_is_drawn_from_one_number_for_each_key(tmp_path: Path) -> None:
    model = made_roll(tmp_path, -2.0)
    decoder = decoder_of(model)
    performance = begun(model)
    numbers, chance = np.random.default_rng(0), 1 / (1 + np.exp(2.0))
    decoder_of_performance = performance.decoder
    for n in range(1, 20):
        performance.play(n * 0.05)
        frame = (numbers.random(88).astype(np.float32) < chance).astype(np.uint8)
        decoder.play(frame)
        assert decoder_of_performance.sounding == decoder.sounding


def test_it_plays_up_to_a_time_and_goes_on_from_there(tmp_path: Path) -> None:
    model = made_roll(tmp_path, -3.0, 3.0)
    at_once = begun(model).play(4.0)
    GIVEN["rng"] = np.random.default_rng(0)
    in_parts = begun(model)
    parts: list[Note] = []
    for until in (0.0, 0.3, 1.0, 1.0, 2.52, 4.0):
        parts += in_parts.play(until)
        # To the end of the frame.
        assert in_parts.decoder.seconds == pytest.approx(np.ceil(round(until * 20, 6)) / 20)
    assert parts == at_once and len(parts) > 20


def test_the_first_note_comes_after_the_seeds_end(tmp_path: Path) -> None:
    # By itself it would strike all notes at once.
    model = made_events(tmp_path, onset=[50.0] + [0.0] * 56)
    decoder = decoder_of(model)
    assert decoder.impossible is not None
    performance = Performer(model, decoder, PLAIN, **GIVEN)  # type: ignore[arg-type]
    performance.play(0.01)
    assert decoder.seconds >= 0.0 and decoder.impossible is None
    assert all(note.start >= 0 for note in decoder.sounding)


def test_by_a_threshold_nothing_else_steers(tmp_path: Path) -> None:
    performance = begun(made_roll(tmp_path, -2.0), GenerationSettings(threshold=0.1))
    performance.play(1.0)
    assert performance.acted == {"threshold": 20} and performance.rescues == []


@pytest.mark.parametrize("name", PART_NAMES)
def test_a_part_that_is_off_is_not_asked(name: str, tmp_path: Path) -> None:
    performance = begun(made_roll(tmp_path, -2.0), replace(PLAIN, without=(name,)))
    names = [part.name for part in performance.parts.parts]
    assert names == ["temperature", *(part for part in PART_NAMES if part != name)]


def test_whole_numbers_play_as_decimals_do(tmp_path: Path) -> None:
    # JSON makes no difference between 1 and 1.0.
    model = made_roll(tmp_path, -2.0)
    played = []
    for settings in (GenerationSettings(temperature=2), GenerationSettings(temperature=2.0)):
        GIVEN["rng"] = np.random.default_rng(0)
        played.append(begun(model, settings).play(2.0))
    assert played[0] == played[1] != []


def test_guidance_is_two_views_of_the_piece(tmp_path: Path) -> None:
    model = made_roll(tmp_path, -2.0)
    model.config = architecture(composers=["bach", "chopin"], densities=[4.0, 8.0])
    arguments: list[tuple[object, object]] = []

    def noting(conditions, weights):  # type: ignore[no-untyped-def]
        arguments.append((conditions, list(weights)))
        return Model.start(model, conditions, weights)

    model.start = noting  # type: ignore[method-assign]
    begun(model, composer=2)
    begun(model, replace(PLAIN, guidance=1.5), composer=2)
    begun(model, replace(PLAIN, guidance=1.5), composer=0)
    begun(model, replace(PLAIN, without=()), composer=1)
    assert arguments == [
        ({"composer": [2], "density": [0]}, [1.0]),
        ({"composer": [2, 0], "density": [0, 0]}, [1.5, -0.5]),
        ({"composer": [0], "density": [0]}, [1.0]),
        # Unless switched off, it is given the density of the piece.
        ({"composer": [1], "density": [2]}, [1.0]),
    ]
