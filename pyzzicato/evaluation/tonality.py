"""Tonality: does a piece keep to a key for a while, and is it the seed's key?

Density, silence and drift can equal real music's while a model plays in no key at all; these
measures show it. All count onsets: durations would depend on the sustain pedal, and counts
do not. The figures for real music are medians (5th to 95th percentile) of 60 s excerpts of held-out
MAESTRO performances after seeds of 10 s.

Undefined values are None, never NaN; each attribute of `Tonality` says when.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..keys import key_correlations
from ..notes import Note
from .arrays import Floats, NoteArrays, note_arrays, pitch_class_counts

WINDOW_S = 8.0
"""About a phrase: real music keeps to few pitch classes for so long."""
HOP_S = 4.0
"""Windows begin this far apart, so they overlap by half."""
MIN_WINDOW_NOTES = 8
"""Fewer have a low entropy whatever they are: such windows are left out (1 % of real ones)."""


@dataclass(frozen=True, slots=True)
class Tonality:
    """What one piece does with the twelve pitch classes.

    Attributes:
        pitch_class_entropy: bits, 0 (one pitch class) to 3.585 (all twelve alike), over the whole
            piece. None without notes. Real: 3.24 (2.9 to 3.5).
        window_entropy: bits, median over windows of `WINDOW_S`. None if no window has
            `MIN_WINDOW_NOTES`. Real: 2.89 (2.5 to 3.25); notes at random come near 3.5.
        kinship: cosine of the pitch-class histograms of seed and piece, 0 (no pitch class in
            common) to 1 (the same proportions). None without a seed or if either has no notes.
            Real: 0.87 (0.6 to 0.97).
        key_clarity: how well the best of the 24 keys fits, -1 to 1, over the whole piece; see
            `key_clarity`. None without notes. Real: 0.83 (0.6 to 0.93); notes at random: 0.54.
        window_key_clarity: the same, median over windows. None if no window has
            `MIN_WINDOW_NOTES`. Real: 0.79 (0.67 to 0.87); notes at random: 0.56.
    """

    pitch_class_entropy: float | None
    window_entropy: float | None
    kinship: float | None
    key_clarity: float | None
    window_key_clarity: float | None


def measure_tonality(
    notes: Sequence[Note], seconds: float, seed_notes: Sequence[Note] | None = None
) -> Tonality:
    """Returns the tonality of one piece.

    Args:
        notes: the notes on the piece's own clock, 0 to `seconds`, in any order. A continuation is
            measured without its seed.
        seconds: length of the piece, above 0.
        seed_notes: the seed that the piece carries on, on any clock; None if there is none.

    Raises:
        ValueError: if `seconds` is not above 0 or a note is struck at or after it.
    """
    arrays = note_arrays(notes, seconds)
    whole = pitch_class_counts(arrays.pitches)
    seed = pitch_class_counts(note_arrays(seed_notes or ()).pitches)
    windows = [w for w in window_counts(arrays, seconds) if w.sum() >= MIN_WINDOW_NOTES]
    return Tonality(
        pitch_class_entropy=pitch_class_entropy(whole),
        window_entropy=_median([pitch_class_entropy(w) for w in windows]),
        kinship=cosine(seed, whole),
        key_clarity=key_clarity(whole),
        window_key_clarity=_median([key_clarity(w) for w in windows]),
    )


def pitch_class_entropy(counts: Floats) -> float | None:
    """Returns the Shannon entropy of `(12,)` pitch-class counts in bits; None without notes.

    muspy's `pitch_class_entropy` is the same with notes and NaN without.

    Source: Wu & Yang, "The Jazz Transformer on the front line", ISMIR 2020 (there in bars).
    """
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) if len(shares) else None


def window_counts(arrays: NoteArrays, seconds: float) -> list[Floats]:
    """Returns `(12,)` pitch-class counts of the notes struck in each window.

    Windows of `WINDOW_S` begin at 0 and every `HOP_S`, as long as they lie within the piece; a
    piece shorter than a window is one window.
    """
    n_windows = 1 + max(0, int((seconds - WINDOW_S) / HOP_S + 1e-9))
    begins = np.arange(n_windows) * HOP_S
    struck = [(arrays.starts >= b) & (arrays.starts < b + WINDOW_S) for b in begins]
    return [pitch_class_counts(arrays.pitches[inside]) for inside in struck]


def cosine(a: Floats, b: Floats) -> float | None:
    """Returns the cosine of two vectors of counts, 0 to 1; None if one is all zero."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return min(1.0, float(a @ b) / lengths) if lengths else None


def key_clarity(counts: Floats) -> float | None:
    """Returns the best correlation of the pitch classes with a key, over all 24 keys.

    The Pearson correlation of the `(12,)` counts with the Krumhansl-Kessler profile of each major
    and minor key; the highest counts. The mean over the twelve keys of a mode is always zero, so
    the highest is also the highest minus the mean. It does not see how flat the counts are: notes
    at random still lean to some key by chance, the fewer the more. Read it beside the entropy.

    Args:
        counts: `(12,)` counts of pitch classes, C first.

    Returns:
        The correlation; 0.0 if all twelve are alike, as no key fits better than another; None
        without notes.

    Source: see `pyzzicato.keys.key_correlations`.
    """
    return float(key_correlations(counts).max()) if counts.sum() else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.median(known)) if known else None
