"""What models there are: the bundled ones, and those on the Hub that carry our tag.

`train/publish.py` gives each model's card the tag and a short table of facts; the Hub's listing
holds both, so that one request finds all models, whoever trained them. What is found is kept for a
day. What others wrote into their cards is cut to plain short values before it is shown.
"""

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import ModelInfo, constants, metadata_load

from .checkpoints import ModelInfo as CheckpointInfo
from .downloads import (
    PATIENT_ANSWER_S,
    HubUnreachableError,
    NotOnHubError,
    ask_hub,
    fetch_json,
    forget_silence,
)
from .loading import list_models

TAG = "pyzzicato"
"""Marks a model on the Hub as one that this package can play."""

_KEPT_S = 86_400.0
_MAX_MODELS = 500
_MAX_TEXT = 80
_MAX_MEASURES = 40
_TEXTS = ("revision", "backbone", "representation", "head", "data", "licence", "loss_unit")
_NUMBERS = ("weights", "size_mb", "hours")


@dataclass(frozen=True, slots=True)
class Listing:
    """Models, as plain JSON tables, and what there is to say about the list itself.

    Each table has name, source ("bundled" or "Hub"), repo, commit, revision (of the weights),
    backbone, representation, head, weights, size_mb, data, licence, hours, loss_unit, and measures;
    what is not known is None.
    """

    models: tuple[dict[str, Any], ...]
    remark: str | None = None


def find_models(refresh: bool = False) -> Listing:
    """Returns the bundled models and those on the Hub, the latter as they were within a day.

    Without a network the Hub's are those of the last time, however long ago.

    Args:
        refresh: ask the Hub in any case.
    """
    bundled = [_bundled_row(info) for info in list_models()]
    rows, remark = _on_hub(refresh)
    beside = {row["repo"]: row for row in rows}
    for row in bundled:
        # A bundled model that is published has the figures of its card.
        published = beside.pop(row["repo"], None)
        if published is not None:
            row["measures"] = published["measures"] | row["measures"]
    return Listing((*bundled, *beside.values()), remark)


def _bundled_row(info: CheckpointInfo) -> dict[str, Any]:
    """Returns what is listed of a bundled model; its measures are those of the card beside it."""
    facts = info.as_dict()
    loss = facts.pop("validation_loss")
    facts.pop("baseline_losses")
    card = info.folder / "README.md"
    on_card = hub_row(info.name, None, metadata_load(card) or {}) if card.is_file() else {}
    measures = {} if loss is None else {"loss": round(loss, 4)}
    return {**facts, "measures": on_card.get("measures", {}) | measures}


def _on_hub(refresh: bool) -> tuple[list[dict[str, Any]], str | None]:
    """Returns the Hub's models, and a remark where they are old or could not be had."""
    kept_at, kept = _read_kept()
    if not refresh and time.time() - kept_at < _KEPT_S:
        return kept, None
    if refresh:
        forget_silence()
    try:
        rows = ask_hub(_ask, PATIENT_ANSWER_S, "the Hub was not asked for its models")
    except (HubUnreachableError, NotOnHubError) as error:
        if not kept_at:
            return [], f"Models on the Hub are not listed: {error}"
        day = time.strftime("%d %B %Y", time.localtime(kept_at))
        return kept, f"Models on the Hub are those of {day}: {error}"
    _keep(rows)
    return rows, None


def _ask() -> list[dict[str, Any]]:
    """Returns the Hub's models. One page holds all we show; the client would try errors again."""
    asked = {"filter": TAG, "full": True, "cardData": True, "limit": _MAX_MODELS}
    answer = fetch_json("models", asked, PATIENT_ANSWER_S)
    if not isinstance(answer, list) or not all(isinstance(entry, dict) for entry in answer):
        raise HubUnreachableError("what answers at the Hub's address gives no list of models")
    found = (
        ModelInfo(**{"siblings": None, **entry}) for entry in answer[:_MAX_MODELS] if "id" in entry
    )
    return [hub_row(info.id, info.sha, info.card_data or {}) for info in found]


def hub_row(repo: str, commit: str | None, card: Any) -> dict[str, Any]:
    """Returns what is listed of a model on the Hub, cut to plain short values.

    Args:
        repo: NAMESPACE/NAME.
        commit: the newest.
        card: the metadata of its card, whatever its owner wrote there.
    """
    block = card.get("pyzzicato")
    block = block if isinstance(block, Mapping) else {}
    measures = block.get("measures")
    measures = measures if isinstance(measures, Mapping) else {}
    row: dict[str, Any] = {"name": _text(repo), "source": "Hub", "repo": repo, "commit": commit}
    row |= {key: _text(block.get(key)) for key in _TEXTS}
    row |= {key: _number(block.get(key)) for key in _NUMBERS}
    row["licence"] = row["licence"] or _text(card.get("license"))
    plain = ((_text(key), _number(value)) for key, value in list(measures.items())[:_MAX_MEASURES])
    row["measures"] = {key: value for key, value in plain if key and value is not None}
    return row


def _text(value: object) -> str | None:
    """Returns a short text without control characters, or None."""
    if not isinstance(value, str):
        return None
    return "".join(c for c in value if c.isprintable())[:_MAX_TEXT] or None


def _number(value: object) -> float | int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and math.isfinite(value) and abs(value) < 1e15 else None  # type: ignore[arg-type,return-value]


def _kept_path() -> Path:
    # Where the client's own function would put it, which makes the folder at once: it may not be
    # possible to make one, and there is nothing to keep yet.
    place = hashlib.sha256(constants.ENDPOINT.encode()).hexdigest()[:12]
    folder = Path(constants.HF_ASSETS_CACHE) / "pyzzicato" / "default" / "default"
    return folder / f"models-{place}.json"


def _read_kept() -> tuple[float, list[dict[str, Any]]]:
    """Returns when the Hub was last asked (0 if never) and what it answered."""
    path = _kept_path()
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for row in answer if isinstance(row, dict) and "repo" in row]
        return path.stat().st_mtime, rows
    except (OSError, ValueError, TypeError):
        return 0.0, []


def _keep(rows: list[dict[str, Any]]) -> None:
    path = _kept_path()
    try:
        # Beside and then over the old one: no reader may see half a file.
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{time.monotonic_ns()}")
        part.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        part.replace(path)
    except OSError:
        pass  # A list that cannot be kept is asked for again.
