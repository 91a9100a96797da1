"""How a written score is played: places in the score -> seconds, dynamics -> velocities.

Places and lengths in a score are exact fractions of a whole note. This module knows nothing of the
text form (`pyzzicato.scores` reads that); it turns struck notes, a tempo, dynamics and pedalling
into notes in seconds.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ..notes import Note, PedalSpan, sort_notes, sustain_notes

GRACE_S = 0.09
"""Length of one grace note; it is played before the beat."""
PEDAL_DELAY_S = 0.06
"""How long after the beat a foot goes down again (syncopated pedalling): what the fingers let go on
the beat is not caught, what they strike on it is."""
STACCATO_SHARE = 0.5
"""Share of its written length that a staccato note sounds."""


@dataclass(frozen=True)
class Ramp:
    """A value that moves evenly from `first` to `last` between two places in the score."""

    start: Fraction
    end: Fraction
    first: float
    last: float


@dataclass
class Curve:
    """A value along the score, as ramps that follow one another without gaps from place 0."""

    ramps: list[Ramp] = field(default_factory=list)

    def append(self, length: Fraction, first: float, last: float) -> None:
        """Adds a ramp of `length` whole notes after the others."""
        start = self.ramps[-1].end if self.ramps else Fraction(0)
        self.ramps.append(Ramp(start, start + length, first, last))

    def at(self, place: Fraction) -> float:
        """Returns the value at `place`; a new ramp counts from its first place on.

        Raises:
            ValueError: if `place` is not within the curve.
        """
        if not self.ramps or not 0 <= place < self.ramps[-1].end:
            raise ValueError(f"place must be within the curve's ramps, got {place}")
        ramp = self.ramps[self.index(place)]
        share = float((place - ramp.start) / (ramp.end - ramp.start))
        return ramp.first + share * (ramp.last - ramp.first)

    def index(self, place: Fraction) -> int:
        """Returns the number of the ramp that a place lies in; behind the last one, the last."""
        return max(0, bisect_right(self.ramps, place, key=lambda ramp: ramp.start) - 1)


@dataclass(frozen=True)
class StruckNote:
    """A note as written, with ties joined.

    Attributes:
        pitch: MIDI number.
        start, end: in whole notes from the beginning of the score.
        emphasis: steps of velocity above or below the written dynamics.
        staccato: whether it is let go early.
        grace: 0 for a plain note; n for the n-th grace note back from the note at `start`.
    """

    pitch: int
    start: Fraction
    end: Fraction
    emphasis: int = 0
    staccato: bool = False
    grace: int = 0


@dataclass
class Playing:
    """What the controls of a score say.

    Attributes:
        beat: the note value that the tempo counts, in whole notes.
        tempo: beats a minute along the score.
        dynamics: velocity along the score.
        pedals: stretches with the pedal down, from place to place.
    """

    beat: Fraction
    tempo: Curve = field(default_factory=Curve)
    dynamics: Curve = field(default_factory=Curve)
    pedals: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    _begins: list[float] = field(default_factory=lambda: [0.0], repr=False)
    """When the ramps of the tempo begin, seconds, as far as that was asked for."""

    def seconds(self, place: Fraction) -> float:
        """Returns when `place` (whole notes) is reached, in seconds after the score's beginning."""
        ramps = self.tempo.ramps
        if not ramps:
            return 0.0
        i = self.tempo.index(place)
        for ramp in ramps[len(self._begins) - 1 : i]:
            self._begins.append(self._begins[-1] + self._ramp_seconds(ramp, ramp.end))
        return self._begins[i] + self._ramp_seconds(ramps[i], min(place, ramps[i].end))

    def _ramp_seconds(self, ramp: Ramp, place: Fraction) -> float:
        """Returns the seconds from the ramp's start to `place`.

        Within a ramp the tempo b is a straight line over the beats x, b = b0 + k x, and the time is
        the integral of 60 / b: (60 / k) log(1 + k x / b0).
        """
        beats = float((place - ramp.start) / self.beat)
        slope = (ramp.last - ramp.first) / float((ramp.end - ramp.start) / self.beat)
        if slope == 0:
            return 60 * beats / ramp.first
        return 60 / slope * math.log1p(slope * beats / ramp.first)


def begin_of(struck: Iterable[StruckNote], playing: Playing) -> float:
    """Returns when the first note is struck, in seconds from the score's beginning.

    It is above 0 after a leading rest, and below 0 for a grace note before the first beat.
    """
    return min(_play_note(note, playing)[1] for note in struck)


def play(struck: Iterable[StruckNote], playing: Playing) -> list[Note]:
    """Returns the notes in seconds, pedalled, the first of them starting at 0.

    A grace note before the first beat would start below 0, and nobody waits for a leading rest.

    Args:
        struck: at least one note, within the curves of `playing`.
        playing: tempo, dynamics and pedal of the score.
    """
    fingered = [_play_note(note, playing) for note in struck]
    first = min(start for _, start, _, _ in fingered)
    notes = _one_hand_on_each_key(
        Note(pitch, start - first, end - first, v) for pitch, start, end, v in fingered
    )
    pedals = []
    for start, end in playing.pedals:
        down = max(playing.seconds(start) + PEDAL_DELAY_S - first, 0.0)
        pedals.append(PedalSpan(down, playing.seconds(end) - first))
    return sustain_notes(notes, [span for span in pedals if span.start < span.end])


def _play_note(note: StruckNote, playing: Playing) -> tuple[int, float, float, int]:
    """Returns pitch, start, end (seconds from the score's beginning) and velocity."""
    start, end = playing.seconds(note.start), playing.seconds(note.end)
    if note.grace:
        start -= GRACE_S * note.grace
        end = start + GRACE_S
    elif note.staccato:
        end = start + STACCATO_SHARE * (end - start)
    velocity = round(playing.dynamics.at(note.start)) + note.emphasis
    return note.pitch, start, end, min(max(velocity, 1), 127)


def _one_hand_on_each_key(notes: Iterable[Note]) -> list[Note]:
    """Returns the notes as a piano allows them.

    A key that is still down when it is struck again is let go just then; a key that two voices
    strike at once is one note, as long and as loud as the longer and the louder.
    """
    played: list[Note] = []
    latest: dict[int, int] = {}  # pitch -> its last note's index in `played`
    for note in sort_notes(notes):
        if note.pitch in latest:
            index = latest[note.pitch]
            before = played[index]
            if before.start == note.start:
                velocity = max(before.velocity, note.velocity)
                played[index] = replace(note, end=max(before.end, note.end), velocity=velocity)
                continue
            played[index] = replace(before, end=min(before.end, note.start))
        latest[note.pitch] = len(played)
        played.append(note)
    return played
