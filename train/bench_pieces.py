"""Held-out pieces for the checks of what the bench does: redo, keep, endings, playing along."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyzzicato.evaluation.excerpts import draw_places, present, read_piece
from pyzzicato.hub import DEFAULT_MODEL
from pyzzicato.models.architecture import COMPOSERS
from pyzzicato.notes import Note
from pyzzicato.training.catalogue import Piece, read_catalogue, select_pieces

_SHORT = {name: short for short, name in COMPOSERS.items()}


def held_out(
    data_dir: Path, n: int, seconds: float, rng: int = 0
) -> Iterator[tuple[str, list[Note], float, str | None]]:
    """Yields held-out pieces: path, notes, a place drawn (0 to 1) and the composer's short name.

    Args:
        data_dir: MAESTRO, as downloaded.
        n: how many; pieces that cannot be read are passed over.
        seconds: that each lasts at least.
        rng: number of the random draw.

    Raises:
        ValueError: if there is no such piece.
    """
    listed = select_pieces(read_catalogue(data_dir), None, ["validation"])
    pieces = [p for p in present(listed, data_dir) if p.duration_s >= seconds + 5]
    found: list[tuple[Piece, float]] = draw_places(pieces, n, rng)
    for piece, place in found:
        try:
            notes = read_piece(data_dir / piece.path)
        except ValueError:
            continue
        yield piece.path, notes, place, _SHORT.get(piece.composer)


def write_table(table: Mapping[str, Any], path: Path) -> None:
    """Writes figures as JSON; the folder is made if absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def check_parser(
    text: str | None, counted: str, n: int, seconds: float, of: str, file: str
) -> argparse.ArgumentParser:
    """Returns a parser with what all these checks are asked for.

    Args:
        text: of the script, for `--help`.
        counted: name of the option that says how many.
        n: how many, unless asked otherwise.
        seconds: how long each is, unless asked otherwise.
        of: what each is.
        file: that `--out` gets.
    """
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data-dir", type=Path, required=True, help="folder of MAESTRO")
    add("--model", default=DEFAULT_MODEL, help="name of a bundled model or a folder")
    add(f"--{counted}", type=int, default=n)
    add("--seconds", type=float, default=seconds, help=f"length of each {of}")
    add("--rng", type=int, default=0)
    add("--out", type=Path, help=f"folder for {file}")
    return parser
