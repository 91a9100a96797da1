"""Draw how the held-out losses of training runs fell: by what they had seen, and by time.

    python train/compare_runs.py lstm=runs/lstm wavenet=runs/wavenet --out runs/losses.png

Each run is a folder of `train/train.py`, or a model's, with a short name before it. The first look
is left out where that shows the rest better (`--after`, in millions of steps).
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from named_folders import read_named_folders

from pyzzicato.hub.checkpoints import read_record
from pyzzicato.plots import plot_losses, save_png

Looks = list[tuple[float, float, float]]


@dataclass(frozen=True)
class CompareConfig:
    """One picture: see `--help` for each field."""

    runs: dict[str, Path]
    after: float
    title: str | None
    out: Path


def read_looks(folder: Path, after: float) -> tuple[Looks, str]:
    """Returns a run's looks as (millions of steps seen, minutes, loss), and the losses' unit.

    Raises:
        ValueError: if there is no record of a run, or it is one that did not note the time.
    """
    place = folder / "best" if (folder / "best").is_dir() else folder
    record = read_record(place)
    try:
        each = record["steps_seen"] / record["steps"] / 1e6
        looks = [
            (look["step"] * each, look["seconds"] / 60, look["validation"])
            for look in record["curve"]
        ]
        return [look for look in looks if look[0] >= after], record["losses"]["unit"]
    except (KeyError, ZeroDivisionError) as error:
        raise ValueError(
            f"{folder} must be a run of train.py whose record holds its looks and their times; "
            f"missing: {error}"
        ) from error


def main(config: CompareConfig) -> None:
    """Draws the picture and prints where each run ended."""
    curves: dict[str, Looks] = {}
    units = set()
    for name, folder in config.runs.items():
        curves[name], unit = read_looks(folder, config.after)
        units.add(unit)
    if len(units) > 1:
        raise ValueError(f"runs must have losses of one unit, got {', '.join(sorted(units))}")
    figure = plot_losses(curves, units.pop(), config.title)
    config.out.parent.mkdir(parents=True, exist_ok=True)
    save_png(figure, config.out)
    for name, looks in curves.items():
        seen, minutes, loss = looks[-1]
        print(f"{name}: {loss:.3f} after {seen:.2f} million steps and {minutes:.1f} minutes")


def parse_args() -> CompareConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("runs", nargs="+", metavar="NAME=FOLDER", help="runs, each with a short name")
    add("--after", type=float, default=0.0, help="leave out looks before so many million steps")
    add("--title", help="written above the picture")
    add("--out", type=Path, required=True, help="file of the picture, .png")
    args = parser.parse_args()
    return CompareConfig(read_named_folders(parser, args.runs), args.after, args.title, args.out)


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
