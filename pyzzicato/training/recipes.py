"""Recipes: the whole making of a model, from nothing to its weights.

A recipe is a TOML file: settings that hold for all its stages, `[model]` with the arguments of
`PyzzicatoConfig`, `data_sha256` of the prepared data it was made for, and, if there is more than
one stage, `[[stages]]`, each with a `name` and what differs. A stage begins with the best weights
of the one before it. With `begins_with` the stages of another recipe, beside it, come first.

A stage with `takes` is one of learning from the model's own playing (`preference.py`): it has
settings of its own (`PreferenceSettings`), and those of the other stages do not hold for it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..checks import show_value
from .preference_settings import PreferenceSettings
from .train_settings import TrainSettings

Settings = TrainSettings | PreferenceSettings
_SHARED = ("precision", "seed", "eval_steps")
"""Settings of a whole recipe that hold for stages of both kinds."""


@dataclass(frozen=True)
class Stage:
    """One run of a recipe.

    Attributes:
        name: of its folder; empty for the only one, `RECIPE/NAME` if it is another recipe's.
        settings: of the run.
    """

    name: str
    settings: Settings


@dataclass(frozen=True)
class Recipe:
    """How a model is made.

    Attributes:
        stages: one or more, in their order.
        data_sha256: of the `notes.bin` it was made for; empty if that does not matter.
    """

    stages: tuple[Stage, ...]
    data_sha256: str = ""

    def folder(self, out: Path, stage: Stage) -> Path:
        """Returns the folder of a stage's run: that of the recipe, or one in it of its name."""
        return out / stage.name if len(self.stages) > 1 else out

    def ready(self, out: Path, stage: Stage) -> Settings:
        """Returns the settings of a stage, which begins where the one before it ended."""
        place = self.stages.index(stage)
        if place == 0 or stage.settings.start_from:
            return stage.settings
        before = self.folder(out, self.stages[place - 1]) / "best"
        return replace(stage.settings, start_from=str(before))


def read_recipe(path: Path, stage: str = "", **by_hand: Any) -> Recipe:
    """Returns a recipe with the settings given by hand on top of all its stages.

    With `start_from` given by hand one stage alone is left: it begins with that model.

    Args:
        path: a TOML file that holds only what differs from the defaults of `TrainSettings`.
        stage: name of the stage that is left then; the last one if empty.
        by_hand: fields of `TrainSettings`; None leaves a field as it is, and so does a stage that
            has no such setting.

    Raises:
        ValueError: if the file cannot be read, or a key is unknown or out of range.
    """
    try:
        common = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"recipe {path} cannot be read: {error}") from error
    data_sha256 = common.pop("data_sha256", "")
    first = common.pop("begins_with", "")
    tables = common.pop("stages", [{}])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError(
            f"{path.name}: stages must be tables, [[stages]], got {show_value(tables)}"
        )
    names = [table.pop("name", "") for table in tables]
    if len({*names}) < len(names) or (len(names) > 1 and "" in names):
        raise ValueError(
            f"{path.name}: each stage must have a name of its own, got {show_value(names)}"
        )
    given = {name: value for name, value in by_hand.items() if value is not None}
    stages = [
        Stage(name, _settings(path, common, table, given))
        for name, table in zip(names, tables, strict=True)
    ]
    if stage and "start_from" not in given:
        raise ValueError(f"stage {show_value(stage)} needs a model to begin with: start_from")
    if stage and stage not in names:
        raise ValueError(f"stage must be of {', '.join(names)}, got {show_value(stage)}")
    if "start_from" in given:
        stages = [stages[names.index(stage)] if stage else stages[-1]]
    elif first:
        stages = [*_stages_before(path, first, data_sha256, given), *stages]
    return Recipe(tuple(stages), data_sha256)


def _stages_before(
    path: Path, first: Any, data_sha256: str, given: Mapping[str, Any]
) -> list[Stage]:
    """Returns the stages of the recipe that another one begins with."""
    if not isinstance(first, str) or "/" in first:
        raise ValueError(
            f"{path.name}: begins_with must be the name of a recipe beside it, "
            f"got {show_value(first)}"
        )
    try:
        before = read_recipe(path.with_name(f"{first}.toml"), **given)
    except RecursionError:
        raise ValueError(
            f"{path.name}: begins_with goes round in a circle, got {first!r}"
        ) from None
    if before.data_sha256 != data_sha256:
        raise ValueError(
            f"{path.name}: data_sha256 must be that of {first}.toml, got {data_sha256!r} and "
            f"{before.data_sha256!r}"
        )
    return [Stage(f"{first}/{its.name}".rstrip("/"), its.settings) for its in before.stages]


def _settings(
    path: Path, common: Mapping[str, Any], own: Mapping[str, Any], given: Mapping[str, Any]
) -> Settings:
    kind = PreferenceSettings if "takes" in own else TrainSettings
    known = {f.name for f in fields(kind)}
    if kind is PreferenceSettings:
        shared = {name: common[name] for name in _SHARED if name in common}
        settings = {**shared, **own, **{name: v for name, v in given.items() if name in known}}
    else:
        settings = {**common, **own, **given}
    for name in settings:
        if name not in known:
            raise ValueError(f"{path.name}: unknown setting {name!r}; known are {sorted(known)}")
    if isinstance(common.get("model"), dict) and isinstance(own.get("model"), dict):
        settings["model"] = {**common["model"], **own["model"]}
    if isinstance(settings.get("composers"), list):
        settings["composers"] = tuple(settings["composers"])
    return kind(**settings)
