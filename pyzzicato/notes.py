"""Notes: the one currency of the package.

A piece of music is a list of `Note`, sorted by `sort_notes`. Times are seconds, pitches are MIDI
numbers. Everything else (MIDI files, piano rolls, sound, pictures, measures) is made from notes or
turned into them. This module imports `checks` alone.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .checks import show_value

LOWEST_PITCH = 21
"""A0, the lowest key of a piano (MIDI number)."""
HIGHEST_PITCH = 108
"""C8, the highest key of a piano (MIDI number)."""
N_PITCHES = HIGHEST_PITCH - LOWEST_PITCH + 1
"""The 88 keys of a piano."""
PITCH_CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
"""Names of the twelve keys of an octave, each under its commoner name."""
EDGE_S = 0.0005
"""How far before the edge of a cut a note may begin and still lie behind it."""


@dataclass(frozen=True, slots=True)
class Note:
    """One struck key.

    Attributes:
        pitch: MIDI number, 21 (A0) to 108 (C8).
        start: onset in seconds, at or above 0.
        end: offset in seconds, above `start`.
        velocity: how hard the key is struck, 1 to 127.

    Raises:
        ValueError: if a field is out of its range.
    """

    pitch: int
    start: float
    end: float
    velocity: int

    def __post_init__(self) -> None:
        try:
            self._check()
        except (TypeError, OverflowError) as error:
            raise ValueError(
                "a note must have numbers for pitch, start, end and velocity, got "
                f"{', '.join(map(show_value, (self.pitch, self.start, self.end, self.velocity)))}"
            ) from error

    def _check(self) -> None:
        if not LOWEST_PITCH <= self.pitch <= HIGHEST_PITCH or self.pitch % 1:
            raise ValueError(
                f"pitch must be a whole number, {LOWEST_PITCH} to {HIGHEST_PITCH} (the piano's "
                f"keys), got {show_value(self.pitch)}; drop or transpose the note"
            )
        if not 1 <= self.velocity <= 127 or self.velocity % 1:
            raise ValueError(
                f"velocity must be a whole number, 1 to 127, got {show_value(self.velocity)}; 0 is "
                "a note-off in MIDI"
            )
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            raise ValueError(
                f"start and end must be finite, got {show_value(self.start)} and "
                f"{show_value(self.end)}"
            )
        if not 0 <= self.start < self.end:
            raise ValueError(
                "start and end must satisfy 0 <= start < end (seconds), got "
                f"{show_value(self.start)} and {show_value(self.end)}"
            )

    def __deepcopy__(self, memo: object) -> "Note":
        return self  # Nothing of it can change.

    @property
    def duration(self) -> float:
        """Returns `end - start` in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class PedalSpan:
    """A stretch of time, `start` to `end` in seconds, with the sustain pedal held down."""

    start: float
    end: float


def sort_notes(notes: Iterable[Note]) -> list[Note]:
    """Returns the notes by onset, then pitch, then offset, then velocity.

    Every function that returns notes returns them in this order.
    """
    return sorted(notes, key=lambda n: (n.start, n.pitch, n.end, n.velocity))


def pitch_name(pitch: int) -> str:
    """Returns the name of a key: 60 is "C4", middle C.

    Args:
        pitch: MIDI number.
    """
    return f"{PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1}"


def end_of(notes: Iterable[Note]) -> float:
    """Returns the latest offset in seconds; 0.0 for no notes."""
    return max((note.end for note in notes), default=0.0)


def shift_notes(notes: Iterable[Note], by_s: float) -> list[Note]:
    """Returns the notes moved by `by_s` seconds.

    Raises:
        ValueError: if a note would start before 0.
    """
    return sort_notes(replace(n, start=n.start + by_s, end=n.end + by_s) for n in notes)


def transpose_notes(notes: Iterable[Note], semitones: int) -> list[Note]:
    """Returns the notes moved by `semitones`; those that leave the keyboard are dropped."""
    return sort_notes(
        replace(n, pitch=n.pitch + semitones)
        for n in notes
        if LOWEST_PITCH <= n.pitch + semitones <= HIGHEST_PITCH
    )


def stretch_notes(notes: Iterable[Note], factor: float) -> list[Note]:
    """Returns the notes with all times multiplied by `factor` (2.0 is half the tempo).

    Raises:
        ValueError: if `factor` is not a finite number above 0.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"factor must be above 0, got {factor}; 1.0 keeps the tempo")
    return sort_notes(replace(n, start=n.start * factor, end=n.end * factor) for n in notes)


def cut_notes(notes: Iterable[Note], start_s: float, end_s: float) -> list[Note]:
    """Returns the notes struck in `[start_s, end_s)`, moved so that `start_s` becomes 0.

    Notes that sound on past `end_s` are cut there; notes struck before `start_s` are left out, as a
    listener who comes in at `start_s` has not heard them struck. Times in files are rounded, so
    that both edges count from half a millisecond before: a note that begins there is struck behind
    the edge, and cuts that follow each other share no note.

    Raises:
        ValueError: unless `0 <= start_s < end_s`.
    """
    if not 0 <= start_s < end_s:
        raise ValueError(f"the cut must satisfy 0 <= start < end, got {start_s} to {end_s} s")
    return sort_notes(
        replace(n, start=max(0.0, n.start - start_s), end=min(n.end, end_s) - start_s)
        for n in notes
        if start_s - EDGE_S <= n.start < end_s - EDGE_S and n.end > start_s
    )


def separate_strokes(notes: Iterable[Note]) -> tuple[list[Note], int]:
    """Returns the notes as one keyboard can play them, and how many had to change.

    A note whose key is struck again while it is down ends there, and the new one is held as long as
    either. Of notes that strike one key at the same time one stays, with the latest offset and the
    highest velocity among them.
    """
    by_key: dict[int, list[Note]] = {}
    n_changed = 0
    for note in sort_notes(notes):
        strokes = by_key.setdefault(note.pitch, [])
        before = strokes[-1] if strokes else None
        if before and before.end > note.start:
            n_changed += 1
            held = replace(note, end=max(note.end, before.end))
            if before.start == note.start:
                strokes[-1] = replace(held, velocity=max(note.velocity, before.velocity))
                continue
            strokes[-1] = replace(before, end=note.start)
            note = held
        strokes.append(note)
    return sort_notes(note for strokes in by_key.values() for note in strokes), n_changed


def sustain_notes(notes: Iterable[Note], pedals: Iterable[PedalSpan]) -> list[Note]:
    """Returns the notes lengthened by the sustain pedal.

    A note whose key is let go while the pedal is down sounds until the pedal comes up or its key is
    struck again, whichever is first.

    Args:
        notes: notes as the fingers played them.
        pedals: spans with the pedal down, not overlapping, in order of time.
    """
    ordered = sort_notes(notes)
    spans = list(pedals)
    next_onset: dict[int, float] = {}
    sustained: list[Note] = []
    span = len(spans) - 1
    by_end = sorted(ordered, key=lambda n: n.end, reverse=True)
    release_of: dict[int, float] = {}
    for note in by_end:
        while span >= 0 and spans[span].start > note.end:
            span -= 1
        held = span >= 0 and spans[span].start <= note.end < spans[span].end
        release_of[id(note)] = spans[span].end if held else note.end
    for note in reversed(ordered):
        struck_again = next_onset.get(note.pitch, math.inf)
        # Never shorter than played: overlapping notes of one key keep their own lengths.
        end = max(note.end, min(release_of[id(note)], struck_again))
        sustained.append(replace(note, end=end))
        next_onset[note.pitch] = note.start
    return sort_notes(sustained)
