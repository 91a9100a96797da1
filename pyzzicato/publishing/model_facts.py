"""What a model card says, as plain values: one pure function from the model's own files.

Nothing here knows any model by its name, and no figure is written by hand: what is not in the
config, the training record or the evaluation report is not on the card.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from ..evaluation.report_sections import MEASURE_TITLES
from ..hub.data_licences import data_licences
from ..hub.registry import read_registry
from ..training.catalogue import find_collection
from .licences import licence_facts, licence_metadata
from .report_facts import HEADLINES, RATE_TITLES, report_facts

_SHOWN_COMPOSERS = 15
# What transformers writes into a config beside the choices of the model.
_NOT_CHOICES = {
    "architectures",
    "auto_map",
    "custom_pipelines",
    "dtype",
    "model_type",
    "transformers_version",
}
# The model has a section of its own; what it began with is named by its repository.
_NOT_SHOWN = {"model", "start_from"}


def model_facts(
    config: Mapping[str, Any],
    record: Mapping[str, Any],
    report: Mapping[str, Any] | None,
    *,
    repo: str,
    revision: str,
    parts: Mapping[str, Mapping[str, Any]],
    size_bytes: int,
    files: Sequence[str] = (),
    needs: Sequence[str] = (),
    base_model: str | None = None,
    example: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns all that the template of a model card is filled with.

    Args:
        config: the model's `config.json`.
        record: its `training.json`, empty if there is none.
        report: an evaluation report that has the model among its systems, or None.
        repo: NAMESPACE/NAME of the repository.
        revision: the first 12 digits of the SHA-256 of the weights; finds the model in the report.
        parts: the model's parts in the order of the music's way through them, `{name: {"about":
            a sentence or two, "weights": number}}`.
        size_bytes: size of the weights on disk.
        files: the paths in the repository.
        needs: packages that the code in the repository needs.
        base_model: repository of the model that the training began with; as recorded if None.
        example: about the continuation on the card; None for a card without.
    """
    data = dict(record.get("data") or {})
    licences = data_licences(record)
    evaluation = None if report is None else report_facts(report, revision)
    return {
        "repo": repo,
        "name": repo.rpartition("/")[2],
        "revision": revision,
        "config": {k: v for k, v in sorted(config.items()) if k not in _NOT_CHOICES},
        "backbone": config.get("backbone"),
        "representation": config.get("representation"),
        "head": config.get("head"),
        "parts": parts,
        "n_weights": sum(part["weights"] for part in parts.values()),
        "size_mb": round(size_bytes / 1e6, 1),
        "files": tuple(files),
        "needs": tuple(needs),
        "base": base_model or base_of(record, repo),
        "data": data,
        "collections": [asdict(find_collection(name)) for name in _names(data)],
        "licence": ", ".join(its.licence for its in licences) or None,
        "licences": licence_facts(licences),
        "licence_metadata": licence_metadata([its.licence for its in licences]),
        "hours": round(sum(data.get("train_hours", {}).values()), 1),
        "composers": main_composers(data.get("train_hours", {})),
        "training": _training(record),
        "losses": _losses(record),
        "loss_unit": _loss_unit(record),
        "evaluation": evaluation,
        "results": _results(record, evaluation),
        "example": example,
    }


def base_of(record: Mapping[str, Any], repo: str) -> str | None:
    """Returns the repository of the model that the training began with, the nearest first.

    None if it began with fresh weights, or with a model that is in no repository, or in this one.

    Args:
        record: `training.json`.
        repo: the repository of the model itself.
    """
    pins = read_registry()
    for run in reversed([*(record.get("earlier_runs") or []), record]):
        began = run.get("started_from") or {}
        name = (run.get("settings") or {}).get("start_from")
        base = began.get("repo") or (pins[name].repo if name in pins else None)
        if base is not None and base != repo:
            return str(base)
    return None


def _names(data: Mapping[str, Any]) -> list[str]:
    """Returns the collections that a model has learnt from."""
    sources = data.get("sources") or {}
    return sorted(sources) or [name for name in str(data.get("name") or "").split(", ") if name]


