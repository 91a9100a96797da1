"""Settings of training and their presets."""

from pathlib import Path

import pytest
from conftest import ROOT

from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.training.loop import composer_numbers
from pyzzicato.training.settings import TrainSettings, read_settings

PRESETS = sorted((ROOT / "train" / "presets").glob("*.toml"))
FURTHER = sorted((ROOT / "train" / "presets" / "further").glob("*.toml"))


@pytest.fixture(params=PRESETS, ids=[preset.stem for preset in PRESETS])
def preset(request: pytest.FixtureRequest) -> Path:
    """Returns the preset file of each bundled model in turn."""
    chosen: Path = request.param
    return chosen


def test_there_is_a_preset_for_each_of_the_articles_networks() -> None:
    assert {preset.stem for preset in PRESETS} >= {"conv1d", "wavenet", "lstm"}


def test_presets_build_models_of_a_few_megabytes(preset: Path) -> None:
    settings = read_settings(preset)
    config = settings.model_config(sustain="extend")
    assert preset.stem.split("-")[0] == config.backbone
    assert config.representation == "events" or not preset.stem.endswith("-events")
    assert 100_000 < PyzzicatoModel(config).num_parameters() < 4_000_000
    # Every composer is found in the catalogue by his full name.
    assert len(composer_numbers(config)) == len(config.composers)


@pytest.mark.parametrize("file", FURTHER, ids=[file.stem for file in FURTHER])
def test_presets_that_go_on_say_how_and_are_read(file: Path) -> None:
    settings = read_settings(file)
    assert settings.max_steps > settings.warmup_steps
    # A command that can be copied, with this very file in it.
    assert f"train/presets/further/{file.name} --data" in file.read_text(encoding="utf-8")


def test_a_preset_is_read_and_overridden_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('max_steps = 7\ncomposers = ["Bach"]\n[model]\nbackbone = "wavenet"\n')
    settings = read_settings(file, seed=3, max_steps=None, batch_size=5)
    expected = TrainSettings(
        model={"backbone": "wavenet"}, composers=("Bach",), max_steps=7, batch_size=5, seed=3
    )
    assert settings == expected
    assert settings.model_config(sustain="ignore").sustain == "ignore"
    assert settings.model_config(sustain="extend").backbone == "wavenet"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_step = 7", "p.toml: unknown setting 'max_step'; known are .*'max_steps'"),
        ("max_steps = ", "preset .*p.toml cannot be read"),
        ("max_steps = 0", "max_steps must be a whole number from 1 .* got 0"),
        ("max_steps = 2.5", "max_steps must be a whole number .* got 2.5"),
        ('batch_size = "many"', "batch_size must be a whole number .* got 'many'"),
        ("crop_steps = 0", "crop_steps must be .* from 1 .* got 0"),
        ("crop_frames = 512", "unknown setting 'crop_frames'"),
        ("eval_steps = 1", "eval_steps must be .* from 2 .* got 1"),
        ("stretch = 1.5", "stretch must be 0 to 1, got 1.5"),
        ("openings = 1.5", "openings must be 0 to 1, got 1.5"),
        ("evenness = 1.5", "evenness must be 0 to 1, got 1.5"),
        ("tempos = 1.5", "tempos must be 0 to 1, got 1.5"),
        ("stretch = -0.1", "stretch must be a number 0 or more, got -0.1"),
        ("noise = 0.6", "noise must be 0 to 0.5, got 0.6"),
        ("noise = nan", "noise must be a number 0 or more, got nan"),
        ("detours = 0.6", "detours must be 0 to 0.5, got 0.6"),
        ("crowds = 0.6", "crowds must be 0 to 0.5, got 0.6"),
        ("stutters = 0.6", "stutters must be 0 to 0.5, got 0.6"),
        ("start_from = 3", "start_from must be a name or a folder, got 3"),
        ("composer_dropout = 1.1", "composer_dropout must be 0 to 1, got 1.1"),
        ("density_dropout = 1.1", "density_dropout must be 0 to 1, got 1.1"),
        ("composer_dropout = true", "composer_dropout must be a number 0 or more, got True"),
        ("warmup_steps = -1", "warmup_steps must be .* from 0 .* got -1"),
        ("transpose = 12", "transpose must be .* from 0 to 11, got 12"),
        ("seed = -1", "seed must be .* from 0 .* got -1"),
        ("learning_rate = 0", "learning_rate must be a number above 0, got 0"),
        ("learning_rate = nan", "learning_rate must be a number above 0, got nan"),
        ('learning_rate = "1e-3"', "learning_rate must be a number above 0, got '1e-3'"),
        ("clip_norm = 0.0", "clip_norm must be a number above 0, got 0.0"),
        ("weight_decay = -0.1", "weight_decay must be a number 0 or more, got -0.1"),
        ('precision = "fp8"', "precision must be one of no, bf16, got 'fp8'"),
        ('composers = "Bach"', "composers must be a list of names, got 'Bach'"),
        ("composers = [1]", "composers must be a list of names, got"),
        ("model = 3", "model must be a table of config values, got 3"),
    ],
)
def test_bad_presets_are_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_settings(tmp_path / "p.toml")


def test_an_absent_preset_and_a_misspelt_model_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="preset .*none.toml cannot be read"):
        read_settings(tmp_path / "none.toml")
    with pytest.raises(ValueError, match="unknown config key 'hiden_size'"):
        TrainSettings(model={"hiden_size": 3}).model_config(sustain="extend")
