"""Find the temperature at which a model's pieces are as dense as real ones, and keep it.

    python train/calibrate.py runs/lstm/best --data-dir MAESTRO --seeds 8 --seconds 20   # a taste
    python train/calibrate.py runs/lstm/best --data-dir MAESTRO

A model that plays on and on hears its own mistakes, and those on rolls grow denser by them. Drawing
a little more tamely makes up for it. Seeds from training pieces (what is kept back stays so) are
carried on at several temperatures; the one at which the median seed has as many new notes as the
composer wrote is found by halving an interval, and written into the checkpoint's config as
`tempering`, by which the temperature that a listener asks for is multiplied. Density decides and
nothing else; look at the report before and after.
"""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from tqdm import tqdm

from pyzzicato.evaluation.excerpts import Excerpt, draw_places, excerpt_at, present, read_piece
from pyzzicato.generation import GenerationSettings, continue_seed
from pyzzicato.hub import load_model
from pyzzicato.models import PyzzicatoConfig, PyzzicatoModel
from pyzzicato.training.catalogue import read_catalogue, select_pieces

# A performance may be shorter than the catalogue says by the silence around it.
_SPARE_S = 5.0
_LOWEST, _HIGHEST = 0.8, 1.2
_HALVINGS = 6


@dataclass(frozen=True)
class CalibrateConfig:
    """One calibration: see `--help` for each field."""

    checkpoint: Path
    data_dir: Path
    seeds: int
    seconds: float
    seed_seconds: float
    rng: int
    processes: int


@cache
def loaded(checkpoint: Path) -> PyzzicatoModel:
    """Returns a model that draws as it has learnt, loaded once a process."""
    torch.set_num_threads(1)
    model = load_model(str(checkpoint))
    model.config.tempering = 1.0
    return model


def log_ratio(job: tuple[int, Excerpt], checkpoint: Path, temperature: float) -> float:
    """Returns the logarithm of new notes over the composer's, one added to each."""
    number, excerpt = job
    settings = GenerationSettings(
        seconds=excerpt.seconds,
        seed_seconds=excerpt.seed_seconds,
        temperature=temperature,
        rng=number,
    )
    piece = continue_seed(loaded(checkpoint), excerpt.joined, settings)
    return float(np.log((len(piece.new_notes) + 1) / (len(excerpt.notes) + 1)))


def draw_excerpts(config: CalibrateConfig) -> list[Excerpt]:
    """Returns seeds and what follows them, from training pieces.

    Raises:
        ValueError: if no training piece is there and long enough.
    """
    listed = select_pieces(read_catalogue(config.data_dir), None, ["train"])
    needed = config.seed_seconds + config.seconds
    pieces = [p for p in present(listed, config.data_dir) if p.duration_s >= needed + _SPARE_S]
    excerpts = []
    for piece, place in draw_places(pieces, config.seeds, config.rng) if pieces else []:
        try:
            notes = read_piece(config.data_dir / piece.path)
            excerpts.append(
                excerpt_at(piece.path, notes, place, config.seed_seconds, config.seconds)
            )
        except ValueError as error:
            print(f"passed over: {error}", file=sys.stderr)
    if not excerpts:
        raise ValueError(f"no training piece in {config.data_dir} lasts {needed:g} s")
    return excerpts


def find_tempering(config: CalibrateConfig, excerpts: list[Excerpt]) -> float:
    """Returns the temperature at which the median seed is carried on as densely as it was."""
    low, high = _LOWEST, _HIGHEST
    with ProcessPoolExecutor(config.processes) as pool:
        for _ in tqdm(range(_HALVINGS), desc=config.checkpoint.name):
            middle = (low + high) / 2
            measure = partial(log_ratio, checkpoint=config.checkpoint, temperature=middle)
            if median(pool.map(measure, enumerate(excerpts))) > 0:
                high = middle
            else:
                low = middle
    return round((low + high) / 2, 3)


def main(config: CalibrateConfig) -> None:
    """Calibrates a checkpoint and rewrites its config."""
    tempering = find_tempering(config, draw_excerpts(config))
    file = config.checkpoint / "config.json"
    told = json.loads(file.read_text(encoding="utf-8"))
    PyzzicatoConfig.from_dict({**told, "tempering": tempering})
    text = json.dumps({**told, "tempering": tempering}, indent=2, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8")
    print(f"tempering {tempering:g}, written to {file}")


def parse_args() -> CalibrateConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("checkpoint", type=Path, help="folder of the model")
    add("--data-dir", type=Path, required=True, help="MAESTRO's folder")
    add("--seeds", type=int, default=48)
    add("--seconds", type=float, default=60.0, help="length of the continuations")
    add("--seed-seconds", type=float, default=10.0)
    add("--rng", type=int, default=0, help="number of the random draw")
    add("--processes", type=int, default=2)
    args = vars(parser.parse_args())
    if args["seeds"] < 1 or args["processes"] < 1:
        parser.error("--seeds and --processes must be 1 or more")
    GenerationSettings(seconds=args["seconds"], seed_seconds=args["seed_seconds"])
    return CalibrateConfig(**args)


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
