"""Stability: does a continuation go on like music, or does it dry up, hang, stick or loop?

All measures are of one piece of a given length. Values depend on how notes are taken from a
performance: with the sustain pedal extending notes (`Performance.sounding("extend")`) real piano
music is hardly ever silent and a quarter of its notes strike a key that still rings or has just
stopped; as the fingers play it is silent for a sixth of the time. Compare like with like. The
figures for real music given below are medians (5th to 95th percentile) of 60 s excerpts of held-out
MAESTRO performances, notes extended by the pedal.

Undefined values are None, never NaN; each attribute of `Stability` says when.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..notes import Note
from .arrays import Floats, Ints, NoteArrays, note_arrays, sounding_seconds

N_GRAM = 8
"""Notes that make a figure: long enough that ordinary scales and trills seldom repeat one."""
STUCK_RUN = 8
"""Strokes of one key in a row, nothing else between, from which a key counts as stuck."""
RESTRIKE_S = 0.05
"""A key struck so soon after it was let go is struck again: one frame of a roll of 20 a second."""
STUTTER_S = 0.1
"""Players seldom strike one key again so soon, though a grand piano's action can."""
HANGING_S = 10.0
"""A longer note hangs: hardly any real one sounds so long, even with the pedal."""
STUCK_SHARE = 0.01
"""A piece is stuck if more of its notes lie in long runs of one key. Hardly any real excerpt is."""
DRIED_UP_RATIO = 0.25
DRIED_UP_BELOW = 2.0
DRIED_UP_FLOOR = 0.25
MOSTLY_SILENT = 0.5

# Half a millisecond each for two times rounded to a MIDI tick, and for sums of floats.
_ROUNDING_S = 0.001


@dataclass(frozen=True, slots=True)
class Stability:
    """How steadily one piece goes on.

    Attributes:
        seconds: length of the piece.
        n_notes: notes struck.
        notes_a_second: `n_notes / seconds`. Real: 8.2 (3.9 to 20).
        silent_share: share of the time in which no note sounds; 1.0 without notes.
            Real: 0.04 (0.00 to 0.25).
        longest_gap_s: longest stretch in which no note sounds, beginning and end included; the
            whole length without notes. Real: 0.33 (0.03 to 2.6).
        drift: notes struck in the last third of the time over those in the first. None if the first
            third has none. Real: 1.0 (0.4 to 2.5).
        longest_run: most strokes of one key in a row with no other key struck between, in reading
            order (see `arrays`); 0 without notes. Real: 2 (1 to 3).
        stuck_share: share of notes in runs of `STUCK_RUN` or more. None without notes. Real: 0.
        distinct_8grams: different runs of eight successive pitches over all runs of eight: 1 if
            nothing ever repeats. It falls as pieces get longer: compare equal lengths. None below
            eight notes. Real: 0.98 (0.85 to 1.0).
        repetition_growth: `distinct_8grams` of the first half minus that of the second, each half
            by itself: above 0 if the piece repeats itself more and more, near 0 if it loops from
            the beginning (`distinct_8grams` shows that). None if a half has fewer than eight notes.
            Real: 0.00 (-0.08 to 0.10).
        restruck_share: share of notes whose key was let go at most `RESTRIKE_S` before, or still
            sounded. None without notes. Depends on the pedal: real 0.23 (0.01 to 0.5), and 0.003 as
            the fingers play.
        stutter_share: share of notes whose key was last struck at most `STUTTER_S` before. Does not
            depend on the pedal. None without notes. Real: 0.001 (0 to 0.018).
        hanging_share: share of notes that sound longer than `HANGING_S`. None without notes.
            Real: 0 (0 to 0.003).
        longest_note_s: length of the longest note. None without notes. Real: 3.8 (1.5 to 11).
        dried_up: verdict. True if the last third of the time has under a quarter
            (`DRIED_UP_RATIO`) of the notes of the first third and under 2 (`DRIED_UP_BELOW`) a
            second; or, whatever the first third has, under 0.25 (`DRIED_UP_FLOOR`) a second.
            True of 1 % of real excerpts. A piece that turns slow and stays slow is not dried up
            unless it turns four times as slow.
        mostly_silent: verdict. True if no note sounds for more than half (`MOSTLY_SILENT`) of the
            time. True of no real excerpt with the pedal, and of one in a thousand without.
    """

    seconds: float
    n_notes: int
    notes_a_second: float
    silent_share: float
    longest_gap_s: float
    drift: float | None
    longest_run: int
    stuck_share: float | None
    distinct_8grams: float | None
    repetition_growth: float | None
    restruck_share: float | None
    stutter_share: float | None
    hanging_share: float | None
    longest_note_s: float | None
    dried_up: bool
    mostly_silent: bool


