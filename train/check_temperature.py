"""Whether temperature leaves the number of notes alone: it is to say which notes, and not how many.

    python train/check_temperature.py --models lstm --takes 1 --seconds 20      # a taste
    python train/check_temperature.py

Every preset is carried on at every temperature with the same numbers. For each model and
temperature: the median over all takes of the number of new notes, as a ratio to that of the same
take at temperature 1, and the share of takes in which it is within a quarter of it. At temperature
1 the same takes are compared with others of the same seed: so far draws alone lead apart.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from pyzzicato.hub import load_model
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.seeds import list_seeds, load_seed

MODELS = ("lstm", "wavenet", "conv1d", "lstm-events", "attention-events")
TEMPERATURES = (1.2, 0.9, 0.8, 0.7, 0.5)
_NEAR = 1.25


@dataclass(frozen=True)
class TemperatureConfig:
    """One check: see `--help` for each field."""

    models: tuple[str, ...] = MODELS
    temperatures: tuple[float, ...] = TEMPERATURES
    takes: int = 2
    seconds: float = 40.0
    presets: int = 0


def count_notes(model: Model, config: TemperatureConfig, temperature: float, rng: int) -> list[int]:
    """Returns how many new notes a model plays after each preset, 1 at least."""
    counts = []
    for seed in list_seeds()[: config.presets or None]:
        settings = GenerationSettings(seconds=config.seconds, temperature=temperature, rng=rng)
        piece = continue_seed(model, load_seed(seed.name).notes, settings)
        counts.append(max(1, len(piece.new_notes)))
    return counts


def measure_model(name: str, config: TemperatureConfig) -> list[str]:
    """Returns a row of the table for a model: its name and a text for each temperature."""
    model = load_model(name)
    numbers = range(config.takes)
    plain = [count_notes(model, config, 1.0, rng) for rng in numbers]
    others = count_notes(model, config, 1.0, config.takes)
    cells = [_describe(np.array(others) / plain[0])]
    for temperature in config.temperatures:
        made = [count_notes(model, config, temperature, rng) for rng in numbers]
        cells.append(_describe((np.array(made) / np.array(plain)).ravel()))
    return [f"`{name}`", *cells]


def _describe(ratios: Sequence[float]) -> str:
    near = np.mean([1 / _NEAR <= ratio <= _NEAR for ratio in ratios])
    return f"{median(ratios):.2f}, {100 * near:.0f} %"


def main(config: TemperatureConfig) -> None:
    """Prints the table, a row as soon as it is measured."""
    columns = ["", "1 (another draw)", *(f"{t:g}" for t in config.temperatures)]
    print("| " + " | ".join(columns) + " |\n|---" + "|---:" * (len(columns) - 1) + "|")
    for name in config.models:
        print("| " + " | ".join(measure_model(name, config)) + " |", flush=True)


def parse_args() -> TemperatureConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    default = TemperatureConfig()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--models", nargs="+", default=default.models)
    add("--temperatures", nargs="+", type=float, default=default.temperatures)
    add("--takes", type=int, default=default.takes, help="of each preset (%(default)s)")
    add("--seconds", type=float, default=default.seconds, help="of each take (%(default)s)")
    add("--presets", type=int, default=0, help="so many of them; 0 for all")
    options = vars(parser.parse_args())
    if options["takes"] < 1 or options["presets"] < 0:
        parser.error("--takes must be 1 or more, --presets 0 or more")
    for temperature in options["temperatures"]:
        GenerationSettings(seconds=options["seconds"], temperature=temperature)
    return TemperatureConfig(
        **{
            **options,
            "models": tuple(options["models"]),
            "temperatures": tuple(options["temperatures"]),
        }
    )


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
