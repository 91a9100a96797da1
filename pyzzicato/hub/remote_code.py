"""Models of other architectures, by the code that lies beside their weights.

Nothing here runs unless the caller said that the code is trusted.
"""

from pathlib import Path
from typing import Any, cast

from ..models import PyzzicatoModel
from .checkpoints import (
    CONFIG,
    MAX_CONFIG_BYTES,
    WEIGHTS,
    ModelInfo,
    Source,
    read_json,
    read_record,
    weights_revision,
)

_NEEDED = ("start", "hidden", "stepper")


def brings_code(folder: Path) -> bool:
    """Returns whether the config of a checkpoint names code of its own for a model."""
    try:
        auto_map = read_json(folder / CONFIG, MAX_CONFIG_BYTES).get("auto_map")
    except (OSError, ValueError):
        return False
    return isinstance(auto_map, dict) and "AutoModel" in auto_map


def open_with_its_code(
    folder: Path, name: str, source: Source, repo: str | None, commit: str | None
) -> tuple[PyzzicatoModel, ModelInfo]:
    """Returns a model by its own code, which is run. The weights are safetensors all the same.

    Raises:
        ValueError: if the code fails, or the model does not play as `PyzzicatoModel` does.
    """
    # Imported here: nothing else needs transformers' table of all its models.
    from transformers import AutoModel

    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ValueError(f"{folder} holds no {WEIGHTS}; weights in other formats are not loaded")
    try:
        model: Any = AutoModel.from_pretrained(
            str(folder), trust_remote_code=True, use_safetensors=True, local_files_only=True
        )
    except Exception as error:  # What somebody else's code raises cannot be known.
        raise ValueError(f"{name} cannot be loaded by its own code: {error}") from error
    for part in _NEEDED:
        if not callable(getattr(model, part, None)):
            raise ValueError(
                f"{name} must offer {part}(), as PyzzicatoModel does, to play; it is another kind "
                "of model"
            )
    model.eval()
    config = model.config
    info = ModelInfo(
        name=name,
        folder=folder,
        revision=weights_revision(weights),
        backbone=str(getattr(config, "backbone", config.model_type))[:40],
        representation=str(getattr(config, "representation", "unknown"))[:40],
        head=str(getattr(config, "head", "unknown"))[:40],
        n_weights=sum(weight.numel() for weight in model.parameters()),
        size_bytes=weights.stat().st_size,
        record=read_record(folder),
        source=source,
        repo=repo,
        commit=commit,
    )
    return cast(PyzzicatoModel, model), info
