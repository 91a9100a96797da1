"""What the adversary's classifier looks at: some two hundred figures of a passage, in named groups.

All are shares, means and spreads, so that a passage is described and not the piece it is from:
pitches enter as intervals, as coarse registers and as degrees above the estimated tonic. Groups can
be left out, to see which ones matter. Chords and reading order are those of `arrays`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from ..keys import key_correlations
from ..notes import LOWEST_PITCH, Note
from .arrays import Floats, Ints, NoteArrays, note_arrays, pitch_class_counts, reading_lines
from .recurrence import chord_intervals, measure_recurrence
from .tonality import key_clarity, pitch_class_entropy

DENSITY = "density"
RHYTHM = "rhythm"
LENGTHS = "lengths"
LOUDNESS = "loudness"
CHORDS = "intervals within chords"
VOICES = "intervals of the outer voices"
PITCHES = "registers and pitch classes"
RECURRENCE = "recurrence"

_WAIT_EDGES_S = np.geomspace(0.015, 2.0, 15)
_RATIO_EDGES = np.linspace(-2.25, 2.25, 8)
_LENGTH_EDGES_S = np.geomspace(0.05, 5.0, 15)
_VELOCITY_STEP = 8
_REGISTER_KEYS = 8
_WIDEST_CHORD = 24
_WIDEST_LEAP = 12
_MOST_KEYS = 8
_WINDOWS_S = (2.0, 8.0)
_FEWEST_NOTES = 4
_SAME_WAIT = 0.1


def passage_features(notes: Sequence[Note], seconds: float) -> dict[str, Floats]:
    """Returns the figures of a passage by group, each `(F,)`; NaN where there is nothing to count.

    Args:
        notes: the notes on the passage's own clock, 0 to `seconds`, in any order.
        seconds: its length, above 0.

    Raises:
        ValueError: if `seconds` is not above 0 or a note is struck at or after it.
    """
    a = note_arrays(notes, seconds)
    lines = reading_lines(a.starts)
    chords = np.flatnonzero(np.diff(lines, prepend=-1))
    return {
        DENSITY: _density(a, seconds),
        RHYTHM: _rhythm(a, chords),
        LENGTHS: _lengths(a, seconds),
        LOUDNESS: _loudness(a, chords),
        CHORDS: _shares_of(chord_intervals(a)[1 : _WIDEST_CHORD + 1]),
        VOICES: _voices(a, chords),
        PITCHES: _pitches(a, seconds),
        RECURRENCE: np.array(astuple(measure_recurrence(notes))[:6], dtype=np.float64),
    }


def feature_columns(groups: Iterable[str]) -> NDArray[np.bool_]:
    """Returns `(F,)` which figures belong to some groups.

    Raises:
        ValueError: if there is no such group.
    """
    wanted = set(groups)
    if not wanted <= set(GROUPS):
        raise ValueError(f"groups must be of {', '.join(GROUPS)}; got {sorted(wanted)}")
    return np.concatenate([np.full(SIZES[name], name in wanted) for name in GROUPS])


def _density(a: NoteArrays, seconds: float) -> Floats:
    """Returns how many notes, and how evenly they are spread."""
    per_second, per_five = (
        np.histogram(a.starts, np.linspace(0, seconds, max(2, round(seconds / window)) + 1))[0]
        for window in (1.0, 5.0)
    )
    thirds = np.histogram(a.starts, np.linspace(0, seconds, 4))[0]
    middle = max(len(a) / seconds, 1e-9)
    values = [
        len(a) / seconds,
        per_second.std() / middle,
        per_five.std() / middle / 5,
        *(np.percentile(per_second, (5, 25, 75, 95)) / middle),
        (per_second == 0).mean(),
        _mean(np.abs(np.diff(per_second))) / middle,
        *(thirds / max(1, len(a))),
    ]
    return np.array(values, dtype=np.float64)


def _rhythm(a: NoteArrays, chords: Ints) -> Floats:
    """Returns the waits between notes and between chords, their ratios, the sizes of chords."""
    onsets = np.sort(a.starts)
    waits = np.diff(onsets)
    between = np.diff(a.starts[chords]) if len(chords) else np.zeros(0)
    ratios = np.diff(np.log2(np.maximum(between, 0.01)))
    sizes = np.diff(np.r_[chords, len(a)])
    return np.concatenate(
        [
            _binned(waits, _WAIT_EDGES_S),
            _binned(between, _WAIT_EDGES_S),
            _binned(ratios, _RATIO_EDGES),
            _counted(sizes - 1, 6),
            [_mean(sizes), _mean(np.abs(ratios)), _same_wait_share(between)],
        ]
    )


def _lengths(a: NoteArrays, seconds: float) -> Floats:
    """Returns how long notes sound and how many sound at once."""
    lengths = a.ends - a.starts
    moments = np.arange(0.125, seconds, 0.25)
    at_once = np.searchsorted(np.sort(a.starts), moments, side="right")
    at_once -= np.searchsorted(np.sort(a.ends), moments, side="right")
    logs = np.log2(np.maximum(lengths, 1e-3))
    return np.concatenate(
        [
            _binned(lengths, _LENGTH_EDGES_S),
            _counted(at_once, _MOST_KEYS + 1),
            [_mean(logs), _spread(logs), _mean(np.abs(np.diff(logs)))],
        ]
    )


def _loudness(a: NoteArrays, chords: Ints) -> Floats:
    """Returns how hard keys are struck, how much that changes, and which of a chord is loudest."""
    velocities = a.velocities.astype(np.float64)
    tops = _tops(chords, len(a))
    return np.concatenate(
        [
            _counted(a.velocities // _VELOCITY_STEP, 128 // _VELOCITY_STEP),
            [
                _mean(velocities),
                _spread(velocities),
                _mean(np.abs(np.diff(velocities))),
                _mean(np.abs(np.diff(velocities[tops]))),
                _mean((velocities[tops] - velocities[chords])[tops > chords]),
            ],
        ]
    )


def _voices(a: NoteArrays, chords: Ints) -> Floats:
    """Returns the intervals from chord to chord in the highest and in the lowest voice."""
    parts: list[Floats] = []
    for voice in (a.pitches[_tops(chords, len(a))], a.pitches[chords]):
        leaps = np.diff(voice)
        edges = np.arange(-_WIDEST_LEAP - 0.5, _WIDEST_LEAP + 1)
        parts += [_binned(leaps, edges), np.array([_mean(np.abs(leaps)), _turns(leaps)])]
    return np.concatenate(parts)


def _pitches(a: NoteArrays, seconds: float) -> Floats:
    """Returns the use of registers and, from the tonic up, of pitch classes."""
    counts = pitch_class_counts(a.pitches)
    tonic = int(np.argmax(key_correlations(counts))) % 12
    registers = np.bincount((a.pitches - LOWEST_PITCH) // _REGISTER_KEYS, minlength=11)
    values = [pitch_class_entropy(counts), key_clarity(counts)]
    for window in _WINDOWS_S:
        windows = np.floor(a.starts / window).astype(np.int64)
        tables = np.zeros((int(np.ceil(seconds / window)), 12))
        np.add.at(tables, (windows, a.pitches % 12), 1)
        filled = tables[tables.sum(axis=1) >= _FEWEST_NOTES]
        shares = filled / filled.sum(axis=1, keepdims=True)
        entropies = -(shares * np.log2(np.maximum(shares, 1e-9))).sum(axis=1)
        values += [_mean(entropies), _spread(entropies)]
    known = [np.nan if value is None else value for value in values]
    return np.concatenate([_shares_of(registers), _shares_of(np.roll(counts, -tonic)), known])


def _tops(chords: Ints, n_notes: int) -> Ints:
    """Returns the place of each chord's highest note; `chords` are those of the lowest."""
    ends: Ints = np.append(chords[1:], n_notes)[: len(chords)]
    return ends - 1


