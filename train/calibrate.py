"""Find how a model is to be drawn from: as surprising as real music, and with as many themes.

    python train/calibrate.py runs/mine/best --data-dir MUSIC --seeds 8 --seconds 20      # a taste
    python train/calibrate.py runs/mine/best --data-dir MUSIC
    python train/calibrate.py runs/free/best --data-dir EXTRA --sources mutopia nifc_chopin
    python train/calibrate.py runs/mine/best --data-dir MUSIC --themes-only

With `--themes-only` the values that the checkpoint has are the first step's, and more of the
pitches is left out only if figures come back too seldom.

How it is done is in `pyzzicato/training/surprise.py` and `themes.py`. The values are written to
`generation_config.json`.
"""

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyzzicato.evaluation.excerpts import Excerpt, draw_places, excerpt_at, present, read_piece
from pyzzicato.hub import load_model
from pyzzicato.hub.checkpoints import VALUES
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.training.calibration import find_values, write_values
from pyzzicato.training.catalogue import select_files
from pyzzicato.training.themes import raise_limit

# A performance may be shorter than the catalogue says by the silence around it.
_SPARE_S = 5.0


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
    themes_only: bool = False


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
    find = find_values
    if config.themes_only:
        known = load_model(str(config.checkpoint)).decoding.top_a
        if not known:
            raise ValueError(
                f"{config.checkpoint} has no values yet (top_a in {VALUES}) that --themes-only "
                "could begin with; calibrate without it"
            )
        find = partial(raise_limit, limits=known)
    limits = find(
        config.checkpoint,
        draw_excerpts(config),
        looks=config.looks,
        processes=config.processes,
        report=partial(print, flush=True),
    )
    file = write_values(config.checkpoint, limits)
    found = ", ".join(f"{name} {value:g}" for name, value in limits.items())
    print(f"top-a: {found}; written to {file}")


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
    add("--themes-only", action="store_true", help="begin with the values that there are")
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
