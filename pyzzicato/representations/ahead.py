"""Notes to come as a network that sees ahead is told of them: when each key is struck next."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..notes import LOWEST_PITCH, N_PITCHES, Note

AHEAD_MS = 8000
"""What is further off is not told of."""

_NEVER = 1 << 40


def ms_ahead(notes: Iterable[Note], now_s: float) -> NDArray[np.int64]:
    """Returns `(88,)`: 1 and the ms until each key is struck by one of these notes, 0 for never.

    Args:
        notes: on the clock of `now_s`; those that are past or too far off do not count.
        now_s: the time, seconds.
    """
    known = np.zeros(N_PITCHES, dtype=np.int64)
    for note in notes:
        ms = round(1000 * (note.start - now_s))
        key = note.pitch - LOWEST_PITCH
        if 0 <= ms <= AHEAD_MS and not 0 < known[key] <= 1 + ms:
            known[key] = 1 + ms
    return known


def ms_ahead_of_each(
    onsets_ms: NDArray[np.int64], keys: NDArray[np.int64], is_told: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Returns `(T, 88)`: what is known of the notes from each of them on, as it is struck next.

    Row t is counted from the note before, t - 1, or from 0 before the first.

    Args:
        onsets_ms: `(T,)`, when each note is struck, not falling.
        keys: `(T,)`, 0 to 87.
        is_told: `(T,)`, which of them are told of.
    """
    strokes = np.full((len(keys), N_PITCHES), _NEVER)
    told = np.flatnonzero(is_told)
    strokes[told, keys[told]] = onsets_ms[told]
    following = np.minimum.accumulate(strokes[::-1], axis=0)[::-1]
    now = np.concatenate(([0], onsets_ms[:-1]))[:, None]
    ms = following - now
    return np.where(ms <= AHEAD_MS, 1 + ms, 0)