def _turns(leaps: Ints) -> float:
    """Returns how often a voice turns round, of all its steps that could."""
    return _mean((leaps[1:] * leaps[:-1] < 0).astype(np.float64))


def _same_wait_share(waits: Floats) -> float:
    """Returns how many waits are as long as the one before, to a tenth."""
    return _mean((np.abs(np.diff(waits)) < _SAME_WAIT * waits[1:]).astype(np.float64))


def _binned(values: NDArray[np.float64 | np.int64], edges: Floats) -> Floats:
    """Returns the shares below, between and above some edges, `(E + 1,)`."""
    return _counted(np.searchsorted(edges, values), len(edges) + 1)


def _counted(values: Ints, n: int) -> Floats:
    """Returns the shares of 0 to `n` - 1; larger values count as the largest."""
    return _shares_of(np.bincount(np.clip(values, 0, n - 1), minlength=n))


def _shares_of(counts: NDArray[np.float64 | np.int64]) -> Floats:
    total = counts.sum()
    return counts / total if total else np.full(len(counts), np.nan)


def _mean(values: NDArray[np.float64 | np.int64]) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def _spread(values: Floats) -> float:
    return float(np.std(values)) if len(values) else np.nan


GROUPS = tuple(passage_features((), 1.0))
"""Names of the groups."""
SIZES = {name: len(part) for name, part in passage_features((), 1.0).items()}
"""How many figures each group has."""
