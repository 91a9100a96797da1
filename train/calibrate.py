"""Find how a model is to be drawn from for its pieces to be like real ones, and keep it.

    python train/calibrate.py runs/lstm/best --data-dir MAESTRO --seeds 8 --seconds 20   # a taste
    python train/calibrate.py runs/lstm/best --data-dir MAESTRO
    python train/calibrate.py runs/lstm-free/best --data-dir EXTRA --sources mutopia nifc_chopin

A model that plays on and on hears its own mistakes, grows denser by them and leaves its key. To be
drawn from a little otherwise than it has learnt makes up for it. Seeds from training pieces (what
is kept back stays so) are carried on, and three numbers of its `generation_config.json` are moved
until the median seed is carried on as its composer did:

    tempering   the temperature of keys: how varied the pitches of eight seconds are
    pacing      makes playing calmer: how many new notes there are
    holding     holds keys longer: how long notes last

It begins with what is there. After each look at the seeds a line is laid through what all
looks have told (ridge regression towards how other models answered), and the next look is where by
it nothing is in excess, or as near as a step goes. These measures decide and nothing else; look at
the report before and after.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple, dataclass, replace
from functools import cache, partial
from pathlib import Path
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pyzzicato.evaluation.excerpts import Excerpt, draw_places, excerpt_at, present, read_piece
from pyzzicato.evaluation.tonality import measure_tonality
from pyzzicato.hub import load_model
from pyzzicato.hub.checkpoints import MAX_CONFIG_BYTES, VALUES, read_json
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding.values import DecodingValues
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations import Representation
from pyzzicato.training.catalogue import select_files

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

# A performance may be shorter than the catalogue says by the silence around it.
_SPARE_S = 5.0
# The tamer the drawing, the more alike the pieces: no tamer than it takes to be this near, bits.
_NEAR_ENOUGH = 0.03
_LOWEST, _HIGHEST = np.array([(0.7, -1.5, -1.5), (1.3, 1.5, 1.5)])
_STEP = np.array([0.04, 0.2, 0.2])
# What a look tells beside the one after it.
_FADING = 0.8
# How notes, length and variety answered in other models, a row each to tempering, pacing and
# holding. On rolls what sounds feeds itself.
_ANSWERS = {
    "roll": np.array([(14.0, -1.0, 5.0), (-3.0, 1.0, -1.0), (-0.5, 4.0, -0.5)]),
    "events": np.array([(0.5, -0.3, 1.3), (-0.5, -0.2, 0.1), (-0.5, 1.2, 0.0)]),
}


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
    """How a model is drawn from: three of its values of decoding (see `DecodingValues`)."""

    tempering: float = 1.0
    pacing: float = 0.0
    holding: float = 0.0

    @classmethod
    def of(cls, values: DecodingValues, representation: Representation) -> "Manner":
        """Returns the three of all values."""
        tempering = values.temperatures.get(_tempered(representation), 1.0)
        return cls(tempering, values.pacing, values.holding)

    def put_into(self, values: DecodingValues, representation: Representation) -> DecodingValues:
        """Returns all values with these three in their places."""
        temperatures = {**values.temperatures, _tempered(representation): self.tempering}
        return replace(values, temperatures=temperatures, pacing=self.pacing, holding=self.holding)


def _tempered(representation: Representation) -> str:
    """Returns the name of what is tempered: of the four numbers of a note its pitch."""
    return "pitch" if "pitch" in representation.numbers else "keys"


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
def loaded(checkpoint: Path) -> Model:
    """Returns a model, loaded once a process."""
    return load_model(str(checkpoint))


def measure(job: tuple[int, Excerpt], checkpoint: Path, manner: Manner) -> Excess:
    """Carries a seed on and returns how that differs from what the composer wrote."""
    number, excerpt = job
    model = loaded(checkpoint)
    model = replace(model, decoding=manner.put_into(model.decoding, model.representation))
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


def medians(excesses: Sequence[Excess]) -> Vector:
    """Returns what the median seed has too much of: notes, length and variety.

    What no seed tells is no excess.
    """
    known = (
        [value for e in excesses if (value := getattr(e, name)) is not None]
        for name in ("notes", "length", "variety")
    )
    notes, length, variety = (median(values) if values else 0.0 for values in known)
    return np.array([notes, length, variety - _NEAR_ENOUGH])


def next_manner(looks: Sequence[tuple[Manner, Vector]], answers: Matrix) -> Manner:
    """Returns where nothing should be in excess, or the way there as far as a step goes.

    Args:
        looks: manners, and what there was too much of with them, `(3,)`; at least one.
        answers: how excesses, by columns, answered to changes of the three values in other models,
            `(3, 3)`.
    """
    levels = np.array([astuple(manner) for manner, _ in looks])
    excesses = np.array([excess for _, excess in looks])
    # From the last look, in steps.
    away = (levels - levels[-1]) / _STEP
    known = answers * _STEP[:, None]
    columns = np.c_[np.ones(len(looks)), away]
    weights = np.array([_FADING**age for age in range(len(looks))][::-1])[:, None]
    kept = np.diag([0.0, 1.0, 1.0, 1.0])
    surprise = np.linalg.solve(
        columns.T @ (weights * columns) + kept, columns.T @ (weights * (excesses - away @ known))
    )
    steps = -surprise[0] @ np.linalg.pinv(known + surprise[1:])
    steps /= max(1.0, float(np.abs(steps).max()))
    return Manner(*np.clip(levels[-1] + steps * _STEP, _LOWEST, _HIGHEST).tolist())


def find_manner(
    config: CalibrateConfig, excerpts: list[Excerpt], begin: Manner, answers: Matrix
) -> Manner:
    """Returns the manner in which a model's pieces are like those that the seeds are from."""
    looks: list[tuple[Manner, Vector]] = []
    manner = begin
    with ProcessPoolExecutor(config.processes) as pool:
        for _ in tqdm(range(config.looks), desc=config.checkpoint.name, unit="look"):
            run = partial(measure, checkpoint=config.checkpoint, manner=manner)
            looks.append((manner, medians([*pool.map(run, enumerate(excerpts))])))
            tqdm.write(f"{manner}: {looks[-1][1].round(3)}")
            manner = next_manner(looks, answers)
    return Manner(*(round(value, 3) for value in astuple(manner)))


def main(config: CalibrateConfig) -> None:
    """Calibrates a checkpoint and rewrites its values of decoding."""
    file = config.checkpoint / VALUES
    model = load_model(str(config.checkpoint))
    begin = Manner.of(model.decoding, model.representation)
    answers = _ANSWERS[model.config.representation]
    manner = find_manner(config, draw_excerpts(config), begin, answers)
    before = read_json(file, MAX_CONFIG_BYTES) if file.is_file() else {}
    told = {**before, **manner.put_into(model.decoding, model.representation).as_table()}
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
