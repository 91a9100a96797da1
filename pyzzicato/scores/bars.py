"""The tempo, metre and key of a typed-in score, as a MIDI file says them."""

from collections.abc import Iterable
from fractions import Fraction

from ..midi.timing import KeySignature, Metre, Tempo, Timing
from .layout import Block
from .playing import Playing, Ramp

RESOLUTION = 480
"""Ticks a quarter note of the timing of scores."""
_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_ACCIDENTALS = {"flat": -7, "sharp": 7}
_MINOR = -3  # Fifths from a major key to the minor one of the same tonic.


def score_timing(blocks: Iterable[Block], playing: Playing, metre: str, key: str) -> Timing:
    """Returns tempo map, metre and key of a score; tick 0 is its first bar's beginning.

    A tempo that moves evenly becomes a step a beat, which takes as long as the beat does.

    Args:
        blocks: the score's blocks of bars.
        playing: its tempo.
        metre: like `6/8`.
        key: like `E flat major`; none is written for a name of another form.
    """
    tempos = tuple(tempo for ramp in playing.tempo.ramps for tempo in _steps(ramp, playing))
    signature = _key(key)
    return Timing(
        RESOLUTION,
        tuple(t for i, t in enumerate(tempos) if not i or t[1] != tempos[i - 1][1]),
        tuple(_metres(blocks, metre)),
        (signature,) if signature else (),
    )


def _steps(ramp: Ramp, playing: Playing) -> Iterable[Tempo]:
    """Yields the tempos of one ramp."""
    place = ramp.start
    while place < ramp.end:
        # An even tempo is one step.
        after = ramp.end if ramp.first == ramp.last else min(ramp.end, place + playing.beat)
        seconds = playing.seconds(after) - playing.seconds(place)
        yield Tempo(_tick(place), round(seconds * 1e6 / float(4 * (after - place))))
        place = after


def _metres(blocks: Iterable[Block], metre: str) -> Iterable[Metre]:
    """Yields the metres; a shorter bar (an upbeat) has a metre of its own."""
    numerator, denominator = (int(part) for part in metre.split("/"))
    place, last = Fraction(0), None
    for block in blocks:
        length = block.bar_length
        beats = (numerator, denominator)
        if length != Fraction(numerator, denominator):
            beats = length.numerator, length.denominator
        is_power = beats[1] & (beats[1] - 1) == 0
        if is_power and beats != last:
            yield Metre(_tick(place), *beats)
            last = beats
        place += block.n_bars * length


def _key(name: str) -> KeySignature | None:
    """Returns the key signature of a name like `C sharp minor`."""
    tonic, *accidental, mode = name.split() if " " in name else ("", "")
    shift = _ACCIDENTALS.get(accidental[0], 0) if accidental else 0
    if tonic not in _FIFTHS or mode not in ("major", "minor"):
        return None
    sharps = _FIFTHS[tonic] + shift + (_MINOR if mode == "minor" else 0)
    return KeySignature(0, sharps, mode == "minor") if abs(sharps) <= 7 else None


def _tick(place: Fraction) -> int:
    return round(place * 4 * RESOLUTION)
