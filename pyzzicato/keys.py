"""Keys of the musical kind: how well each of the 24 fits what was played, and which fits best."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .notes import Note

Floats = NDArray[np.float64]

# How well each of the 12 pitch classes above the tonic fits a key, as listeners rated it.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def key_correlations(counts: Floats) -> Floats:
    """Returns the `(24,)` correlations of pitch-class counts with C major to B major, then minor.

    The Pearson correlation of the `(12,)` counts, C first, with the Krumhansl-Kessler profile of
    each key. All zero if the twelve counts are alike, as without notes.

    Source: C. L. Krumhansl, "Cognitive Foundations of Musical Pitch", 1990, chapters 2 and 4
        (profiles of Krumhansl & Kessler 1982; there the counts are durations).
    """
    spread = counts - counts.mean()
    length = float(np.linalg.norm(spread))
    if length < 1e-9 * float(counts.sum()) or not counts.sum():
        return np.zeros(24)
    correlations: Floats = _KEYS @ (spread / length)
    return correlations


def weigh_pitch_classes(notes: Iterable[Note]) -> Floats:
    """Returns `(12,)` how much of each pitch class there is, C first.

    Each note counts by the square root of its length, so that pedalled notes do not drown others.
    """
    weights = np.zeros(12)
    for note in notes:
        weights[note.pitch % 12] += note.duration**0.5
    return weights


def key_of(weights: Floats) -> tuple[int, bool] | None:
    """Returns the tonic, 0 (C) to 11, and whether the key is minor; None if no key fits best.

    Args:
        weights: `(12,)` of the pitch classes, C first.
    """
    fits = key_correlations(weights)
    if not fits.any():
        return None
    best = int(fits.argmax())
    return best % 12, best >= 12


def find_key(notes: Iterable[Note]) -> tuple[int, bool] | None:
    """Returns the key of a piece, see `key_of`."""
    return key_of(weigh_pitch_classes(notes))


def _key_profiles() -> Floats:
    """Returns `(24, 12)` profiles of all keys, centred, each of length 1."""
    profiles = np.array([np.roll(mode, tonic) for mode in (_MAJOR, _MINOR) for tonic in range(12)])
    centred = profiles - profiles.mean(axis=1, keepdims=True)
    unit: Floats = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return unit


_KEYS = _key_profiles()
