"""How a model is drawn from to be like real music, and how that takes effect."""

import json
import math
from dataclasses import replace
from pathlib import Path

import calibrate
import pytest
import torch
from conftest import tiny_config, tune

from pyzzicato.generation import GenerationSettings, continue_seed
from pyzzicato.models import PyzzicatoModel
from pyzzicato.notes import Note


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
        calibrate.measure((3, excerpts[0]), checkpoint, calibrate.Manner(tempering))
        for tempering in (0.3, 3.0)
    )
    n_real = len(excerpts[0].notes)
    # An untrained model copies the present frame: drawn coldly it strikes hardly a note.
    assert cold.notes == pytest.approx(math.log(1 / (n_real + 1)), abs=1.5)
    assert hot.notes > math.log(2)


def test_variety_is_that_of_the_pitches(checkpoint: Path, maestro: Path) -> None:
    excerpt = calibrate.draw_excerpts(config_for(checkpoint, maestro))[0]
    # Three notes are too few to tell.
    few = replace(excerpt, notes=excerpt.notes[:3])
    assert calibrate.measure((3, few), checkpoint, calibrate.Manner(3.0)).variety is None
    more = replace(excerpt, notes=tuple(Note(60, 0.1 * i, 0.1 * i + 0.1, 64) for i in range(19)))
    # One pitch has no variety; the model's many keys have nearly all there can be.
    wild = calibrate.measure((3, more), checkpoint, calibrate.Manner(3.0)).variety
    assert wild is not None and 3.0 < wild < math.log2(12)


@pytest.mark.parametrize(("low", "high"), [(0.8, 1.2), (2.0, -2.0)])
def test_the_interval_is_halved_to_where_the_excess_passes_0(low: float, high: float) -> None:
    place = low + 0.3 * (high - low)
    found = calibrate.find_level(low, high, lambda x: (x - place) * (high - low))
    assert found == pytest.approx(place, abs=abs(high - low) / 2**6)


def balanced(_: object, checkpoint: Path, manner: calibrate.Manner) -> calibrate.Excess:
    """Stands for a model on events whose notes and variety depend on both numbers."""
    return calibrate.Excess(
        notes=0.5 * (manner.tempering - 0.95) - (manner.pacing - 0.4),
        # A little more than the composer's is near enough.
        variety=0.05 + manner.tempering - 0.95 - 0.01 * (manner.pacing - 0.4),
    )


def test_both_numbers_of_note_events_are_found(
    checkpoint: Path, maestro: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    excerpts = calibrate.draw_excerpts(config_for(checkpoint, maestro))
    # Forked processes count as this one does.
    monkeypatch.setattr(calibrate, "measure", balanced)
    config = config_for(checkpoint, maestro)
    found = calibrate.find_manner(config, excerpts, on_roll=False)
    assert found.tempering == pytest.approx(0.95, abs=0.01)
    assert found.pacing == pytest.approx(0.4, abs=0.07)
    given = calibrate.find_manner(replace(config, tempering=1.15), excerpts, on_roll=False)
    assert given == calibrate.Manner(1.15, pytest.approx(0.5, abs=0.05))
    on_roll = calibrate.find_manner(config, excerpts, on_roll=True)
    # Without a pace only a tamer temperature makes up for the notes: at the end of its range.
    assert on_roll == calibrate.Manner(tempering=pytest.approx(0.8, abs=0.01))


def test_the_config_keeps_what_was_found_and_all_else(
    checkpoint: Path, maestro: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads((checkpoint / "config.json").read_text())
    calibrate.main(config_for(checkpoint, maestro))
    after = json.loads((checkpoint / "config.json").read_text())
    assert 0.8 < after["tempering"] < 1.2
    assert {**before, "tempering": after["tempering"]} == after
    assert f"tempering {after['tempering']:g}, pacing 0" in capsys.readouterr().out
    assert PyzzicatoModel.from_pretrained(checkpoint).config.tempering == after["tempering"]


def test_a_pace_makes_note_events_calmer() -> None:
    model = PyzzicatoModel(tiny_config(representation="events", head="notes")).eval()
    counts = []
    for model.config.pacing in (-2.0, 0.0, 2.0):
        counts.append(len(continue_seed(model, tune(), GenerationSettings(seconds=60)).new_notes))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 1.2 * counts[2]


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
