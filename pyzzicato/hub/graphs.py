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

import numpy as np

from ..models.architecture import Architecture
from ..playing.graph_check import check_graph
from ..playing.loaded_model import Model
from ..playing.scoring import nats_of
from .checkpoints import CONFIG, GRAPH, ModelInfo, read_config

FORMAT = 1
"""Of the graphs that this release writes and plays; part of their names in the cache."""
_TRIED_STEPS, _NEAR = 40, 1e-4
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
        ValueError: if the weights are not what the config says, or the graph does not give what the
            network gives.
    """
    # Imported here: playing needs no torch.
    from ..models.export import write_graph
    from .networks import nats_of_steps, open_network, round_weights

    network = round_weights(open_network(folder))
    write_graph(network, path)
    # A sequence that no music has tries more of the network than music does.
    model = Model(read_config(folder), path)
    numbers = list(model.representation.numbers.values())
    highest = numbers if len(numbers) > 1 else [2] * numbers[0]
    steps = np.random.default_rng(0).integers(highest, size=(_TRIED_STEPS, len(highest)))
    by_graph = nats_of(model, steps.astype(np.uint8)).sum(1)
    by_network = nats_of_steps(network, steps.astype(np.uint8))
    if not np.allclose(by_graph, by_network, rtol=_NEAR, atol=_NEAR):
        gap = float(np.abs(by_graph - by_network).max())
        raise ValueError(
            f"the graph of {folder.name} must give what its network gives, and is {gap:.3g} nats "
            "off; its step must use plain operators (see docs/architecture.md)"
        )


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
    from huggingface_hub import constants

    return Path(constants.HF_HOME) / "pyzzicato" / "graphs" / name
