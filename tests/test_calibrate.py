"""The temperature at which a model is as dense as real music, and how it takes effect."""

import json
import math
from pathlib import Path

import calibrate
import pytest
import torch
from conftest import tiny_config, tune

from pyzzicato.generation import GenerationSettings, continue_seed
from pyzzicato.models import PyzzicatoModel


def config_for(checkpoint: Path, maestro: Path, **choices: object) -> calibrate.CalibrateConfig:
    """Returns a calibration of seconds; the tiny MAESTRO has pieces of ten."""
    told = {"seeds": 4, "seconds": 2.0, "seed_seconds": 3.0, "rng": 0, "processes": 1}
    return calibrate.CalibrateConfig(checkpoint, maestro, **{**told, **choices})


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Returns the folder of an untrained model on rolls."""
    PyzzicatoModel(tiny_config(fs=20)).save_pretrained(tmp_path / "model")
    calibrate.loaded.cache_clear()
    return tmp_path / "model"


def test_notes_are_counted_against_the_composers(checkpoint: Path, maestro: Path) -> None:
    excerpts = calibrate.draw_excerpts(config_for(checkpoint, maestro))
    assert [len(excerpt.notes) for excerpt in excerpts] == [10, 10, 10]  # one file is broken
    cold, hot = (
        calibrate.log_ratio((3, excerpts[0]), checkpoint, temperature) for temperature in (0.3, 3.0)
    )
    n_real = len(excerpts[0].notes)
    # An untrained model copies the present frame: drawn coldly it strikes hardly a note.
    assert cold == pytest.approx(math.log(1 / (n_real + 1)), abs=1.5)
    assert hot > math.log(2)


def test_the_interval_is_halved_to_where_densities_meet(
    checkpoint: Path, maestro: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    excerpts = calibrate.draw_excerpts(config_for(checkpoint, maestro))
    # Forked processes count as this one does.
    monkeypatch.setattr(calibrate, "log_ratio", balanced_at_0_93)
    found = calibrate.find_tempering(config_for(checkpoint, maestro), excerpts)
    assert found == pytest.approx(0.93, abs=0.4 / 2**6)


def balanced_at_0_93(_: object, checkpoint: Path, temperature: float) -> float:
    """Stands for a model that is as dense as real music at 0.93."""
    return temperature - 0.93


def test_the_config_keeps_the_temperature_and_all_else(
    checkpoint: Path, maestro: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads((checkpoint / "config.json").read_text())
    calibrate.main(config_for(checkpoint, maestro))
    after = json.loads((checkpoint / "config.json").read_text())
    assert 0.8 < after["tempering"] < 1.2
    assert {**before, "tempering": after["tempering"]} == after
    assert f"tempering {after['tempering']:g}" in capsys.readouterr().out
    assert PyzzicatoModel.from_pretrained(checkpoint).config.tempering == after["tempering"]


@pytest.mark.parametrize("representation", ["roll", "events"])
def test_the_temperature_asked_for_is_multiplied(representation: str) -> None:
    head = "joint" if representation == "roll" else "notes"
    model = PyzzicatoModel(tiny_config(representation=representation, head=head)).eval()
    asked = GenerationSettings(seconds=6, temperature=1.2)
    expected = continue_seed(model, tune(), asked).new_notes
    model.config.tempering = 1.5
    assert continue_seed(model, tune(), asked).new_notes != expected
    calmer = GenerationSettings(seconds=6, temperature=0.8)
    assert continue_seed(model, tune(), calmer).new_notes == expected
    assert torch.is_grad_enabled()


def test_a_threshold_is_not_tempered() -> None:
    model = PyzzicatoModel(tiny_config(head="joint")).eval()
    by_threshold = GenerationSettings(seconds=4, threshold=0.4)
    expected = continue_seed(model, tune(), by_threshold).new_notes
    model.config.tempering = 1.9
    assert continue_seed(model, tune(), by_threshold).new_notes == expected


def test_no_piece_long_enough_is_refused(checkpoint: Path, maestro: Path) -> None:
    with pytest.raises(ValueError, match="no training piece in .* lasts 63 s"):
        calibrate.draw_excerpts(config_for(checkpoint, maestro, seconds=60.0))
