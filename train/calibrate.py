"""Find how a model is to be drawn from for its pieces to be like real ones, and keep it.

    python train/calibrate.py runs/lstm/best --data-dir MAESTRO --seeds 8 --seconds 20   # a taste
    python train/calibrate.py runs/lstm/best --data-dir MAESTRO
    python train/calibrate.py runs/lstm-free/best --data-dir EXTRA --sources mutopia nifc_chopin

A model that plays on and on hears its own mistakes, grows denser by them and leaves its key. To be
drawn from a little otherwise than it has learnt makes up for it. Seeds from training pieces (what
is kept back stays so) are carried on, and three numbers of the checkpoint's config are moved until
the median seed is carried on as its composer did:

    tempering   the temperature of keys: how varied the pitches of eight seconds are
    pacing      makes playing calmer: how many new notes there are
    holding     holds keys longer: how long notes last

Each look at the seeds moves every number against its own excess, and the last half of the looks is
averaged (stochastic approximation: Robbins & Monro 1951, averaged: Polyak & Juditsky 1992). These
measures decide and nothing else; look at the report before and after.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple, dataclass
from functools import cache, partial
from pathlib import Path
from statistics import fmean, median

import numpy as np
import torch
from tqdm import tqdm

from pyzzicato.evaluation.excerpts import Excerpt, draw_places, excerpt_at, present, read_piece
from pyzzicato.evaluation.tonality import measure_tonality
from pyzzicato.generation import GenerationSettings, continue_seed
from pyzzicato.hub import load_model
from pyzzicato.models import PyzzicatoConfig, PyzzicatoModel
from pyzzicato.notes import Note
from pyzzicato.training.catalogue import select_files

# A performance may be shorter than the catalogue says by the silence around it.
_SPARE_S = 5.0
# The tamer the drawing, the more alike the pieces: no tamer than it takes to be this near, bits.
_NEAR_ENOUGH = 0.03
_TEMPERINGS = 0.8, 1.2
_TILTS = -1.5, 1.5
# About half of what a look's excess calls for, as models on rolls and events answered to changes:
# tempering by bits; pacing and holding by logarithms.
_GAINS = {"roll": (0.2, 0.35, 0.5), "events": (0.4, 1.0, 0.4)}


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
class Manner:
    """How a model is drawn from: three values of its config (see `SamplingRule`)."""

    tempering: float = 1.0
    pacing: float = 0.0
    holding: float = 0.0


@dataclass(frozen=True)
class Excess:
    """What a continuation has more of than the composer's own.

    Attributes:
        notes: logarithm of new notes over the composer's, one added to each.
        length: logarithm of their mean duration over the composer's; None if one of them has no
            note.
        variety: pitch-class entropy in eight seconds, less the composer's, bits; None if one of
            them has too few notes for it.
    """

    notes: float
    length: float | None
    variety: float | None


@cache
def loaded(checkpoint: Path) -> PyzzicatoModel:
    """Returns a model, loaded once a process."""
    torch.set_num_threads(1)
    return load_model(str(checkpoint))


def measure(job: tuple[int, Excerpt], checkpoint: Path, manner: Manner) -> Excess:
    """Carries a seed on and returns how that differs from what the composer wrote."""
    number, excerpt = job
    model = loaded(checkpoint)
    for name, value in asdict(manner).items():
        setattr(model.config, name, value)
    settings = GenerationSettings(
        seconds=excerpt.seconds, seed_seconds=excerpt.seed_seconds, rng=number
    )
    both = continue_seed(model, excerpt.joined, settings).continuation_only, excerpt.notes
    n_made, n_real = (len(notes) + 1 for notes in both)
    lengths = [_mean_length(notes, excerpt.seconds) for notes in both]
    made, real = (measure_tonality(notes, excerpt.seconds).window_entropy for notes in both)
    return Excess(
        notes=math.log(n_made / n_real),
        length=math.log(lengths[0] / lengths[1]) if all(lengths) else None,
        variety=None if made is None or real is None else made - real,
    )


def _mean_length(notes: Sequence[Note], seconds: float) -> float:
    """Returns the mean duration of notes until `seconds`; 0 without notes."""
    return fmean(min(note.end, seconds) - note.start for note in notes) if notes else 0.0


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


def middle(excesses: Sequence[Excess]) -> Excess:
    """Returns the medians over the seeds; what no seed tells is no excess."""
    known = {
        name: [value for e in excesses if (value := getattr(e, name)) is not None]
        for name in ("notes", "length", "variety")
    }
    return Excess(**{name: median(values) if values else 0.0 for name, values in known.items()})


def move(manner: Manner, excess: Excess, gains: tuple[float, float, float]) -> Manner:
    """Returns a manner whose pieces have less of what there was too much of."""
    assert excess.length is not None and excess.variety is not None  # medians are told
    by_variety, by_notes, by_length = gains
    levels = (
        (manner.tempering - by_variety * (excess.variety - _NEAR_ENOUGH), *_TEMPERINGS),
        (manner.pacing + by_notes * excess.notes, *_TILTS),
        (manner.holding - by_length * excess.length, *_TILTS),
    )
    return Manner(*(min(max(level, low), high) for level, low, high in levels))


def find_manner(config: CalibrateConfig, excerpts: list[Excerpt], representation: str) -> Manner:
    """Returns the manner in which a model's pieces are like those that the seeds are from."""
    manners = [Manner()]
    with ProcessPoolExecutor(config.processes) as pool:
        for _ in tqdm(range(config.looks), desc=config.checkpoint.name, unit="look"):
            run = partial(measure, checkpoint=config.checkpoint, manner=manners[-1])
            excess = middle([*pool.map(run, enumerate(excerpts))])
            tqdm.write(f"{manners[-1]}: {excess}")
            manners.append(move(manners[-1], excess, _GAINS[representation]))
    last = np.array([astuple(manner) for manner in manners[-(config.looks + 1) // 2 :]])
    return Manner(*(round(float(level), 3) for level in last.mean(axis=0)))


def main(config: CalibrateConfig) -> None:
    """Calibrates a checkpoint and rewrites its config."""
    file = config.checkpoint / "config.json"
    representation = load_model(str(config.checkpoint)).config.representation
    manner = find_manner(config, draw_excerpts(config), representation)
    told = {**json.loads(file.read_text(encoding="utf-8")), **asdict(manner)}
    PyzzicatoConfig.from_dict(told)
    file.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    found = ", ".join(f"{name} {value:g}" for name, value in asdict(manner).items())
    print(f"{found}, written to {file}")


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
    add("--seeds", type=int, default=64)
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
