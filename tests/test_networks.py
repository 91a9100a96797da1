"""A checkpoint as a network of torch: what it asks for is bounded, and its weights are numbers."""

import json
import resource
import time
from pathlib import Path

import pytest
import torch
from conftest import tiny_config

from pyzzicato.hub.checkpoints import read_config
from pyzzicato.hub.networks import check_weights, expected_shapes, open_network
from pyzzicato.models.model import PyzzicatoModel


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns a folder with a sound checkpoint."""
    PyzzicatoModel(tiny_config()).save_pretrained(tmp_path / "sound")
    return tmp_path / "sound"


def change(folder: Path, **keys: object) -> None:
    """Changes the config in a folder."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def test_a_network_comes_back_in_float32_ready_to_be_measured(tmp_path: Path) -> None:
    network = PyzzicatoModel(tiny_config()).to(torch.bfloat16)
    network.save_pretrained(tmp_path)
    opened = open_network(tmp_path)
    assert not opened.training
    for name, weight in network.state_dict().items():
        assert opened.state_dict()[name].dtype == torch.float32
        assert torch.equal(opened.state_dict()[name], weight.float())


def test_shapes_and_number_of_weights_are_the_networks(folder: Path) -> None:
    network = open_network(folder)
    shapes = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
    assert expected_shapes(read_config(folder)) == shapes
    n_weights = check_weights(folder / "model.safetensors", read_config(folder))
    assert n_weights == sum(weight.numel() for weight in network.state_dict().values())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    network = PyzzicatoModel(tiny_config())
    with torch.no_grad():
        network.head.out.weight[3, 2] = value
    network.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="must be finite, got NaN or infinity in head.out.weight"):
        open_network(tmp_path)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"hidden_size": 9}, "backbone.*must be .*, as its config says, got"),
        ({"composers": ["bach"]}, "must be .* as its config says, got"),
        ({"hidden_size": 4096, "n_layers": 64, "dense_size": 4096}, "must ask for at most"),
        (
            {"backbone": "wavenet", "n_layers": 64, "hidden_size": 99, "kernel_size": 99},
            "asks for more than there is room for",
        ),
        ({"backbone": "wavenet", "n_layers": 30, "hidden_size": 8}, "must ask for at most"),
    ],
)
def test_what_does_not_fit_costs_neither_time_nor_memory(
    folder: Path, keys: dict[str, object], said: str
) -> None:
    change(folder, **keys)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    with pytest.raises(ValueError, match=said):
        open_network(folder)
    assert time.monotonic() - began < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_values_of_decoding_that_a_config_kept_until_0_2_are_passed_over(folder: Path) -> None:
    change(folder, tempering=0.9, pacing=0.1, holding=0.2)
    assert not hasattr(open_network(folder).config, "tempering")
