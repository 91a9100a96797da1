"""Tempo, metre and key of notes that come without any, found by partitura (extra `score`).

Beats are tracked by several agents at once (Dixon 2001, "Automatic Extraction of Tempo and Beat
From Expressive Performances"), the key is that of the nearest profile (Krumhansl 1990).
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from .midi import KeySignature, Metre, Tempo, Timing
from .notes import Note, sort_notes

INSTALL = "install it: pip install 'pyzzicato[score]'"
_RESOLUTION = 480
_LEAST_BEATS = 8
_LARGEST_US = 2**24 - 1
_LEAST_QUARTER_S = 0.4
_NUMERATORS = range(2, 13)


def find_timing(notes: Sequence[Note]) -> tuple[Timing, int]:
    """Returns a tempo map that fits the notes, and the parts of a quarter note they lie on.

    The tracker follows the shortest regular values; two, three, four or six of them make a quarter
    note of 0.4 s or more. After the last one the tempo is the median.

    Args:
        notes: in seconds; ten seconds of music or more.

    Raises:
        ValueError: if partitura is missing, or the notes are too few to find their beats.
    """
    try:
        from partitura.musicanalysis import (  # type: ignore[import-untyped]
            estimate_key,
            estimate_time,
        )
        from partitura.utils.music import (  # type: ignore[import-untyped]
            key_name_to_fifths_mode,
        )
    except ImportError as error:
        raise ValueError(
            f"a seed without a tempo of its own needs partitura to find one; {INSTALL}, or leave "
            "quantise out"
        ) from error
    array = _array(notes)
    try:
        with np.errstate(all="ignore"):
            found = estimate_time(array)
        pulses = [float(at) for at, _ in found["beats"] if at >= 0]
    except (IndexError, TypeError, ValueError, ZeroDivisionError):  # Notes without any pulse.
        pulses = []
    steps = [after - before for before, after in pairwise(pulses)]
    if len(pulses) < _LEAST_BEATS or min(steps) <= 0:
        raise ValueError(
            "quantise must be left out (or 0) for this seed, whose beat cannot be found; a longer "
            "seed may help"
        )
    numerator = int(found["meter_numerator"])
    n_pulses = _pulses_a_quarter(median(steps), numerator)
    sharps, mode = key_name_to_fifths_mode(estimate_key(array))
    beats, rest = divmod(numerator, n_pulses)
    timing = Timing(
        _RESOLUTION,
        tuple(_tempos(pulses, steps, n_pulses)),
        (Metre(0, beats, 4),) if beats in _NUMERATORS and not rest else (),
        (KeySignature(0, int(sharps), mode == "minor"),),
    )
    return timing, n_pulses if n_pulses > 2 else 4


def _pulses_a_quarter(pulse_s: float, numerator: int) -> int:
    """Returns how many pulses make a quarter note, in a bar of `numerator` of them."""
    n = 1
    while n * pulse_s < _LEAST_QUARTER_S and n <= 3:
        n *= 3 if numerator % 3 == 0 and n % 3 else 2
    return n


def _tempos(pulses: Sequence[float], steps: Sequence[float], n_pulses: int) -> list[Tempo]:
    """Returns one tempo a pulse, from time 0 on, and the usual one after the last."""
    usual = median(steps)
    n_before = max(1, round(pulses[0] / usual)) if pulses[0] > 1e-3 else 0
    lengths = [pulses[0] / max(1, n_before)] * n_before + list(steps) + [usual]
    return [
        Tempo(i * _RESOLUTION // n_pulses, min(_LARGEST_US, max(1, round(length * n_pulses * 1e6))))
        for i, length in enumerate(lengths)
    ]


def _array(notes: Sequence[Note]) -> np.ndarray:
    """Returns the notes as partitura takes them, `(N,)`."""
    fields = [("onset_sec", "f4"), ("duration_sec", "f4"), ("pitch", "i4"), ("velocity", "i4")]
    rows = [(n.start, n.duration, n.pitch, n.velocity) for n in sort_notes(notes)]
    return np.array(rows, dtype=fields)
