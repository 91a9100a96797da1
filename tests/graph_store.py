"""Graphs of the tests' networks: each is exported once and kept while the code of models stays.

An export takes some ten seconds, more than everything else a test does with a tiny network.
"""

import copy
import hashlib
import json
import os
import shutil
from pathlib import Path

from huggingface_hub import constants

from pyzzicato.models.export import write_graph
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.playing.decoding.values import DecodingValues
from pyzzicato.playing.loaded_model import Model


def exported(network: PyzzicatoModel) -> Path:
    """Returns the graph of a network, which stays as it is."""
    digest = hashlib.sha256(json.dumps(network.config.choices(), sort_keys=True).encode())
    for name, weight in network.state_dict().items():
        digest.update(name.encode() + weight.float().numpy().tobytes())
    graph = Path(constants.HF_HOME) / "tests" / f"{digest.hexdigest()[:24]}.onnx"
    if not graph.is_file():
        graph.parent.mkdir(parents=True, exist_ok=True)
        part = graph.with_suffix(f".{os.getpid()}.part")
        write_graph(copy.deepcopy(network).eval(), part)
        part.replace(graph)
    return graph


def playable(network: PyzzicatoModel, decoding: DecodingValues | None = None) -> Model:
    """Returns a network ready to play."""
    return Model(network.config, exported(network), decoding or DecodingValues(), "tiny")


def save_playable(network: PyzzicatoModel, folder: Path) -> Path:
    """Writes a checkpoint as training does, its graph beside the weights; returns the folder."""
    network.save_pretrained(folder)
    shutil.copyfile(exported(network), folder / "model.onnx")
    return folder
