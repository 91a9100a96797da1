"""What the composer classifier reads: one vector of numbers for up to a minute of notes.

The features are made to judge music played by people and by networks alike:

- Notes are first put on the piano roll of 20 frames a second, so that onsets and offsets fall on
  steps of 50 ms as those of a network on rolls do.
- Notes are taken as they sound, lengthened by the sustain pedal
  (`Performance.sounding("extend")`), since networks learn from such notes.
- Velocities are left out: networks on rolls have none of their own.
- Hardly anything depends on the key: pitches enter as intervals, as distances above the bass, or as
  degrees above the estimated tonic. Only the registers do, and they are coarse.

Histograms enter as square roots of shares (Hellinger's transform), which keeps a few frequent
values from drowning the rare ones. Families follow what is usual for symbolic music (C. McKay,
J. Cumming and I. Fujinaga, "jSymbolic 2.2", ISMIR 2018): intervals, harmony, key, rhythm, texture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..keys import key_correlations
from ..notes import LOWEST_PITCH, N_PITCHES, Note, shift_notes
from ..representations.pianoroll import FS, notes_to_roll
from .arrays import Floats, Ints

N_FEATURES = 1932
"""Length of the vector."""

_OCTAVES = 24
"""Intervals count up to two octaves each way."""
_LAG_EDGES = (1, 2, 3, 4, 5, 6, 7, 9, 13, 21)
"""Bins of the time from one stroke to a later one, in frames: 50 ms to a second."""
_ORDER_STEPS = (1, 2, 3, 4, 6, 8)
_WINDOWS_S = (0.5, 2.0, 8.0, 20.0)
_REGISTER_KEYS = 4
_PITCH_CLASSES = (np.arange(N_PITCHES) + LOWEST_PITCH) % 12
_FOLD = np.eye(12)[_PITCH_CLASSES]
"""`(88, 12)`: adds up the keys of each pitch class."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Grid:
    """Notes on the grid: M frames in which keys are struck, N strokes.

    Attributes:
        sounding: `(T, 88)` whether a key sounds.
        struck: `(T, 88)` whether it is struck.
    """

    sounding: Flags
    struck: Flags

    @cached_property
    def strokes(self) -> tuple[Ints, Ints]:
        """Returns `(N,)` frames and `(N,)` keys of the strokes, in order of time, then of pitch."""
        frames, keys = np.nonzero(self.struck)
        return frames, keys

    @cached_property
    def chords(self) -> Ints:
        """Returns `(M,)` frames with at least one stroke."""
        return np.flatnonzero(self.struck.any(axis=1))

    @cached_property
    def held(self) -> Flags:
        """Returns `(M, 88)` which keys sound when a chord is struck."""
        return self.sounding[self.chords]

    @cached_property
    def top(self) -> Ints:
        """Returns `(M,)` the highest key struck in each chord."""
        return _highest(self.struck[self.chords])

    @cached_property
    def bottom(self) -> Ints:
        """Returns `(M,)` the lowest key struck in each chord."""
        return _lowest(self.struck[self.chords])

    @cached_property
    def bass(self) -> Ints:
        """Returns `(M,)` the lowest key that sounds when a chord is struck."""
        return _lowest(self.held)


def style_features(notes: Sequence[Note]) -> Floats:
    """Returns the `(N_FEATURES,)` features of an excerpt; all finite.

    Time counts from the first onset to the last offset: silence around the notes does not matter.

    Args:
        notes: one to some hundreds of notes as they sound, 20 to 60 s for a sound judgement.

    Raises:
        ValueError: if there are no notes.
    """
    if not notes:
        raise ValueError("notes must hold at least one note, got none; silence has no style")
    roll = notes_to_roll(shift_notes(notes, -min(note.start for note in notes)))
    sounding = roll > 0
    struck = sounding.copy()
    struck[1:] &= ~sounding[:-1]
    grid = _Grid(sounding, struck)
    families = (_intervals, _harmony, _tonality, _rhythm, _texture)
    return np.concatenate([np.asarray(part, float) for f in families for part in f(grid)])


def _intervals(grid: _Grid) -> list[ArrayLike]:
    """Returns how pitches follow each other: after a time, after so many notes, in outer voices."""
    frames, keys = grid.strokes
    together, later = _lagged_intervals(frames, keys)
    parts: list[ArrayLike] = [np.sqrt(together / len(keys)), np.sqrt(later / len(keys)).ravel()]
    for step in _ORDER_STEPS:
        leap = keys[step:] - keys[:-step]
        parts.append(_shares(leap[np.abs(leap) <= _OCTAVES] + _OCTAVES, 2 * _OCTAVES + 1))
    for voice in (grid.top, grid.bottom):
        leap = np.diff(voice)
        parts += [_shares(leap + 13, 27), _pair_shares(np.clip(leap, -7, 7) + 7, 15)]
    return parts


