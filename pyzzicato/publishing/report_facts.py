"""What an evaluation report says of one model, beside real music, as plain values for its card."""

from collections.abc import Mapping
from typing import Any

from ..evaluation.measures import REAL
from ..evaluation.report_page import report_page
from ..evaluation.report_sections import MEASURE_TITLES, SECTIONS

RATE_TITLES = {name: title for section in SECTIONS for name, title in section.rates}
HEADLINES = ("notes_a_second", "window_entropy", "kinship", "longest_notes")
"""The measures that stand at the top of a card and in its metadata."""


def report_facts(report: Mapping[str, Any], revision: str) -> dict[str, Any] | None:
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
            "about": {n: text for n, text in report["about"].items() if n in kept},
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
        (RATE_TITLES[m], f"{rate['share']:.0%}", f"{real['rates'][m]['share']:.0%}")
        for m, rate in ours["rates"].items()
        if m in RATE_TITLES and m in real["rates"]
    ]
    for m in HEADLINES:
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
            and m in RATE_TITLES
            and (rate["low"] > beside["high"] or rate["high"] < beside["low"])
        ):
            found.append(
                f"{RATE_TITLES[m]}: {rate['share']:.0%} of the pieces, real music "
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
    found: dict[str, Any] = {
        "copied": f"{ours['rates']['copied']['share']:.0%}",
        "n": ours["rates"]["copied"]["n"],
        "real_copied": f"{real['rates']['copied']['share']:.0%}"
        if "copied" in real["rates"]
        else "",
        "sentence": None,
    }
    if ours.get("longest_match"):
        found["sentence"] = ours["longest_match"]["sentence"]
    return found
