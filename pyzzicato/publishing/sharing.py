"""A loaded model saved or published whole: weights, graph, code, record, tag and card."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import PreTrainedModel

from ..hub import model_info
from ..hub.checkpoints import CONFIG, GRAPH, RECORD, VALUES, WEIGHTS
from ..hub.listing import TAG
from ..training.record import as_earlier_runs
from .access import check_token
from .commits import Published, publish_folder
from .model_repo import build_model_repo
from .plans import check_target, plan_publication


def save_checkpoint(name: str, folder: Path, *, licence: str | None = None) -> None:
    """Lays a model out in an empty folder as it would be published.

    Args:
        name: as `load_model` takes it.
        folder: made if absent.
        licence: of the music it has learnt from, where its record does not say.

    Raises:
        ValueError: if there is no such model, the folder is not empty, or nobody says what the
            music may be used for.
    """
    build_model_repo(
        model_info(name).folder, Path(name).name, folder, example=False, licence=licence
    )


def save_network(network: PreTrainedModel, folder: Path, *, licence: str | None = None) -> None:
    """Puts beside a network's saved config and weights all else that a published model has.

    What it was loaded from is looked for its record and its values of decoding. Weights that have
    changed since have learnt from music that no record names: `licence` says what that may be
    used for.

    Args:
        network: that was saved.
        folder: holds its config and weights.
        licence: see above.

    Raises:
        ValueError: if nobody says what the music may be used for.
    """
    source = _source(network)
    with tempfile.TemporaryDirectory() as place:
        checkpoint, whole = Path(place, "checkpoint"), Path(place, "whole")
        checkpoint.mkdir()
        for name in (CONFIG, WEIGHTS):
            shutil.copyfile(folder / name, checkpoint / name)
        record: dict[str, Any] = {"data": {}}
        if source is not None:
            info = model_info(source)
            record = dict(info.record)
            if not _is_same(info.folder, checkpoint):
                record = {"earlier_runs": as_earlier_runs(info.record), "data": {}}
            elif (info.folder / GRAPH).is_file():
                shutil.copyfile(info.folder / GRAPH, checkpoint / GRAPH)
            if (info.folder / VALUES).is_file():
                shutil.copyfile(info.folder / VALUES, checkpoint / VALUES)
        (checkpoint / RECORD).write_text(json.dumps(record), encoding="utf-8")
        build_model_repo(checkpoint, folder.name, whole, example=False, licence=licence)
        shutil.copytree(whole, folder, dirs_exist_ok=True)


def push(
    lay_out: Callable[[Path], object],
    repo: str,
    *,
    message: str = "",
    private: bool = False,
    tag: str | None = None,
) -> Published:
    """Publishes what is laid out, with the manners of `train/publish.py`.

    It writes only into an empty repository or one that carries our tag, and keeps what others have
    put there. The token is asked about first.

    Args:
        lay_out: fills an empty folder.
        repo: NAMESPACE/NAME.
        message: of the commit.
        private: whether a new repository is private.
        tag: put on the commit.

    Raises:
        ValueError: if the token may not write, the repository holds something else, or the Hub
            refuses.
    """
    check_token(repo)
    check_target(repo, "model")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, repo.rpartition("/")[2])
        lay_out(folder)
        plan = plan_publication(folder, repo)
        return publish_folder(
            folder, repo, plan, message=message or f"A model of {TAG}", private=private, tag=tag
        )


def _source(network: PreTrainedModel) -> str | None:
    """Returns what a network was loaded from, as `model_info` takes it; None for a fresh one."""
    name = str(network.config.name_or_path or "")
    try:
        return name if name and model_info(name).record else None
    except ValueError:
        return None


def _is_same(one: Path, other: Path) -> bool:
    """Returns whether two checkpoints have the same weights, in whatever precision."""
    first, second = (load_file(folder / WEIGHTS) for folder in (one, other))
    return first.keys() == second.keys() and all(
        torch.equal(first[name].half(), second[name].half()) for name in first
    )
