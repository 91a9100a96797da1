"""Check that a piece carried on as its own composer is taken for him, beside what he wrote.

    python train/check_style.py --data-dir MAESTRO --pieces 5                      # a taste
    python train/check_style.py --data-dir MAESTRO --guidance 1 1.5 2 --out runs/style

Seeds of ten seconds from held-out pieces, whose composer the model is given. The classifier of the
evaluation says among all its composers whom the continuation sounds like, and the composer's own
next notes. (`check_composers.py` asks for composers from a single note.)
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_pieces import check_parser, held_out, write_table
from tqdm import tqdm

from pyzzicato.evaluation.excerpts import Excerpt, excerpt_at
from pyzzicato.evaluation.style import StyleClassifier, measure_style
from pyzzicato.hub import open_model
from pyzzicato.models.architecture import COMPOSERS
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings

SEED_S, FEWEST_NOTES = 10.0, 50


@dataclass(frozen=True)
class StyleConfig:
    """One check: see `--help` for each field."""

    data_dir: Path
    model: str
    pieces: int
    seconds: float
    guidance: Sequence[float]
    rng: int
    out: Path | None


def judge(
    model: Model, excerpt: Excerpt, composer: str, guidance: Sequence[float], rng: int
) -> dict[str, float]:
    """Returns 1 for who is taken for the composer, else 0: himself, and the model by guidance."""
    classifier = StyleClassifier.load()

    def is_taken(notes: Sequence[Note]) -> float:
        return float(measure_style(notes, classifier).composer == COMPOSERS[composer])

    row = {"real": is_taken(excerpt.notes)}
    for value in guidance:
        settings = GenerationSettings(
            seconds=excerpt.seconds, composer=composer, guidance=value, rng=rng
        )
        played = continue_seed(model, excerpt.joined, settings).continuation_only
        row[f"guidance {value:g}"] = is_taken(played)
    return row


def main(config: StyleConfig) -> None:
    """Carries on all pieces and prints the shares."""
    model, _ = open_model(config.model)
    rows: list[dict[str, float]] = []
    needed = SEED_S + config.seconds
    pieces = held_out(config.data_dir, config.pieces, needed + 5, config.rng)
    for i, (path, notes, place, composer) in enumerate(tqdm(pieces, total=config.pieces)):
        excerpt = excerpt_at(path, notes, place, SEED_S, config.seconds)
        if composer is None or len(excerpt.notes) < FEWEST_NOTES:
            continue
        rows.append(judge(model, excerpt, composer, config.guidance, config.rng + i))
    if not rows:
        raise ValueError("no piece is of a composer that the classifier knows; choose more pieces")
    table = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
    print(f"{config.model}, {len(rows)} pieces, taken for their composer")
    for name, share in table.items():
        print(f"  {name}: {share:.0%}")
    if config.out is not None:
        write_table(
            {"model": config.model, "pieces": len(rows), **table}, config.out / "style.json"
        )


def parse_args() -> StyleConfig:
    """Returns the configuration of the command line."""
    parser = check_parser(__doc__, "pieces", 100, 60.0, "continuation", "style.json")
    parser.add_argument("--guidance", nargs="+", type=float, default=[1.0, 1.5])
    return StyleConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
