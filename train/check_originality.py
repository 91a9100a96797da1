"""Show that the originality measure finds copies, and that it leaves original music alone.

    python train/check_originality.py --data-dir MAESTRO --index index.npz --pieces 10     # a taste
    python train/check_originality.py --data-dir MAESTRO --index index.npz
    python train/check_originality.py --data-dir MAESTRO --index index.npz --json report.json

False alarms: how much held-out performances (of works that are not in training) share with
training, by length of excerpt. Detection: training excerpts of 20 to 60 s, as they are and altered,
and 10 s excerpts hidden in 50 s of held-out music. Speed: on one core, index in memory.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pyzzicato.evaluation.originality import Originality, TrainingIndex, measure_originality
from pyzzicato.midi import read_midi
from pyzzicato.notes import (
    Note,
    cut_notes,
    end_of,
    shift_notes,
    sort_notes,
    stretch_notes,
    transpose_notes,
)
from pyzzicato.training.catalogue import Piece, read_catalogue, select_pieces

JITTER_S = 0.01
SEMITONES = 6
STRETCH = 0.07
HIDDEN_S = 10.0
HIDDEN_AT_S = 20.0
EXCERPT_S = 60.0
MANY_NOTES = 40
"""Slow music has fewer in 10 s; even an exact copy of that may be no more than chance."""

Notes = list[Note]
Alteration = Callable[[Notes, np.random.Generator], Notes]


@dataclass(frozen=True)
class CheckConfig:
    """One check: see `--help` for each field."""

    data_dir: Path
    index: Path
    pieces: int | None
    json: Path | None
    seed: int


@dataclass(frozen=True)
class Excerpt:
    """A piece and the notes of a part of it, or of all."""

    piece: Piece
    notes: Notes


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        name: what was measured.
        n: how many excerpts.
        copied: share for which the alarm was raised.
        named: share whose nearest training piece is by the right composer; None where there is no
            right one. (MAESTRO has one work under many titles, and many performances of it.)
        notes: 1st, 5th, 50th, 95th and 99th percentile of the longest passage in notes.
        seconds: the same in seconds.
        covered_12: the same of the share covered by passages of 12 notes.
        longest: the longest passage of all in words.
    """

    name: str
    n: int
    copied: float
    named: float | None
    notes: list[float]
    seconds: list[float]
    covered_12: list[float]
    longest: str


def jitter(notes: Notes, rng: np.random.Generator) -> Notes:
    """Returns the notes with onsets moved at random (normal, `JITTER_S`), lengths kept."""
    moves = rng.normal(0.0, JITTER_S, len(notes)).tolist()
    starts = [max(0.0, note.start + move) for note, move in zip(notes, moves, strict=True)]
    return sort_notes(
        replace(note, start=start, end=start + note.duration)
        for note, start in zip(notes, starts, strict=True)
    )


def transpose(notes: Notes, rng: np.random.Generator) -> Notes:
    """Returns the notes moved by 1 to `SEMITONES` semitones up or down."""
    return transpose_notes(notes, int(rng.integers(1, SEMITONES + 1) * rng.choice([-1, 1])))


def stretch(notes: Notes, rng: np.random.Generator) -> Notes:
    """Returns the notes up to 7 % slower or faster."""
    return stretch_notes(notes, rng.uniform(1 - STRETCH, 1 + STRETCH))


ALTERATIONS: dict[str, Sequence[Alteration]] = {
    "exact": (),
    "transposed": (transpose,),
    "jittered": (jitter,),
    "stretched": (stretch,),
    "jittered, transposed": (jitter, transpose),
    "stretched, jittered, transposed": (stretch, jitter, transpose),
}


def alter(notes: Notes, alterations: Sequence[Alteration], rng: np.random.Generator) -> Notes:
    """Returns the notes with all the alterations made, one after the other."""
    for alteration in alterations:
        notes = alteration(notes, rng)
    return notes


