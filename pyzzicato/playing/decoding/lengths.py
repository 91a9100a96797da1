"""Lengths of notes: how long they last in the seed, and keeping near that.

Left to itself a model of note events plays shorter notes than its seed has: at 60 places of
held-out pieces the median note of the next ten seconds was 0.63 times as long, and 1.04 times in
real music (`train/check_join.py`). What the fingers and the pedal do in a seed is a habit of its
player, so new notes are tilted towards the seed's lengths, the more the further they are from them.
"""

import math

import numpy as np

from ...representations import Representation, StepDecoder, Steps
from .draw import Draw
from .parts import Part, Played

FEWEST_NOTES = 8
"""Fewer notes tell nothing of the lengths in their piece."""
COUNTED_NOTES = 24.0
"""Notes count for less the longer ago they are, 1/e after so many."""
PUSH = 8.0
"""Log-odds from the shortest to the longest duration, for each e-fold that notes are too short."""
FURTHEST = 1.5
"""What is further away, in e-folds, counts as this."""


class LengthKeeper(Part):
    """Tilts lengths towards those of the seed.

    Args:
        seed: its steps `(T, A)`.
        representation: theirs; where its steps have no lengths, or are too few, nothing is done.
    """

    name = "lengths"

    def __init__(self, seed: Steps, representation: Representation) -> None:
        self._representation = representation
        lengths = [representation.length_of(step) for step in seed]
        known = [math.log(length) for length in lengths if length is not None]
        self._meant = float(np.mean(known)) if len(known) >= FEWEST_NOTES else None
        self.n_acted = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Takes it that lengths were as meant so far."""
        self._mean = self._meant or 0.0

    def listen(self, played: Played) -> None:
        """Counts the lengths of what was struck."""
        for length in played.lengths_s:
            self._mean += (math.log(length) - self._mean) / COUNTED_NOTES

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Adds to the bias where notes are too short or too long."""
        if self._meant is None:
            return
        away = min(max(self._meant - self._mean, -FURTHEST), FURTHEST)
        if away:
            draw.bias += self._representation.longer(PUSH * away, decoder)
            self.n_acted += 1
