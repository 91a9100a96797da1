"""The report as a page of Markdown: what was measured, in tables and short sentences.

Works on the plain values of `report.build_report` alone, so that a page can be made anew from a
`report.json`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .measures import REAL
from .report_sections import MEASURE_TITLES, OF_MUSIC, ORIGINALITY, SECTIONS, STYLE, Section

MOST_FILES = 50
"""Files listed one by one; `report.json` has them all."""

# The classifier's accuracy over most works; see train/train_style.py.
_HONEST_TABLE = "cross_validation_excerpts"
_CEILING = f"{REAL}, half against half"
_HOW_TO_READ = (
    "Measures are medians over the pieces, with the 5th and 95th percentile in brackets. Verdicts "
    "are shares of the pieces, with their 95% confidence interval in brackets. A dash stands "
    "where nothing can be measured. Best is not the highest figure but the one nearest to the "
    "column *real*."
)


def report_page(report: Mapping[str, Any]) -> str:
    """Returns a report as Markdown.

    Args:
        report: from `build_report`; `pictures` (title and file of each) and `files` (measures of
            single pieces) may have been added.
    """
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: Mapping[str, Any]) -> Iterator[str]:
    """Yields the page's paragraphs and tables."""
    systems = report["systems"]
    yield "# Evaluation"
    if report["description"]:
        yield _text(report["description"])
    if report["about"]:
        yield "\n".join(f"- **{_text(n)}**: {_text(text)}" for n, text in report["about"].items())
    if report["remarks"]:
        yield "\n".join(["Left out:", "", *(f"- {_text(remark)}" for remark in report["remarks"])])
    yield _HOW_TO_READ
    for section in SECTIONS:
        rows = list(_section_rows(section, systems))
        if rows:
            yield f"## {section.title}"
            yield section.text
            yield _table(["", *systems], rows)
            if section is ORIGINALITY:
                yield from _longest_matches(systems)
            if section is STYLE and "classifier" in report:
                yield from _trust(report["classifier"])
    yield from _variety(systems)
    yield from _distances(report)
    yield from _adversaries(_of_columns(report, "adversary"))
    yield from _likelihood(report.get("likelihood", {}))
    yield from _entropies(_of_columns(report, "entropy"))
    yield from _files(report.get("files", ()))
    if report.get("pictures"):
        yield "## Pictures"
        for title, file in report["pictures"]:
            yield f"{_text(title)}:"
            yield f"![{_text(title)}]({file})"


