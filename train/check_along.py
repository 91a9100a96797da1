"""Check how a model answers a player: how soon, and how like what was played.

    python train/check_along.py --data-dir MAESTRO --phrases 5                    # a taste
    python train/check_along.py --data-dir MAESTRO --model lstm-events --out runs/along

Phrases of held-out pieces are played to a model, second by second. Beside its answer stands what
the composer has next, as long. Kinship is the cosine of the pitch-class histograms of phrase and
answer. `first_s` is from the decision to the first note being handed over, `waits_s` how long that
note then waits by its own onset.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_pieces import check_parser, held_out, write_table
from tqdm import tqdm

from pyzzicato.evaluation.arrays import note_arrays, pitch_class_counts
from pyzzicato.evaluation.tonality import cosine
from pyzzicato.hub import open_model
from pyzzicato.notes import Note, cut_notes, end_of, separate_strokes
from pyzzicato.playing.along import Companion
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings

PAUSE_S = 0.8


@dataclass(frozen=True)
class AlongConfig:
    """One check: see `--help` for each field."""

    data_dir: Path
    model: str
    phrases: int
    seconds: float
    rng: int
    out: Path | None


def likeness(phrase: Sequence[Note], other: Sequence[Note], seconds: float) -> dict[str, float]:
    """Returns density and loudness of another passage beside a phrase's, and their kinship."""
    counts = [pitch_class_counts(note_arrays(notes).pitches) for notes in (phrase, other)]
    mean = np.mean([n.velocity for n in other]) - np.mean([n.velocity for n in phrase])
    return {
        "density": len(other) / max(1, len(phrase)),
        "louder": float(mean),
        "kinship": cosine(*counts) or 0.0,
        "length": (other[-1].start if other else 0.0) / seconds,
    }


def play(model: Model, phrase: Sequence[Note], seconds: float, rng: int) -> dict[str, float]:
    """Returns how a model answers a phrase."""
    companion = Companion(model, GenerationSettings(rng=rng))
    for second in range(1, int(seconds) + 1):
        companion.hear([n for n in phrase if second - 1 <= n.start < second], float(second))
    now = seconds + PAUSE_S
    companion.hear([n for n in phrase if n.start >= int(seconds)])
    began = time.perf_counter()
    parts = companion.answer(now)
    first = next(parts)
    first_s = time.perf_counter() - began
    notes = [*first.notes, *(n for part in parts for n in part.notes)]
    facts = {"first_s": first_s, "waits_s": notes[0].start}
    facts["stuck"] = float(separate_strokes(notes)[1] > len(notes) // 2)
    facts["longest_note_s"] = max(n.duration for n in notes)
    return {**facts, **likeness(phrase, notes, seconds)}


def main(config: AlongConfig) -> None:
    """Plays and judges all phrases, prints the figures."""
    model, _ = open_model(config.model)
    rows: list[dict[str, float]] = []
    needed = 3 * config.seconds
    pieces = held_out(config.data_dir, config.phrases, needed, config.rng)
    for i, (_, notes, place, _) in enumerate(tqdm(pieces, total=config.phrases)):
        start = place * (end_of(notes) - needed)
        phrase = cut_notes(notes, start, start + config.seconds)
        following = cut_notes(notes, start + config.seconds, start + 2 * config.seconds)
        if not phrase or not following:
            continue
        row = play(model, phrase, config.seconds, config.rng + i)
        real = likeness(phrase, following, config.seconds)
        rows.append({**row, **{f"real_{name}": value for name, value in real.items()}})
        if config.out is not None:
            result = {"model": config.model, **summarise(rows), "rows": rows}
            write_table(result, config.out / "along.json")
    print(json.dumps(summarise(rows), indent=1))


def summarise(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Returns medians over all phrases, and how late the latest first note was."""
    medians = {name: float(np.median([row[name] for row in rows])) for name in rows[0]}
    latest = max(row["first_s"] + row["waits_s"] for row in rows)
    return {"phrases": len(rows), **medians, "latest_s": latest}


def parse_args() -> AlongConfig:
    """Returns the configuration of the command line."""
    parser = check_parser(__doc__, "phrases", 50, 6.0, "phrase", "along.json")
    return AlongConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
