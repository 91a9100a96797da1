"""The cards of the bundled models, and what the weights that the package brings may be used for."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..hub.checkpoints import ModelInfo, read_json
from ..hub.data_licences import all_licences
from ..hub.loading import BUNDLED, list_models
from ..hub.sums import write_sums
from .cards import render_card
from .licences import CODE_LICENCE, LICENCE_FILE, licence_facts, spdx_id
from .model_repo import MAX_REPORT_BYTES, build_model_repo

NAMESPACE = "NAMESPACE"
"""Stands in the cards for whoever publishes the models."""


def write_bundled(report: Path | None = None) -> list[Path]:
    """Writes each bundled model's card, and licences and checksums of all; returns the files.

    Args:
        report: an evaluation's `report.json`; cards of models whose weights it is not about have no
            figures.

    Raises:
        ValueError: if the report cannot be read.
    """
    sums = write_sums(BUNDLED)
    models = list_models()
    files = [_write_card(info, report) for info in models]
    licences = BUNDLED / LICENCE_FILE
    licences.write_text(bundled_licences(models), encoding="utf-8")
    return [*files, licences, sums]


def bundled_licences(models: Sequence[ModelInfo]) -> str:
    """Returns what the weights of models may be used for, as text."""
    facts = licence_facts(all_licences(info.record for info in models))
    rows = [{"name": info.name, "licence": info.as_dict()["licence"]} for info in models]
    return render_card("bundled.md.jinja", {"licences": facts, "models": rows})


def licence_expression(models: Sequence[ModelInfo]) -> str:
    """Returns the licences of code and weights as the metadata of the package name them."""
    ids = (spdx_id(its.licence) for its in all_licences(info.record for info in models))
    return " AND ".join([CODE_LICENCE, *(name for name in ids if name is not None)])


def _write_card(info: ModelInfo, report: Path | None) -> Path:
    with tempfile.TemporaryDirectory(prefix="pyzzicato-card-") as place:
        about = report if report is not None and info.revision in _evaluated(report) else None
        repo = f"{NAMESPACE}/pyzzicato-{info.name}"
        build_model_repo(info.folder, repo, Path(place), report=about, example=False)
        card = info.folder / "README.md"
        card.write_bytes((Path(place) / "README.md").read_bytes())
    return card


def _evaluated(report: Path) -> set[str]:
    try:
        revisions: Mapping[str, Any] = read_json(report, MAX_REPORT_BYTES)["settings"]["model"]
        return set(revisions.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{report} is not an evaluation's report.json: {error!r}") from error
