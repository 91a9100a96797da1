"""The model registry: names -> checkpoints.

The bundled checkpoints lie under `pretrained/`, one folder a model, laid out like a Hub repository:
`config.json`, `model.safetensors` and `training.json`, the record of how it was made.
"""

import difflib
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .models import PyzzicatoConfig, PyzzicatoModel

DEFAULT_MODEL = "lstm"

_BUNDLED = Path(__file__).parent / "pretrained"
_WEIGHTS = "model.safetensors"
_MAX_HEADER_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What there is to know of a model before it is loaded.

    Attributes:
        name: what `load_model` takes.
        folder: where the checkpoint lies.
        revision: the first 12 hexadecimal digits of the SHA-256 of the weights.
        backbone: "conv1d", "wavenet" or "lstm".
        representation: what a step is, "roll" or "events".
        head: "independent", "joint" or "notes".
        n_weights: number of weights.
        size_bytes: size of the weights on disk.
        record: the training record, empty if the checkpoint has none.
    """

    name: str
    folder: Path
    revision: str
    backbone: str
    representation: str
    head: str
    n_weights: int
    size_bytes: int
    record: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Returns the main facts as plain JSON values."""
        losses = self.record.get("losses", {})
        data = self.record.get("data", {})
        return {
            "name": self.name,
            "revision": self.revision,
            "backbone": self.backbone,
            "representation": self.representation,
            "head": self.head,
            "weights": self.n_weights,
            "size_mb": round(self.size_bytes / 1e6, 1),
            "data": data.get("name"),
            "licence": data.get("licence"),
            "hours": round(sum(data.get("train_hours", {}).values()), 1),
            "validation_loss": losses.get("validation"),
            "loss_unit": losses.get("unit"),
            "baseline_losses": losses.get("baselines", {}),
        }


def list_models() -> tuple[ModelInfo, ...]:
    """Returns the bundled models, the default one first, then by name."""
    names = sorted(folder.parent.name for folder in _BUNDLED.glob(f"*/{_WEIGHTS}"))
    names.sort(key=lambda name: name != DEFAULT_MODEL)
    return tuple(model_info(name) for name in names)


def model_info(name: str) -> ModelInfo:
    """Returns what there is to know of a bundled model or of a checkpoint in a folder.

    Raises:
        ValueError: if there is no such model (the message lists those there are), or the folder
            holds no usable checkpoint.
    """
    folder = _find(name)
    config = _read_config(folder)
    weights = folder / _WEIGHTS
    if not weights.is_file():
        raise ValueError(
            f"{folder} holds no {_WEIGHTS}; weights in other formats are not loaded, convert them"
        )
    record = folder / "training.json"
    return ModelInfo(
        name=name,
        folder=folder,
        revision=hashlib.sha256(weights.read_bytes()).hexdigest()[:12],
        backbone=config.backbone,
        representation=config.representation,
        head=config.head,
        n_weights=_count_weights(weights),
        size_bytes=weights.stat().st_size,
        record=json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {},
    )


def load_model(name: str = DEFAULT_MODEL) -> PyzzicatoModel:
    """Returns a model ready to play.

    Args:
        name: of a bundled model ("lstm"), or a folder with a checkpoint.

    Raises:
        ValueError: if there is no such model (the message lists those there are), or the folder
            holds no usable checkpoint.
    """
    info = model_info(name)
    try:
        model: PyzzicatoModel = PyzzicatoModel.from_pretrained(info.folder, use_safetensors=True)
    except (OSError, RuntimeError) as error:
        raise ValueError(f"the checkpoint in {info.folder} cannot be loaded: {error}") from error
    model.eval()
    return model


def _find(name: str) -> Path:
    bundled = _BUNDLED / name
    is_plain_name = name not in ("", ".", "..") and Path(name).name == name
    if is_plain_name and (bundled / _WEIGHTS).is_file():
        return bundled
    folder = Path(name)
    if (folder / "config.json").is_file():
        return folder
    names = sorted(path.parent.name for path in _BUNDLED.glob(f"*/{_WEIGHTS}"))
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(
        f"model must be one of {', '.join(names)} or a folder with a checkpoint, got {name!r}{hint}"
    )


def _read_config(folder: Path) -> PyzzicatoConfig:
    try:
        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if told.get("model_type") != PyzzicatoConfig.model_type:
            raise ValueError(f"its model_type is {told.get('model_type')!r}")
        return PyzzicatoConfig.from_dict(told)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"config.json in {folder} is not a Pyzzicato config: {error}") from error


def _count_weights(weights: Path) -> int:
    """Returns the number of weights from the file's header; nothing else is read."""
    try:
        with weights.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _MAX_HEADER_BYTES:
                raise ValueError(f"its header is said to be {length} bytes long")
            header = json.loads(file.read(length))
        tensors = (tensor for name, tensor in header.items() if name != "__metadata__")
        return sum(math.prod(tensor["shape"]) for tensor in tensors)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{weights} is not a safetensors file: {error}") from error
