"""Measure models on seeds from held-out pieces, beside real music and simple baselines.

    python train/evaluate.py --model lstm --data-dir MAESTRO --seeds 4 --seconds 20 --out runs/taste
    python train/evaluate.py --model lstm wavenet conv1d --data-dir MAESTRO --out runs/baseline
    torchrun --standalone --local_addr 127.0.0.1 --nproc_per_node 2 \
        train/evaluate.py --model lstm wavenet conv1d --data-dir MAESTRO --out runs/baseline

Each model carries every seed on by sampling, and one on a roll also in the article's way with a
threshold. They stand beside the composer's own next notes ("real"), a first-order Markov model of
each key, and the seed in a loop. The Markov model and the baselines of the likelihood are counted
on `--markov-pieces` pieces of the training split, drawn at random.

`--out` gets `report.md`, `report.json` and pictures, and in `pieces/` a folder for each seed with
what everyone made of it as MIDI. A run that was stopped goes on where it was: finished seeds are
kept. The report also says whether a classifier can tell each from real music; `--adversary` adds
what the networks of `train/adversary.py judge` found.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from numpy.typing import NDArray
from tqdm import tqdm
from transformers.utils import logging

from pyzzicato import __version__
from pyzzicato.evaluation.adversary import Verdict, judge_features, read_verdicts
from pyzzicato.evaluation.excerpts import draw_places, excerpt_at, present, read_piece
from pyzzicato.evaluation.likelihood import (
    RollNats,
    baseline_nats,
    piece_likelihood,
    roll_likelihood,
)
from pyzzicato.evaluation.markov import count_markov
from pyzzicato.evaluation.measures import REAL, measure_excerpt
from pyzzicato.evaluation.passage_folders import Passage, passage_name
from pyzzicato.evaluation.pictures import choose_pieces, draw_measures, draw_rolls
from pyzzicato.evaluation.report import build_report, make_folder, write_report
from pyzzicato.evaluation.round_trips import put_through
from pyzzicato.evaluation.seed_records import SeedRecord, SeedRecords, total_likelihoods
from pyzzicato.evaluation.style import BUNDLED, StyleClassifier
from pyzzicato.evaluation.systems import (
    System,
    load_systems,
    looped_seed,
    markov_player,
    name_models,
    real_music,
)
from pyzzicato.evaluation.training_index import BUNDLED_INDEX, TrainingIndex
from pyzzicato.hub import model_info
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.playing.decoding import PART_NAMES
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations.pianoroll import FS, notes_to_roll
from pyzzicato.training.catalogue import Piece, read_catalogue, select_pieces

Rolls = list[NDArray[np.uint8]]
# A performance may be shorter than the catalogue says by the silence around it.
SPARE_S = 5.0


@dataclass(frozen=True)
class EvaluateConfig:
    """One evaluation: see `--help` for each field."""

    model: tuple[str, ...]
    data_dir: Path
    out: Path
    split: str
    seeds: int
    seconds: float
    seed_seconds: float
    temperature: float
    threshold: float
    rng: int
    training_index: Path
    markov_pieces: int
    adversary: Path | None = None
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Refused here rather than at the first seed, minutes later.
        lengths = {"seconds": self.seconds, "seed_seconds": self.seed_seconds}
        GenerationSettings(**lengths, temperature=self.temperature)
        GenerationSettings(**lengths, threshold=self.threshold)
        for name in ("seeds", "markov_pieces"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")


@dataclass(frozen=True)
class Bench:
    """Everything a seed is put through."""

    systems: list[System]
    networks: dict[str, PyzzicatoModel]
    baselines: dict[str, RollNats]
    classifier: StyleClassifier
    index: TrainingIndex
    records: SeedRecords


def draw_seeds(config: EvaluateConfig) -> list[tuple[Piece, float]]:
    """Returns the drawn pieces and how far into each one to go.

    Raises:
        ValueError: if no listed piece of the split is there and long enough.
    """
    catalogue = select_pieces(read_catalogue(config.data_dir), None, [config.split])
    needed = config.seed_seconds + config.seconds + SPARE_S
    pieces = [p for p in present(catalogue, config.data_dir) if p.duration_s >= needed]
    if not pieces:
        raise ValueError(
            f"no piece of split {config.split!r} in {config.data_dir} lasts {needed:g} s; choose "
            "another split or shorter continuations"
        )
    return draw_places(pieces, config.seeds, config.rng)


def training_rolls(config: EvaluateConfig, show: bool) -> Rolls:
    """Returns rolls of training pieces drawn at random; unreadable files are passed over.

    Raises:
        ValueError: if there is no training piece.
    """
    listed = select_pieces(read_catalogue(config.data_dir), None, ["train"])
    pieces = present(listed, config.data_dir)
    order = np.random.default_rng(config.rng).permutation(len(pieces))
    rolls: Rolls = []
    with tqdm(total=config.markov_pieces, desc="training pieces", disable=not show) as bar:
        for i in order:
            if len(rolls) == config.markov_pieces:
                break
            try:
                rolls.append(notes_to_roll(read_piece(config.data_dir / pieces[i].path)))
                bar.update()
            except ValueError as error:
                if show:
                    bar.write(f"passed over: {error}", file=sys.stderr)
    if not rolls:
        raise ValueError(f"{config.data_dir} has no training piece to count the baselines on")
    return rolls


def set_up(config: EvaluateConfig, index: TrainingIndex, show: bool) -> Bench:
    """Loads the models, counts the baselines."""
    models, networks = load_systems(
        config.model,
        temperature=config.temperature,
        threshold=config.threshold,
        without=config.without,
    )
    rolls = training_rolls(config, show)
    baselines = [markov_player(count_markov(rolls), len(rolls)), looped_seed()]
    return Bench(
        [real_music(), *models, *baselines],
        networks,
        baseline_nats(rolls),
        StyleClassifier.load(),
        index,
        SeedRecords(config.out),
    )


def measure_seed(
    config: EvaluateConfig, bench: Bench, number: int, piece: Piece, place: float
) -> SeedRecord:
    """Returns the record of one seed, after keeping what everyone made of it."""
    name = f"{piece.composer}, {piece.title}"
    try:
        notes = read_piece(config.data_dir / piece.path)
        excerpt = excerpt_at(name, notes, place, config.seed_seconds, config.seconds)
    except ValueError as error:
        reason = str(error).replace(str(config.data_dir), config.data_dir.name)
        return SeedRecord(piece.path, {}, {}, left_out=f"{name}: {reason}")
    measures = {}
    for system in bench.systems:
        played = system.carry_on(excerpt, number)
        bench.records.write_notes(number, system.name, played)
        measures[system.name] = measure_excerpt(
            played, classifier=bench.classifier, index=bench.index, composer=piece.composer
        )
    roll = notes_to_roll(notes)
    likelihoods = {n: piece_likelihood(m, notes) for n, m in bench.networks.items()}
    for n, nats in bench.baselines.items():
        likelihoods[n] = roll_likelihood(nats(roll), roll, FS)
    return SeedRecord(piece.path, measures, likelihoods)


def claim_folder(
    config: EvaluateConfig, seeds: list[tuple[Piece, float]], index: TrainingIndex
) -> dict[str, Any]:
    """Keeps a folder to one evaluation; returns its settings as JSON values.

    Raises:
        ValueError: if the folder holds an evaluation with other settings, weights or data.
    """
    models = name_models(config.model)
    settings = {name: v for name, v in asdict(config).items() if not isinstance(v, Path)}
    drawn = json.dumps([(piece.path, place) for piece, place in seeds])
    settings |= {
        "without": list(config.without),
        "model": {name: model_info(model).revision for name, model in models.items()},
        "data": config.data_dir.resolve().name,
        "drawn": digest(drawn.encode()),
        "style_classifier": digest(BUNDLED.read_bytes()),
        "training_index": f"{len(index.labels)} pieces, {index.n_notes} notes",
        "version": __version__,
    }
    file = make_folder(config.out) / "settings.json"
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))
        other = sorted(
            n for n in before.keys() | settings.keys() if before.get(n) != settings.get(n)
        )
        if other:
            raise ValueError(
                f"{config.out} holds an evaluation with other settings ({', '.join(other)}); "
                "choose another folder"
            )
    else:
        file.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    return settings


def digest(data: bytes) -> str:
    """Returns a short hash that identifies data, as the revision identifies a model."""
    return hashlib.sha256(data).hexdigest()[:12]


def judge(
    config: EvaluateConfig, bench: Bench, records: dict[int, SeedRecord]
) -> dict[str, dict[str, Verdict]]:
    """Returns how well adversaries tell what each system made from real music, by system."""

    def passages(name: str, form: str) -> list[Passage]:
        found = []
        for number, record in records.items():
            played = bench.records.read_notes(number, name, config.seed_seconds, config.seconds)
            passage = Passage(passage_name(record.piece, number), played.notes, played.seconds)
            found.append(put_through(passage, form))
        return found

    networks = {} if config.adversary is None else read_verdicts(config.adversary)
    verdicts = {}
    real = {form: passages(REAL, form) for form in {s.form for s in bench.systems}}
    for system in bench.systems:
        if system.name != REAL:
            form = system.form
            found = judge_features(real[form], passages(system.name, form))
            verdicts[system.name] = found | networks.get(system.name, {})
    return verdicts


def write(config: EvaluateConfig, bench: Bench, settings: dict[str, Any]) -> Path:
    """Writes the report of a finished evaluation; returns its page's path.

    Raises:
        ValueError: if no seed could be measured.
    """
    read = {number: bench.records.read(number) for number in range(config.seeds)}
    records = {number: record for number, record in read.items() if record.left_out is None}
    left_out = [record.left_out for record in read.values() if record.left_out is not None]
    if not records:
        raise ValueError(f"no seed could be measured: {'; '.join(left_out)}")
    sets = {s.name: [r.measures[s.name] for r in records.values()] for s in bench.systems}
    report = build_report(
        sets,
        description=(
            f"{len(records)} seeds of {config.seed_seconds:g} s, drawn at random from the "
            f"{config.split} pieces of {settings['data']}, each carried on for "
            f"{config.seconds:g} s. Number of the random draw: {config.rng}."
        ),
        about={system.name: system.about for system in bench.systems},
        settings=settings,
        remarks=left_out,
        likelihoods=total_likelihoods(records),
        classifier=bench.classifier,
        adversaries=judge(config, bench, records),
    )
    numbers = list(records)
    models = [system.name for system in bench.systems if system.is_drawn]
    report["pictures"] = draw_measures(sets, config.out, models)
    for name in models:
        chosen = choose_pieces(sets[name], sets[REAL])
        rolls = {
            word: replace(
                bench.records.read_notes(numbers[i], name, config.seed_seconds, config.seconds),
                name=sets[name][i].name,
            )
            for word, i in chosen.items()
        }
        report["pictures"] += draw_rolls(name, rolls, config.out)
    return write_report(report, config.out)


def main(config: EvaluateConfig) -> None:
    """Runs or resumes one evaluation and writes its report."""
    state = PartialState(cpu=True)
    show = state.is_main_process
    logging.disable_progress_bar()
    # One core a process: more gain little on steps this small, and sums keep their order.
    torch.set_num_threads(1)
    seeds = draw_seeds(config)
    index = TrainingIndex.load(config.training_index)
    # One after the other: the first process may have to write what the others read.
    with state.main_process_first():
        settings = claim_folder(config, seeds, index)
    bench = set_up(config, index, show)
    mine = list(enumerate(seeds))[state.process_index :: state.num_processes]
    for number, (piece, place) in tqdm(mine, desc="seeds", disable=not show):
        if not bench.records.is_finished(number):
            bench.records.write(number, measure_seed(config, bench, number, piece, place))
    state.wait_for_everyone()
    if show:
        print(write(config, bench, settings))
    state.destroy_process_group()


def parse_args() -> EvaluateConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", nargs="+", required=True, help="names of bundled models or folders")
    add("--data-dir", type=Path, required=True, help="MAESTRO's folder")
    add("--out", type=Path, required=True, help="folder for pieces and report")
    add("--split", default="validation", choices=("train", "validation", "test"))
    add("--seeds", type=int, default=100)
    add("--seconds", type=float, default=60.0, help="length of the continuations")
    add("--seed-seconds", type=float, default=10.0)
    add("--temperature", type=float, default=1.0)
    add("--threshold", type=float, default=0.3, help="of the article's way")
    add("--rng", type=int, default=0, help="number of the random draw")
    add("--training-index", type=Path, default=BUNDLED_INDEX, help="from build_index.py")
    add("--markov-pieces", type=int, default=100)
    add(
        "--without",
        nargs="+",
        default=(),
        choices=PART_NAMES,
        metavar="PART",
        help=f"parts of decoding to play without, one by one: {', '.join(PART_NAMES)}",
    )
    add("--adversary", type=Path, help="verdicts of networks, from adversary.py judge")
    args = vars(parser.parse_args())
    return EvaluateConfig(**{**args, **{n: tuple(args[n]) for n in ("model", "without")}})


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
