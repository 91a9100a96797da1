"""Which notes to come a model is told of while it learns to see ahead.

As whoever plays a span anew, or around a part that stays, knows them: in some crops there are
spans, after each of which a few notes are known; in others a part of all notes is known, the top
voice say. In the rest nothing is.
"""

import numpy as np
from numpy.typing import NDArray

from ..notes import N_PITCHES
from ..representations import Steps
from ..representations.ahead import ms_ahead_of_each
from ..representations.event_bins import ONSET_TICKS, TICK_S

_SPANS_S, _KNOWN_S = (2.0, 20.0), (0.5, 8.0)
_SPANS_OF_ALL = 0.6
_TOGETHER_MS = 50
_SHARES = 0.1, 0.6

Mask = NDArray[np.bool_]


def tell(notes: Steps, dropout: float, rng: np.random.Generator) -> NDArray[np.int16]:
    """Returns `(T, 88)`: what a model is told when each of the notes is to come next.

    Args:
        notes: `(T, 4)` note events, the targets of a crop.
        dropout: share of the crops in which nothing is told, 0 to 1.
        rng: of what is told.
    """
    if rng.random() < dropout:
        return np.zeros((len(notes), N_PITCHES), dtype=np.int16)
    onsets_ms = np.cumsum(ONSET_TICKS[notes[:, 0]]) * round(1000 * TICK_S)
    keys = notes[:, 1].astype(np.int64)
    if rng.random() < _SPANS_OF_ALL:
        is_told, is_listening = _after_spans(onsets_ms, rng)
    else:
        is_told, is_listening = _part(onsets_ms, keys, rng), np.ones(len(keys), dtype=bool)
    return (ms_ahead_of_each(onsets_ms, keys, is_told) * is_listening[:, None]).astype(np.int16)


def _after_spans(onsets_ms: NDArray[np.int64], rng: np.random.Generator) -> tuple[Mask, Mask]:
    """Returns which notes come after spans, and when a model is told of them.

    Up to the first of them: when that is struck, the span is over.
    """
    is_told, is_listening = np.zeros((2, len(onsets_ms)), dtype=bool)
    at = 1000 * rng.uniform(0, _KNOWN_S[1])
    while at < onsets_ms[-1]:
        end = at + 1000 * rng.uniform(*_SPANS_S)
        after = end + 1000 * rng.uniform(*_KNOWN_S)
        first, last, over = np.searchsorted(onsets_ms, (at, end, after))
        is_listening[first : last + 1] = True
        is_told[last:over] = True
        at = after
    return is_told, is_listening


def _part(onsets_ms: NDArray[np.int64], keys: NDArray[np.int64], rng: np.random.Generator) -> Mask:
    """Returns a part of the notes: a voice, a hand, or some of them."""
    kind = rng.integers(4)
    if kind == 0:
        return rng.random(len(keys)) < rng.uniform(*_SHARES)
    if kind == 1:
        is_high: Mask = keys >= rng.choice(keys)
        return is_high if rng.integers(2) else ~is_high
    upwards = keys if kind == 2 else -keys
    # Few notes are struck together: those near in time are near in place.
    is_outer = np.ones(len(keys), dtype=bool)
    for apart in range(1, 13):
        together = np.abs(onsets_ms[apart:] - onsets_ms[:-apart]) <= _TOGETHER_MS
        is_outer[apart:] &= ~(together & (upwards[:-apart] > upwards[apart:]))
        is_outer[:-apart] &= ~(together & (upwards[apart:] > upwards[:-apart]))
    return is_outer
