"""Write a minute of each model as a small MP3, all of one seed, to hear them side by side.

    python train/write_sounds.py --out runs/sounds
    python train/write_sounds.py --models runs/mine/best lstm --seed debussy-arabesque-1 \
        --out runs/sounds

Ten seconds are the seed, the rest is the first take, and none is chosen.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from pyzzicato.audio import render, write_mp3
from pyzzicato.hub import list_models, load_model
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.takes import continue_seed


@dataclass(frozen=True)
class SoundsConfig:
    """What to write: see `--help` for each field."""

    models: tuple[str, ...]
    seed: str
    seconds: float
    rng: int
    out: Path


def main(config: SoundsConfig) -> None:
    """Plays the seed with each model and writes what is heard."""
    config.out.mkdir(parents=True, exist_ok=True)
    settings = GenerationSettings(seconds=config.seconds, rng=config.rng)
    for name in config.models:
        take = continue_seed(load_model(name), config.seed, settings)
        file = config.out / f"{Path(name).name}.mp3"
        write_mp3(render(take.notes), file, small=True)
        print(f"{file}: {len(take.new_notes)} new notes, {file.stat().st_size / 1000:.0f} kB")


def parse_args() -> SoundsConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--models", nargs="+", help="names or folders (default: all that are bundled)")
    add("--seed", default="schumann-foreign-lands", help="name of a preset, or a MIDI file")
    add("--seconds", type=float, default=50.0, help="length of what follows the seed")
    add("--rng", type=int, default=0, help="number of the random draw")
    add("--out", type=Path, required=True, help="folder for the files")
    args = vars(parser.parse_args())
    bundled = (info.name for info in list_models() if info.source != "folder")
    return SoundsConfig(**{**args, "models": tuple(args["models"] or bundled)})


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
