"""Check that continuations of awkward seeds neither dry up, nor fall silent, nor stick.

    python train/check_endurance.py --model lstm-events --takes 2 --seconds 20      # a taste
    python train/check_endurance.py --model lstm-events lstm --out runs/endurance
    python train/check_endurance.py --model lstm-events --kinds presets --takes 1 --seconds 600
    python train/check_endurance.py --model lstm-events --without guard

Kinds of seeds: the presets, a single note, a single chord, silence, and a preset at a third and at
three times its tempo. Prints a table for each model and, with `--out`, writes it as JSON. Without
the guard, takes that it would have brought back are counted as gone astray.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import torch
from tqdm import tqdm

from pyzzicato.evaluation.stability import STUCK_SHARE, Stability, measure_stability
from pyzzicato.hub import load_model
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note, stretch_notes
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding.guard import Guard, faults_of
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.seeds import list_seeds, load_seed

_PRESET = "chopin-ballade-g-minor"


@dataclass(frozen=True)
class EnduranceConfig:
    """One check: see `--help` for each field."""

    model: tuple[str, ...]
    kinds: tuple[str, ...]
    takes: int
    seconds: float
    processes: int
    without: tuple[str, ...]
    out: Path | None


def preset_seeds() -> list[list[Note]]:
    """Returns all presets."""
    return [list(load_seed(seed.name).notes) for seed in list_seeds()]


def tempo(factor: float) -> list[list[Note]]:
    """Returns a preset whose times are multiplied by `factor`."""
    return [stretch_notes(load_seed(_PRESET).notes, factor)]


KINDS: Mapping[str, Callable[[], list[list[Note]]]] = {
    "presets": preset_seeds,
    "one note": lambda: [[Note(60, 0.0, 1.0, 70)]],
    "one chord": lambda: [[Note(pitch, 0.0, 2.0, 70) for pitch in (48, 60, 64, 67)]],
    "silence": lambda: [[]],
    "very slow": lambda: tempo(3.0),
    "very fast": lambda: tempo(1 / 3),
}


@cache
def loaded(name: str) -> PyzzicatoModel:
    """Returns a model, loaded once a process."""
    torch.set_num_threads(1)
    return load_model(name)


def measure_take(job: tuple[str, list[Note], GenerationSettings]) -> tuple[Stability, list[str]]:
    """Returns how steady one continuation is, and each reason why it had to be brought back.

    Args:
        job: model, seed and how to play.
    """
    name, seed, settings = job
    piece = continue_seed(loaded(name), seed, settings)
    notes = piece.continuation_only
    rescues = list(piece.rescues)
    if Guard.name in settings.without:
        rescues = faults_of(notes, settings.seconds, loaded(name).representation)
    return measure_stability(notes, settings.seconds), [rescue.reason for rescue in rescues]


def summarise(measured: Sequence[tuple[Stability, list[str]]]) -> dict[str, Any]:
    """Returns verdicts and medians of some continuations as plain JSON values."""
    takes = [take for take, _ in measured]
    whys = Counter(why for _, reasons in measured for why in set(reasons))

    def middle(name: str) -> float | None:
        values = [getattr(take, name) for take in takes if getattr(take, name) is not None]
        return round(median(values), 3) if values else None

    return {
        "takes": len(takes),
        "dried_up": sum(take.dried_up for take in takes),
        "mostly_silent": sum(take.mostly_silent for take in takes),
        "stuck": sum((take.stuck_share or 0.0) > STUCK_SHARE for take in takes),
        "astray": sum(bool(reasons) for _, reasons in measured),
        "why": " ".join(f"{why} {n}" for why, n in sorted(whys.items())) or "-",
        "notes_a_second": middle("notes_a_second"),
        "drift": middle("drift"),
        "repetition_growth": middle("repetition_growth"),
        "distinct_8grams": middle("distinct_8grams"),
    }


def table(kinds: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns a table in Markdown, a row a kind of seed."""
    columns = list(next(iter(kinds.values())))
    lines = ["| seed | " + " | ".join(c.replace("_", " ") for c in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for kind, row in kinds.items():
        lines.append(f"| {kind} | " + " | ".join(str(row[c]) for c in columns) + " |")
    return "\n".join(lines)


def main(config: EnduranceConfig) -> None:
    """Plays all seeds on and prints the tables."""
    found: dict[str, Any] = {}
    with ProcessPoolExecutor(config.processes) as pool:
        for name in config.model:
            found[name] = {}
            for kind in tqdm(config.kinds, desc=name):
                seeds = KINDS[kind]()
                # A kind of one seed is tried as often as there are presets.
                times = config.takes if len(seeds) > 1 else config.takes * len(list_seeds())
                jobs = [
                    (name, s, GenerationSettings(config.seconds, rng=rng, without=config.without))
                    for s in seeds
                    for rng in range(times)
                ]
                found[name][kind] = summarise(list(pool.map(measure_take, jobs)))
            print(f"\n{name}, {config.seconds:g} s\n\n{table(found[name])}\n")
    if config.out is not None:
        config.out.mkdir(parents=True, exist_ok=True)
        result = {"seconds": config.seconds, "without": config.without, "models": found}
        text = json.dumps(result, indent=1)
        (config.out / "endurance.json").write_text(text + "\n", encoding="utf-8")


def parse_args() -> EnduranceConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", nargs="+", required=True, help="names of bundled models or folders")
    add("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    add("--takes", type=int, default=1, help="of each preset")
    add("--seconds", type=float, default=120.0, help="length of the continuations")
    add("--processes", type=int, default=2)
    add("--without", nargs="+", default=(), help="parts of decoding that are switched off")
    add("--out", type=Path, help="folder for endurance.json")
    args = vars(parser.parse_args())
    if args["takes"] < 1 or args["processes"] < 1:
        parser.error("--takes and --processes must be 1 or more")
    for name in ("model", "kinds", "without"):
        args[name] = tuple(args[name])
    GenerationSettings(seconds=args["seconds"], without=args["without"])
    return EnduranceConfig(**args)


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