def _lagged_intervals(frames: Ints, keys: Ints) -> tuple[Floats, Floats]:
    """Returns intervals of all pairs of strokes by the time between them.

    Returns:
        `(36,)` counts of 1 to 36 semitones in one frame, and `(9, 49)` counts for each bin of
        `_LAG_EDGES`, divided by the frames it spans, of -24 to 24 semitones.
    """
    together = np.zeros(37)
    n_lags, width = len(_LAG_EDGES) - 1, 2 * _OCTAVES + 1
    later = np.zeros(n_lags * width)
    for step in range(1, len(keys)):
        lag, leap = frames[step:] - frames[:-step], keys[step:] - keys[:-step]
        if lag.min() >= _LAG_EDGES[-1]:
            break
        chord = (lag == 0) & (leap <= 36)
        together += np.bincount(leap[chord], minlength=37)
        near = (lag > 0) & (lag < _LAG_EDGES[-1]) & (np.abs(leap) <= _OCTAVES)
        lag_bin = np.searchsorted(_LAG_EDGES, lag[near], side="right") - 1
        later += np.bincount(lag_bin * width + leap[near] + _OCTAVES, minlength=n_lags * width)
    return together[1:], later.reshape(n_lags, width) / np.diff(_LAG_EDGES)[:, None]


def _harmony(grid: _Grid) -> list[ArrayLike]:
    """Returns what sounds together, whenever something is struck."""
    held = grid.held.astype(np.float64)
    struck = grid.struck[grid.chords].astype(np.float64)
    pairs = _by_interval(held.T @ held) / len(held)
    against = _by_interval(struck.T @ held) / struck.sum()
    middle = N_PITCHES - 1
    classes = held @ _FOLD > 0
    above = (np.arange(12) + _PITCH_CLASSES[grid.bass][:, None]) % 12
    quarter = _blocks(grid.struck @ _FOLD, FS // 4)
    return [
        np.sqrt(pairs[middle + 1 : middle + 49]),
        np.sqrt(against[middle - 36 : middle]),
        np.sqrt(against[middle + 1 : middle + 37]),
        np.take_along_axis(classes, above, axis=1).mean(axis=0),
        _shares(classes.sum(axis=1), 13),
        _shares((quarter > 0).sum(axis=1), 13),
        _shares(np.diff(_PITCH_CLASSES[grid.bass]) % 12, 12),
    ]


def _tonality(grid: _Grid) -> list[ArrayLike]:
    """Returns the use of the twelve pitch classes, from the tonic or in no matter which key.

    The magnitudes of the Fourier transform of a pitch-class histogram do not change under
    transposition; they say how chromatic, diatonic, whole-tone or octatonic music is (I. Quinn,
    "General equal-tempered harmony", Perspectives of New Music 2006-2007).
    """
    struck = grid.struck @ _FOLD
    weights = struck.sum(axis=0) + (grid.sounding @ _FOLD).sum(axis=0) / 10
    fits = key_correlations(weights)
    best = int(np.argmax(fits))
    profile = np.roll(weights, -(best % 12)) / weights.sum()
    degrees = (_PITCH_CLASSES[grid.strokes[1]] - best) % 12
    parts: list[ArrayLike] = [
        [fits[best], np.sort(fits)[-2], fits[:12].max() - fits[12:].max()],
        np.sqrt(profile),
        np.sort(profile)[::-1],
        _pair_shares(degrees, 12),
    ]
    parts += [_spectrum(_blocks(struck, int(window * FS))) for window in _WINDOWS_S]
    seconds = _blocks(struck, FS)
    seconds = seconds / np.maximum(1e-9, np.linalg.norm(seconds, axis=1, keepdims=True))
    parts.append([_mean((seconds[n:] * seconds[:-n]).sum(axis=1)) for n in (1, 2, 4, 8)])
    return parts


def _spectrum(counts: Floats) -> Floats:
    """Returns `(15,)`: mean and spread of six Fourier magnitudes and of the entropy, and size.

    Args:
        counts: `(W, 12)` pitch classes struck in each window; windows without any do not count.
    """
    counts = counts[counts.sum(axis=1) > 0]
    if not len(counts):
        return np.zeros(15)
    shares = counts / counts.sum(axis=1, keepdims=True)
    magnitudes = np.abs(np.fft.rfft(shares, axis=1))[:, 1:]
    entropy = -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=1)
    size = (shares > 0).sum(axis=1).mean()
    others = np.array([entropy.mean(), entropy.std(), size])
    return np.concatenate([magnitudes.mean(axis=0), magnitudes.std(axis=0), others])


def _rhythm(grid: _Grid) -> list[ArrayLike]:
    """Returns when keys are struck: waits, their ratios, chord sizes, pulse, repeated keys."""
    waits = np.diff(grid.chords)
    doublings = np.diff(np.log2(waits)) * 2
    strokes = grid.struck.sum(axis=1).astype(np.float64)
    swing = strokes - strokes.mean()
    energy = float(swing @ swing) + 1e-9
    n_strokes = strokes.sum()
    again = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20)
    return [
        _shares(waits, 24),
        _shares(grid.struck[grid.chords].sum(axis=1), 10),
        _shares(np.round(doublings + 6).astype(np.int64), 13),
        [float(swing[:-lag] @ swing[lag:]) / energy for lag in range(1, 2 * FS + 1)],
        [np.sqrt((grid.struck[:-lag] & grid.struck[lag:]).sum() / n_strokes) for lag in again],
    ]


