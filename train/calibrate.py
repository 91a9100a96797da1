"""Find how a model is to be drawn from for its pieces to be like real ones, and keep it.

    python train/calibrate.py runs/lstm/best --data-dir MAESTRO --seeds 8 --seconds 20   # a taste
    python train/calibrate.py runs/lstm/best --data-dir MAESTRO
    python train/calibrate.py runs/lstm-events/best --data-dir MAESTRO --tempering 0.95

A model that plays on and on hears its own mistakes, grows denser by them and leaves its key.
Drawing a little more tamely makes up for it. Seeds from training pieces (what is kept back stays
so) are carried on; two numbers are found by halving intervals and written into the checkpoint's
config:

    tempering   the temperature that a listener asks for is multiplied by it. On rolls the median
                seed then has as many new notes as the composer wrote; on note events the pitches of
                eight seconds are nearly as varied as his, and no tamer.
    pacing      on note events longer onset steps are favoured, by so much that the median seed has
                as many new notes as the composer wrote.

These measures decide and nothing else; look at the report before and after.
"""

import argparse
import json
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from tqdm import tqdm

from pyzzicato.evaluation.excerpts import Excerpt, draw_places, excerpt_at, present, read_piece
from pyzzicato.evaluation.tonality import measure_tonality
from pyzzicato.generation import GenerationSettings, continue_seed
from pyzzicato.hub import load_model
from pyzzicato.models import PyzzicatoConfig, PyzzicatoModel
from pyzzicato.training.catalogue import read_catalogue, select_pieces

# A performance may be shorter than the catalogue says by the silence around it.
_SPARE_S = 5.0
_TEMPERINGS = 0.8, 1.2
_PACINGS = 1.5, -1.5
_HALVINGS = 6
# The tamer the drawing, the more alike the pieces: no tamer than it takes to be this near, bits.
_NEAR_ENOUGH = 0.05


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
    tempering: float | None = None


@dataclass(frozen=True)
class Manner:
    """How a model is drawn from: two values of its config."""

    tempering: float = 1.0
    pacing: float = 0.0


@dataclass(frozen=True)
class Excess:
    """What a continuation has more of than the composer's own.

    Attributes:
        notes: logarithm of new notes over the composer's, one added to each.
        variety: pitch-class entropy in eight seconds, less the composer's, bits; None if one of
            them has too few notes for it.
    """

    notes: float
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
    model.config.tempering, model.config.pacing = manner.tempering, manner.pacing
    settings = GenerationSettings(
        seconds=excerpt.seconds, seed_seconds=excerpt.seed_seconds, rng=number
    )
    new = continue_seed(model, excerpt.joined, settings).continuation_only
    made, real = (
        measure_tonality(notes, excerpt.seconds).window_entropy for notes in (new, excerpt.notes)
    )
    return Excess(
        notes=float(np.log((len(new) + 1) / (len(excerpt.notes) + 1))),
        variety=None if made is None or real is None else made - real,
    )


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


def find_level(low: float, high: float, excess: Callable[[float], float]) -> float:
    """Returns where in an interval an excess, which rises from `low` to `high`, passes 0."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if excess(middle) > 0:
            high = middle
        else:
            low = middle
    return round((low + high) / 2, 3)


def find_manner(config: CalibrateConfig, excerpts: list[Excerpt], on_roll: bool) -> Manner:
    """Returns the manner in which a model's pieces are like those that the seeds are from."""
    told: dict[Manner, list[Excess]] = {}
    given = config.tempering
    n_levels = 1 if on_roll or given is not None else 3
    bar = tqdm(total=_HALVINGS * n_levels, desc=config.checkpoint.name)
    with ProcessPoolExecutor(config.processes) as pool:

        def look(manner: Manner) -> list[Excess]:
            bar.update()
            if manner not in told:
                run = partial(measure, checkpoint=config.checkpoint, manner=manner)
                told[manner] = [*pool.map(run, enumerate(excerpts))]
            return told[manner]

        def notes(manner: Manner) -> float:
            return median(excess.notes for excess in look(manner))

        def variety(manner: Manner) -> float:
            known = [e.variety for e in look(manner) if e.variety is not None]
            return median(known) - _NEAR_ENOUGH if known else 0.0

        if on_roll:
            return Manner(tempering=find_level(*_TEMPERINGS, lambda t: notes(Manner(t))))
        tempering = given or 1.0
        if given is None:
            # Dense music is varied, and tame drawing is dense or thin: each in turn, and again.
            pacing = find_level(*_PACINGS, lambda p: notes(Manner(pacing=p)))
            tempering = find_level(*_TEMPERINGS, lambda t: variety(Manner(t, pacing)))
        pacing = find_level(*_PACINGS, lambda p: notes(Manner(tempering, p)))
    bar.close()
    return Manner(tempering, pacing)


def main(config: CalibrateConfig) -> None:
    """Calibrates a checkpoint and rewrites its config."""
    file = config.checkpoint / "config.json"
    on_roll = load_model(str(config.checkpoint)).config.representation == "roll"
    manner = find_manner(config, draw_excerpts(config), on_roll)
    told = {**json.loads(file.read_text(encoding="utf-8")), **asdict(manner)}
    PyzzicatoConfig.from_dict(told)
    file.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"tempering {manner.tempering:g}, pacing {manner.pacing:g}, written to {file}")


def parse_args() -> CalibrateConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("checkpoint", type=Path, help="folder of the model")
    add("--data-dir", type=Path, required=True, help="MAESTRO's folder")
    add("--seeds", type=int, default=64)
    add("--seconds", type=float, default=60.0, help="length of the continuations")
    add("--seed-seconds", type=float, default=10.0)
    add("--rng", type=int, default=0, help="number of the random draw")
    add("--processes", type=int, default=2)
    add("--tempering", type=float, help="on note events, this one: look for the pace alone")
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
