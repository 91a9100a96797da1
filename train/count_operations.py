"""Count what training asks of a device and of its host, where no accelerator is at hand.

    python train/count_operations.py
    python train/count_operations.py --models lstm-events wavenet --steps 512

For each model: torch's operations in a forward pass over crops of two lengths, which on a GPU are
launched one by one (about equal, or a pass loops over steps); operations in a whole update; values
read back from the device meanwhile, each of which waits until all work is done; results in float64,
which Apple's MPS does not have. Then the host's work: how many seconds of one processor it takes to
make a batch, and how many bytes go to the device for it.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pyzzicato.hub import list_models, model_info
from pyzzicato.hub.networks import open_network
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note
from pyzzicato.representations import representation_of
from pyzzicato.training.batches import Batch, CropSampler
from pyzzicato.training.loop import density_number
from pyzzicato.training.optimizers import build_optimizers
from pyzzicato.training.store import NoteStore, StoreWriter, pack_notes
from pyzzicato.training.train_settings import TrainSettings

_READ = "aten._local_scalar_dense.default"
_PIECE_NOTES = 3000
_TRIED_BATCHES = 5


@dataclass(frozen=True)
class CountConfig:
    """What is counted: see `--help` for each field."""

    models: tuple[str, ...]
    steps: int
    batch_size: int


class Counting(TorchDispatchMode):
    """Counts operations while it is entered, reads and results in float64 among them."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[str] = Counter()
        self.n_float64 = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Runs an operation and counts it."""
        self.operations[str(func)] += 1
        result = func(*args, **(kwargs or {}))
        parts = result if isinstance(result, tuple | list) else [result]
        self.n_float64 += any(getattr(part, "dtype", None) == torch.float64 for part in parts)
        return result


def count_forward(network: PyzzicatoModel, batch: Batch, n_steps: int) -> Counting:
    """Returns what a forward pass over the first steps of a batch asks for."""
    # What is said of a whole crop has one number for each.
    parts = [part if part.ndim == 1 else part[:, :n_steps] for part in batch]
    with Counting() as counted:
        network(*parts)
    return counted


def count_update(network: PyzzicatoModel, batch: Batch, settings: TrainSettings) -> Counting:
    """Returns what a whole update asks for, the second one: the first sets things up."""
    optimizers = build_optimizers(network, settings)
    for _ in range(2):
        with Counting() as counted:
            network(*batch).loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
    return counted


def make_store(folder: Path) -> NoteStore:
    """Returns a store of two made-up pieces, some ten notes a second."""
    writer = StoreWriter(folder, "extend", "made up", "CC0-1.0")
    rng = np.random.default_rng(0)
    for i in range(2):
        onsets = np.cumsum(rng.exponential(0.1, _PIECE_NOTES)).tolist()
        pitches = rng.integers(36, 97, _PIECE_NOTES).tolist()
        notes = [Note(p, t, t + 0.3, 64) for p, t in zip(pitches, onsets, strict=True)]
        writer.add(pack_notes(notes), composer="made up", title=str(i), split="train", path=str(i))
    writer.close()
    return NoteStore(folder)


def count_model(name: str, config: CountConfig, store: NoteStore) -> list[str]:
    """Returns a row of the table."""
    network = open_network(model_info(name).folder).train()
    settings = TrainSettings(
        start_from=name, batch_size=config.batch_size, crop_steps=config.steps, optimizer="muon"
    )
    sampler = CropSampler(
        store,
        store.pieces,
        representation_of(network.config),
        settings,
        {"made up": 0},
        lambda steps: density_number(steps, network.config),
    )
    began = time.process_time()
    for number in range(_TRIED_BATCHES):
        batch = sampler.batch(number)
    host_s = (time.process_time() - began) / _TRIED_BATCHES
    half, whole = (count_forward(network, batch, n) for n in (config.steps // 2, config.steps))
    update = count_update(network, batch, settings)
    return [
        name,
        *(str(its.operations.total()) for its in (half, whole, update)),
        str(update.operations[_READ]),
        str(whole.n_float64 + update.n_float64),
        f"{host_s:.3f}",
        f"{sum(part.nbytes for part in batch) / 1e6:.2f}",
    ]


def main(config: CountConfig) -> None:
    """Prints the table, in Markdown."""
    titles = [
        "model",
        f"forward, {config.steps // 2} steps",
        f"forward, {config.steps}",
        "update",
        "reads",
        "float64",
        "host, s a batch",
        "MB a batch",
    ]
    print("| " + " | ".join(titles) + " |\n|---" + "|---:" * (len(titles) - 1) + "|")
    with tempfile.TemporaryDirectory() as place:
        store = make_store(Path(place))
        for name in config.models:
            print("| " + " | ".join(count_model(name, config, store)) + " |", flush=True)


def parse_args() -> CountConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    known = [info.name for info in list_models()]
    add("--models", nargs="+", default=known, help="names or folders (default: all)")
    add("--steps", type=int, default=512, help="of a crop (%(default)s)")
    add("--batch-size", type=int, default=2, help="crops (%(default)s)")
    args = vars(parser.parse_args())
    for name in ("steps", "batch_size"):
        if args[name] < 2:
            parser.error(f"--{name.replace('_', '-')} must be 2 or more, got {args[name]}")
    return CountConfig(**{**args, "models": tuple(args["models"])})


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
