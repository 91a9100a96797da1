"""Check how continuations that are brought to a close end, beside how real pieces do.

    python train/check_ending.py --data-dir MAESTRO --pieces 5                    # a taste
    python train/check_ending.py --data-dir MAESTRO --model lstm-events --out runs/ending

Ten seconds of each held-out piece are carried on to a close and, for comparison, without one. Of
each ending, and of the last seconds of the real piece, it is asked whether the last bass note is
the tonic of the key, and whether the last chord is too. The key is estimated from passages of equal
length, ending included.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bench_pieces import check_parser, held_out, write_table
from tqdm import tqdm

from pyzzicato.hub import open_model
from pyzzicato.keys import find_key
from pyzzicato.notes import Note, cut_notes, end_of
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.ending import last_chord
from pyzzicato.playing.settings import GenerationSettings

SEED_S = 10.0
KINDS = ("closed", "cut", "real")


@dataclass(frozen=True)
class EndingConfig:
    """One check: see `--help` for each field."""

    data_dir: Path
    model: str
    pieces: int
    seconds: float
    rng: int
    out: Path | None


def judge(notes: Sequence[Note]) -> dict[str, float]:
    """Returns whether bass and chord of an ending are the tonic, and how long the chord sounds."""
    key, last = find_key(notes), last_chord(notes)
    return {
        "bass": float(key is not None and last.bass == key[0]),
        "chord": float(key is not None and last.is_tonic(key)),
        "held_s": max(note.duration for note in last.struck),
    }


def main(config: EndingConfig) -> None:
    """Plays and judges all endings, prints the figures."""
    model, _ = open_model(config.model)
    rows: list[dict[str, float]] = []
    length = SEED_S + config.seconds
    pieces = held_out(config.data_dir, config.pieces, length, config.rng)
    for i, (_, notes, place, composer) in enumerate(tqdm(pieces, total=config.pieces)):
        start = place * (end_of(notes) - length)
        settings = GenerationSettings(
            seconds=config.seconds, seed_start=start, rng=config.rng + i, ending=True
        )
        closed = continue_seed(model, notes, settings, composer)
        cut = continue_seed(model, notes, replace(settings, ending=False), composer)
        real = cut_notes(notes, end_of(notes) - length, end_of(notes) + 1)
        row = {
            f"{kind}_{name}": value
            for kind, piece in zip(KINDS, (closed.notes, cut.notes, real), strict=True)
            for name, value in judge(piece).items()
        }
        row["late_s"] = max(0.0, end_of(closed.notes) - closed.seed_seconds - config.seconds)
        row["unused_s"] = closed.seed_seconds + config.seconds - end_of(closed.notes)
        row["tries"] = closed.facts["tries"]
        row["wall_seconds"] = closed.wall_seconds
        rows.append(row)
        if config.out is not None:
            write_table(
                {"model": config.model, **summarise(rows), "rows": rows}, config.out / "ending.json"
            )
    print(json.dumps(summarise(rows), indent=1))


def summarise(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Returns the means over all pieces."""
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return {"pieces": len(rows), **means}


def parse_args() -> EndingConfig:
    """Returns the configuration of the command line."""
    parser = check_parser(__doc__, "pieces", 100, 20.0, "continuation", "ending.json")
    return EndingConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
