"""Measure how fast models play, beside the naive way.

    python train/benchmark.py --model lstm --lengths 10 --repeats 1          # a taste
    python train/benchmark.py --model lstm wavenet lstm-events attention-events

One continuation at a time, on one thread, sound and picture excluded; seconds of music a second of
wall time (median of the repeats). The figures of a model:

    seed taken      seconds of wall time for feeding ten seconds of seed, once, before the first new
                    note
    as it plays     from then on with the carried state, for each of the lengths; in brackets the
                    milliseconds a step, which do not depend on how dense the piece has become
    naive           the article's way: the last ten seconds through the network again for each step,
                    whatever drawing the step costs on top
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch

from pyzzicato.hub import load_model, model_info
from pyzzicato.hub.networks import open_network
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.seed import cut_seed
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations import Representation
from pyzzicato.seeds import load_seed

_SEED = "chopin-ballade-g-minor"
_NAIVE_STEPS = 40


@dataclass(frozen=True)
class BenchmarkConfig:
    """One benchmark: see `--help` for each field."""

    model: tuple[str, ...]
    lengths: tuple[float, ...]
    repeats: int
    rng: int
    out: Path | None


class Timed(NamedTuple):
    """One continuation: wall time of feeding the seed and of playing on, in seconds, and the steps
    that it took.
    """  # noqa: D205

    feeding: float
    playing: float
    steps: float


def time_playing(model: Model, seed: list[Note], seconds: float, rng: int) -> Timed:
    """Returns the times of one continuation."""
    piece = continue_seed(model, seed, GenerationSettings(seconds=seconds, rng=rng))
    playing = piece.wall_seconds - piece.heard_seconds
    return Timed(piece.heard_seconds, playing, piece.n_steps)


def time_naive_step(
    network: PyzzicatoModel, representation: Representation, seed: list[Note]
) -> float:
    """Returns the median wall time of a step for which the whole window is run again in torch."""
    notes, seconds = cut_seed(seed, GenerationSettings(), representation)
    window = torch.from_numpy(representation.encode(notes, seconds))[None]
    times = []
    with torch.inference_mode():
        for _ in range(_NAIVE_STEPS):
            began = time.perf_counter()
            network(window)
            times.append(time.perf_counter() - began)
    return median(times)


def measure(name: str, config: BenchmarkConfig) -> dict[str, Any]:
    """Returns a model's figures, times real time, as plain JSON values."""
    model, network = load_model(name), open_network(model_info(name).folder)
    seed = list(load_seed(_SEED).notes)
    torch.set_num_threads(1)
    time_playing(model, seed, 2.0, config.rng)  # What is slow only once is not counted.
    fed: list[float] = []
    times: dict[float, list[Timed]] = {seconds: [] for seconds in config.lengths}
    # Turn and turn about, so that a busy moment does not fall on one length alone.
    for _ in range(config.repeats):
        for seconds in config.lengths:
            times[seconds].append(time_playing(model, seed, seconds, config.rng))
            fed.append(times[seconds][-1].feeding)
    minute = time_playing(model, seed, 60.0, config.rng)
    steps = minute.steps / 60.0
    return {
        "steps_a_second": round(steps, 2),
        "seed_heard_s": round(median(fed), 3),
        "times_real_time": {
            f"{s:g} s": round(median(s / t.playing for t in all_), 1) for s, all_ in times.items()
        },
        "ms_a_step": {
            f"{s:g} s": round(1000 * median(t.playing / t.steps for t in all_), 3)
            for s, all_ in times.items()
        },
        "naive": round(1 / (steps * time_naive_step(network, model.representation, seed)), 1),
    }


def main(config: BenchmarkConfig) -> None:
    """Measures all models and prints a table."""
    found = {name: measure(name, config) for name in config.model}
    lengths = [f"{seconds:g} s" for seconds in config.lengths]
    columns = ["model", "steps a second", "seed taken, s", *lengths, "naive"]
    print("| " + " | ".join(columns) + " |")
    print("|---" * len(columns) + "|")
    for name, row in found.items():
        rates = " | ".join(
            f"{row['times_real_time'][length]} ({row['ms_a_step'][length]})" for length in lengths
        )
        cells = f"{row['steps_a_second']} | {row['seed_heard_s']} | {rates}"
        print(f"| {name} | {cells} | {row['naive']} |")
    if config.out is not None:
        config.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, indent=1)
        (config.out / "speed.json").write_text(text + "\n", encoding="utf-8")


def parse_args() -> BenchmarkConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", nargs="+", required=True, help="names of bundled models or folders")
    add("--lengths", nargs="+", type=float, default=[10.0, 60.0, 600.0], help="seconds")
    add("--repeats", type=int, default=3)
    add("--rng", type=int, default=0)
    add("--out", type=Path, help="folder for speed.json")
    args = vars(parser.parse_args())
    if args["repeats"] < 1:
        parser.error("--repeats must be 1 or more")
    for seconds in args["lengths"]:
        GenerationSettings(seconds=seconds)
    return BenchmarkConfig(**{**args, **{n: tuple(args[n]) for n in ("model", "lengths")}})


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
