"""A checkpoint as the repository it becomes: weights, config, code, record, card and an example."""

import copy
import inspect
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..audio import render, write_mp3
from ..hub import load_model, model_info
from ..hub.checkpoints import (
    CONFIG,
    GRAPH,
    MAX_CONFIG_BYTES,
    RECORD,
    WEIGHTS,
    ModelInfo,
    read_checkpoint,
    read_config,
    read_json,
)
from ..hub.data_licences import NOT_RECORDED, data_licences
from ..hub.graphs import find_graph
from ..hub.networks import check_weights, expected_shapes
from ..midi import write_midi
from ..models.config import PyzzicatoConfig
from ..models.model import PyzzicatoModel
from ..playing.continuation import continue_seed
from ..playing.loaded_model import Model
from ..playing.settings import GenerationSettings
from ..plots import plot_pianoroll, save_png
from ..seeds import load_seed
from ..training.record import as_earlier_runs
from .cards import model_card, render_card
from .endpoint import endpoint_files
from .licences import LICENCE_FILE, licence_facts
from .model_facts import model_facts
from .repo_folder import empty_folder
from .shipped_code import (
    AUTO_MAP,
    CUSTOM_PIPELINES,
    NETWORK_NEEDS,
    shipped_code,
    shipped_requirements,
)

EXAMPLE_SEED = "bach-prelude-c-major"
EXAMPLE_SETTINGS = GenerationSettings(seconds=20)
MAX_REPORT_BYTES = 50_000_000


def build_model_repo(
    checkpoint: Path,
    repo: str,
    out: Path,
    *,
    report: Path | None = None,
    example: bool = True,
    sound: bool = True,
    base_model: str | None = None,
    licence: str | None = None,
) -> ModelInfo:
    """Lays a checkpoint out as its repository in an empty folder; returns what it holds.

    The same checkpoint and report give the same bytes.

    Args:
        checkpoint: folder with `config.json`, `model.safetensors` and `training.json`; what else of
            a model lies there, graphs (`*.onnx`) and `generation_config.json`, goes along.
        repo: NAMESPACE/NAME the card speaks of.
        out: the folder, made if absent.
        report: an evaluation's `report.json`; the card shows what it says of these weights.
        example: whether the model shall play for the card.
        sound: whether an MP3 of that is made, too.
        base_model: repository of the model that the training began with, whose licences are taken
            over from its own record; as recorded if None.
        licence: of the music it was trained on, where the record does not say.

    Raises:
        ValueError: if the checkpoint is not usable, has no training record, the report is not
            about its weights, or nobody says what the music may be used for.
    """
    info = read_checkpoint(checkpoint, repo.rpartition("/")[2])
    if not info.record:
        raise ValueError(f"{checkpoint} must hold {RECORD}, which training leaves beside the model")
    record = with_licence(_with_base(info.record, base_model), licence)
    about = None if report is None else _read_report(report, info)
    empty_folder(out)
    _copy_model(checkpoint, out)
    if not (out / GRAPH).is_file():
        shutil.copyfile(find_graph(info, read_config(checkpoint)), out / GRAPH)
    (out / RECORD).write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    _write_code(out)
    _write_licences(info.name, record, out)
    played = _play(load_model(str(out)), out, sound) if example else None
    facts = model_facts(
        read_json(checkpoint / CONFIG, MAX_CONFIG_BYTES),
        record,
        about,
        repo=repo,
        revision=info.revision,
        parts=_parts(checkpoint),
        size_bytes=info.size_bytes,
        files=sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()),
        needs=[*NETWORK_NEEDS, *(line.partition("==")[0] for line in shipped_requirements())],
        base_model=base_model,
        example=played,
    )
    (out / "README.md").write_text(model_card(facts), encoding="utf-8")
    return info


def _with_base(record: Mapping[str, Any], base_model: str | None) -> dict[str, Any]:
    """Returns a training record in which the runs of the model before stand, too."""
    earlier = list(record.get("earlier_runs") or [])
    if base_model is not None:
        before = as_earlier_runs(model_info(base_model).record)
        earlier = [*(run for run in before if run not in earlier), *earlier]
    return {**record, "earlier_runs": earlier} if earlier else dict(record)


def _write_licences(name: str, record: Mapping[str, Any], out: Path) -> None:
    facts = {"name": name, "licences": licence_facts(data_licences(record))}
    (out / LICENCE_FILE).write_text(render_card("licence.md.jinja", facts), encoding="utf-8")


