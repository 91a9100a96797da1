"""Networks of other architectures, by the code that lies beside their weights.

Nothing here runs unless the caller said that the code is trusted. The code is run once, to export
the network's step as a graph; what plays is the graph.
"""

from pathlib import Path
from typing import Any

from ..models.architecture import Architecture, read_architecture
from .checkpoints import CONFIG, MAX_CONFIG_BYTES, read_json

_ITS_OWN = ("backbone", "head", "spans", "recent", "chords", "recalls")
"""What its own code makes of a config need not be what this package makes of it."""


def brings_code(folder: Path) -> bool:
    """Returns whether the config of a checkpoint names code of its own for a model."""
    try:
        auto_map = read_json(folder / CONFIG, MAX_CONFIG_BYTES).get("auto_map")
    except (OSError, ValueError):
        return False
    return isinstance(auto_map, dict) and "AutoModel" in auto_map


def read_foreign_config(folder: Path) -> Architecture:
    """Returns what playing needs to know of a network of another architecture.

    Raises:
        ValueError: if its config cannot be read or a value is out of its range.
    """
    try:
        table = read_json(folder / CONFIG, MAX_CONFIG_BYTES)
    except OSError as error:
        raise ValueError(f"{folder} holds no {CONFIG}: {error}") from error
    kept = {name: value for name, value in table.items() if name not in _ITS_OWN}
    head = "notes" if kept.get("representation") == "events" else "independent"
    return read_architecture({**kept, "head": head})


def export_by_its_code(folder: Path, path: Path) -> None:
    """Writes the graph of a network by its own code, which is run.

    Raises:
        ValueError: if the code fails, or the network cannot play as `PyzzicatoModel` does.
    """
    # Imported here: playing needs neither torch nor transformers.
    from transformers import AutoModel

    from ..models.export import write_graph

    try:
        model: Any = AutoModel.from_pretrained(
            str(folder), trust_remote_code=True, use_safetensors=True, local_files_only=True
        )
        write_graph(model.eval(), path)
    except Exception as error:  # What somebody else's code raises cannot be known.
        raise ValueError(f"{folder} cannot be loaded by its own code: {error}") from error