def _texture(grid: _Grid) -> list[ArrayLike]:
    """Returns how thick, how high, how wide and how long."""
    _, keys = grid.strokes
    lengths, length_keys = _lengths(grid)
    span = _highest(grid.held) - grid.bass
    quarter = np.minimum(length_keys // 22, 3)
    doublings = np.log2(lengths)
    parts: list[ArrayLike] = [
        _shares(grid.sounding.sum(axis=1), 24),
        _shares(np.round(doublings * 2).astype(np.int64), 16),
        [_mean(doublings[quarter == part], 2.0) for part in range(4)],
    ]
    bands = N_PITCHES // _REGISTER_KEYS
    parts += [_shares(voice // _REGISTER_KEYS, bands) for voice in (keys, grid.top, grid.bottom)]
    parts += [_shares(span // _REGISTER_KEYS, bands), _summary(grid, keys, span, doublings)]
    return parts


def _summary(grid: _Grid, keys: Ints, span: Ints, doublings: Floats) -> list[float]:
    """Returns means and spreads of density, polyphony, registers, steps, lengths and waits."""
    seconds = len(grid.struck) / FS
    polyphony = grid.sounding.sum(axis=1)
    strokes = grid.struck.sum(axis=1)
    dense = [_blocks(strokes[:, None], n)[:, 0] for n in (FS, 5 * FS)]
    values = [
        len(keys) / seconds,
        len(grid.chords) / seconds,
        np.log(len(keys) / seconds),
        dense[0].std(),
        *(d.std() / (d.mean() + 1e-9) for d in dense),
        (polyphony == 0).mean(),
        *(stat for v in (polyphony, keys, grid.top, grid.bottom) for stat in (v.mean(), v.std())),
        *(_mean(np.abs(np.diff(voice))) for voice in (grid.top, grid.bottom)),
        doublings.mean(),
        doublings.std(),
        np.diff(grid.chords).std() if len(grid.chords) > 1 else 0.0,
        len(np.unique(keys)),
        span.mean(),
        span.std(),
    ]
    return [float(value) for value in values]


def _lowest(keys: Flags) -> Ints:
    """Returns `(M,)` the lowest of the keys in each row of `(M, 88)`; each row has one."""
    lowest: Ints = np.argmax(keys, axis=1)
    return lowest


def _highest(keys: Flags) -> Ints:
    """Returns `(M,)` the highest of the keys in each row of `(M, 88)`; each row has one."""
    highest: Ints = N_PITCHES - 1 - np.argmax(keys[:, ::-1], axis=1)
    return highest


def _lengths(grid: _Grid) -> tuple[Ints, Ints]:
    """Returns `(N,)` lengths of the notes in frames and their keys, by key, then by time."""
    ended = grid.sounding.copy()
    ended[:-1] &= ~grid.sounding[1:]
    # Transposed, so that the n-th onset of a key pairs with its n-th offset.
    keys, onsets = np.nonzero(grid.struck.T)
    _, lasts = np.nonzero(ended.T)
    return lasts - onsets + 1, keys


def _shares(values: Ints, n_bins: int) -> Floats:
    """Returns square roots of the shares of 0 to `n_bins` - 1; values beyond go to the edges."""
    counts = np.bincount(np.clip(values, 0, n_bins - 1), minlength=n_bins)
    shares: Floats = np.sqrt(counts / max(1, len(values)))
    return shares


def _pair_shares(values: Ints, n_bins: int) -> Floats:
    """Returns `(n_bins ** 2,)` square roots of the shares of each value after each other value."""
    return _shares(values[1:] * n_bins + values[:-1], n_bins**2)


def _by_interval(pairs: Floats) -> Floats:
    """Returns `(175,)` sums over a `(88, 88)` matrix by column minus row, from -87 up."""
    keys = np.arange(N_PITCHES)
    interval = keys[None, :] - keys[:, None] + N_PITCHES - 1
    sums = np.zeros(2 * N_PITCHES - 1)
    np.add.at(sums, interval, pairs)
    return sums


def _blocks(rows: NDArray[np.float64 | np.int64], length: int) -> Floats:
    """Returns `(W, C)` sums over blocks of `length` rows; less than half a block joins the last."""
    begins = np.arange(0, max(1, len(rows) - length // 2), length)
    sums: Floats = np.add.reduceat(rows.astype(np.float64), begins, axis=0)
    return sums


def _mean(values: NDArray[np.float64 | np.int64], empty: float = 0.0) -> float:
    """Returns the mean, or `empty` for no values."""
    return float(np.mean(values)) if len(values) else empty