def with_licence(record: Mapping[str, Any], licence: str | None) -> dict[str, Any]:
    """Returns a training record that says of all its music what it may be used for.

    Args:
        record: `training.json`.
        licence: of the music for which the record does not say it.

    Raises:
        ValueError: if there is such music, an earlier run's included, and no licence is given.
    """
    whole = copy.deepcopy(dict(record))
    if licence:
        for run in (*whole.get("earlier_runs", []), whole):
            run["data"] = data = run.get("data") or {}
            data["licence"] = data.get("licence") or licence
            for its in (data.get("sources") or {}).values():
                its["licences"] = [name or licence for name in its["licences"]]
    if any(its.licence == NOT_RECORDED for its in data_licences(whole)):
        raise ValueError(
            "whoever uses a model must know the licence of the music it was trained on, and the "
            "training record does not name it; give it with --licence, for instance 'CC BY 4.0'"
        )
    return whole


def _copy_model(checkpoint: Path, out: Path) -> None:
    """Copies what a checkpoint folder holds of a model, the config with where its code lies."""
    optional = (checkpoint / "generation_config.json", *sorted(checkpoint.glob("*.onnx")))
    names = [WEIGHTS, *(path.name for path in optional if path.is_file())]
    for name in names:
        shutil.copyfile(checkpoint / name, out / name)
    config = _shipped_config(checkpoint)
    (out / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _write_code(out: Path) -> None:
    """Writes the code for `trust_remote_code` and for Inference Endpoints."""
    files = {name: text.encode() for name, text in shipped_code().items()} | endpoint_files()
    for name, data in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)


def _shipped_config(checkpoint: Path) -> dict[str, Any]:
    """Returns the config with where to find the code that lies beside it."""
    config = json.loads((checkpoint / CONFIG).read_text(encoding="utf-8"))
    config |= {"auto_map": AUTO_MAP, "custom_pipelines": CUSTOM_PIPELINES}
    return dict(sorted(config.items()))


def _read_report(path: Path, info: ModelInfo) -> Mapping[str, Any]:
    try:
        report = read_json(path, MAX_REPORT_BYTES)
        evaluated = report["settings"]["model"]
        found = info.revision in evaluated.values()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not an evaluation's report.json: {error!r}") from error
    if not found:
        others = ", ".join(f"{name} ({its})" for name, its in evaluated.items())
        raise ValueError(
            f"{path} must be about these weights ({info.revision}), got {others}; evaluate the "
            "model anew, or leave the report out"
        )
    return report


def _parts(checkpoint: Path) -> dict[str, dict[str, Any]]:
    """Returns the model's parts, what their classes say of themselves, and their weights."""
    config = read_config(checkpoint)
    check_weights(checkpoint / WEIGHTS, config)
    with torch.device("meta"):
        model = PyzzicatoModel(PyzzicatoConfig(**config.choices()))
    sizes = {name: torch.Size(shape).numel() for name, shape in expected_shapes(config).items()}
    return {
        name: {
            "about": _about(part),
            "weights": sum(n for key, n in sizes.items() if key.startswith(f"{name}.")),
        }
        for name, part in model.named_children()
    }


def _about(part: nn.Module) -> str:
    """Returns what a part of the model is: as its own class says, or by its measures."""
    if isinstance(part, nn.Embedding):
        return f"A table of {part.num_embeddings} rows of {part.embedding_dim} numbers."
    if isinstance(part, nn.Linear):
        return f"One linear layer, from {part.in_features} numbers to {part.out_features}."
    if type(part).__module__.partition(".")[0] == "torch":
        return f"{type(part).__name__}, as torch has it."
    return " ".join((inspect.getdoc(type(part)) or "").split("\n\n")[0].split())


def _play(model: Model, out: Path, sound: bool) -> dict[str, Any]:
    """Writes a continuation of a preset seed for the card; returns what the card says of it."""
    seed = load_seed(EXAMPLE_SEED)
    piece = continue_seed(model, seed.notes, EXAMPLE_SETTINGS, seed.performance.composer)
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
    about = {"title": title, "seconds": f"{EXAMPLE_SETTINGS.seconds:g}", "sound": None}
    if sound:
        rendered = render(piece.notes)
        write_mp3(rendered, out / "continuation.mp3")
        about["sound"] = rendered.credit
    return about
