"""Find how a model is to be drawn from: its own notes shall surprise it as much as real ones do.

    python train/calibrate.py runs/mine/best --data-dir MUSIC --seeds 8 --seconds 20      # a taste
    python train/calibrate.py runs/mine/best --data-dir MUSIC
    python train/calibrate.py runs/free/best --data-dir EXTRA --sources mutopia nifc_chopin

A model that plays by itself hears its own mistakes: its uncertainty grows, and what it then draws
is less expected than any real music is. Drawing without the far tail makes up for that (min-p, see
`pyzzicato/models/drawing.py`): choices stay wide where the model is unsure, and what it is sure of
stays sure. How much of the tail is cut follows from a principle, and not from taste: for each
number of a step (onset, pitch, duration and velocity of a note, or the keys of a frame) the mean
nats that the model gives to what it has played itself are to equal those that it gives to what the
composers have played, over the same seconds after the same seeds (the typical set of Cover & Thomas
2006, "Elements of Information Theory", section 3.1).

Seeds come from training pieces, so that held-out ones stay fit to judge by. After each look at the
seeds each limit is moved in proportion to what is in excess; the guard and the density keeper are
off meanwhile. The values are written to `generation_config.json`.
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyzzicato.evaluation.excerpts import Excerpt, draw_places, excerpt_at, present, read_piece
from pyzzicato.hub import load_model
from pyzzicato.hub.checkpoints import VALUES
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding.values import DecodingValues
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.scoring import nats_by_number
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.training.catalogue import select_files

# A performance may be shorter than the catalogue says by the silence around it.
_SPARE_S = 5.0
_LOWEST, _HIGHEST = 1e-5, 0.25
# E-folds of a limit for each nat in excess, as a share of the nats of real music.
_STEP = 6.0
_LARGEST_STEP = 1.5
_FIRST = 0.01
_UNCUT = ("onset",)
"""Numbers whose tail is left: without their rarest steps playing has no pauses and grows denser. Of
`lstm-events` 12.8 notes a second became 12.0, where the composers have 10.4 (40 held-out seeds)."""


@dataclass(frozen=True)
class CalibrateConfig:
    """One calibration: see `--help` for each field."""

    checkpoint: Path
    data_dir: Path
    seeds: int
    seconds: float
    seed_seconds: float
    looks: int
    rng: int
    processes: int
    sources: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Surprise:
    """Nats of what followed a seed, by the name of a number, and how many steps it took."""

    nats: NDArray[np.float64]
    n_steps: int


@cache
def loaded(checkpoint: Path) -> Model:
    """Returns a model, loaded once a process."""
    return load_model(str(checkpoint))


def real_surprise(excerpt: Excerpt, checkpoint: Path) -> Surprise:
    """Returns what the composer's own next notes cost the model."""
    model = loaded(checkpoint)
    nats = nats_by_number(model, excerpt.joined)
    first = len(model.representation.encode(excerpt.seed)) - 1
    return Surprise(nats[first:].sum(0), len(nats) - first)


def own_surprise(
    job: tuple[int, Excerpt], checkpoint: Path, min_p: Mapping[str, float]
) -> Surprise:
    """Returns what the model's own next notes cost it."""
    rng, excerpt = job
    model = replace(loaded(checkpoint), decoding=DecodingValues(min_p=min_p))
    settings = GenerationSettings(
        seconds=excerpt.seconds,
        seed_seconds=excerpt.seed_seconds,
        rng=rng,
        without=("guard", "density"),
    )
    piece = continue_seed(model, excerpt.joined, settings)
    nats = nats_by_number(model, piece.notes)
    first = len(model.representation.encode(piece.seed_notes)) - 1
    return Surprise(nats[first:].sum(0), max(1, len(nats) - first))


def mean_nats(surprises: list[Surprise]) -> NDArray[np.float64]:
    """Returns mean nats a step by number, over all steps of all seeds."""
    total: NDArray[np.float64] = np.sum([s.nats for s in surprises], axis=0)
    return total / sum(s.n_steps for s in surprises)


def next_limit(limit: float, own: float, real: float) -> float:
    """Returns the limit of a number after a look: higher where its own notes surprise it more."""
    step = float(np.clip(_STEP * (own / real - 1), -_LARGEST_STEP, _LARGEST_STEP))
    return float(np.clip(limit * math.exp(step), _LOWEST, _HIGHEST))


def find_limits(config: CalibrateConfig, excerpts: list[Excerpt]) -> dict[str, float]:
    """Returns min-p by number, as the last half of the looks had it on average."""
    names = list(loaded(config.checkpoint).representation.numbers)
    limits = {name: 0.0 if name in _UNCUT else _FIRST for name in names}
    tried: list[dict[str, float]] = []
    with ProcessPoolExecutor(config.processes) as pool:
        real = mean_nats(
            [*pool.map(partial(real_surprise, checkpoint=config.checkpoint), excerpts)]
        )
        print("real music:", ", ".join(f"{n} {x:.3f}" for n, x in zip(names, real, strict=True)))
        for look in range(config.looks):
            run = partial(own_surprise, checkpoint=config.checkpoint, min_p=limits)
            own = mean_nats([*pool.map(run, enumerate(excerpts))])
            tried.append(limits)
            told = (f"{n} {x:.3f} with {limits[n]:.5f}" for n, x in zip(names, own, strict=True))
            print(f"look {look + 1} of {config.looks}:", ", ".join(told), flush=True)
            limits = {
                name: 0.0 if name in _UNCUT else next_limit(limits[name], o, r)
                for name, o, r in zip(names, own, real, strict=True)
            }
    kept = tried[len(tried) // 2 :]
    return {
        name: float(f"{math.exp(np.mean([math.log(t[name]) for t in kept])):.2g}")
        for name in names
        if name not in _UNCUT
    }


def draw_excerpts(config: CalibrateConfig) -> list[Excerpt]:
    """Returns seeds and what follows them, from training pieces.

    Raises:
        ValueError: if no training piece is there and long enough.
    """
    files = select_files(config.data_dir, None, ["train"], sources=config.sources)
    needed = config.seed_seconds + config.seconds
    listed = present((piece for piece, _ in files), config.data_dir)
    pieces = [piece for piece in listed if piece.duration_s >= needed + _SPARE_S]
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


def main(config: CalibrateConfig) -> None:
    """Calibrates a checkpoint and writes its `generation_config.json`."""
    limits = find_limits(config, draw_excerpts(config))
    file = config.checkpoint / VALUES
    table = DecodingValues(min_p=limits).as_table()
    file.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    found = ", ".join(f"{name} {value:g}" for name, value in limits.items())
    print(f"min-p: {found}; written to {file}")


def parse_args() -> CalibrateConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("checkpoint", type=Path, help="folder of the model")
    add("--data-dir", type=Path, required=True, help="MAESTRO's folder, or another collection's")
    add("--sources", nargs="+", help="collections of its manifest.csv, for another collection")
    add("--seeds", type=int, default=48)
    add("--seconds", type=float, default=60.0, help="length of the continuations")
    add("--seed-seconds", type=float, default=10.0)
    add("--looks", type=int, default=8, help="how often the seeds are carried on")
    add("--rng", type=int, default=0, help="number of the random draw")
    add("--processes", type=int, default=2)
    args = vars(parser.parse_args())
    for name in ("seeds", "looks", "processes"):
        if args[name] < 1:
            parser.error(f"--{name} must be 1 or more, got {args[name]}")
    GenerationSettings(seconds=args["seconds"], seed_seconds=args["seed_seconds"])
    sources = args.pop("sources")
    return CalibrateConfig(**args, sources=sources and tuple(sources))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
