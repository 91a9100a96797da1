"""Write the tables of README.md and docs/ from the newest report and the bundled models.

    python train/write_tables.py            # after a new report or new weights
    python train/write_tables.py --check    # changes nothing; fails if a table is out of date

A table stands between two comments, `<!-- table: NAME -->` and `<!-- end of table -->`. `TABLES`
below says which there are. Nothing between the comments is typed by hand.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyzzicato.evaluation.measures import REAL
from pyzzicato.hub import DEFAULT_MODEL, ModelInfo, list_models

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "reports"
ARTICLE = "lstm"
"""The model of the article's kind that stands beside the default one in the README."""

_PLACE = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end of table -->)", flags=re.S)
_RATES = {
    "dried_up": "pieces that dry up",
    "mostly_silent": "pieces that are mostly silent",
    "stuck": "pieces stuck on one key",
    "rescued": "pieces that the guard had to rescue",
}
_MEDIANS = {
    "notes_a_second": "notes a second",
    "polyphony": "keys sounding at once",
    "drift": "drift: last third over first",
    "window_entropy": "pitch-class entropy in 8 s, bits",
    "kinship": "kinship with the seed, 0 to 1",
    "velocity_sd": "velocity, standard deviation",
    "recurrence_4": "figures of 4 notes that recur, share",
    "recurrence_8": "figures of 8 notes that recur, share",
    "clashes": "sharpest intervals within chords, share",
    "longest_notes": "longest passage also in training, notes",
}
_STYLE = {"taken_for_its_composer": "taken for the seed's composer"}
_ADVERSARIES = {
    "all figures": "classifier against real music, by figures, AUC",
    "network": "classifier against real music, by a network, AUC",
}


@dataclass(frozen=True)
class TablesConfig:
    """One run: whether to write or only to look."""

    check: bool = False


def figures_table(report: Mapping[str, Any], models: Sequence[str]) -> str:
    """Returns the main figures of models beside those of real music, as Markdown.

    What the report has of none of them has no row.

    Args:
        report: of `train/evaluate.py`.
        models: names of systems in it, one a column.
    """
    systems = [report["systems"][name] for name in (REAL, *models)]
    rows = [[title, *(_rate(system, name) for system in systems)] for name, title in _RATES.items()]
    rows += [
        [title, *(_median(system, name) for system in systems)] for name, title in _MEDIANS.items()
    ]
    rows += [
        [title, *(_rate(system, name) for system in systems)] for name, title in _STYLE.items()
    ]
    ceiling = report["ceiling"]["mean_oa"]
    areas = [system["distribution"]["mean_oa"] for system in systems[1:]]
    rows.append(["overlapped area with real music", *map(_short, (ceiling, *areas))])
    for kind, title in _ADVERSARIES.items():
        verdicts = [report.get("adversary", {}).get(name, {}).get(kind) for name in models]
        rows.append([title, "-", *(_short(verdict and verdict["auc"]) for verdict in verdicts)])
    bits = [report["likelihood"].get(name, {}).get("bits_a_note") for name in models]
    rows.append(["bits a note of held-out music", "-", *map(_short, bits)])
    measured = [row for row in rows if set(row[1:]) != {"-"}]
    return _table(["", "real music", *(f"`{name}`" for name in models)], measured, "---:")


def models_table(infos: Sequence[ModelInfo]) -> str:
    """Returns what the bundled models are, as Markdown."""
    rows = []
    for info in infos:
        facts = info.as_dict()
        loss = f"{facts['validation_loss']:.3f} {facts['loss_unit']}"
        size = f"{info.n_weights / 1e6:.1f} M, {info.size_bytes / 1e6:.1f} MB"
        rows.append(
            [
                f"`{info.name}`" + (" (default)" if info.name == DEFAULT_MODEL else ""),
                facts["representation"],
                f"{info.backbone}, {info.head}",
                size,
                f"{facts['data']}, {facts['hours']:.0f} h",
                loss,
            ]
        )
    head = ["name", "steps", "backbone, head", "weights", "last trained on", "validation loss"]
    return _table(head, rows)


def licences_table(infos: Sequence[ModelInfo]) -> str:
    """Returns the licences that bind each bundled model's weights, as Markdown."""
    rows = [[f"`{info.name}`", ", ".join(weight_licences(info.record))] for info in infos]
    return _table(["weights", "licences of the data that they were trained on"], rows)


def weight_licences(record: Mapping[str, Any]) -> list[str]:
    """Returns the licences of all data in a training record, of earlier runs too."""
    runs = [record, *record.get("earlier_runs", [])]
    names = [name for run in runs for name in str(run["data"]["licence"]).split(", ")]
    return list(dict.fromkeys(names))


def newest_report() -> dict[str, Any]:
    """Returns the newest release's report.

    Raises:
        ValueError: if there is none.
    """
    found = sorted(REPORTS.glob("*/report.json"))
    if not found:
        raise ValueError(f"{REPORTS} must hold a report, got none; run train/evaluate.py")
    report: dict[str, Any] = json.loads(found[-1].read_text(encoding="utf-8"))
    return report


def _all_figures() -> str:
    report = newest_report()
    names = [info.name for info in list_models() if info.name in report["systems"]]
    return figures_table(report, names)


TABLES: dict[str, Callable[[], str]] = {
    "figures": lambda: figures_table(newest_report(), [DEFAULT_MODEL, ARTICLE]),
    "all-figures": _all_figures,
    "models": lambda: models_table(list_models()),
    "licences": lambda: licences_table(list_models()),
}


def fill(text: str) -> str:
    """Returns a page with its tables made anew.

    Raises:
        ValueError: if it asks for a table that there is not.
    """

    def table(found: re.Match[str]) -> str:
        opening, name, closing = found.groups()
        if name not in TABLES:
            raise ValueError(f"table must be one of {', '.join(TABLES)}, got {name!r}")
        return f"{opening}{TABLES[name]()}\n{closing}"

    return _PLACE.sub(table, text)


def main(config: TablesConfig) -> None:
    """Writes the pages whose tables have changed, or names them.

    Raises:
        ValueError: if a table is out of date and nothing may be written.
    """
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        filled = fill(text)
        if filled == text:
            continue
        if config.check:
            raise ValueError(f"{page.name} is out of date; run python train/write_tables.py")
        page.write_text(filled, encoding="utf-8")
        print(f"tables in {page}")


def _rate(system: Mapping[str, Any], name: str) -> str:
    rate = system["rates"].get(name)
    return "-" if rate is None else f"{rate['share']:.0%}".replace("%", " %")


def _median(system: Mapping[str, Any], name: str) -> str:
    return _short((system["measures"].get(name) or {}).get("median"))


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], ruler_of_rest: str = "---") -> str:
    ruler = ["---", *([ruler_of_rest] * (len(head) - 1))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ruler, *rows))


def parse_args() -> TablesConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if out of date")
    return TablesConfig(parser.parse_args().check)


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
