"""A folder with a checkpoint: what it holds, whether it is sound, and the model in it.

A checkpoint is `config.json` and `model.safetensors`, beside them `training.json`, the record of
how it was made, where there is one. It may come from anyone, so everything it says of itself is
held against a bound before memory is given to it, and nothing in it is run.
"""

import hashlib
import json
import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ..checks import show_value
from ..models.architecture import Architecture, read_architecture
from ..playing.decoding.values import DecodingValues, read_values
from .data_licences import data_licences

MODEL_TYPE = "pyzzicato"
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
GRAPH = "model.onnx"
VALUES = "generation_config.json"
RECORD = "training.json"

MAX_WEIGHT_BYTES = 1_001_000_000
"""A gigabyte: 250 million weights as float32, and a header."""
MAX_CONFIG_BYTES = 100_000
MAX_RECORD_BYTES = 5_000_000
_MAX_HEADER_BYTES = 1_000_000
_DTYPES = ("F32", "F16", "BF16")

Source = Literal["bundled", "folder", "Hub", "cache"]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What there is to know of a model before it is loaded.

    Attributes:
        name: what `load_model` takes.
        folder: where the checkpoint lies.
        revision: the first 12 hexadecimal digits of the SHA-256 of the weights.
        backbone: the network, one of `pyzzicato.models.config.BACKBONES`.
        representation: what a step is.
        head: how the next step is predicted.
        n_weights: number of weights.
        size_bytes: size of the weights on disk.
        record: the training record, empty if the checkpoint has none.
        source: "bundled", "folder", "Hub" (downloaded just now) or "cache" (downloaded before).
        repo: the Hub repository it is published in, None if in none that we know of.
        commit: the commit of that repository that the files are from or, for a bundled copy, that
            the registry pins.
    """

    name: str
    folder: Path
    revision: str
    backbone: str
    representation: str
    head: str
    n_weights: int
    size_bytes: int
    record: dict[str, Any] = field(repr=False)
    source: Source = "folder"
    repo: str | None = None
    commit: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns the main facts as plain JSON values."""
        losses = _table(self.record.get("losses"))
        data = _table(self.record.get("data"))
        hours = _table(data.get("train_hours")).values()
        return {
            "name": self.name,
            "source": self.source,
            "repo": self.repo,
            "commit": self.commit,
            "revision": self.revision,
            "backbone": self.backbone,
            "representation": self.representation,
            "head": self.head,
            "weights": self.n_weights,
            "size_mb": round(self.size_bytes / 1e6, 1),
            "data": data.get("name"),
            "licence": ", ".join(its.licence for its in data_licences(self.record)) or None,
            "hours": round(sum(h for h in hours if isinstance(h, int | float)), 1),
            "validation_loss": losses.get("validation"),
            "loss_unit": losses.get("unit"),
            "baseline_losses": losses.get("baselines", {}),
        }

    def origin(self) -> str:
        """Returns where it comes from, in words."""
        if self.source in ("Hub", "cache"):
            place = "the Hub" if self.source == "Hub" else "the local cache"
            return f"{self.repo} at commit {str(self.commit)[:12]}, from {place}"
        place = "the bundled copy" if self.source == "bundled" else f"folder {self.folder}"
        return f"{place}, weights {self.revision}"


def read_checkpoint(
    folder: Path,
    name: str,
    source: Source = "folder",
    repo: str | None = None,
    commit: str | None = None,
    config: Architecture | None = None,
) -> ModelInfo:
    """Returns what there is to know of the checkpoint in a folder; its weights are not loaded.

    The arguments beside the folder are `ModelInfo`'s; `config` is read from the folder if it is
    None.

    Raises:
        ValueError: if the folder holds no usable checkpoint: no config or a wrong one, or no
            safetensors.
    """
    config = read_config(folder) if config is None else config
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ValueError(
            f"{folder} holds no {WEIGHTS}; weights in other formats are not loaded, convert them"
        )
    n_weights = sum(math.prod(shape) for shape in read_shapes(weights).values())
    return ModelInfo(
        name=name,
        folder=folder,
        revision=weights_revision(weights),
        backbone=config.backbone,
        representation=config.representation,
        head=config.head,
        n_weights=n_weights,
        size_bytes=weights.stat().st_size,
        record=read_record(folder),
        source=source,
        repo=repo,
        commit=commit,
    )


def read_config(folder: Path) -> Architecture:
    """Returns the config in a folder, checked.

    Raises:
        ValueError: if there is none, it is not a Pyzzicato config, or a value is out of its range.
    """
    try:
        config = read_json(folder / CONFIG, MAX_CONFIG_BYTES)
        if config.get("model_type") != MODEL_TYPE:
            raise ValueError(f"its model_type is {str(config.get('model_type'))[:40]!r}")
        return read_architecture(config)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{CONFIG} in {folder} is not a Pyzzicato config: {error}") from error


def read_decoding(folder: Path) -> DecodingValues:
    """Returns the values of decoding in a folder, neutral if it has none.

    Raises:
        ValueError: if they cannot be read or a value is out of its range.
    """
    path = folder / VALUES
    try:
        return read_values(read_json(path, MAX_CONFIG_BYTES)) if path.is_file() else read_values({})
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{VALUES} in {folder} is of no use: {error}") from error


def read_record(folder: Path) -> dict[str, Any]:
    """Returns the training record in a folder, empty if it has none.

    Raises:
        ValueError: if the record is not a JSON object or too large.
    """
    path = folder / RECORD
    return read_json(path, MAX_RECORD_BYTES) if path.is_file() else {}


def read_json(path: Path, max_bytes: int) -> dict[str, Any]:
    """Returns the JSON object in a file of at most `max_bytes`.

    Raises:
        ValueError: if the file is larger or holds something else.
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"{path.name} must be at most {max_bytes} bytes long")
    try:
        value = json.loads(data)
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} must hold a JSON object, got {type(value).__name__}")
    return value


def read_shapes(weights: Path) -> dict[str, tuple[int, ...]]:
    """Returns name and shape of each tensor in a safetensors file; its header alone is read.

    Raises:
        ValueError: if it is no such file.
    """
    try:
        return _read_header(weights)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{weights} is not a safetensors file: {error}") from error


def _read_header(weights: Path) -> dict[str, tuple[int, ...]]:
    with weights.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= _MAX_HEADER_BYTES:
            raise ValueError(f"its header is said to be {length} bytes long")
        try:
            header = json.loads(file.read(length))
        except RecursionError:
            raise ValueError("its header is nested too deeply") from None
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    for name, entry in tensors.items():
        if entry["dtype"] not in _DTYPES:
            raise ValueError(
                f"{name[:80]} must be of {', '.join(_DTYPES)}, got {show_value(entry['dtype'])}"
            )
    end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
    if weights.stat().st_size != 8 + length + end:
        raise ValueError(f"it must be {8 + length + end} bytes long, as its header says")
    return {name: tuple(map(int, entry["shape"])) for name, entry in tensors.items()}


def weights_revision(weights: Path) -> str:
    """Returns the first 12 hexadecimal digits of the SHA-256 of a file of weights."""
    return file_sum(weights)[:12]


def file_sum(path: Path) -> str:
    """Returns the SHA-256 of a file; it is read anew when its date or size has changed."""
    status = path.stat()
    return _hash_of(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _hash_of(path: Path, changed_ns: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
