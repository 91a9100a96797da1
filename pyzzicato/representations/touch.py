"""Touch: velocities for new notes when a model gives none, taken from how the seed was played."""

from collections.abc import Sequence

import numpy as np

from ..notes import Note

_NEIGHBOURS = 8
PLAIN_VELOCITY = 64


class SeedTouch:
    """Gives new notes the seed's dynamics.

    A new note takes the velocity of one of the seed's notes nearest in pitch, so that a melody that
    stood out goes on standing out, moved half way towards the note struck before it, so that
    loudness moves in lines and not in leaps.

    Args:
        seed: the notes to learn the touch from; without any, all notes are struck alike.
        rng: number of the random draw.
    """

    def __init__(self, seed: Sequence[Note], rng: int) -> None:
        self._pitches = np.array([note.pitch for note in seed])
        self._velocities = np.array([note.velocity for note in seed])
        self._rng = np.random.default_rng(rng)
        self._last = float(self._velocities[-_NEIGHBOURS:].mean()) if len(seed) else PLAIN_VELOCITY
        # By pitch, the velocities to draw from.
        self._nearest: dict[int, list[int]] = {}

    def velocity(self, pitch: int) -> int:
        """Returns the velocity, 1 to 127, for a new note of a pitch."""
        if not len(self._pitches):
            return PLAIN_VELOCITY
        if pitch not in self._nearest:
            order = np.argsort(np.abs(self._pitches - pitch), kind="stable")
            self._nearest[pitch] = self._velocities[order[:_NEIGHBOURS]].tolist()
        nearest = self._nearest[pitch]
        drawn = nearest[self._rng.integers(len(nearest))]
        self._last = (self._last + drawn) / 2
        return max(1, min(127, round(self._last)))
