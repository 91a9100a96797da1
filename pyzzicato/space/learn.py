"""What the view "Learn" shows: who is in the data, and the models with their measures.

No figure is typed in here: composers are counted in the index of the training music, hours and
losses come from each model's training record, measures from the newest report of the repository.
"""

import functools
import json
from collections import Counter
from pathlib import Path
from typing import Any

from ..evaluation.measures import REAL
from .measuring import training_labels
from .names import is_free
from .page_models import known_models

REPORTS = Path(__file__).parents[2] / "reports"
"""The repository's reports; an installed package has none, and the page then shows no measures."""
N_COMPOSERS = 14
"""As many as the article's first figure shows."""

_MEASURES = (
    ("notes_a_second", "Notes a second", 1),
    ("polyphony", "Keys sounding at once", 1),
    ("window_entropy", "Variety of pitches within 8 s, bits", 2),
    ("kinship", "Kinship with the seed, 0 to 1", 2),
    ("longest_notes", "Longest passage also in training, notes", 0),
)
"""Key in the report, title, and decimals shown."""
_RATES = (
    ("dried_up", "Dried up"),
    ("copied", "Copied"),
    ("taken_for_its_composer", "Taken for the seed's composer"),
)


def describe_learning() -> dict[str, Any]:
    """Returns what the view shows, as plain JSON values.

    Returns:
        `composers`: for each of the most played `name`, `pieces`, `works` and `hours` in training;
        `models`: for each its record in short; `measures`: `columns` (systems, real music first),
        `rows` (title and a text for each column) and `description`, or None without a report.
    """
    return {
        "composers": _count_composers(),
        "models": [_describe_model(info.name) for info in known_models()],
        "measures": _read_measures([info.name for info in known_models()]),
    }


@functools.cache
def _count_composers() -> list[dict[str, Any]]:
    labels = training_labels()
    pieces = Counter(composer for composer, _ in labels)
    works = Counter(composer for composer, _ in set(labels))
    hours: dict[str, float] = {}
    for info in known_models():
        data = info.record.get("data", {})
        for composer, spent in data.get("train_hours", {}).items():
            hours[composer] = max(spent, hours.get(composer, 0.0))
    return [
        {"name": name, "pieces": n, "works": works[name], "hours": round(hours.get(name, 0.0), 1)}
        for name, n in pieces.most_common(N_COMPOSERS)
    ]


def _training_minutes(record: dict[str, Any]) -> int | None:
    """Returns how long all runs took that led to a model, None where that is not known."""
    runs = [run.get("wall_seconds") for run in (*record.get("earlier_runs", []), record)]
    return None if None in runs else round(sum(runs) / 60)


def _describe_model(name: str) -> dict[str, Any]:
    info = next(info for info in known_models() if info.name == name)
    record, facts = info.record, info.as_dict()
    data = record.get("data", {})
    return {
        "name": name,
        "millions": round(info.n_weights / 1e6, 1),
        "megabytes": facts["size_mb"],
        "pieces": data.get("train_pieces"),
        "hours": facts["hours"],
        "minutes": _training_minutes(record),
        "loss": facts["validation_loss"],
        "licence": facts["licence"],
        "free": is_free(info),
        "revision": info.revision,
    }


def _read_measures(names: list[str]) -> dict[str, Any] | None:
    """Returns the medians of the newest report that knows one of the models; None if none does."""
    found = sorted(REPORTS.glob("*/report.json"), key=lambda path: path.parent.name)
    for path in reversed(found):
        report = json.loads(path.read_text(encoding="utf-8"))
        systems = report["systems"]
        columns = [REAL, *(name for name in names if name in systems)]
        if len(columns) > 1 and REAL in systems:
            return {
                "columns": columns,
                "rows": _rows([systems[name] for name in columns]),
                "description": report["description"],
            }
    return None


def _rows(systems: list[dict[str, Any]]) -> list[list[str]]:
    medians = [
        [
            title,
            *(_number(system["measures"].get(key, {}).get("median"), n) for system in systems),
        ]
        for key, title, n in _MEASURES
    ]
    shares = [
        [title, *(_percent(system["rates"].get(key, {}).get("share")) for system in systems)]
        for key, title in _RATES
    ]
    return [*medians, *shares]


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else f"{value:.{decimals}f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"