def main_composers(train_hours: Mapping[str, float]) -> list[tuple[str, float]]:
    """Returns composer and hours, most first, the many small ones as one row."""
    rows = sorted(train_hours.items(), key=lambda row: (-row[1], row[0]))
    shown, rest = rows[:_SHOWN_COMPOSERS], rows[_SHOWN_COMPOSERS:]
    if rest:
        shown.append((f"{len(rest)} others", round(sum(hours for _, hours in rest), 2)))
    return shown


def _training(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns what the record says of the run: rows of title and value, no place on a disk."""
    hardware = dict(record.get("hardware") or {})
    rows: list[tuple[str, Any]] = [
        ("earlier run", _earlier_run(run)) for run in record.get("earlier_runs") or []
    ]
    rows.append(("recipe", _recipe(record)))
    rows += [
        (key.replace("_", " "), record.get(key))
        for key in sorted(record)
        if key.endswith("_seen") or key in ("steps", "best_step")
    ]
    seconds = record.get("wall_seconds")
    rows.append(("time", None if seconds is None else f"{seconds / 60:.0f} minutes"))
    rows.append(("hardware", ", ".join(f"{k.replace('_', ' ')} {hardware[k]}" for k in hardware)))
    settings = dict(record.get("settings") or {})
    rows += [(key.replace("_", " "), settings[key]) for key in sorted(settings.keys() - _NOT_SHOWN)]
    rows += [(name, version) for name, version in sorted((record.get("versions") or {}).items())]
    return [(title, _without_folders(value)) for title, value in rows if _is_known(value)]


def _earlier_run(run: Mapping[str, Any]) -> str:
    steps = run.get("steps_seen")
    seen = f", {steps:,} steps seen" if isinstance(steps, int) else ""
    return f"{_recipe(run) or 'recipe not recorded'}{seen}"


def _recipe(run: Mapping[str, Any]) -> str | None:
    """Returns the file of settings that a run's command names."""
    words = str(run.get("command") or "").split()
    return next((PurePath(word).name for word in words if word.endswith(".toml")), None)


def _is_known(value: object) -> bool:
    return value is not None and value != "" and value != [] and value != {}


def _without_folders(value: object) -> str:
    """Returns a value as text; of a file or folder on somebody's disk the last part."""
    text = f"{value}"
    return PurePath(text).name if re.fullmatch(r"[\w.~-]*(/[\w.~-]+)+/?", text) else text


def _losses(record: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Returns the model's and its baselines' losses, best first."""
    losses = dict(record.get("losses") or {})
    rows = [("this model", losses.get("validation"))]
    rows += [(k.replace("_", " "), v) for k, v in (losses.get("baselines") or {}).items()]
    return sorted(((k, float(v)) for k, v in rows if v is not None), key=lambda row: row[1])


def _loss_unit(record: Mapping[str, Any]) -> str:
    return str((record.get("losses") or {}).get("unit", "nats a step"))


def _results(
    record: Mapping[str, Any], evaluation: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Returns the figures of the card's metadata: type, title, value, data set and split."""
    losses = dict(record.get("losses") or {})
    found: list[tuple[str, str, float | None, str | None, str]] = []
    if isinstance(losses.get("validation"), int | float):
        title = f"Validation loss, {_loss_unit(record)}"
        held_out = _held_out(record.get("data") or {})
        found.append(("loss", title, losses["validation"], held_out, "validation"))
    if evaluation is not None:
        where = (evaluation["dataset"], evaluation["split"] or "validation")
        bits = evaluation["likelihood"].get("bits_a_note")
        area = evaluation["overlapped_area"]
        found.append(("bits_a_note", "Bits a note", bits, *where))
        found.append(("overlapped_area", "Mean overlapped area with real music", area, *where))
        for m, share in evaluation["rates"].items():
            found.append((m, RATE_TITLES.get(m, m), share, *where))
        for m in HEADLINES:
            found.append((m, MEASURE_TITLES[m], evaluation["measures"].get(m), *where))
    return [
        {
            "type": kind,
            "title": title,
            "value": round(value, 4),
            "dataset": find_collection(dataset).title if dataset else None,
            "split": split,
        }
        for kind, title, value, dataset, split in found
        if value is not None
    ]


def _held_out(data: Mapping[str, Any]) -> str | None:
    """Returns the collection that the validation pieces are from, None if not from just one."""
    sources = data.get("sources") or {}
    names = [n for n in sources if "validation" in sources[n]["splits"]] or _names(data)
    return names[0] if len(names) == 1 else None
