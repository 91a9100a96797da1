"""The graph that plays a checkpoint: the one that lies in it, or one that is exported once.

A bundled graph was made with the package. One from elsewhere is checked before it plays
(`pyzzicato/playing/graph_check.py`). Of a checkpoint without a graph the step is exported where
torch is installed, and kept beside the Hub's cache.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from huggingface_hub import constants

from ..models.architecture import Architecture
from ..playing.graph_check import check_graph
from .checkpoints import CONFIG, GRAPH, ModelInfo

FORMAT = 1
"""Of the graphs that this release writes and plays; part of their names in the cache."""
_NEEDED = ("torch", "transformers", "onnxscript")

Export = Callable[[Path, Path], None]
"""Writes the graph of the checkpoint in a folder to a file."""


def find_graph(info: ModelInfo, architecture: Architecture, export: Export | None = None) -> Path:
    """Returns the graph of a checkpoint, checked.

    Args:
        info: the checkpoint.
        architecture: what its config says.
        export: exports the step of a checkpoint that holds no graph; by default of this package's
            own networks.

    Raises:
        ValueError: if the graph is not what it should be, or there is none and it cannot be
            exported here: the message says what to install.
    """
    graph = info.folder / GRAPH
    if not graph.is_file():
        graph = _kept(info)
        if not graph.is_file():
            _export(info, graph, export or export_network)
    if info.source != "bundled":
        try:
            check_graph(graph, architecture)
        except ValueError as error:
            raise ValueError(
                f"the graph of {info.name} is of no use: {error}; get it again, or remove it and "
                "have one made of the weights (extra torch)"
            ) from error
    return graph


def export_network(folder: Path, path: Path) -> None:
    """Writes the graph of the network in a checkpoint folder; needs torch.

    Raises:
        ValueError: if the weights are not what the config says.
    """
    # Imported here: playing needs no torch.
    from ..models.export import write_graph
    from .networks import open_network

    write_graph(open_network(folder), path)


def _export(info: ModelInfo, graph: Path, export: Export) -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"{info.name} holds no {GRAPH}, and {', '.join(missing)} is not installed to make one; "
            'run pip install "pyzzicato[torch]", or ask its owner for the graph'
        )
    part = graph.with_suffix(f".{os.getpid()}.part")
    try:
        graph.parent.mkdir(parents=True, exist_ok=True)
        export(info.folder, part)
        part.replace(graph)
    except OSError as error:
        raise ValueError(f"the graph of {info.name} cannot be kept: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _kept(info: ModelInfo) -> Path:
    # Not all that makes a graph is in the weights: how long a recall is, say.
    config = hashlib.sha256((info.folder / CONFIG).read_bytes()).hexdigest()
    name = f"{info.revision}-{config[:12]}-{FORMAT}.onnx"
    return Path(constants.HF_HOME) / "pyzzicato" / "graphs" / name
