"""Figures that return: how much of what comes next the piece has said before.

A note *returns* if it ends a figure of four notes whose three intervals stood before in the piece,
in any transposition. Notes are read as `pyzzicato/evaluation/recurrence.py` reads them, with which
the share of returning notes in a passage is measured: onsets on a grid of 50 ms, chords from low to
high.

How much returns within the next notes can be told to a model in training, where it is known. What
it has learnt can then be asked of it, or drawn as music has it (`playing/decoding/form.py`). It is
asked for a block of notes at a time, and looks further ahead than the block is long.
"""

import numpy as np
from numpy.typing import NDArray

from .event_bins import ONSET_TICKS, TICK_S
from .interface import Steps

COMING_NOTES = 32
"""So many notes are looked at, from the beginning of a block on."""
BLOCK_NOTES = 8
_FIGURE_NOTES = 4
_LINE_S = 0.05


def returning_notes(steps: Steps) -> NDArray[np.bool_]:
    """Returns which of the note events `(T, 4)` end a figure that stood before, `(T,)`."""
    seconds = np.cumsum(ONSET_TICKS[steps[:, 0]]) * TICK_S
    lines = np.floor((seconds - seconds[:1]) / _LINE_S + 0.5)
    order = np.lexsort((seconds, steps[:, 1], lines))
    moves = np.diff(steps[order, 1].astype(np.int64)) + 128
    n_figures = max(0, len(steps) - _FIGURE_NOTES + 1)
    codes = np.zeros(n_figures, dtype=np.int64)
    for i in range(_FIGURE_NOTES - 1):
        codes = codes << 8 | moves[i : i + n_figures]
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    returns = np.zeros(len(steps), dtype=np.bool_)
    returns[order[_FIGURE_NOTES - 1 :]] = first[which] < np.arange(n_figures)
    return returns


def coming_shares(steps: Steps) -> NDArray[np.float64]:
    """Returns for each of the note events `(T, 4)` the share of coming notes that return, `(T,)`.

    That is of the `COMING_NOTES` from the beginning of the block that holds the note after it; NaN
    where fewer than a block of them are left.
    """
    n = len(steps)
    sums = np.concatenate(([0], np.cumsum(returning_notes(steps))))
    first = np.arange(1, n + 1) // BLOCK_NOTES * BLOCK_NOTES
    last = np.minimum(first + COMING_NOTES, n)
    shares: NDArray[np.float64] = (sums[last] - sums[np.minimum(first, n)]) / np.maximum(
        1, last - first
    )
    return np.where(last - first >= BLOCK_NOTES, shares, np.nan)
