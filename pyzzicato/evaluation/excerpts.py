"""Excerpts: a seed and what follows it, cut from held-out pieces at places drawn at random.

Whatever is measured is an excerpt: the composer's own notes after a seed, a model's notes in their
place, or the part of a MIDI file after the seconds that were its seed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..midi import read_midi
from ..notes import Note, cut_notes, end_of, shift_notes, sort_notes
from ..training.catalogue import Piece

Drawn = TypeVar("Drawn")

EDGE_S = 1e-6
"""Borders lie so much before their nominal time. A note may be struck on a border to the tick, and
sums of floats must not throw it to either side."""


@dataclass(frozen=True)
class Excerpt:
    """A seed and the notes after it, each on its own clock.

    Attributes:
        name: of the piece it is from.
        seed: notes struck in `[0, seed_seconds)`; empty without a seed.
        seed_seconds: length of the seed; 0 without one.
        notes: notes struck in `[0, seconds)` after the seed.
        seconds: how much time after the seed is measured, whether or not it is filled.
        rescues: how often whoever played the notes was brought back to the seed (see `guard.py`);
            None where nobody watched over that.
        acted: share of the steps whose draw each part of decoding changed, by the part's name;
            empty where nothing was drawn.
    """

    name: str
    seed: tuple[Note, ...]
    seed_seconds: float
    notes: tuple[Note, ...]
    seconds: float
    rescues: int | None = None
    acted: Mapping[str, float] = field(default_factory=dict)

    @property
    def joined(self) -> list[Note]:
        """Returns seed and notes as one piece; the notes begin at `seed_seconds`."""
        return sort_notes((*self.seed, *shift_notes(self.notes, self.seed_seconds)))


def cut_excerpt(
    name: str, notes: Iterable[Note], start: float, seed_seconds: float, seconds: float
) -> Excerpt:
    """Returns an excerpt of a piece; what the piece does not fill stays silent.

    Args:
        name: of the piece.
        notes: of the whole piece.
        start: where the seed begins, at or above 0.
        seed_seconds: length of the seed, at or above 0; 0 for none.
        seconds: length after the seed, above 0.

    Raises:
        ValueError: if a length or `start` is out of its range.
    """
    if not (start >= 0 and seed_seconds >= 0 and 0 < seconds < float("inf")):
        raise ValueError(
            "start and seed_seconds must be 0 or above and seconds above 0, got "
            f"{start:g}, {seed_seconds:g} and {seconds:g}"
        )
    listed = list(notes)
    begin, border = max(0.0, start - EDGE_S), max(0.0, start + seed_seconds - EDGE_S)
    return Excerpt(
        name=name,
        seed=tuple(cut_notes(listed, begin, border)) if seed_seconds else (),
        seed_seconds=float(seed_seconds),
        notes=tuple(cut_notes(listed, border, border + seconds)),
        seconds=float(seconds),
    )


def read_piece(path: Path) -> list[Note]:
    """Returns the notes of a MIDI file as they sound, moved so that the first begins at 0.

    Raises:
        ValueError: if the file cannot be read.
    """
    notes = read_midi(path).sounding("extend")
    return shift_notes(notes, -notes[0].start)


def present(pieces: Iterable[Piece], data_dir: Path) -> list[Piece]:
    """Returns the pieces whose files are in the data folder; a catalogue may list more."""
    return [piece for piece in pieces if (data_dir / piece.path).is_file()]


def draw_places(pieces: Sequence[Drawn], n: int, rng: int) -> list[tuple[Drawn, float]]:
    """Returns `n` pieces and how far into each one to go, 0 to 1.

    Every piece is drawn once before any is drawn again. The draw depends on the pieces, on `n` and
    on `rng` alone.

    Args:
        pieces: to draw from, at least one.
        n: how many, 1 or more.
        rng: number of the random draw, 0 or above.

    Raises:
        ValueError: if there is nothing to draw from or to draw.
    """
    if not pieces:
        raise ValueError("pieces must hold at least one piece, got none")
    if n < 1 or rng < 0:
        raise ValueError(f"n must be 1 or more and rng 0 or more, got {n} and {rng}")
    random = np.random.default_rng(rng)
    rounds = -(-n // len(pieces))
    order = np.concatenate([random.permutation(len(pieces)) for _ in range(rounds)])[:n]
    return [(pieces[i], float(place)) for i, place in zip(order, random.random(n), strict=True)]


def excerpt_at(
    name: str, notes: Sequence[Note], place: float, seed_seconds: float, seconds: float
) -> Excerpt:
    """Returns the excerpt at a drawn place; its seed begins with a note.

    Args:
        name: of the piece; the excerpt's name adds where in the piece it begins.
        notes: of the whole piece, from 0, sorted.
        place: 0 for as early, 1 for as late as there is room.
        seed_seconds: length of the seed, above 0.
        seconds: length after the seed, above 0.

    Raises:
        ValueError: if the piece is too short.
    """
    room = end_of(notes) - seed_seconds - seconds
    if room < 0:
        raise ValueError(
            f"{name} must last {seed_seconds + seconds:g} s, got {end_of(notes):.1f} s; ask for "
            "shorter continuations"
        )
    start = max((n.start for n in notes if n.start <= place * room), default=0.0)
    return cut_excerpt(f"{name}, from {start:.1f} s", notes, start, seed_seconds, seconds)
