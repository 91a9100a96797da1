"""Settings of training and recipes."""

from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT

from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.training.growth import grow_weights
from pyzzicato.training.loop import composer_numbers
from pyzzicato.training.recipes import read_recipe
from pyzzicato.training.train_settings import TrainSettings

RECIPES = sorted((ROOT / "train" / "recipes").glob("*.toml"))


@pytest.fixture(params=RECIPES, ids=[recipe.stem for recipe in RECIPES])
def recipe(request: pytest.FixtureRequest) -> Path:
    """Returns the recipe of each model in turn."""
    chosen: Path = request.param
    return chosen


def test_there_is_a_recipe_for_each_of_the_articles_networks() -> None:
    assert {recipe.stem for recipe in RECIPES} >= {"conv1d", "wavenet", "lstm"}


def of_likelihood(recipe: Path) -> list[TrainSettings]:
    """Returns the settings of the stages that learn from real music."""
    settings = [stage.settings for stage in read_recipe(recipe).stages]
    assert isinstance(settings[0], TrainSettings)
    return [its for its in settings if isinstance(its, TrainSettings)]


def test_recipes_build_models_of_a_few_megabytes(recipe: Path) -> None:
    stages = of_likelihood(recipe)
    for settings in stages:
        assert settings.max_steps > settings.decay_steps + settings.warmup_steps
        config = settings.model_config(sustain="extend")
        assert config.representation == "events" or not recipe.stem.endswith("-events")
        assert 100_000 < PyzzicatoModel(config).num_parameters() < 12_000_000
        # Every composer is found in the catalogue by his full name.
        assert len(composer_numbers(config)) == len(config.composers)
    assert recipe.stem.split("-")[0] == stages[-1].model["backbone"]


def test_a_stage_of_a_recipe_fits_on_the_one_before() -> None:
    for recipe in RECIPES:
        for before, after in pairwise(of_likelihood(recipe)):
            old, new = (PyzzicatoModel(s.model_config("extend")) for s in (before, after))
            new.load_state_dict(grow_weights(old.state_dict(), new))


def test_a_recipe_is_read_and_overridden_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('max_steps = 7\ncomposers = ["Bach"]\n[model]\nbackbone = "wavenet"\n')
    (stage,) = read_recipe(file, seed=3, max_steps=None, batch_size=5).stages
    expected = TrainSettings(
        model={"backbone": "wavenet"}, composers=("Bach",), max_steps=7, batch_size=5, seed=3
    )
    assert (stage.name, stage.settings) == ("", expected)
    assert stage.settings.model_config(sustain="ignore").sustain == "ignore"
    assert stage.settings.model_config(sustain="extend").backbone == "wavenet"


STAGES = """
data_sha256 = "ab12"
seed = 1
max_steps = 9
[model]
backbone = "lstm"
hidden_size = 5
[[stages]]
name = "first"
max_steps = 7
[[stages]]
name = "second"
seed = 2
[stages.model]
hidden_size = 6
"""


def test_stages_differ_in_what_they_say_and_follow_each_other(tmp_path: Path) -> None:
    file, out = tmp_path / "p.toml", Path("runs/x")
    file.write_text(STAGES)
    recipe = read_recipe(file)
    assert recipe.data_sha256 == "ab12"
    first, second = recipe.stages
    assert (first.name, first.settings.max_steps, first.settings.seed) == ("first", 7, 1)
    assert (second.name, second.settings.max_steps, second.settings.seed) == ("second", 9, 2)
    assert first.settings.model == {"backbone": "lstm", "hidden_size": 5}
    assert second.settings.model == {"backbone": "lstm", "hidden_size": 6}
    assert recipe.folder(out, second) == out / "second"
    assert recipe.ready(out, first) == first.settings
    assert recipe.ready(out, second).start_from == str(out / "first" / "best")
    # What is given by hand holds for all; a model to start from leaves the last stage alone.
    assert [s.settings.max_steps for s in read_recipe(file, max_steps=3).stages] == [3, 3]
    (last,) = read_recipe(file, start_from="lstm-events").stages
    assert (last.name, last.settings.start_from) == ("second", "lstm-events")
    (chosen,) = read_recipe(file, "first", start_from="lstm-events").stages
    assert (chosen.name, chosen.settings.start_from) == ("first", "lstm-events")
    with pytest.raises(ValueError, match="stage must be of first, second, got 'third'"):
        read_recipe(file, "third", start_from="lstm-events")
    with pytest.raises(ValueError, match="stage 'first' needs a model to begin with"):
        read_recipe(file, "first")


