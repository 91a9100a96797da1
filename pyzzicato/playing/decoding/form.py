"""Form: how much of what comes next has been said before, drawn as music has it.

A model that was trained with it (`Architecture.returns`) is told it for each block of notes, see
`representations/figures.py`. Left to itself it hardly comes back to anything: each note alone may
begin a figure anew or leave one, and a figure that is left is not there to be come back to. Told
that the next bars mostly return, it is sure of them; told that they are new, it makes what later
can return.

What it is told is drawn from a Markov chain, whose chances are counted in the training music: from
each level to each, a block later, by how many notes of the piece have passed (little can return
where little has been said). So the levels alone are as in real music, whatever the model makes of
them.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import check_number
from ...models.architecture import Architecture
from ...representations import StepDecoder, Steps
from ...representations.figures import BLOCK_NOTES, COMING_NOTES, coming_shares
from .draw import Draw
from .parts import Part, Played

STAGES = (64, 128, 256, 512)
"""Notes that have passed where one stage of a piece ends and the next begins."""

FormTable = tuple[tuple[tuple[float, ...], ...], ...]
"""Chances `[stage][level before][level]`, each row with a sum of 1."""


def check_form(value: Any) -> FormTable:
    """Returns a table of chances as it is used.

    Raises:
        ValueError: if it is no such table: 5 stages of L rows of L chances, L 1 to 64.
    """
    table = np.array([])
    with suppress(TypeError, ValueError):
        table = np.array(value, dtype=float)
    n_stages, n_levels = len(STAGES) + 1, table.shape[-1] if table.ndim else 0
    if table.shape != (n_stages, n_levels, n_levels) or not 1 <= n_levels <= 64:
        raise ValueError(
            f"form must be {n_stages} tables of as many rows as columns, at most 64, got shape "
            f"{table.shape}"
        )
    for chance in (table.min(), table.max()):
        check_number("a chance of form", float(chance), 0, 1)
    if not np.allclose(table.sum(-1), 1, atol=1e-3):
        raise ValueError("the rows of form must each have a sum of 1")
    return tuple(tuple(tuple(float(x) for x in row) for row in rows) for rows in table)


def stage_of(n_notes: int) -> int:
    """Returns which stage a piece is in after so many notes."""
    return int(np.searchsorted(STAGES, n_notes, side="right"))


def count_form(levels: Sequence[NDArray[np.int64]], n_levels: int) -> FormTable:
    """Returns the chances of a chain by counting how levels follow each other in music.

    Args:
        levels: of some passages, `(T,)` numbers told with each note, 0 where they are not known
            (`Architecture.return_numbers` of `coming_shares`).
        n_levels: how many levels there are; numbers are 1 to this.
    """
    # Every change has been seen half a time, so that none is impossible.
    counts = np.full((len(STAGES) + 1, n_levels, n_levels), 0.5)
    for numbers in levels:
        # A block's first note is told of with the note before it.
        blocks = numbers[BLOCK_NOTES - 1 :: BLOCK_NOTES]
        for i, (before, now) in enumerate(zip(blocks, blocks[1:], strict=False)):
            if before and now:
                counts[stage_of((i + 2) * BLOCK_NOTES), before - 1, now - 1] += 1
    return check_form(np.round(counts / counts.sum(-1, keepdims=True), 4))


class Form(Part):
    """Tells a model how much of the next block returns.

    Args:
        architecture: of the model, with `returns`.
        table: the chances; empty for a model that is told nothing.
        seed: note events of the seed, `(T, 4)`, T at least 1.
        rng: of the levels.

    Raises:
        ValueError: if the table has other levels than the model.
    """

    name = "form"

    def __init__(
        self,
        architecture: Architecture,
        table: FormTable,
        seed: Steps,
        rng: np.random.Generator,
    ) -> None:
        self._table = np.array(table)
        self._rng = rng
        self._n_notes = len(seed)
        if not table:
            return
        if len(table[0]) != len(architecture.returns or []):
            raise ValueError(
                f"form must have a row for each of the model's {len(architecture.returns or [])} "
                f"returns, got {len(table[0])}; count it anew"
            )
        self._block = self._n_notes // BLOCK_NOTES
        # What is known for certain is how much the seed's own last notes return.
        numbers = architecture.return_numbers(coming_shares(seed))
        n_ago = COMING_NOTES // BLOCK_NOTES
        known = numbers[max(0, len(seed) - COMING_NOTES - 1)]
        self._level = int(known) - 1 if known else 0
        for ago in range(n_ago - 1, -1, -1):
            self._advance(max(0, self._n_notes - ago * BLOCK_NOTES))

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Says how much of the block that the next note is of returns."""
        if not len(self._table):
            return
        block = self._n_notes // BLOCK_NOTES
        if block > self._block:
            self._block = block
            self._advance(self._n_notes)
        draw.conditions["return"] = 1 + self._level
        self.n_acted += 1

    def listen(self, played: Played) -> None:
        """Counts a note."""
        self._n_notes += 1

    def _advance(self, n_notes: int) -> None:
        chances = self._table[stage_of(n_notes), self._level]
        self._level = int(self._rng.choice(len(chances), p=chances / chances.sum()))