def _section_rows(section: Section, systems: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yields the rows of a section that at least one system has a value for."""
    for name, title in section.rates:
        rates = [system["rates"].get(name) for system in systems.values()]
        if any(rate is not None for rate in rates):
            yield [title, *map(_rate, rates)]
    for name, title in section.measures:
        spreads = [system["measures"].get(name) for system in systems.values()]
        if any(spread is not None and spread["n"] for spread in spreads):
            yield [title, *map(_spread, spreads)]
    verdicts = [system.get("sounds_like") for system in systems.values()]
    if section is STYLE and any(verdicts):
        yield ["most often taken for", *map(_most_common, verdicts)]


def _longest_matches(systems: Mapping[str, Any]) -> Iterator[str]:
    found = {n: s["longest_match"] for n, s in systems.items() if "longest_match" in s}
    if found:
        yield "The piece of each with the longest match:"
        yield "\n".join(
            f"- **{_text(name)}**, in {_text(match['piece'])}: {_text(match['sentence'])}."
            for name, match in found.items()
        )


def _trust(classifier: Mapping[str, Any]) -> Iterator[str]:
    """Yields how often the classifier of composers is right."""
    n = len(classifier["composers"])
    accuracy = classifier["balanced_accuracy"].get(_HONEST_TABLE)
    if accuracy is not None:
        yield (
            f"The classifier knows {n} composers. Of excerpts of works it had not learned it named "
            f"the right one {accuracy:.0%} of the time (mean over the composers; {1 / n:.0%} would "
            "be chance)."
        )


def _variety(systems: Mapping[str, Any]) -> Iterator[str]:
    """Yields the section on how much the pieces of a set differ from each other."""
    varieties = {name: s["variety"] for name, s in systems.items() if "variety" in s}
    shown = [m for m in OF_MUSIC if any(v.get(m) is not None for v in varieties.values())]
    if shown:
        yield "## Are all pieces alike?"
        yield (
            "How far the pieces of a column differ from each other (standard deviation), as a "
            "multiple of how far real ones do: 1 is as varied as real music, near 0 all are alike."
        )
        rows = [
            [MEASURE_TITLES[m], *(_short(variety.get(m)) for variety in varieties.values())]
            for m in shown
        ]
        yield _table(["", *varieties], rows)


def _distances(report: Mapping[str, Any]) -> Iterator[str]:
    """Yields the section on the distance from real music as a set."""
    sets = {_CEILING: report["ceiling"]} if "ceiling" in report else {}
    for name, system in report["systems"].items():
        if "distribution" in system:
            sets[name] = system["distribution"]
    if not any(name != _CEILING for name in sets):
        return
    yield "## How far is it from real music?"
    yield (
        "Overlapped area of the distances among real pieces and between real pieces and these "
        "(Yang & Lerch 2020), for each feature: 1 cannot be told apart, 0 shares nothing. Two "
        "halves of the real music give the ceiling. Pieces without notes have hardly any feature "
        "and are left out of the others; there is no mean where nothing is left."
    )
    rows = [["**mean**", *(f"**{_short(s['mean_oa'])}**" for s in sets.values())]]
    for feature in next(iter(sets.values()))["features"]:
        areas = [_short(s["features"][feature]["oa"]) for s in sets.values()]
        rows.append([_feature_title(feature), *areas])
    rows.append(["mean KL divergence, nats", *(_short(s["mean_kl"]) for s in sets.values())])
    counts = [min(f["n_other"] for f in s["features"].values()) for s in sets.values()]
    rows.append(["pieces with all features", *map(str, counts)])
    yield _table(["", *sets], rows)


def _feature_title(name: str) -> str:
    return MEASURE_TITLES.get(name, name.replace("_", " ").replace("pitch class", "pitch-class"))


def _likelihood(likelihoods: Mapping[str, Any]) -> Iterator[str]:
    """Yields the section on how well held-out music is foreseen."""
    if not likelihoods:
        return
    yield "## How well does it foresee real music?"
    yield (
        "The cost of the pieces the seeds are from, each whole: less is better. Bits a note and "
        "nats a second let models on unlike representations be compared; nats a frame do not. "
        "*Markov* foresees each key from its last frame, *copy* says the last frame again, "
        "*frequency* knows only how often each key sounds."
    )
    units = {"bits_a_note": "bits a note", "nats_a_second": "nats a second"}
    units["nats_a_frame"] = "nats a frame"
    cheapest = sorted(likelihoods.items(), key=lambda item: item[1]["nats_a_second"] or math.inf)
    rows = [[_text(name), *(_short(value[unit]) for unit in units)] for name, value in cheapest]
    yield _table(["", *units.values()], rows)


def _of_columns(report: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Returns a part of the report for the systems it shows, in their order."""
    figures = report.get(part, {})
    return {name: figures[name] for name in report["systems"] if name in figures}


def _adversaries(adversaries: Mapping[str, Any]) -> Iterator[str]:
    """Yields the section on how well classifiers find what is not real music."""
    if not adversaries:
        return
    yield "## Can it be told from real music?"
    yield (
        "AUC of classifiers that have learned to tell these pieces from real ones on other pieces: "
        "0.5 cannot tell, 1 always can. Real music has first been put through the column's "
        "representation. In brackets the 95% interval over pieces. The *network* sees the notes; "
        "the others see figures of each piece, *all* or some of them."
    )
    kinds = dict.fromkeys(kind for verdicts in adversaries.values() for kind in verdicts)
    rows = [[_text(kind), *(_auc(v.get(kind)) for v in adversaries.values())] for kind in kinds]
    yield _table(["", *adversaries], rows)


def _auc(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return "-"
    auc, low, high = (_short(verdict[name]) for name in ("auc", "low", "high"))
    return f"{auc} ({low} to {high})"


def _entropies(entropies: Mapping[str, Any]) -> Iterator[str]:
    """Yields the section on how sure models are when they play by themselves."""
    if not entropies:
        return
    yield "## How sure is it when it plays by itself?"
    yield (
        "Entropy of what each number of a step was drawn from, in nats: over all steps, and in "
        "brackets by thirds of a piece. Beside it what the model pays for that number on held-out "
        "music: the two are equal if it plays as surely as it foresees."
    )
    names = dict.fromkeys(name for numbers in entropies.values() for name in numbers)
    rows = []
    for name in names:
        numbers = [values.get(name) for values in entropies.values()]
        rows.append([f"{_text(name)}, by itself", *map(_closed_loop, numbers)])
        paid = [None if number is None else number["held_out"] for number in numbers]
        rows.append([f"{_text(name)}, held-out", *map(_short, paid)])
    yield _table(["", *entropies], rows)


def _closed_loop(number: Mapping[str, Any] | None) -> str:
    if number is None or number["closed_loop"] is None:
        return "-"
    thirds = ", ".join(map(_short, number["thirds"]))
    return f"{_short(number['closed_loop'])} ({thirds})"


def _files(pieces: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yields the section on single pieces."""
    if not pieces:
        return
    yield "## File by file"
    if len(pieces) > MOST_FILES:
        yield f"The first {MOST_FILES} of {len(pieces)}; `report.json` has them all."
    head = ["file", "s", "notes", "share of time silent", "verdict", "entropy in 8 s, bits"]
    if any(piece["originality"] for piece in pieces):
        head.append("longest match, notes")
    if any(piece["style"] for piece in pieces):
        head.append("sounds like")
    yield _table(head, [_file_row(piece, head) for piece in pieces[:MOST_FILES]])


def _file_row(piece: Mapping[str, Any], head: Sequence[str]) -> list[str]:
    """Returns the cells of one piece under the columns of `head`."""
    stability, originality, style = piece["stability"], piece["originality"], piece["style"]
    verdicts = {
        "dried up": stability["dried_up"],
        "mostly silent": stability["mostly_silent"],
        "copied": bool(originality and originality["copied"]),
    }
    cells = {
        "file": _text(piece["name"]),
        "s": _short(stability["seconds"]),
        "notes": str(stability["n_notes"]),
        "share of time silent": _short(stability["silent_share"]),
        "verdict": ", ".join(name for name, holds in verdicts.items() if holds) or "-",
        "entropy in 8 s, bits": _short(piece["tonality"]["window_entropy"]),
        "longest match, notes": "-" if originality is None else str(originality["longest_notes"]),
        "sounds like": "-" if style is None else _text(style["composer"] or "-"),
    }
    return [cells[name] for name in head]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table; the first column is text, the others are figures."""
    lines = ["| " + " | ".join(map(_text, head)) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _spread(spread: Mapping[str, Any] | None) -> str:
    if spread is None or spread["median"] is None:
        return "-"
    median, low, high = (_short(spread[name]) for name in ("median", "p5", "p95"))
    return median if low == high else f"{median} ({low} to {high})"


def _rate(rate: Mapping[str, Any] | None) -> str:
    if rate is None or rate["share"] is None:
        return "-"
    return f"{rate['share']:.0%} ({100 * rate['low']:.0f} to {100 * rate['high']:.0f})"


def _most_common(counts: Mapping[str, int] | None) -> str:
    """Returns the two most frequent names and their shares."""
    if not counts:
        return "-"
    total = sum(counts.values())
    most = sorted(counts.items(), key=lambda item: -item[1])[:2]
    return ", ".join(f"{_text(name)} {count / total:.0%}" for name, count in most)


def _short(value: float | None) -> str:
    """Returns a number to three significant digits, or to three places where it is small."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:.0f}"
    shown = f"{value:.3f}" if abs(value) < 1 else f"{value:.3g}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return "0" if shown == "-0" else shown


def _text(text: str) -> str:
    """Returns text in one line in which nothing is taken for Markdown."""
    line = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in line)
