"""The training record: what a checkpoint was made from, how, and how well it predicts."""

import json
import os
import platform
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
import transformers

from ..models import PyzzicatoModel
from .baselines import count_baselines
from .batches import middle_crops
from .loop import Progress
from .settings import TrainSettings
from .store import RollStore, StoredPiece

DATA_LICENCE = "CC BY-NC-SA 4.0"
"""MAESTRO's licence; weights trained on it follow it."""


def hours_by_composer(pieces: list[StoredPiece], fs: int) -> dict[str, float]:
    """Returns hours of music by composer, most first, to a hundredth of an hour."""
    frames: dict[str, int] = defaultdict(int)
    for piece in pieces:
        frames[piece.composer] += piece.length
    ordered = sorted(frames.items(), key=lambda item: -item[1])
    return {composer: round(n / fs / 3600, 2) for composer, n in ordered}


def training_record(
    store: RollStore,
    settings: TrainSettings,
    progress: Progress,
    *,
    command: str,
    n_processes: int,
    device: str,
) -> dict[str, Any]:
    """Returns the facts of a finished run as plain JSON values.

    The baselines are counted on the same training pieces and measured on the same held-out frames
    as the network. All losses are nats a frame, summed over the 88 keys.
    """
    composers = settings.composers or None
    train_pieces = store.of_split("train", composers)
    held_out = store.of_split("validation", composers)
    counted = count_baselines(store.each(train_pieces))
    crops = middle_crops(store, held_out, settings.eval_frames)
    return {
        "command": command,
        "settings": settings.as_dict(),
        "data": {
            "name": "MAESTRO",
            "licence": DATA_LICENCE,
            "train_pieces": len(train_pieces),
            "validation_pieces": len(held_out),
            "train_hours": hours_by_composer(train_pieces, store.fs),
        },
        "steps": progress.step,
        "best_step": progress.best_step,
        "frames_seen": progress.step
        * settings.batch_size
        * settings.crop_frames
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
            "unit": "nats a frame",
            "validation": progress.best_loss,
            "all_keys_by_frequency": counted.frequency_nll(crops),
            "copy_the_last_frame": counted.copy_nll(crops),
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
