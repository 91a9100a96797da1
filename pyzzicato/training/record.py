"""The training record: what a checkpoint was made from, how, and how well it predicts."""

import json
import os
import platform
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers

from ..hub import model_info
from ..hub.checkpoints import read_record
from ..models.model import PyzzicatoModel
from ..representations import Representation, representation_of
from .baselines import count_baselines, count_event_baselines
from .held_out import middle_crops
from .progress import Progress
from .recipes import Settings
from .store import NoteStore, StoredPiece

# Enough to run an earlier run again.
_TOLD_OF_EARLIER = (
    "command",
    "settings",
    "started_from",
    "data",
    "steps",
    "steps_seen",
    "wall_seconds",
)


def hours_by_composer(pieces: list[StoredPiece]) -> dict[str, float]:
    """Returns hours of music by composer, most first, to a hundredth of an hour."""
    seconds: dict[str, float] = defaultdict(float)
    for piece in pieces:
        seconds[piece.composer] += piece.seconds
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    return {composer: round(total / 3600, 2) for composer, total in ordered}


def baseline_losses(
    store: NoteStore,
    training: list[StoredPiece],
    held_out: list[StoredPiece],
    representation: Representation,
    n_steps: int,
) -> dict[str, float]:
    """Returns nats a step of models that learn nothing in time, by what they do."""
    pieces = (representation.encode(notes) for notes in store.each(training))
    crops = middle_crops(store, held_out, representation, n_steps)
    if representation.steps_are_notes:
        events = count_event_baselines(pieces)
        return {
            "all_numbers_by_frequency": events.frequency_nll(crops),
            "given_the_note_before": events.markov_nll(crops),
        }
    counted = count_baselines(pieces)
    return {
        "all_keys_by_frequency": counted.frequency_nll(crops),
        "copy_the_last_frame": counted.copy_nll(crops),
    }


def earlier_runs(start_from: str) -> list[dict[str, Any]]:
    """Returns what led to the weights that a run began with, first run first; none for fresh ones.

    Args:
        start_from: name or folder of the model, or empty.
    """
    return as_earlier_runs(read_record(model_info(start_from).folder)) if start_from else []


def as_earlier_runs(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the runs of a model as the record of one that goes on from it holds them.

    Args:
        record: of the model, `training.json`; empty if it has none.
    """
    return [*record.get("earlier_runs", []), {key: record.get(key) for key in _TOLD_OF_EARLIER}]


def started_from(start_from: str) -> dict[str, Any] | None:
    """Returns which weights a run began with, as others can find them; None for fresh ones.

    Args:
        start_from: name or folder of the model, or empty.
    """
    if not start_from:
        return None
    info = model_info(start_from)
    return {"repo": info.repo, "commit": info.commit, "revision": info.revision}


def training_record(
    store: NoteStore,
    settings: Settings,
    progress: Progress,
    *,
    command: str,
    n_processes: int,
    device: str,
) -> dict[str, Any]:
    """Returns the facts of a finished run as plain JSON values.

    The baselines are counted on the same training pieces and measured on the same held-out steps
    as the network. All losses are nats a step: a frame summed over its keys, or a note.
    """
    composers = settings.composers or None
    train_pieces = store.of_split("train", composers)
    held_out = store.of_split("validation", composers)
    representation = representation_of(settings.model_config(store.sustain))
    return {
        "command": command,
        "earlier_runs": earlier_runs(settings.start_from),
        "settings": settings.as_dict(),
        "started_from": started_from(settings.start_from),
        "data": {
            "name": store.data,
            "licence": store.licence,
            "sha256": store.fingerprint(),
            "repo": store.repo,
            "sources": store.sources(),
            "train_pieces": len(train_pieces),
            "validation_pieces": len(held_out),
            "train_hours": hours_by_composer(train_pieces),
        },
        "steps": progress.step,
        "best_step": progress.best_step,
        "steps_seen": progress.step
        * settings.gradient_accumulation
        * settings.steps_a_batch
        * n_processes,
        "wall_seconds": round(progress.seconds, 1),
        "hardware": {
            "device": device,
            "processes": n_processes,
            "cpu_cores": os.cpu_count(),
        },
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        "losses": {
            "unit": f"nats a {representation.unit}",
            "validation": progress.best_loss,
            "baselines": baseline_losses(
                store, train_pieces, held_out, representation, settings.eval_steps
            ),
        },
        "curve": progress.curve,
    }


def write_record(record: dict[str, Any], checkpoint: Path) -> Path:
    """Writes `training.json` into a checkpoint folder that holds a model; returns its path.

    Raises:
        ValueError: if the folder holds no loadable model.
    """
    try:
        PyzzicatoModel.from_pretrained(checkpoint)
    except OSError as error:
        raise ValueError(f"{checkpoint} holds no model: {error}") from error
    path = checkpoint / "training.json"
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    return path
