"""What a model card tells, as plain values: one pure function from the model's own files.

Nothing here knows any model by its name, and no figure is written by hand: what is not in the
config, the training record or the evaluation report is not told.
"""

import re
from collections.abc import Mapping
from typing import Any

from ..evaluation.measures import REAL
from ..evaluation.report_page import report_page
from ..evaluation.report_sections import MEASURE_TITLES, SECTIONS

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
_LICENCES = ("cc0-1.0", "mit", "apache-2.0", "pddl")
_RATE_TITLES = {name: title for section in SECTIONS for name, title in section.rates}
_HEADLINES = ("notes_a_second", "window_entropy", "kinship", "longest_notes")


def model_facts(
    config: Mapping[str, Any],
    record: Mapping[str, Any],
    report: Mapping[str, Any] | None,
    *,
    repo: str,
    revision: str,
    parts: Mapping[str, Mapping[str, Any]],
    size_bytes: int,
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
        example: what is told of the continuation on the card; None for a card without.
    """
    data = dict(record.get("data") or {})
    n_weights = sum(part["weights"] for part in parts.values())
    evaluation = None if report is None else _evaluation(report, revision)
    return {
        "repo": repo,
        "name": repo.rpartition("/")[2],
        "revision": revision,
        "config": {k: v for k, v in sorted(config.items()) if k not in _NOT_CHOICES},
        "backbone": config.get("backbone"),
        "representation": config.get("representation"),
        "head": config.get("head"),
        "parts": parts,
        "n_weights": n_weights,
        "size_mb": round(size_bytes / 1e6, 1),
        "data": data,
        "licence": data.get("licence"),
        "licence_id": licence_id(data.get("licence")),
        "hours": round(sum(data.get("train_hours", {}).values()), 1),
        "composers": main_composers(data.get("train_hours", {})),
        "training": _training(record),
        "losses": _losses(record),
        "loss_unit": _loss_unit(record),
        "evaluation": evaluation,
        "results": _results(record, evaluation),
        "example": example,
    }


def licence_id(licence: str | None) -> str:
    """Returns the Hub's word for a licence: `cc-by-nc-sa-4.0` for CC BY-NC-SA 4.0.

    It is "other" for several licences and for those that the Hub has no word for; the card's text
    names them.
    """
    if not licence:
        return "unknown"
    word = licence.strip().lower().replace(" ", "-")
    return (
        word
        if word in _LICENCES or re.fullmatch(r"cc-by(-nc)?(-sa|-nd)?-[234]\.0", word)
        else "other"
    )


def main_composers(train_hours: Mapping[str, float]) -> list[tuple[str, float]]:
    """Returns composer and hours, most first, the many small ones as one row."""
    rows = sorted(train_hours.items(), key=lambda row: (-row[1], row[0]))
    shown, rest = rows[:_SHOWN_COMPOSERS], rows[_SHOWN_COMPOSERS:]
    if rest:
        shown.append((f"{len(rest)} others", round(sum(hours for _, hours in rest), 2)))
    return shown


def _training(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns what the record says of the run: rows of title and value."""
    hardware = dict(record.get("hardware") or {})
    rows: list[tuple[str, Any]] = [
        ("earlier run", f"{run.get('command')}: {run.get('steps_seen')} steps seen")
        for run in record.get("earlier_runs") or []
    ]
    rows.append(("command", record.get("command")))
    rows += [
        (key.replace("_", " "), record.get(key))
        for key in sorted(record)
        if key.endswith("_seen") or key in ("steps", "best_step")
    ]
    seconds = record.get("wall_seconds")
    rows.append(("time", None if seconds is None else f"{seconds / 60:.0f} minutes"))
    rows.append(("hardware", ", ".join(f"{k.replace('_', ' ')} {hardware[k]}" for k in hardware)))
    settings = dict(record.get("settings") or {})
    rows += [(key.replace("_", " "), settings[key]) for key in sorted(settings) if key != "model"]
    rows += [(name, version) for name, version in sorted((record.get("versions") or {}).items())]
    return [(title, f"{value}") for title, value in rows if value not in (None, "", [], {})]


def _losses(record: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Returns the model's and its baselines' losses, best first."""
    losses = dict(record.get("losses") or {})
    rows = [("this model", losses.get("validation"))]
    rows += [(k.replace("_", " "), v) for k, v in (losses.get("baselines") or {}).items()]
    return sorted(((k, float(v)) for k, v in rows if v is not None), key=lambda row: row[1])


def _loss_unit(record: Mapping[str, Any]) -> str:
    return str((record.get("losses") or {}).get("unit", "nats a step"))


def _evaluation(report: Mapping[str, Any], revision: str) -> dict[str, Any] | None:
    """Returns what a report says of the weights of a revision, beside real music."""
    evaluated = report.get("settings", {}).get("model", {})
    name = next((n for n, its in evaluated.items() if its == revision), None)
    systems = report["systems"]
    if name is None or name not in systems or REAL not in systems:
        return None
    ours = {n: s for n, s in systems.items() if n == name or n.startswith(f"{name}, ")}
    kept = {REAL: systems[REAL], **ours}
    likelihood = report.get("likelihood", {})
    page = report_page(
        {
            **report,
            "systems": kept,
            "about": {n: told for n, told in report["about"].items() if n in kept},
            "likelihood": {n: v for n, v in likelihood.items() if n == name},
            "remarks": [],
            "pictures": [],
            "files": [],
        }
    )
    return {
        "name": name,
        "description": report["description"],
        "dataset": report["settings"].get("data"),
        "split": report["settings"].get("split"),
        "page": page.split("\n", 1)[1].replace("\n## ", "\n### ").strip(),
        "headlines": _headlines(systems[name], systems[REAL]),
        "limits": _limits(systems[name], systems[REAL]),
        "originality": _originality(systems[name], systems[REAL]),
        "overlapped_area": systems[name].get("distribution", {}).get("mean_oa"),
        "likelihood": likelihood.get(name, {}),
        "measures": {m: s.get("median") for m, s in systems[name]["measures"].items()},
        "rates": {m: r["share"] for m, r in systems[name]["rates"].items()},
    }


def _headlines(ours: Mapping[str, Any], real: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Returns a few rows for the top of the card: title, this model, real music."""
    rows = [
        (_RATE_TITLES[m], f"{rate['share']:.0%}", f"{real['rates'][m]['share']:.0%}")
        for m, rate in ours["rates"].items()
        if m in _RATE_TITLES and m in real["rates"]
    ]
    for m in _HEADLINES:
        ((a, b),) = [(s["measures"].get(m, {}).get("median") for s in (ours, real))]
        if a is not None and b is not None:
            rows.append((MEASURE_TITLES[m], f"{a:.3g}", f"{b:.3g}"))
    return rows


def _limits(ours: Mapping[str, Any], real: Mapping[str, Any]) -> list[str]:
    """Returns a sentence for each measure whose median lies outside nine tenths of real music."""
    found = []
    for m, rate in ours["rates"].items():
        beside = real["rates"].get(m)
        if (
            beside
            and m in _RATE_TITLES
            and (rate["low"] > beside["high"] or rate["high"] < beside["low"])
        ):
            found.append(
                f"{_RATE_TITLES[m]}: {rate['share']:.0%} of the pieces, real music "
                f"{beside['share']:.0%}"
            )
    for m, title in MEASURE_TITLES.items():
        spread, beside = ours["measures"].get(m), real["measures"].get(m)
        if not spread or not beside or spread.get("median") is None or beside.get("p5") is None:
            continue
        if not beside["p5"] <= spread["median"] <= beside["p95"]:
            found.append(
                f"{title}: {spread['median']:.3g}, nine tenths of real music lie between "
                f"{beside['p5']:.3g} and {beside['p95']:.3g}"
            )
    return found


def _originality(ours: Mapping[str, Any], real: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns what was found of the training music in what the model played."""
    if "copied" not in ours["rates"]:
        return None
    told: dict[str, Any] = {
        "copied": f"{ours['rates']['copied']['share']:.0%}",
        "n": ours["rates"]["copied"]["n"],
        "real_copied": f"{real['rates']['copied']['share']:.0%}"
        if "copied" in real["rates"]
        else "",
        "sentence": None,
    }
    if ours.get("longest_match"):
        told["sentence"] = ours["longest_match"]["sentence"]
    return told


def _results(
    record: Mapping[str, Any], evaluation: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Returns the figures of the card's metadata: type, title, value, on which split."""
    losses = dict(record.get("losses") or {})
    found = []
    if isinstance(losses.get("validation"), int | float):
        title = f"Validation loss, {_loss_unit(record)}"
        found.append(("loss", title, round(losses["validation"], 4), "validation"))
    if evaluation is not None:
        split = evaluation["split"] or "validation"
        bits = evaluation["likelihood"].get("bits_a_note")
        rows = [("bits_a_note", "Bits a note", bits)]
        rows.append(
            (
                "overlapped_area",
                "Mean overlapped area with real music",
                evaluation["overlapped_area"],
            )
        )
        rows += [(m, _RATE_TITLES.get(m, m), share) for m, share in evaluation["rates"].items()]
        rows += [(m, MEASURE_TITLES[m], evaluation["measures"].get(m)) for m in _HEADLINES]
        found += [(k, title, round(v, 4), split) for k, title, v in rows if v is not None]
    keys = ("type", "title", "value", "split")
    return [dict(zip(keys, row, strict=True)) for row in found]