def test_a_recipe_can_begin_with_another(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(STAGES)
    (tmp_path / "alone.toml").write_text('begins_with = "p"\ndata_sha256 = "ab12"\nmax_steps = 5')
    recipe, out = read_recipe(tmp_path / "alone.toml"), Path("runs/x")
    assert [s.name for s in recipe.stages] == ["p/first", "p/second", ""]
    assert [s.settings.max_steps for s in recipe.stages] == [7, 9, 5]
    assert recipe.folder(out, recipe.stages[1]) == out / "p" / "second"
    assert recipe.ready(out, recipe.stages[2]).start_from == str(out / "p" / "second" / "best")
    (last,) = read_recipe(tmp_path / "alone.toml", start_from="lstm-events").stages
    assert last.settings.max_steps == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stages = 3", "stages must be tables, .* got 3"),
        ("[[stages]]\n[[stages]]\n", "each stage must have a name of its own"),
        ('[[stages]]\nname = "a"\n[[stages]]\nname = "a"\n', "a name of its own"),
        ('[[stages]]\nname = "a"\nmax_step = 3\n', "unknown setting 'max_step'"),
        ('begins_with = "none"', "recipe .*none.toml cannot be read"),
        ('begins_with = "q"', "q.toml: begins_with goes round in a circle, got 'q'"),
        ('begins_with = "../p"', "must be the name of a recipe beside it, got '../p'"),
        ("begins_with = 3", "must be the name of a recipe beside it, got 3"),
        ('begins_with = "p"\ndata_sha256 = "cd"', "must be that of p.toml, got 'cd' and 'ab12'"),
    ],
)
def test_bad_stages_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "p.toml").write_text(STAGES)
    (tmp_path / "q.toml").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_recipe(tmp_path / "q.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_step = 7", "p.toml: unknown setting 'max_step'; known are .*'max_steps'"),
        ("max_steps = ", "recipe .*p.toml cannot be read"),
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
        ("stretch = -0.1", "stretch must be 0 to 1, got -0.1"),
        ("noise = 0.6", "noise must be 0 to 0.5, got 0.6"),
        ("noise = nan", "noise must be 0 to 0.5, got nan"),
        ("detours = 0.6", "detours must be 0 to 0.5, got 0.6"),
        ("crowds = 0.6", "crowds must be 0 to 0.5, got 0.6"),
        ("stutters = 0.6", "stutters must be 0 to 0.5, got 0.6"),
        ("start_from = 3", "start_from must be a name or a folder, got 3"),
        ("only_new = 1", "only_new must be true or false, got 1"),
        ("composer_dropout = 1.1", "composer_dropout must be 0 to 1, got 1.1"),
        ("density_dropout = 1.1", "density_dropout must be 0 to 1, got 1.1"),
        ("composer_dropout = true", "composer_dropout must be 0 to 1, got True"),
        ("warmup_steps = -1", "warmup_steps must be .* from 0 .* got -1"),
        ("transpose = 12", "transpose must be .* from 0 to 11, got 12"),
        ("seed = -1", "seed must be .* from 0 .* got -1"),
        ("learning_rate = 0", "learning_rate must be a number above 0, got 0"),
        ("learning_rate = nan", "learning_rate must be a number above 0, got nan"),
        ('learning_rate = "1e-3"', "learning_rate must be a number above 0, got '1e-3'"),
        ('optimizer = "sgd"', "optimizer must be one of adamw, muon, got 'sgd'"),
        ("decay_steps = -1", "decay_steps must be a whole number from 0 .* got -1"),
        ("gradient_accumulation = 0", "gradient_accumulation must be .* from 1 .* got 0"),
        ("endings_dropout = 1.1", "endings_dropout must be 0 to 1, got 1.1"),
        ("clip_norm = 0.0", "clip_norm must be a number above 0, got 0.0"),
        ("weight_decay = -0.1", "weight_decay must be a number 0 or more, got -0.1"),
        ('precision = "fp8"', "precision must be one of no, bf16, fp16, got 'fp8'"),
        ('composers = "Bach"', "composers must be a list of names, got 'Bach'"),
        ("composers = [1]", "composers must be a list of names, got"),
        ("model = 3", "model must be a table of config values, got 3"),
    ],
)
def test_bad_settings_are_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_recipe(tmp_path / "p.toml")


def test_an_absent_recipe_and_a_misspelt_model_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="recipe .*none.toml cannot be read"):
        read_recipe(tmp_path / "none.toml")
    (tmp_path / "misspelt.toml").write_text("[model]\nhiden_size = 3\n")
    with pytest.raises(ValueError, match="model must hold keys of .*; got 'hiden_size'"):
        read_recipe(tmp_path / "misspelt.toml")
