"""What learning has brought: a model before and after, on pieces that neither has learnt from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..evaluation.excerpts import Excerpt, cut_excerpt, draw_places, excerpt_at
from ..evaluation.measures import PieceMeasures, measure_excerpt, scalar_columns
from ..midi import write_midi
from ..notes import Note, end_of
from ..playing.continuation import continue_seed
from ..playing.loaded_model import Model
from ..playing.settings import GenerationSettings

_SEED_SECONDS, _SECONDS = 10.0, 30.0
_SHORTEST_S = 3.0
_EXCERPTS = 12
TAKES = 3
"""Continuations of one piece that are written, to hear."""
MEASURES = {
    "notes_a_second": ("Notes a second", 1),
    "polyphony": ("Keys sounding at once", 1),
    "window_entropy": ("Variety of pitches within 8 s, bits", 2),
    "kinship": ("Kinship with the seed, 0 to 1", 2),
    "recurrence_4": ("Figures of four notes that come back, %", 0),
    "clashes": ("Sharpest intervals within chords, %", 1),
}
"""What is measured: title, and decimals shown."""
_PERCENT = ("recurrence_4", "clashes")


@dataclass(frozen=True)
class Player:
    """A model and whom it plays as.

    Attributes:
        title: of its column.
        model: who plays.
        composer: short name; None for nobody in particular.
        loss: on the held-out pieces, nats a step.
    """

    title: str
    model: Model
    composer: str | None
    loss: float


def draw_excerpts(
    pieces: Mapping[str, Sequence[Note]], n: int = _EXCERPTS, rng: int = 0
) -> list[Excerpt]:
    """Returns seeds and what follows them, from pieces that are long enough.

    They are as long as there is music for: ten seconds and thirty, or a quarter and three quarters
    of the longest piece.

    Args:
        pieces: notes by title, from 0.
        n: how many.
        rng: number of the random draw.

    Returns:
        None at all where no piece lasts three seconds.
    """
    longest = max((end_of(notes) for notes in pieces.values() if notes), default=0.0)
    if longest < _SHORTEST_S:
        return []
    scale = min(1.0, longest / (_SEED_SECONDS + _SECONDS))
    seed_s, seconds = max(1.0, scale * _SEED_SECONDS), max(1.0, scale * _SECONDS - 0.01)
    fit = [name for name, notes in pieces.items() if end_of(notes) >= seed_s + seconds]
    return [
        excerpt_at(name, pieces[name], place, seed_s, seconds)
        for name, place in draw_places(fit, n, rng)
    ]


def carry_on(player: Player, excerpt: Excerpt, rng: int) -> tuple[Excerpt, list[Note]]:
    """Returns what a player makes of an excerpt's seed: to measure, and the piece as a whole."""
    settings = GenerationSettings(
        seconds=excerpt.seconds,
        seed_seconds=excerpt.seed_seconds,
        rng=rng,
        composer=player.composer or "any",
    )
    piece = continue_seed(player.model, excerpt.joined, settings)
    played = cut_excerpt(excerpt.name, piece.notes, 0.0, piece.seed_seconds, excerpt.seconds)
    return played, piece.notes


def compare(
    players: Sequence[Player], excerpts: Sequence[Excerpt], unit: str
) -> list[tuple[str, ...]]:
    """Returns a table: a row of titles, the losses, and a row for each measure.

    Args:
        players: a column each, after that of the music itself.
        excerpts: held-out; each player carries their seeds on.
        unit: what a step is, "note" or "frame".
    """
    real = [measure_excerpt(excerpt) for excerpt in excerpts]
    sets = [real] + [
        [measure_excerpt(carry_on(player, excerpt, i)[0]) for i, excerpt in enumerate(excerpts)]
        for player in players
    ]
    means = [_means(pieces) for pieces in sets]
    rows: list[tuple[str, ...]] = [
        ("", "the music itself", *(player.title for player in players)),
        (f"Held-out loss, nats a {unit}", "", *(f"{player.loss:.3f}" for player in players)),
    ]
    for name, (title, decimals) in MEASURES.items():
        scale = 100 if name in _PERCENT else 1
        values = [column.get(name) for column in means]
        shown = ("–" if v is None else f"{scale * v:.{decimals}f}" for v in values)
        rows.append((title, *shown))
    return rows


def write_takes(
    players: Mapping[str, Player],
    pieces: Mapping[str, Sequence[Note]],
    folder: Path,
) -> list[Path]:
    """Writes what players make of the beginning of the longest piece, and the piece; returns paths.

    Args:
        players: by the names of their files, "before" and "after".
        pieces: held-out, notes by title, from 0.
        folder: made if absent.

    Raises:
        ValueError: if a file cannot be written.
    """
    title, notes = max(pieces.items(), key=lambda item: end_of(item[1]))
    excerpt = next(iter(draw_excerpts({title: notes}, 1)))
    excerpt = excerpt_at(title, notes, 0.0, excerpt.seed_seconds, excerpt.seconds)
    folder.mkdir(parents=True, exist_ok=True)
    seed_s = excerpt.seed_seconds
    paths = [write_midi(excerpt.joined, folder / "piece.mid", seed_seconds=seed_s)]
    for name, player in players.items():
        for take in range(TAKES):
            _, played = carry_on(player, excerpt, take)
            path = folder / f"{name}-{take + 1}.mid"
            paths.append(write_midi(played, path, seed_seconds=seed_s))
    return paths


def as_text(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a table, its columns under each other."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Returns a table as Markdown has it."""
    line = "|".join(["---"] + ["---:"] * (len(rows[0]) - 1))
    first, *rest = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([first, f"|{line}|", *rest]) + "\n"


def _means(pieces: Sequence[PieceMeasures]) -> dict[str, float]:
    """Returns the mean of each measure over the pieces that have it."""
    columns = scalar_columns(pieces)
    found: dict[str, float] = {}
    for name in MEASURES:
        values = [value for value in columns.get(name, []) if value is not None]
        if values:
            found[name] = float(np.mean(values))
    return found
