"""A checkpoint as the repository it becomes: weights, config, code, record, card and an example."""

import inspect
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import soundfile  # type: ignore[import-untyped]
import torch

from ..audio import Sound, render
from ..hub.checkpoints import (
    CONFIG,
    RECORD,
    WEIGHTS,
    ModelInfo,
    expected_shapes,
    open_checkpoint,
    read_checkpoint,
    read_config,
    read_json,
)
from ..midi import write_midi
from ..models.model import PyzzicatoModel
from ..playing.continuation import continue_seed
from ..playing.settings import GenerationSettings
from ..plots import plot_pianoroll, save_png
from ..seeds import load_seed
from .cards import model_card
from .facts import model_facts
from .shipped_code import AUTO_MAP, CUSTOM_PIPELINES, shipped_code

EXAMPLE_SEED = "bach-prelude-c-major"
EXAMPLE_SETTINGS = GenerationSettings(seconds=20)
# Blocks, since the encoder fails on minutes of sound at once.
_BLOCK = 16_384
_MAX_REPORT_BYTES = 50_000_000


def build_model_repo(
    checkpoint: Path,
    repo: str,
    out: Path,
    *,
    report: Path | None = None,
    example: bool = True,
    sound: bool = True,
) -> ModelInfo:
    """Lays a checkpoint out as its repository in an empty folder; returns what it holds.

    The same checkpoint and report give the same bytes.

    Args:
        checkpoint: folder with `config.json`, `model.safetensors` and `training.json`.
        repo: NAMESPACE/NAME the card speaks of.
        out: the folder, made if absent.
        report: an evaluation's `report.json`; the card shows what it says of these weights.
        example: whether the model shall play for the card.
        sound: whether that shall be heard, too.

    Raises:
        ValueError: if the checkpoint is not usable, has no training record, or the report is not
            about its weights.
    """
    info = read_checkpoint(checkpoint, repo.rpartition("/")[2])
    if not info.record:
        raise ValueError(f"{checkpoint} must hold {RECORD}, which training leaves beside the model")
    model = open_checkpoint(info)
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ValueError(f"{out} must be an empty folder; choose another")
    for name in (WEIGHTS, RECORD):
        shutil.copyfile(checkpoint / name, out / name)
    config = _shipped_config(checkpoint)
    (out / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for name, text in shipped_code().items():
        (out / name).write_text(text, encoding="utf-8")
    facts = model_facts(
        config,
        info.record,
        None if report is None else _read_report(report, info),
        repo=repo,
        revision=info.revision,
        parts=_parts(checkpoint),
        size_bytes=info.size_bytes,
        example=_play(model, out, sound) if example else None,
    )
    (out / "README.md").write_text(model_card(facts), encoding="utf-8")
    return info


def _shipped_config(checkpoint: Path) -> dict[str, Any]:
    """Returns the config with where to find the code that lies beside it."""
    config = json.loads((checkpoint / CONFIG).read_text(encoding="utf-8"))
    config |= {"auto_map": AUTO_MAP, "custom_pipelines": CUSTOM_PIPELINES}
    return dict(sorted(config.items()))


def _read_report(path: Path, info: ModelInfo) -> Mapping[str, Any]:
    try:
        report = read_json(path, _MAX_REPORT_BYTES)
        evaluated = report["settings"]["model"]
        found = info.revision in evaluated.values()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not an evaluation's report.json: {error!r}") from error
    if not found:
        told = ", ".join(f"{name} ({its})" for name, its in evaluated.items())
        raise ValueError(
            f"{path} must be about these weights ({info.revision}), got {told}; evaluate the model "
            "anew, or leave the report out"
        )
    return report


def _parts(checkpoint: Path) -> dict[str, dict[str, Any]]:
    """Returns the model's parts, what their classes say of themselves, and their weights."""
    config = read_config(checkpoint)
    with torch.device("meta"):
        model = PyzzicatoModel(config)
    sizes = {name: torch.Size(shape).numel() for name, shape in expected_shapes(config).items()}
    return {
        name: {
            "about": _first_paragraph(part),
            "weights": sum(n for key, n in sizes.items() if key.startswith(f"{name}.")),
        }
        for name, part in model.named_children()
    }


def _first_paragraph(part: object) -> str:
    """Returns the first paragraph of what a class says of itself, on one line."""
    return " ".join((inspect.getdoc(type(part)) or "").split("\n\n")[0].split())


def _play(model: PyzzicatoModel, out: Path, sound: bool) -> dict[str, Any]:
    """Writes a continuation of a preset seed for the card; returns what is told of it."""
    seed = load_seed(EXAMPLE_SEED)
    piece = continue_seed(model, seed.notes, EXAMPLE_SETTINGS)
    title = f"{seed.composer}: {seed.title}"
    write_midi(piece.notes, out / "continuation.mid")
    end = piece.seed_seconds + EXAMPLE_SETTINGS.seconds
    picture = plot_pianoroll(
        piece.seed_notes,
        piece.new_notes,
        piece.seed_seconds,
        title,
        end,
        [piece.seed_seconds + rescue.seconds for rescue in piece.rescues],
    )
    save_png(picture, out / "continuation.png")
    told = {"title": title, "seconds": f"{EXAMPLE_SETTINGS.seconds:g}", "sound": None}
    if sound:
        heard = render(piece.notes)
        _write_mp3(heard, out / "continuation.mp3")
        told["sound"] = heard.credit
    return told


def _write_mp3(sound: Sound, path: Path) -> None:
    with soundfile.SoundFile(
        path, "w", sound.sample_rate, channels=2, format="MP3", subtype="MPEG_LAYER_III"
    ) as file:
        for first in range(0, len(sound.samples), _BLOCK):
            file.write(sound.samples[first : first + _BLOCK])
