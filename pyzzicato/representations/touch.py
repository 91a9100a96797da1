"""Touch: velocities for new notes when a model gives none, taken from how the seed was played.

A velocity is a level, which moves slowly, and what sets a note apart from it. Both follow the
texture: the level is that of the seed, higher where more is struck, and a note stands out as notes
of its register, and of its place in the chord, stood out in the seed.
"""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..notes import Note, sort_notes

PLAIN_VELOCITY = 64
_NEIGHBOURS = 8
# The highest note is like other highest ones, as far away as they may be, and so are those below.
_OTHER_VOICE_SEMITONES = 30
# So much of what sets one note apart is drawn, the rest is what its like have in common. By that
# velocities spread by 11 where real ones do by 13, and the highest notes are louder than others by
# 5, real ones by 8 (10 s at 12 held-out places, `lstm`).
_DRAWN = 0.75
_NEAR_S = 1.0
_AT_ONCE_S = 0.05
# Of 14 training pieces of MAESTRO, four minutes each: the standard deviation of the level (the mean
# velocity of 2 s), how much higher it is for each e-fold of notes, and how fast it is forgotten
# (autocorrelation 0.60 after 2 s, 0.34 after 4 s).
_USUAL_SPREAD, _BY_DENSITY, _MEMORY_S = 11.6, 11.4, 4.0
_MOST_EXPRESSIVE = 1.5
_COUNTED_S = 2.0


class SeedTouch:
    """Gives new notes the seed's dynamics.

    Args:
        seed: the notes to learn the touch from; without any, all notes are struck alike.
        rng: number of the random draw.
    """

    def __init__(self, seed: Sequence[Note], rng: int) -> None:
        notes = sort_notes(seed)
        self._rng = np.random.default_rng(rng)
        self._pitches = np.array([note.pitch for note in notes])
        self._is_top = _tops(notes)
        velocities = np.array([note.velocity for note in notes], dtype=float)
        starts = np.array([note.start for note in notes])
        levels = np.array([velocities[abs(starts - at) < _NEAR_S].mean() for at in starts])
        self._apart = velocities - levels
        self._mean = float(levels.mean()) if len(notes) else float(PLAIN_VELOCITY)
        self._spread = float(levels.std()) if len(notes) else 0.0
        self._range = (int(velocities.min()), int(velocities.max())) if len(notes) else (1, 127)
        last_s = float(starts.max()) if len(notes) else 0.0
        self._away = float(levels[-1]) - self._mean if len(notes) else 0.0
        self._density = max(1, len(notes)) / max(_COUNTED_S, last_s)
        # The strokes that count for the density, on the continuation's clock.
        self._strokes = deque(float(at) - last_s for at in starts if at > last_s - _COUNTED_S)
        self._now = 0.0

    def strike(self, pitches: Sequence[int], at_s: float, sounding: int = 0) -> list[int]:
        """Returns the velocities, 1 to 127, of new notes that are struck at once.

        Args:
            pitches: theirs, as MIDI numbers.
            at_s: when, in seconds after the seed; not before what was struck last.
            sounding: the highest pitch that sounds already; 0 for none.
        """
        if not len(self._pitches):
            return [PLAIN_VELOCITY] * len(pitches)
        level = self._level(len(pitches), at_s)
        highest = max([*pitches, sounding])
        struck = [level + self._stands_out(pitch, pitch >= highest) for pitch in pitches]
        return [round(min(max(velocity, self._range[0]), self._range[1])) for velocity in struck]

    def _level(self, n_struck: int, at_s: float) -> float:
        """Returns the level of a stroke: a walk about the seed's mean, and what density adds."""
        kept = math.exp(-(at_s - self._now) / _MEMORY_S)
        self._away *= kept
        self._away += self._spread * math.sqrt(1 - kept**2) * float(self._rng.normal())
        self._now = at_s
        self._strokes.extend([at_s] * n_struck)
        while self._strokes and self._strokes[0] < at_s - _COUNTED_S:
            self._strokes.popleft()
        denser = math.log(len(self._strokes) / _COUNTED_S / self._density)
        # Who plays evenly does so however much there is to play.
        share = min(self._spread / _USUAL_SPREAD, _MOST_EXPRESSIVE)
        return self._mean + self._away + share * _BY_DENSITY * min(max(denser, -1.0), 1.0)

    def _stands_out(self, pitch: int, is_top: bool) -> float:
        """Returns by how much a note is louder than the level, as one of its like in the seed."""
        distance = abs(self._pitches - pitch) + _OTHER_VOICE_SEMITONES * (self._is_top != is_top)
        nearest = self._apart[np.argsort(distance, kind="stable")[:_NEIGHBOURS]]
        drawn = float(nearest[self._rng.integers(len(nearest))])
        return _DRAWN * drawn + (1 - _DRAWN) * float(nearest.mean())


def _tops(notes: Sequence[Note]) -> NDArray[np.bool_]:
    """Returns for each of the notes whether no higher one sounds when it is struck."""
    tops, sounding = [], list[Note]()
    for i, note in enumerate(notes):
        sounding = [other for other in sounding if other.end > note.start + _AT_ONCE_S]
        higher = any(other.pitch > note.pitch for other in sounding)
        for other in notes[i + 1 :]:
            if higher or other.start > note.start + _AT_ONCE_S:
                break
            higher = other.pitch > note.pitch
        tops.append(not higher)
        sounding.append(note)
    return np.array(tops, dtype=bool)
