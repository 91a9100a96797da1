"""Check that what is played around a kept part fits it: how dissonant, and how dense.

    python train/check_keep.py --data-dir MAESTRO --pieces 4                      # a taste
    python train/check_keep.py --data-dir MAESTRO --model lstm-events --out runs/keep

Of each held-out piece one part in turn is kept (top voice, lowest voice, right hand, left hand) in
a passage of some seconds. Dissonance is the mean, over all pairs of a kept and another note that
sound together for a twentieth of a second at least, of how dissonant their interval class is. It is
held against that of the notes that were taken away.

Source of the dissonance of interval classes: D. Huron, "Interval-class content in equally tempered
pitch-class sets: common scales exhibit optimum tonal consonance", Music Perception 11 (1994); of
his index the negative values are counted (seconds and tritone), consonances as 0.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_pieces import check_parser, held_out, write_table
from tqdm import tqdm

from pyzzicato.hub import open_model
from pyzzicato.notes import Note, end_of, separate_strokes
from pyzzicato.playing.keep import TRIES, keep_part
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.playing.voices import VOICES

DISSONANCE = {1: 1.428, 2: 0.582, 6: 0.453}
TOGETHER_S, BEFORE_S = 0.05, 15.0


@dataclass(frozen=True)
class KeepConfig:
    """One check: see `--help` for each field."""

    data_dir: Path
    model: str
    pieces: int
    seconds: float
    tries: int
    rng: int
    out: Path | None


def dissonance(kept: Sequence[Note], others: Sequence[Note]) -> tuple[float, int]:
    """Returns how dissonant all pairs that sound together are, and how many there are."""
    total, n = 0.0, 0
    for one in kept:
        for other in others:
            if min(one.end, other.end) - max(one.start, other.start) >= TOGETHER_S:
                interval = abs(one.pitch - other.pitch) % 12
                total += DISSONANCE.get(min(interval, 12 - interval), 0.0)
                n += 1
    return total, n


def main(config: KeepConfig) -> None:
    """Plays and judges all pieces, prints the figures."""
    model, _ = open_model(config.model)
    rows: list[dict[str, float | str]] = []
    needed = BEFORE_S + config.seconds + 5
    pieces = held_out(config.data_dir, config.pieces, needed, config.rng)
    for i, (_, whole, place, composer) in enumerate(tqdm(pieces, total=config.pieces)):
        notes = separate_strokes(whole)[0]
        start = BEFORE_S + place * (end_of(notes) - needed)
        end = start + config.seconds
        part = list(VOICES)[i % len(VOICES)]
        kept = VOICES[part](notes)
        staying = [n for n in kept if start <= n.start < end]
        stay = set(staying)
        gone = [n for n in notes if start <= n.start < end and n not in stay]
        if not staying or not gone:
            continue
        settings = GenerationSettings(rng=config.rng + i)
        made = keep_part(model, notes, kept, start, end, settings, composer, config.tries)
        new, n_new = dissonance(staying, made.new_notes)
        real, n_real = dissonance(staying, gone)
        rows.append(
            {
                "part": part,
                "new": new / max(1, n_new),
                "real": real / max(1, n_real),
                "density": len(made.new_notes) / len(gone),
                "overlaps": separate_strokes(made.notes)[1],
                "wall_seconds": made.wall_seconds,
            }
        )
        if config.out is not None:
            result = {"model": config.model, "tries": config.tries, **summarise(rows), "rows": rows}
            write_table(result, config.out / "keep.json")
    print(json.dumps(summarise(rows), indent=1))


def summarise(rows: Sequence[dict[str, float | str]]) -> dict[str, float]:
    """Returns the figures over all pieces."""
    columns = {
        name: np.array([row[name] for row in rows], dtype=float)
        for name in rows[0]
        if name != "part"
    }
    within = np.abs(np.log(columns["density"])) <= np.log(1.25)
    return {
        "pieces": len(rows),
        "dissonance_new": float(columns["new"].mean()),
        "dissonance_real": float(columns["real"].mean()),
        "dissonance_ratio": float(columns["new"].mean() / columns["real"].mean()),
        "density_median": float(np.median(columns["density"])),
        "density_within_a_quarter": float(within.mean()),
        "overlaps": int(columns["overlaps"].sum()),
        "wall_seconds": float(columns["wall_seconds"].mean()),
    }


def parse_args() -> KeepConfig:
    """Returns the configuration of the command line."""
    parser = check_parser(__doc__, "pieces", 50, 20.0, "passage", "keep.json")
    parser.add_argument("--tries", type=int, default=TRIES, help="pieces played side by side")
    return KeepConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