def excerpt(whole: Excerpt, seconds: float, rng: np.random.Generator) -> Excerpt:
    """Returns an excerpt of so many seconds, or of all there is, from a random place."""
    start = rng.uniform(0.0, max(0.0, end_of(whole.notes) - seconds))
    return Excerpt(whole.piece, cut_notes(whole.notes, start, start + seconds))


def hide(part: Excerpt, music: Notes) -> Excerpt:
    """Returns a training excerpt in the midst of other music, which goes on after it."""
    before = cut_notes(music, 0.0, HIDDEN_AT_S)
    after = [note for note in music if note.start >= HIDDEN_AT_S]
    parts = [*before, *shift_notes(part.notes, HIDDEN_AT_S), *shift_notes(after, HIDDEN_S)]
    return Excerpt(part.piece, sort_notes(parts))


def measure(name: str, excerpts: Sequence[Excerpt], index: TrainingIndex, *, copies: bool) -> Row:
    """Returns the line of some excerpts; `copies` if they are training music."""
    found = [measure_originality(part.notes, index) for part in excerpts]
    named = [
        result.nearest_composer == part.piece.composer
        for part, result in zip(excerpts, found, strict=True)
    ]
    return Row(
        name=name,
        n=len(found),
        copied=float(np.mean([result.copied for result in found])),
        named=float(np.mean(named)) if copies else None,
        notes=_percentiles([result.longest_notes for result in found]),
        seconds=_percentiles([result.longest_seconds for result in found]),
        covered_12=_percentiles([result.covered_12 for result in found]),
        longest=_longest(excerpts, found),
    )


def _percentiles(values: Sequence[float]) -> list[float]:
    """Returns the 1st, 5th, 50th, 95th and 99th percentile."""
    return [float(value) for value in np.percentile(values, [1, 5, 50, 95, 99])]


def _longest(excerpts: Sequence[Excerpt], found: Sequence[Originality]) -> str:
    """Returns the longest shared passage of all in words."""
    at = max(range(len(found)), key=lambda i: found[i].longest_notes)
    piece = excerpts[at].piece
    return f"{piece.composer}, {piece.title}: {found[at].sentence()}"


def read_pieces(pieces: Sequence[Piece], data_dir: Path, name: str) -> list[Excerpt]:
    """Returns whole pieces, as fingered."""
    return [
        Excerpt(piece, list(read_midi(data_dir / piece.path).notes))
        for piece in tqdm(pieces, desc=name, unit="file")
    ]


def false_alarms(held_out: Sequence[Excerpt], index: TrainingIndex, seed: int) -> list[Row]:
    """Returns what held-out music shares with training, by length of excerpt."""
    rows = []
    for seconds, each in ((20.0, 4), (EXCERPT_S, 1), (EXCERPT_S, 4), (120.0, 2)):
        rng = np.random.default_rng(seed)
        parts = [excerpt(whole, seconds, rng) for whole in held_out for _ in range(each)]
        name = f"held-out, {each} x {seconds:.0f} s of each"
        rows.append(measure(name, [part for part in parts if part.notes], index, copies=False))
    return [*rows, measure("held-out, whole pieces", held_out, index, copies=False)]


def detection(
    training: Sequence[Excerpt], held_out: Sequence[Excerpt], index: TrainingIndex, seed: int
) -> list[Row]:
    """Returns how well training excerpts are found, altered and hidden."""
    rng = np.random.default_rng(seed)
    parts = [excerpt(whole, rng.uniform(20.0, 60.0), rng) for whole in training]
    shorter = [excerpt(whole, HIDDEN_S, rng) for whole in training]
    hosts = [excerpt(held_out[i % len(held_out)], 50.0, rng) for i in range(len(training))]
    rows = []
    for name, alterations in ALTERATIONS.items():
        altered = [Excerpt(p.piece, alter(p.notes, alterations, rng)) for p in parts]
        rows.append(measure(f"20 to 60 s, {name}", altered, index, copies=True))
    for name in ("exact", "stretched, jittered, transposed"):
        hidden = [
            hide(Excerpt(p.piece, alter(p.notes, ALTERATIONS[name], rng)), host.notes)
            for p, host in zip(shorter, hosts, strict=True)
        ]
        rows.append(measure(f"10 s in 60 s, {name}", hidden, index, copies=True))
        many = [h for h, p in zip(hidden, shorter, strict=True) if len(p.notes) >= MANY_NOTES]
        if many:
            few = f"10 s of {MANY_NOTES} notes or more, {name}"
            rows.append(measure(few, many, index, copies=True))
    return rows