def measure_stability(notes: Sequence[Note], seconds: float) -> Stability:
    """Returns the stability of one piece.

    Args:
        notes: the notes on the piece's own clock, 0 to `seconds`, in any order. A continuation is
            measured without its seed.
        seconds: length of the piece, above 0. It is given, not taken from the last note: a piece
            that stops early is silent for the rest.

    Raises:
        ValueError: if `seconds` is not above 0 or a note is struck at or after it.
    """
    arrays = note_arrays(notes, seconds)
    n = len(arrays)
    silent = max(0.0, 1 - sounding_seconds(arrays.starts, arrays.ends) / seconds)
    runs = run_lengths(arrays.pitches)
    lengths = arrays.ends - arrays.starts
    since_offset, since_onset = _since_same_key(arrays)
    first, last = _outer_thirds(arrays.starts, seconds)
    return Stability(
        seconds=float(seconds),
        n_notes=n,
        notes_a_second=n / seconds,
        silent_share=silent,
        longest_gap_s=_longest_gap(arrays, seconds),
        drift=last / first if first else None,
        longest_run=int(runs.max(initial=0)),
        stuck_share=_share(int(runs[runs >= STUCK_RUN].sum()), n),
        distinct_8grams=distinct_share(arrays.pitches),
        repetition_growth=_repetition_growth(arrays, seconds),
        restruck_share=_share(int((since_offset <= RESTRIKE_S + _ROUNDING_S).sum()), n),
        stutter_share=_share(int((since_onset <= STUTTER_S + _ROUNDING_S).sum()), n),
        hanging_share=_share(int((lengths > HANGING_S).sum()), n),
        longest_note_s=float(lengths.max()) if n else None,
        dried_up=_is_dried_up(first, last, seconds),
        mostly_silent=silent > MOSTLY_SILENT,
    )


def run_lengths(pitches: Ints) -> Ints:
    """Returns the lengths of runs of one and the same pitch, `(R,)`, summing to the notes."""
    if not len(pitches):
        return np.zeros(0, dtype=np.int64)
    begins = np.r_[0, np.flatnonzero(np.diff(pitches)) + 1, len(pitches)]
    lengths: Ints = np.diff(begins).astype(np.int64)
    return lengths


def distinct_share(pitches: Ints, n: int = N_GRAM) -> float | None:
    """Returns different n-grams over all n-grams of the pitches; None below `n` notes.

    Source: "distinct-n" of Li et al., "A diversity-promoting objective function for neural
        conversation models", NAACL 2016, there divided by words instead of by n-grams.
    """
    if len(pitches) < n:
        return None
    grams = np.lib.stride_tricks.sliding_window_view(pitches, n)
    return len(np.unique(grams, axis=0)) / len(grams)


def _repetition_growth(arrays: NoteArrays, seconds: float) -> float | None:
    first = arrays.starts < seconds / 2
    before, after = distinct_share(arrays.pitches[first]), distinct_share(arrays.pitches[~first])
    return before - after if before is not None and after is not None else None


def _longest_gap(arrays: NoteArrays, seconds: float) -> float:
    """Returns the longest stretch in seconds without a sounding note."""
    order = np.argsort(arrays.starts)
    reached = np.maximum.accumulate(np.r_[0.0, arrays.ends[order]])
    return float(np.max(np.r_[arrays.starts[order], seconds] - reached, initial=0.0))


def _outer_thirds(starts: Floats, seconds: float) -> tuple[int, int]:
    """Returns the notes struck in the first and in the last third of the time."""
    return int((starts < seconds / 3).sum()), int((starts >= seconds * 2 / 3).sum())


def _since_same_key(arrays: NoteArrays) -> tuple[Floats, Floats]:
    """Returns for each stroke of a key but its first: seconds since its offset and its onset."""
    order = np.lexsort((arrays.starts, arrays.pitches))
    pitches, starts, ends = arrays.pitches[order], arrays.starts[order], arrays.ends[order]
    again = pitches[1:] == pitches[:-1]
    return (starts[1:] - ends[:-1])[again], (starts[1:] - starts[:-1])[again]


def _is_dried_up(first: int, last: int, seconds: float) -> bool:
    a_second = last / (seconds / 3)
    faded = last < DRIED_UP_RATIO * first and a_second < DRIED_UP_BELOW
    return faded or a_second < DRIED_UP_FLOOR


def _share(count: int, n: int) -> float | None:
    return count / n if n else None
