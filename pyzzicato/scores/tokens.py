"""The notes of a typed-in score: tokens like `C#4/8` -> struck notes, one voice at a time.

`pyzzicato.scores` describes the form. Messages here say what is wrong with a token; the caller adds
where it stands.
"""

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ..notes import HIGHEST_PITCH, LOWEST_PITCH
from .playing import StruckNote

FIRST_BEAT = 3
"""Steps of velocity that a note on the first beat of a bar gets on top of the dynamics."""
ACCENT = 10
"""Steps of velocity that an accent adds."""
LESSER = -4
"""Steps of velocity for grace notes and for the notes below the top of a chord."""

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {None: 0, "#": 1, "##": 2, "b": -1, "bb": -2}
_VALUE = re.compile(r"(1|2|4|8|16|32|64)(\.{0,2}|t|q)")
_TUPLETS = {"t": Fraction(2, 3), "q": Fraction(4, 5)}
_PITCH = re.compile(r"([A-G])(##|#|bb|b)?(\d)(~?)")
_TOKEN = re.compile(r"([^/'>]+)(?:/([0-9.tq]+))?(['>]*)")


@dataclass
class Voice:
    """One line of music as it is read.

    Attributes:
        level: steps of velocity above the written dynamics.
        struck: the notes so far.
        tied: pitch -> index in `struck` of the notes that a tie holds on.
        graces: pitches of grace notes that wait for their main note.
        value: the note value to use where a token has none; None at the beginning of a row.
    """

    level: int
    struck: list[StruckNote] = field(default_factory=list)
    tied: dict[int, int] = field(default_factory=dict)
    graces: list[int] = field(default_factory=list)
    value: Fraction | None = None

    def rest(self) -> None:
        """Checks that nothing waits for a note where there is none."""
        if self.tied:
            raise ValueError(f"the tie of pitch {sorted(self.tied)} must lead to the same pitch")
        if self.graces:
            raise ValueError("a grace note must be followed by its main note")

    def strike(self, chord: dict[int, bool], note: StruckNote) -> None:
        """Adds a chord (pitch -> whether tied on), each note like `note` but for its pitch."""
        if lost := sorted(set(self.tied) - set(chord)):
            raise ValueError(f"the tie of pitch {lost} must lead to the same pitch")
        for back, pitch in enumerate(reversed(self.graces), start=1):
            emphasis = note.emphasis + LESSER
            self.struck.append(
                replace(note, pitch=pitch, end=note.start, emphasis=emphasis, grace=back)
            )
        self.graces.clear()
        tied = {}
        for pitch, goes_on in chord.items():
            index = self.tied.get(pitch, len(self.struck))
            if pitch in self.tied:
                self.struck[index] = replace(self.struck[index], end=note.end)
            else:
                emphasis = note.emphasis + (LESSER if pitch < max(chord) else 0)
                self.struck.append(replace(note, pitch=pitch, emphasis=emphasis))
            if goes_on:
                tied[pitch] = index
        self.tied = tied


def note_value(text: str) -> Fraction:
    """Returns a note value in whole notes: `4` -> 1/4, `4.` -> 3/8, `8t` -> 1/12, `16q` -> 1/20."""
    match = _VALUE.fullmatch(text)
    if not match:
        raise ValueError(
            f"a note value must be 1 to 64 with dots, t or q (8, 4., 8t, 16q), got {text!r}"
        )
    value = Fraction(1, int(match[1]))
    if match[2] in _TUPLETS:
        return value * _TUPLETS[match[2]]
    return value * (2 - Fraction(1, 2 ** len(match[2])))


def _pitch(text: str) -> tuple[int, bool]:
    """Returns MIDI number and whether tied on: `C#4~` -> (61, True)."""
    match = _PITCH.fullmatch(text)
    if not match:
        raise ValueError(f"a pitch must be like C4, F#3 or Bb5, got {text!r}")
    pitch = 12 * (int(match[3]) + 1) + _SEMITONES[match[1]] + _ACCIDENTALS[match[2]]
    if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
        raise ValueError(f"a pitch must be on the keyboard, A0 to C8, got {text!r}")
    return pitch, bool(match[4])


def read_token(
    token: str, here: Fraction, bar_start: Fraction, bar_length: Fraction, voice: Voice
) -> Fraction:
    """Adds what `token` spells at `here` to the voice; returns its length in whole notes."""
    if token == "R":
        voice.rest()
        return bar_length
    if token.startswith("grace:"):
        voice.graces.append(_pitch(token.removeprefix("grace:"))[0])
        return Fraction(0)
    match = _TOKEN.fullmatch(token)
    if not match:
        raise ValueError("a note must be like C4/8, C4~+E4/2. or C4>, a rest like r/4")
    if match[2]:
        voice.value = note_value(match[2])
    if voice.value is None:
        raise ValueError("the first note or rest of a row must have a value, like C4/8")
    if match[1] == "r":
        voice.rest()
        return voice.value
    emphasis = voice.level + (FIRST_BEAT if here == bar_start else 0)
    emphasis += ACCENT if ">" in match[3] else 0
    chord = dict(_pitch(part) for part in match[1].split("+"))
    written = StruckNote(0, here, here + voice.value, emphasis, staccato="'" in match[3])
    voice.strike(chord, written)
    return voice.value
