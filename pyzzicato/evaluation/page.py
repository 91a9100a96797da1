"""The report as a page of Markdown: what was measured, in tables and short sentences.

Works on the plain values of `report.build_report` alone, so that a page can be made anew from a
`report.json`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..playing.decoding.guard import (
    CIRCLE_KEYS,
    CIRCLE_STROKES,
    HELD_KEYS,
    MAX_KEYS,
    MAX_PAUSE_S,
    MAX_STROKES,
)
from .measures import REAL
from .stability import (
    DRIED_UP_BELOW,
    DRIED_UP_FLOOR,
    DRIED_UP_RATIO,
    HANGING_S,
    MOSTLY_SILENT,
    RESTRIKE_S,
    STUCK_RUN,
    STUCK_SHARE,
    STUTTER_S,
)

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


@dataclass(frozen=True)
class Section:
    """A table of the report.

    Attributes:
        title: its heading.
        text: what it tells.
        rates: verdicts and their titles.
        measures: single-number measures and their titles.
    """

    title: str
    text: str
    rates: tuple[tuple[str, str], ...] = ()
    measures: tuple[tuple[str, str], ...] = ()


_ORIGINALITY = Section(
    "Does it copy?",
    "The longest passage that is also found in the training music, in any transposition, and the "
    "share of the notes in passages of at least 12, 16 and 24 notes. Scales, trills and other "
    "ordinary figures do not count. *Copied* is the alarm. Real held-out music shows how much "
    "pieces share by chance.",
    (("copied", "copied"),),
    (
        ("longest_notes", "longest match, notes"),
        ("longest_seconds", "longest match, s"),
        ("covered_12", "share in matches of 12"),
        ("covered_16", "share in matches of 16"),
        ("covered_24", "share in matches of 24"),
    ),
)
_STYLE = Section(
    "Whom does it sound like?",
    "What a classifier of composers takes the pieces for. How often it knows the real ones shows "
    "how far it can be trusted.",
    (("taken_for_its_composer", "taken for the seed's composer"),),
    (("composer_probability", "probability of the seed's composer"),),
)
SECTIONS = (
    Section(
        "Does the music go on?",
        "A piece has *dried up* if its last third has less than "
        f"{DRIED_UP_RATIO:.0%} of the notes of its first third and fewer than {DRIED_UP_BELOW:g} "
        f"notes a second, or, whatever came before, fewer than {DRIED_UP_FLOOR:g} a second. It is "
        f"*mostly silent* if no note sounds for more than {MOSTLY_SILENT:.0%} of the time. *Drift* "
        "is the number of notes in the last third over that in the first. Models that draw their "
        f"notes are *brought back to the seed* where a key is struck {MAX_STROKES} times in a row, "
        f"{CIRCLE_KEYS} keys or fewer {CIRCLE_STROKES} times with no other between, more than "
        f"{MAX_KEYS} keys sound at once, or {HELD_KEYS} for long, or nothing is struck for "
        f"{MAX_PAUSE_S:g} s.",
        (
            ("dried_up", "dried up"),
            ("mostly_silent", "mostly silent"),
            ("rescued", "brought back to the seed"),
        ),
        (
            ("notes_a_second", "notes a second"),
            ("silent_share", "share of time silent"),
            ("longest_gap_s", "longest gap, s"),
            ("drift", "drift"),
            ("rescues", "times brought back to the seed"),
        ),
    ),
    Section(
        "Does it loop, stick or stutter?",
        "*Distinct 8-grams* is 1 if no eight successive pitches ever come back. A key is *stuck* "
        f"if it is struck {STUCK_RUN} times or more with no other between, *struck again at once* "
        f"within {1000 * RESTRIKE_S:g} ms of being let go, *stuttering* if struck twice within "
        f"{STUTTER_S:g} s, and a note *hangs* if it sounds for more than {HANGING_S:g} s. A "
        f"piece is *stuck* if more than {STUCK_SHARE:.0%} of its notes are.",
        (("stuck", "stuck"),),
        (
            ("distinct_8grams", "distinct 8-grams"),
            ("repetition_growth", "growth of repetition"),
            ("stuck_share", "share of notes stuck"),
            ("restruck_share", "share struck again at once"),
            ("stutter_share", "share stuttering"),
            ("hanging_share", "share hanging"),
            ("longest_note_s", "longest note, s"),
        ),
    ),
    Section(
        "Does it keep to a key?",
        "Entropy is low where few pitch classes are used and at most 3.58 bits, where all twelve "
        "are used alike. *Kinship* compares the pitch classes of the seed and of what follows: 1 "
        "is the same mixture. *Key clarity* is how well the best of the 24 keys fits.",
        (),
        (
            ("window_entropy", "pitch-class entropy in 8 s, bits"),
            ("pitch_class_entropy", "pitch-class entropy, bits"),
            ("kinship", "kinship with the seed"),
            ("window_key_clarity", "key clarity in 8 s"),
            ("key_clarity", "key clarity"),
            ("scale_consistency", "scale consistency"),
        ),
    ),
    Section(
        "How is it written and played?",
        "*Polyphony* is how many keys sound at once, on average over the time in which any does.",
        (),
        (
            ("polyphony", "polyphony"),
            ("pitch_count", "different pitches"),
            ("pitch_range", "pitch range, semitones"),
            ("mean_pitch_interval", "mean interval, semitones"),
            ("mean_inter_onset_s", "mean time between onsets, s"),
            ("velocity_sd", "spread of velocity"),
        ),
    ),
    _ORIGINALITY,
    _STYLE,
)

MEASURE_TITLES = {name: title for section in SECTIONS for name, title in section.measures}
"""Titles of all measures that the page shows."""
_OF_MUSIC = [
    name
    for section in SECTIONS
    if section not in (_ORIGINALITY, _STYLE)
    for name, _ in section.measures
]


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
        yield "\n".join(f"- **{_text(n)}**: {_text(told)}" for n, told in report["about"].items())
    if report["remarks"]:
        yield "\n".join(["Left out:", "", *(f"- {_text(remark)}" for remark in report["remarks"])])
    yield _HOW_TO_READ
    for section in SECTIONS:
        rows = list(_section_rows(section, systems))
        if rows:
            yield f"## {section.title}"
            yield section.text
            yield _table(["", *systems], rows)
            if section is _ORIGINALITY:
                yield from _longest_matches(systems)
            if section is _STYLE and "classifier" in report:
                yield from _trust(report["classifier"])
    yield from _variety(systems)
    yield from _distances(report)
    yield from _likelihood(report.get("likelihood", {}))
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
    told = [system.get("sounds_like") for system in systems.values()]
    if section is _STYLE and any(told):
        yield ["most often taken for", *map(_most_common, told)]


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
    shown = [m for m in _OF_MUSIC if any(v.get(m) is not None for v in varieties.values())]
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
