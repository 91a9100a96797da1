"""A checkpoint as a network of torch, to be trained on, measured or exported.

Playing needs none of this. Everything a config asks for is held against a bound before memory is
given to it.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.utils import logging as transformers_logging

from ..models.architecture import Architecture
from ..models.config import PyzzicatoConfig
from ..models.model import PyzzicatoModel
from .checkpoints import WEIGHTS, read_config, read_shapes

MAX_WEIGHTS = 250_000_000
"""A gigabyte as float32, two hundred times what the bundled models take."""
_MAX_STATE_BYTES = 100_000_000


def open_network(folder: Path) -> PyzzicatoModel:
    """Returns the network of a checkpoint folder, in evaluation mode, float32.

    Raises:
        ValueError: if the weights are not what the config says, or are no numbers.
    """
    check_weights(folder / WEIGHTS, read_config(folder))
    try:
        with _without_bars():
            model: PyzzicatoModel = PyzzicatoModel.from_pretrained(
                folder, use_safetensors=True, local_files_only=True, dtype=torch.float32
            )
    except (OSError, RuntimeError) as error:
        raise ValueError(f"the checkpoint in {folder} cannot be loaded: {error}") from error
    for name, weight in model.state_dict().items():
        if not torch.isfinite(weight).all():
            raise ValueError(
                f"the weights in {folder} must be finite, got NaN or infinity in {name}"
            )
    model.eval()
    return model


@contextmanager
def _without_bars() -> Iterator[None]:
    """Loads without a bar of progress: it is there for less than a second."""
    was_on = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_on:
            transformers_logging.enable_progress_bar()


def round_weights(network: PyzzicatoModel) -> PyzzicatoModel:
    """Returns the network with weights that float16 holds, as graphs keep them."""
    rounded = {name: w.half().to(w.dtype) for name, w in network.state_dict().items()}
    network.load_state_dict(rounded)
    return network


@torch.no_grad()
def nats_of_steps(network: PyzzicatoModel, steps: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns the nats of each of the steps `(T, A)` but the first, `(T - 1,)`, in one pass."""
    piece = torch.from_numpy(steps)[None].to(network.device)
    seen, _ = network.hidden(piece[:, :-1], network.start(1))
    nats: NDArray[np.float64] = network.head.nll(seen, piece[:, 1:])[0].cpu().numpy()
    return nats.astype(np.float64)


def expected_shapes(config: Architecture) -> dict[str, tuple[int, ...]]:
    """Returns name and shape of each weight of the model a config asks for.

    The model is built without memory for its weights, so that a config may ask for anything.

    Raises:
        ValueError: if it asks for more than `MAX_WEIGHTS` weights, or for a state to carry from
            step to step of more than 100 MB.
    """
    try:
        with torch.device("meta"):
            model = PyzzicatoModel(PyzzicatoConfig(**config.choices()))
            state = _tensors(model.start(1))
        shapes = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
        n_weights = sum(math.prod(shape) for shape in shapes.values())
        state_bytes = sum(tensor.nelement() * tensor.element_size() for tensor in state)
    except (RuntimeError, OverflowError) as error:  # torch's own refusal of absurd sizes
        raise ValueError(f"the config asks for more than there is room for: {error}") from error
    if n_weights > MAX_WEIGHTS or state_bytes > _MAX_STATE_BYTES:
        raise ValueError(
            f"the config must ask for at most {MAX_WEIGHTS} weights and {_MAX_STATE_BYTES} bytes "
            f"of state, got {n_weights} and {state_bytes}; smaller layers have room"
        )
    return shapes


def check_weights(weights: Path, config: Architecture) -> int:
    """Returns the number of weights in a file whose header fits the config; reads no more of it.

    Raises:
        ValueError: if the file is no safetensors file, or holds other weights than the config says.
    """
    shapes = read_shapes(weights)
    expected = expected_shapes(config)
    for name in sorted(shapes.keys() | expected.keys()):
        if shapes.get(name) != expected.get(name):
            raise ValueError(
                f"the checkpoint in {weights.parent} cannot be loaded: {name[:80]} must be "
                f"{expected.get(name, 'absent')}, as its config says, got "
                f"{shapes.get(name, 'none')}"
            )
    return sum(math.prod(shape) for shape in shapes.values())


def _tensors(state: Any) -> list[torch.Tensor]:
    """Returns the tensors in a state, whatever tuples, lists, tables and fields hold them."""
    if isinstance(state, torch.Tensor):
        return [state]
    if isinstance(state, dict):
        parts = list(state.values())
    elif isinstance(state, list | tuple):
        parts = list(state)
    else:
        parts = list(vars(state).values()) if hasattr(state, "__dict__") else []
    return [tensor for part in parts for tensor in _tensors(part)]
