"""Check that a continuation is as dense as it is asked to be.

    python train/check_density.py --data-dir MAESTRO --pieces 3                     # a taste
    python train/check_density.py --data-dir MAESTRO --model lstm-events --out runs/density

Seeds of ten seconds from held-out pieces are carried on at several densities, each a multiple of
what usually follows such a seed. How many notes a second are struck is held against what the same
model plays after the same seed unasked, at a density of 1.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench_pieces import check_parser, held_out, write_table
from tqdm import tqdm

from pyzzicato.evaluation.excerpts import Excerpt, excerpt_at
from pyzzicato.hub import open_model
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings

SEED_S = 10.0


@dataclass(frozen=True)
class DensityConfig:
    """One check: see `--help` for each field."""

    data_dir: Path
    model: str
    pieces: int
    seconds: float
    densities: Sequence[float]
    rng: int
    out: Path | None


def measure(
    model: Model, excerpt: Excerpt, densities: Sequence[float], rng: int
) -> dict[float, float]:
    """Returns how many notes a second are struck after a seed, by the density asked for."""
    played = {}
    for density in densities:
        settings = GenerationSettings(seconds=excerpt.seconds, density=density, rng=rng)
        notes = continue_seed(model, excerpt.joined, settings).continuation_only
        played[density] = len(notes) / excerpt.seconds
    return played


def main(config: DensityConfig) -> None:
    """Carries on all pieces and prints medians."""
    model, _ = open_model(config.model)
    asked = [1.0, *(density for density in config.densities if density != 1)]
    pieces = held_out(config.data_dir, config.pieces, SEED_S + config.seconds, config.rng)
    rows = []
    for i, (path, notes, place, _) in enumerate(tqdm(pieces, total=config.pieces)):
        excerpt = excerpt_at(path, notes, place, SEED_S, config.seconds)
        rows.append(measure(model, excerpt, asked, config.rng + i))
    heard = [row for row in rows if row[1.0]]
    if not heard:
        raise ValueError("nothing was played; choose more pieces or longer continuations")
    table = {
        f"{density:g}": {
            "times_as_dense": median(row[density] / row[1.0] for row in heard),
            "notes_a_second": median(row[density] for row in heard),
        }
        for density in sorted(asked)
    }
    print(f"{config.model}, {len(heard)} pieces: asked for, medians of what was played")
    for density, found in table.items():
        print(
            f"  {density}: {found['times_as_dense']:.2f} times as dense, "
            f"{found['notes_a_second']:.1f} notes a second"
        )
    if config.out is not None:
        facts = {"model": config.model, "pieces": len(heard)}
        write_table({**facts, "asked": table}, config.out / "density.json")


def parse_args() -> DensityConfig:
    """Returns the configuration of the command line."""
    parser = check_parser(__doc__, "pieces", 60, 30.0, "continuation", "density.json")
    parser.add_argument("--densities", nargs="+", type=float, default=[0.5, 0.7, 1.4, 2.0])
    return DensityConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
