"""Check that a model asked for a composer is taken for that composer by the style classifier.

    python train/check_composers.py --model lstm-events --takes 3 --seconds 20      # a taste
    python train/check_composers.py --model lstm-events attention-events --out runs/composers

Each piece begins from a single note, which says nothing of any composer. The classifier of the
evaluation judges among the composers asked for alone; chance is one in so many. Beside it stands
how often the classifier is right about real music by the same composers.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from check_endurance import loaded
from tqdm import tqdm

from pyzzicato.evaluation.style import StyleClassifier, measure_style
from pyzzicato.models.architecture import COMPOSERS
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings


@dataclass(frozen=True)
class ComposersConfig:
    """One check: see `--help` for each field."""

    model: tuple[str, ...]
    composers: tuple[str, ...]
    guidance: float
    takes: int
    seconds: float
    processes: int
    out: Path | None


def judge_take(job: tuple[str, str, GenerationSettings, tuple[str, ...]]) -> str | None:
    """Returns whom of the composers a piece sounds like; None for too few notes."""
    name, _, settings, composers = job
    notes = continue_seed(loaded(name), [], settings).continuation_only
    style = measure_style(notes, StyleClassifier.load())
    if style.composer is None:
        return None
    return max(composers, key=lambda short: style.probabilities[COMPOSERS[short]])


def count_verdicts(
    asked: Sequence[str], verdicts: Sequence[str | None], composers: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Returns how often each composer asked for was taken for each, or as nobody."""
    table = {a: {h: 0 for h in (*composers, "nobody")} for a in composers}
    for a, h in zip(asked, verdicts, strict=True):
        table[a][h or "nobody"] += 1
    return table


def share_right(table: Mapping[str, Mapping[str, int]]) -> float:
    """Returns the mean over composers of the share of their pieces taken for theirs."""
    return float(np.mean([row[name] / sum(row.values()) for name, row in table.items()]))


def real_share(classifier: StyleClassifier, composers: Sequence[str]) -> float | None:
    """Returns how often the classifier is right among these composers' real pieces.

    From its cross-validated table of all composers: pieces taken for one of these. None without
    such a table.
    """
    confusion = next(iter(classifier.confusions.values()), None)
    if confusion is None:
        return None
    places = [list(classifier.composers).index(COMPOSERS[name]) for name in composers]
    counts = np.asarray(confusion.counts)[np.ix_(places, places)]
    return float(np.mean(np.diag(counts) / counts.sum(axis=1)))


def main(config: ComposersConfig) -> None:
    """Plays and judges all pieces, prints the tables."""
    found: dict[str, Any] = {}
    real = real_share(StyleClassifier.load(), config.composers)
    with ProcessPoolExecutor(config.processes) as pool:
        for name in config.model:
            jobs = [
                (
                    name,
                    composer,
                    GenerationSettings(
                        seconds=config.seconds,
                        composer=composer,
                        guidance=config.guidance,
                        rng=rng,
                    ),
                    config.composers,
                )
                for rng in range(config.takes)
                for composer in config.composers
            ]
            verdicts = list(tqdm(pool.map(judge_take, jobs), total=len(jobs), desc=name))
            table = count_verdicts([job[1] for job in jobs], verdicts, config.composers)
            found[name] = {"heard_as": table, "right": share_right(table)}
            print(f"\n{name}, guidance {config.guidance:g}, {config.takes} pieces a composer")
            for asked, row in table.items():
                print(f"  asked for {asked}: " + ", ".join(f"{h} {n}" for h, n in row.items()))
            known = "" if real is None else f", of real music {real:.0%}"
            chance = 1 / len(config.composers)
            print(f"  right: {found[name]['right']:.0%} (chance {chance:.0%}{known})")
    if config.out is not None:
        config.out.mkdir(parents=True, exist_ok=True)
        result = {
            "guidance": config.guidance,
            "seconds": config.seconds,
            "chance": 1 / len(config.composers),
            "real": real,
            "models": found,
        }
        text = json.dumps(result, indent=1)
        (config.out / "composers.json").write_text(text + "\n", encoding="utf-8")


def parse_args() -> ComposersConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", nargs="+", required=True, help="names of bundled models or folders")
    add("--composers", nargs="+", default=["bach", "chopin", "debussy"], choices=list(COMPOSERS))
    add("--guidance", type=float, default=1.5)
    add("--takes", type=int, default=20, help="pieces a composer")
    add("--seconds", type=float, default=60.0)
    add("--processes", type=int, default=2)
    add("--out", type=Path, help="folder for composers.json")
    args = vars(parser.parse_args())
    if args["takes"] < 1 or args["processes"] < 1:
        parser.error("--takes and --processes must be 1 or more")
    names = {name: tuple(args[name]) for name in ("model", "composers")}
    return ComposersConfig(**{**args, **names})


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
