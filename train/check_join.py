"""How well a continuation joins its seed, beside how well real music joins itself.

    python train/check_join.py MAESTRO --seeds 8
    python train/check_join.py MAESTRO --models lstm-events lstm --seeds 60
    python train/check_join.py --draw docs

At random places of held-out pieces ten seconds are the seed. Compared are loudness (mean velocity
of the 2 s before and after the join), density (notes of the 10 s before and after, as e-folds) and
the lengths of notes (the same, of the median). The composer's own next notes say how far music
changes by itself. `level` is the mean change, `size` the median of its size, and 95 % lie below
the last figure.

`--draw` measures nothing: it draws the joins of three presets into a folder.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np

import pyzzicato
from pyzzicato.evaluation.excerpts import Excerpt, draw_places, excerpt_at, present, read_piece
from pyzzicato.hub import load_model
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.training.catalogue import select_files

_NEAR_S = 2.0
_SPAN_S = 10.0
_LEAST_NOTES = 3
FIGURES = ("loudness", "density", "lengths")
_DRAWN = (
    ("lstm-events", "chopin-mazurka-a-minor"),
    ("attention-events", "schumann-foreign-lands"),
    ("lstm", "debussy-clair-de-lune"),
)


@dataclass(frozen=True)
class JoinConfig:
    """What to measure.

    Attributes:
        data_dir: folder of MAESTRO, with its catalogue.
        models: names of models.
        seeds: how many places.
        split: which pieces, "validation" or "test".
        rng: number of the draw of places.
        draw: folder for pictures; then nothing is measured.
    """

    data_dir: Path | None = None
    models: tuple[str, ...] = ("lstm-events", "lstm")
    seeds: int = 40
    split: str = "validation"
    rng: int = 0
    draw: Path | None = None


def changes(seed: Sequence[Note], after: Sequence[Note]) -> tuple[float | None, ...]:
    """Returns how loudness, density and lengths change over a join; None where notes are too few.

    Args:
        seed: from 0 to `_SPAN_S`.
        after: on its own clock, from 0.
    """
    late = [n for n in seed if n.start >= _SPAN_S - _NEAR_S]
    early = [n for n in after if n.start < _NEAR_S]
    after = [n for n in after if n.start < _SPAN_S]
    loudness = None
    if min(len(late), len(early)) >= _LEAST_NOTES:
        loudness = mean(n.velocity for n in early) - mean(n.velocity for n in late)
    density = math.log((len(after) + 1) / (len(seed) + 1))
    lengths = None
    if min(len(seed), len(after)) >= _LEAST_NOTES:
        lengths = math.log(median(_held(after)) / median(_held(seed)))
    return loudness, density, lengths


def _held(notes: Sequence[Note]) -> list[float]:
    """Returns how long notes are, cut where the passage is."""
    return [min(n.end, _SPAN_S) - n.start for n in notes]


def find_places(config: JoinConfig) -> list[Excerpt]:
    """Returns seeds and what follows them."""
    assert config.data_dir is not None  # the parser sees to it
    listed = [piece for piece, _ in select_files(config.data_dir, None, [config.split])]
    data_dir = config.data_dir
    pieces = present(listed, data_dir)
    # A performance may be shorter than the catalogue says by the silence around it.
    pieces = [piece for piece in pieces if piece.duration_s > 2 * _SPAN_S + 10]
    return [
        excerpt_at(piece.title, read_piece(data_dir / piece.path), place, _SPAN_S, _SPAN_S)
        for piece, place in draw_places(pieces, config.seeds, config.rng)
    ]


def measure(config: JoinConfig) -> list[str]:
    """Returns the lines of the table."""
    places = find_places(config)
    lines = [_line("real music", [changes(p.seed, p.notes) for p in places])]
    for name in config.models:
        model = load_model(name)
        made = []
        for k, place in enumerate(places):
            settings = GenerationSettings(seconds=_SPAN_S, seed_seconds=_SPAN_S, rng=k)
            piece = continue_seed(model, place.joined, settings)
            made.append(changes(place.seed, piece.continuation_only))
        lines.append(_line(name, made))
    return [f"{len(places)} places", *lines]


def _line(name: str, found: Sequence[tuple[float | None, ...]]) -> str:
    cells = []
    for figure, values in zip(FIGURES, zip(*found, strict=True), strict=True):
        known = np.array([value for value in values if value is not None])
        sizes = np.abs(known)
        cells.append(
            f"{figure}: level {known.mean():+.2f}, size {np.median(sizes):.2f}, "
            f"95 % {np.quantile(sizes, 0.95):.2f}"
        )
    return f"{name:<12} " + "; ".join(cells)


def draw_joins(folder: Path) -> list[Path]:
    """Draws ten seconds before and after the join of three presets; returns the pictures."""
    settings = GenerationSettings(seconds=_SPAN_S, seed_seconds=_SPAN_S)
    paths = []
    for name, preset in _DRAWN:
        take = pyzzicato.continue_seed(load_model(name), preset, settings)
        paths.append(take.save(folder / f"join-{preset}.png"))
    return paths


def main(config: JoinConfig) -> None:
    """Prints the table, or draws."""
    if config.draw is not None:
        print("\n".join(map(str, draw_joins(config.draw))))
    else:
        print("\n".join(measure(config)))


def parse() -> JoinConfig:
    """Returns what the command line asks for."""
    default = JoinConfig()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("data_dir", type=Path, nargs="?", help="folder of MAESTRO, with its catalogue")
    add("--models", nargs="+", default=default.models)
    add("--seeds", type=int, default=default.seeds, help="how many places (%(default)s)")
    add("--split", default=default.split, choices=("validation", "test"))
    add("--rng", type=int, default=default.rng)
    add("--draw", type=Path, metavar="FOLDER", help="draw the joins of three presets instead")
    options = vars(parser.parse_args())
    if (options["data_dir"] is None) == (options["draw"] is None):
        parser.error("name the folder of MAESTRO, or --draw FOLDER; not both")
    return JoinConfig(**{**options, "models": tuple(options["models"])})


if __name__ == "__main__":
    main(parse())
