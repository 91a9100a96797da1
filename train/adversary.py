"""Tell a system's playing from real music, and see what gives it away.

    python train/adversary.py generate --model lstm-events --data data/notes --seeds 20 \
        --out runs/taste                                                            # a taste
    python train/adversary.py generate --model lstm-events --data data/notes --out runs/tested
    python train/adversary.py generate --model lstm-events --data data/notes --split train \
        --seeds 2000 --out runs/learnt

    python train/adversary.py judge --made runs/tested/lstm-events --form events     # figures
    python train/adversary.py judge --made runs/tested/lstm-events --form events \
        --learn runs/learnt/lstm-events --json runs/adversary.json              # and a network

`generate` carries on seeds of a prepared store (`train/prepare_data.py`), drawn at random. `--out`
gets the composer's own next notes in `real/` and what each model plays in a folder of its name. A
run that was stopped goes on where it was.

`judge` needs such a folder, made by whomever: .npz or MIDI files of a minute each, with the real
ones in the folder `real/` beside it, or in `--real`. Gradient boosting learns from figures of the
passages, cross-validated by piece. With `--learn` a small network learns from the notes of another
folder, of other pieces; `--shown keys` lets it see the keys alone. `--json` keeps the verdicts for
`train/evaluate.py --adversary`.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from tqdm import tqdm
from transformers.utils import logging

from pyzzicato.evaluation.adversary import NETWORK, judge_features, write_verdicts
from pyzzicato.evaluation.adversary_network import NUMBERS, NetworkSettings, judge_network
from pyzzicato.evaluation.excerpts import Excerpt, draw_places, excerpt_at
from pyzzicato.evaluation.measures import REAL
from pyzzicato.evaluation.passage_folders import (
    ARRAYS,
    Passage,
    passage_name,
    read_passages,
    write_passage,
)
from pyzzicato.evaluation.round_trips import FORMS, put_through
from pyzzicato.hub import load_model
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.training.store import NoteStore, StoredPiece


@dataclass(frozen=True)
class GenerateConfig:
    """Which passages to make: see `generate --help` for each field."""

    model: tuple[str, ...]
    data: Path
    out: Path
    split: str
    seeds: int
    seconds: float
    seed_seconds: float
    rng: int
    processes: int

    def __post_init__(self) -> None:
        # Refused here rather than at the first seed.
        GenerationSettings(seconds=self.seconds, seed_seconds=self.seed_seconds)
        for name in ("seeds", "processes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")


@dataclass(frozen=True)
class JudgeConfig:
    """What to judge: see `judge --help` for each field."""

    made: Path
    real: Path
    form: str
    seconds: float
    learn: Path | None
    learn_real: Path | None
    crop_notes: int
    updates: int
    rng: int
    shown: tuple[str, ...]
    json: Path | None


@dataclass(frozen=True)
class Job:
    """One seed to carry on.

    Attributes:
        config: of the run.
        name: of the passages' files.
        piece: where the seed is from.
        place: how far into it, 0 to 1.
        rng: number of the random draw.
    """

    config: GenerateConfig
    name: str
    piece: StoredPiece
    place: float
    rng: int

    def missing(self) -> list[str]:
        """Returns who has not played yet."""
        return [who for who in (REAL, *self.config.model) if not self.file(who).exists()]

    def file(self, who: str) -> Path:
        """Returns where a passage is kept."""
        return self.config.out / Path(who).name / f"{self.name}{ARRAYS}"


def draw_jobs(config: GenerateConfig) -> list[Job]:
    """Returns the seeds to carry on, those of a stopped run included.

    Performances of one work count as one piece.

    Raises:
        ValueError: if no piece is long enough.
    """
    needed = config.seconds + config.seed_seconds
    stored = opened(config.data).of_split(config.split)
    pieces = [piece for piece in stored if piece.seconds >= needed]
    if not pieces:
        raise ValueError(
            f"no {config.split} piece of {config.data} lasts {needed:g} s; choose another split or "
            "shorter passages"
        )
    works = sorted({(piece.composer, piece.title) for piece in pieces})
    names = {work: f"{config.split}-{i:04d}" for i, work in enumerate(works)}
    return [
        Job(config, passage_name(names[piece.composer, piece.title], rng), piece, place, rng)
        for rng, (piece, place) in enumerate(draw_places(pieces, config.seeds, config.rng))
    ]


def generate(config: GenerateConfig) -> None:
    """Makes the passages that are not there yet."""
    jobs = [job for job in draw_jobs(config) if job.missing()]
    with ProcessPoolExecutor(config.processes) as pool:
        for _ in tqdm(pool.map(make_passages, jobs), total=len(jobs), desc="passages"):
            pass


def make_passages(job: Job) -> None:
    """Writes what follows one seed, by the composer and by each model."""
    config = job.config
    notes = opened(config.data).notes(job.piece)
    excerpt = excerpt_at(job.name, notes, job.place, config.seed_seconds, config.seconds)
    for who in job.missing():
        played = excerpt.notes if who == REAL else play(who, excerpt, job.rng)
        write_passage(played, job.file(who))


def play(model: str, excerpt: Excerpt, rng: int) -> list[Note]:
    """Returns what a model plays after an excerpt's seed."""
    lengths = {"seconds": excerpt.seconds, "seed_seconds": excerpt.seed_seconds}
    settings = GenerationSettings(**lengths, rng=rng)
    return continue_seed(loaded(model), excerpt.joined, settings).continuation_only