def speed(held_out: Sequence[Excerpt], index: TrainingIndex, seed: int) -> dict[str, float]:
    """Returns how long one measurement of 60 s takes, in seconds."""
    rng = np.random.default_rng(seed)
    times = []
    for part in [excerpt(whole, EXCERPT_S, rng) for whole in held_out]:
        start = time.perf_counter()
        measure_originality(part.notes, index)
        times.append(time.perf_counter() - start)
    return {"median_s": float(np.median(times)), "longest_s": max(times)}


def print_table(rows: Sequence[Row]) -> None:
    """Prints the lines as a Markdown table."""
    print(
        "\n| excerpts | n | copied | composer named | notes: 1 % 5 % **50 %** 95 % 99 % |", end=""
    )
    print(" seconds | covered by 12 |\n|---|---|---|---|---|---|---|")
    for row in rows:
        named = "-" if row.named is None else f"{row.named:.1%}"
        notes = " ".join(f"{value:.0f}" for value in row.notes)
        seconds = " ".join(f"{value:.1f}" for value in row.seconds)
        covered = " ".join(f"{value:.2f}" for value in row.covered_12)
        print(f"| {row.name} | {row.n} | {row.copied:.1%} | {named} |", end="")
        print(f" {notes} | {seconds} | {covered} |")


def main(config: CheckConfig) -> None:
    """Reads the pieces, measures, prints the tables."""
    start = time.perf_counter()
    index = TrainingIndex.load(config.index)
    loaded = time.perf_counter() - start
    present = [p for p in read_catalogue(config.data_dir) if (config.data_dir / p.path).is_file()]
    validation = select_pieces(present, None, ["validation"])
    train = select_pieces(present, None, ["train"])
    if not validation or not train:
        raise ValueError(f"data folder must hold train and validation files, got {config.data_dir}")
    drawn = np.random.default_rng(config.seed).permutation(len(train))[: config.pieces or 100]
    held_out = read_pieces(validation[: config.pieces], config.data_dir, "held-out")
    training = read_pieces([train[i] for i in drawn], config.data_dir, "training")
    alarms = false_alarms(held_out, index, config.seed)
    found = detection(training, held_out, index, config.seed)
    times = speed(held_out, index, config.seed)
    print_table(alarms)
    for row in alarms:
        print(f"\nlongest of {row.name}: {row.longest}")
    print_table(found)
    size = config.index.stat().st_size
    print(f"\nindex: {size / 1e6:.2f} MB, loads in {loaded:.1f} s; 60 s measured in", end=" ")
    print(f"{times['median_s']:.3f} s (median), {times['longest_s']:.3f} s (longest)")
    if config.json is not None:
        report = {
            "false_alarms": [asdict(row) for row in alarms],
            "detection": [asdict(row) for row in found],
            "speed": times,
            "index_bytes": size,
            "load_s": loaded,
        }
        config.json.write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")


def parse_args() -> CheckConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data-dir", type=Path, required=True, help="MAESTRO's folder")
    add("--index", type=Path, required=True, help="from train/build_index.py")
    add("--pieces", type=int, help="so many of each split (default: all held-out, 100 training)")
    add("--json", type=Path, help="write the figures there as well")
    add("--seed", type=int, default=0, help="for places, lengths and alterations")
    return CheckConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
