"""The pace of a part that is played around notes that stay."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from ...representations import Representation, StepDecoder
from ...representations.event_bins import ONSET_TICKS, SIZES, TICK_S
from ...representations.note_events import NoteDecoder
from .draw import Draw
from .parts import Part, Played

_PACE_S, _PUSH = 0.3, 12.0
"""The new part is kept near the density of the one it takes the place of, over so many seconds, by
log-odds of so much for each e-fold that it is off."""


class Pace(Part):
    """Keeps the new part as dense as the one it takes the place of, all along.

    `until_s` is when the next note is struck that stays: to play nothing before it is what makes
    the new part sparser, most of the time.

    Args:
        target: notes a second to keep near, above 0.
        gone: when the notes were struck that are taken away, in order.
        density: how many new notes to play for each of them.
        representation: of the steps.
    """

    name = "density"

    def __init__(
        self, target: float, gone: Sequence[float], density: float, representation: Representation
    ) -> None:
        self._target, self._gone, self._density = target, list(gone), density
        self._representation = representation
        self.begin_anew()

    def begin_anew(self) -> None:
        """Counts from the beginning."""
        self._n_struck, self._seconds = 0, 0.0
        self.until_s = 0.0

    def listen(self, played: Played) -> None:
        """Counts the new notes."""
        self._n_struck += len(played.struck)
        self._seconds = played.seconds

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Makes playing sparser where it is ahead of the target, denser where it is behind."""
        target = self._target * self._seconds
        if self._gone:
            target = self._density * bisect_right(self._gone, self._seconds)
        some = self._target * _PACE_S
        ahead = np.log((self._n_struck + some) / (target + some))
        draw.bias += self._representation.sparser(_PUSH * ahead, decoder)
        assert isinstance(decoder, NoteDecoder)
        left_ticks = (self.until_s - decoder.last_onset_s) / TICK_S
        draw.bias[: SIZES[0]][left_ticks < ONSET_TICKS + 0.5] += _PUSH * ahead
        self.n_acted += 1