@cache
def loaded(name: str) -> PyzzicatoModel:
    """Returns a model, loaded once a process."""
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    return load_model(name)


@cache
def opened(folder: Path) -> NoteStore:
    """Returns a store, opened once a process."""
    return NoteStore(folder)


def judge(config: JudgeConfig) -> None:
    """Prints the verdicts and keeps them."""
    torch.set_num_threads(1)

    def passages(folder: Path) -> list[Passage]:
        found = tqdm(
            read_passages(folder, config.seconds), desc=f"{folder.parent.name}/{folder.name}"
        )
        return [put_through(passage, config.form) for passage in found]

    tested = passages(config.real), passages(config.made)
    verdicts = judge_features(*tested)
    if config.learn is not None:
        learnt = passages(config.learn_real or config.learn.parent / REAL), passages(config.learn)
        settings = NetworkSettings(
            config.crop_notes, config.updates, rng=config.rng, shown=config.shown
        )
        verdicts[NETWORK] = judge_network(learnt, tested, settings, print_progress)
    name = config.made.name
    print(f"{name}: {len(tested[0])} real, {len(tested[1])} made passages")
    for kind, found in verdicts.items():
        learnt_from = f", learned from {found.n_learnt} crops" if found.n_learnt else ""
        print(f"  {kind}: AUC {found.auc:.3f} ({found.low:.3f} to {found.high:.3f}){learnt_from}")
    if config.json is not None:
        write_verdicts({name: verdicts}, config.json)


def print_progress(update: int, auc: float) -> None:
    """Prints how the network does on the pieces kept apart."""
    print(f"update {update}: AUC {auc:.3f} on pieces kept apart", file=sys.stderr)


def parse_args() -> GenerateConfig | JudgeConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("generate", help="make passages").add_argument
    add("--model", nargs="+", required=True, help="names of bundled models or folders")
    add("--data", type=Path, required=True, help="prepared store")
    add("--out", type=Path, required=True, help="folder for the passages")
    add("--split", default="validation")
    add("--seeds", type=int, default=137)
    add("--seconds", type=float, default=60.0, help="length of a passage")
    add("--seed-seconds", type=float, default=10.0)
    add("--rng", type=int, default=0, help="number of the random draw")
    add("--processes", type=int, default=1)
    add = commands.add_parser("judge", help="tell them from real music").add_argument
    add("--made", type=Path, required=True, help="folder of a system's passages")
    add("--real", type=Path, help="folder of real ones (default: real/ beside it)")
    add("--form", required=True, choices=FORMS, help="the form the system plays in")
    add("--seconds", type=float, default=60.0, help="length of a passage")
    add("--learn", type=Path, help="folder of passages of other pieces, for the network")
    add("--learn-real", type=Path, help="real ones of these pieces (default: real/ beside it)")
    add("--crop-notes", type=int, default=128, help="notes the network sees at once")
    add("--updates", type=int, default=4000, help="of the network, at most")
    add("--rng", type=int, default=0, help="number of the network's random draw")
    add("--shown", nargs="+", choices=NUMBERS, default=NUMBERS, help="what the network sees")
    add("--json", type=Path, help="file for the verdicts; others in it stay")
    args = vars(parser.parse_args())
    if args.pop("command") == "generate":
        return GenerateConfig(**{**args, "model": tuple(args["model"])})
    args["shown"] = tuple(args["shown"])
    return JudgeConfig(**{**args, "real": args["real"] or args["made"].parent / REAL})


if __name__ == "__main__":
    try:
        config = parse_args()
        generate(config) if isinstance(config, GenerateConfig) else judge(config)
    except ValueError as error:
        sys.exit(f"error: {error}")
