"""Lengths of notes: how long they last in the seed, and keeping near that.

Left to itself a model of note events plays shorter notes than its seed has: at 60 places of
held-out pieces the median note of the next ten seconds was 0.63 times as long, and 1.04 times in
real music (`train/check_join.py`). What the fingers and the pedal do in a seed is a habit of its
player, so new notes are tilted towards the seed's lengths, the more the further they are from them.
"""

from ...representations import Representation, StepDecoder, Steps
from .draw import Draw
from .parts import Part, Played

FEWEST_NOTES = 8
"""Fewer notes say nothing of the lengths in their piece."""
COUNTED_NOTES = 24.0
"""Notes count for less the longer ago they are, 1/e after so many."""
FURTHEST = 1.5
"""What is further away, in e-folds, counts as this."""


class LengthKeeper(Part):
    """Tilts lengths towards those of the seed.

    Args:
        seed: its steps `(T, A)`.
        representation: theirs; where the seed has too few notes, nothing is done.
    """

    name = "lengths"

    def __init__(self, seed: Steps, representation: Representation) -> None:
        self._representation = representation
        its = representation.lengths(seed)
        self._target = its.e_folds / its.n_known if its.n_known >= FEWEST_NOTES else None
        self.n_acted = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Starts counting anew, as if lengths had been on target so far."""
        self._e_folds, self._n_known = self._target or 0.0, 1.0

    def listen(self, played: Played) -> None:
        """Counts the lengths of what was struck, or is held."""
        e_folds, n_known = played.lengths
        kept = (1 - 1 / COUNTED_NOTES) ** n_known
        self._e_folds = kept * self._e_folds + e_folds / COUNTED_NOTES
        self._n_known = kept * self._n_known + n_known / COUNTED_NOTES

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Adds to the bias where notes are too short or too long."""
        if self._target is None:
            return
        away = min(max(self._target - self._e_folds / self._n_known, -FURTHEST), FURTHEST)
        if away:
            push = self._representation.length_push * away
            draw.bias += self._representation.longer(push, decoder)
            self.n_acted += 1
