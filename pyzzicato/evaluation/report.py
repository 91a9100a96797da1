"""The report: sets of pieces side by side, as plain JSON values and as files.

Every figure stands beside the same figure for real music, and real music beside itself: its two
halves, compared like any two sets, are the ceiling of what the comparison can give. `page` turns
the report into something to read.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..playing.decoding import PART_NAMES
from .adversary import Verdict
from .distribution import MIN_PIECES, Features, compare_sets
from .entropy import NumberEntropy
from .likelihood import Likelihood
from .measures import REAL, PieceMeasures, scalar_columns
from .report_page import report_page
from .spread import rate_of, spread_of
from .stability import STUCK_SHARE
from .style import StyleClassifier

Sets = Mapping[str, Sequence[PieceMeasures]]
"""Pieces by the name of who made them; `REAL` is the real music, if there is any."""


def build_report(
    sets: Sets,
    *,
    description: str = "",
    about: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    remarks: Sequence[str] = (),
    likelihoods: Mapping[str, Likelihood] | None = None,
    classifier: StyleClassifier | None = None,
    adversaries: Mapping[str, Mapping[str, Verdict]] | None = None,
    entropies: Mapping[str, Mapping[str, NumberEntropy]] | None = None,
) -> dict[str, Any]:
    """Returns the report as plain JSON values.

    Args:
        sets: the pieces; sets without a piece are left out. The real ones are compared half with
            half in the order given: every second one makes a half.
        description: how the pieces were made, in sentences.
        about: what each set is, in words.
        settings: what the pieces were made with.
        remarks: what was left out and why.
        likelihoods: of held-out music, by model or baseline.
        classifier: the one that judged style; with how often it is right.
        adversaries: by set, what adversaries that try to tell it from real music reach, each by
            its name.
        entropies: by set, of each number of a model's step; see `entropy`.
    """
    filled = {name: pieces for name, pieces in sets.items() if pieces}
    systems = {name: summarise(pieces) for name, pieces in filled.items()}
    report: dict[str, Any] = {
        "description": description,
        "about": dict(about or {}),
        "settings": dict(settings or {}),
        "remarks": list(remarks),
        "systems": systems,
    }
    if REAL in filled:
        _compare_with_real(report, filled)
    if likelihoods:
        report["likelihood"] = {name: value.as_dict() for name, value in likelihoods.items()}
    for part, by_set in (("adversary", adversaries), ("entropy", entropies)):
        if by_set and any(by_set.values()):
            report[part] = {
                name: {what: asdict(value) for what, value in values.items()}
                for name, values in by_set.items()
                if values
            }
    if classifier is not None:
        tables = classifier.confusions.items()
        report["classifier"] = {
            "composers": list(classifier.composers),
            "balanced_accuracy": {name: table.accuracy for name, table in tables},
        }
    return report


def summarise(pieces: Sequence[PieceMeasures]) -> dict[str, Any]:
    """Returns spreads of the measures and rates of the verdicts of one set of pieces.

    Besides the columns of `scalar_columns` there is `composer_probability`, what the classifier
    gives the composer the piece should sound like. Pieces for composers it does not know do not
    count in it; those with too few notes to judge have none, and are taken for nobody.
    """
    columns = scalar_columns(pieces)
    rates = {
        "dried_up": rate_of(p.stability.dried_up for p in pieces),
        "mostly_silent": rate_of(p.stability.mostly_silent for p in pieces),
        "stuck": rate_of((p.stability.stuck_share or 0.0) > STUCK_SHARE for p in pieces),
    }
    columns["rescues"] = [p.rescues for p in pieces]
    columns |= {f"acted_{part}": [p.acted.get(part) for p in pieces] for part in PART_NAMES}
    watched = [p.rescues > 0 for p in pieces if p.rescues is not None]
    if watched:
        rates["rescued"] = rate_of(watched)
    summary: dict[str, Any] = {"n": len(pieces)}
    found = [p.originality for p in pieces if p.originality is not None]
    if found:
        rates["copied"] = rate_of(o.copied for o in found)
        summary |= _longest_match(pieces)
    styles = [(p.composer, p.style) for p in pieces if p.style is not None]
    if styles:
        asked = [(c, s) for c, s in styles if c in s.probabilities]
        rates["taken_for_its_composer"] = rate_of(s.composer == c for c, s in asked)
        columns["composer_probability"] = [
            s.probabilities[c] if c is not None and s.composer is not None else None
            for c, s in asked
        ]
        named = Counter(s.composer for _, s in styles if s.composer is not None)
        summary["sounds_like"] = dict(named.most_common())
    summary["measures"] = {name: asdict(spread_of(values)) for name, values in columns.items()}
    summary["rates"] = {name: asdict(rate) for name, rate in rates.items()}
    return summary


def make_folder(folder: Path) -> Path:
    """Makes a report's folder and returns it; best done before the long work.

    Raises:
        ValueError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"folder {folder} cannot be made: {error.strerror}; choose one you may write to"
        ) from error
    return folder


def write_report(report: Mapping[str, Any], folder: Path) -> Path:
    """Writes `report.json` and `report.md` into a folder; returns the latter's path.

    Raises:
        ValueError: if the report holds a number that is not finite: a measure without a documented
            value is refused rather than written.
    """
    text = json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    page = folder / "report.md"
    page.write_text(report_page(report), encoding="utf-8")
    return page


def _compare_with_real(report: dict[str, Any], sets: Sets) -> None:
    """Adds to a report how far each set lies from the real one, and how it varies beside it."""
    real = [piece.features for piece in sets[REAL]]
    for name, system in report["systems"].items():
        if name == REAL:
            continue
        system["variety"] = variety(system["measures"], report["systems"][REAL]["measures"])
        if len(real) >= MIN_PIECES:
            others = [piece.features for piece in sets[name]]
            system["distribution"] = _comparison(real, others)
    if len(real) >= 2 * MIN_PIECES:
        report["ceiling"] = _comparison(real[::2], real[1::2])


def _comparison(real: Sequence[Features], others: Sequence[Features]) -> dict[str, Any]:
    """Returns how far a set lies from the real one; no means where a feature has no distance.

    Pieces without notes have only two features, and a mean over these would flatter them.
    """
    compared = asdict(compare_sets(real, others))
    if any(distance["oa"] is None for distance in compared["features"].values()):
        compared |= {"mean_oa": None, "mean_kl": None}
    return compared


def variety(ours: Mapping[str, Any], real: Mapping[str, Any]) -> dict[str, float | None]:
    """Returns each measure's standard deviation over the pieces as a multiple of real music's.

    1 is as varied as real music, 0 all alike. None where the real pieces do not differ either or a
    set has fewer than two pieces with the measure.

    Args:
        ours: spreads by measure, as `summarise` gives them.
        real: the same of the real music.
    """
    found: dict[str, float | None] = {}
    for name in ours.keys() & real.keys():
        enough = ours[name]["n"] >= 2 and real[name]["n"] >= 2 and real[name]["sd"] > 0
        found[name] = ours[name]["sd"] / real[name]["sd"] if enough else None
    return dict(sorted(found.items()))


def _longest_match(pieces: Sequence[PieceMeasures]) -> dict[str, Any]:
    """Returns which piece shares the longest passage with the training music; nothing if none."""
    compared = [(p.name, p.originality) for p in pieces if p.originality is not None]
    name, longest = max(compared, key=lambda item: item[1].longest_notes)
    if not longest.longest_notes:
        return {}
    return {"longest_match": {"piece": name, "sentence": longest.sentence()}}
