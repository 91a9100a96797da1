"""Notices when playing has gone astray, so that it can be brought back to its seed.

The bounds lie where real music hardly comes: of 512 passages of 120 s from held-out performances,
ten had a key struck seven times in a row or more, one had 96 strokes in a row on four keys or
fewer; of 123 such passages none had more than 62 keys at once; of 600 training passages one held
more than 36 keys for long, 42 as this mean has it; of 3,208 passages of all splits one in fifty was
without a stroke for 12 s.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

MAX_STROKES = 7
"""So often a key is not struck in a row, nothing else between: once more, and it counts as stuck in
the measures (`evaluation.stability.STUCK_RUN`)."""
CIRCLE_KEYS, CIRCLE_STROKES = 4, 96
"""So few keys are not struck so often in a row, no other between: longer than tremolos are."""
MAX_KEYS = 64
"""More keys than this do not sound at once."""
HELD_KEYS, HELD_S = 36, 10.0
"""Nor do more than these for long: in a mean over time that fades to 1/e in these seconds."""
MAX_PAUSE_S = 12.0
"""A longer time without a stroke is no pause."""
MIN_BETWEEN_S = 0.5
"""Rescues come no faster, so that music from which nothing helps is not held up by them; on a roll
of 20 frames a second no key is struck `MAX_STROKES` times in less."""

STUCK = "stuck"
CIRCLING = "circling"
DROWNED = "drowned"
SILENT = "silent"

_IN_WORDS = {
    STUCK: "one key kept repeating",
    CIRCLING: "a few keys kept repeating",
    DROWNED: "too much of the keyboard was held",
    SILENT: "nothing was played any more",
}


@dataclass(frozen=True, slots=True)
class Rescue:
    """One return to the seed.

    Attributes:
        seconds: when, from where the seed ends.
        reason: "stuck", "circling", "drowned" or "silent".
    """

    seconds: float
    reason: str


class Guard:
    """Listens to the new notes of one piece."""

    def __init__(self) -> None:
        self.rescues: list[Rescue] = []
        self._next_s = 0.0
        self._key = -1
        self._run = 0
        self._latest: deque[int] = deque(maxlen=CIRCLE_STROKES)
        self._last_stroke_s = 0.0
        self._heard_s = 0.0
        self._held = 0.0

    @property
    def last_key(self) -> int:
        """Returns the key struck last, 0 to 87; -1 before the first."""
        return self._key

    def is_astray(self, seconds: float, struck: Sequence[int], n_sounding: int) -> bool:
        """Returns whether a step has led astray; if so, it is noted as a rescue.

        Args:
            seconds: length of the continuation so far.
            struck: keys struck by the step, lowest first.
            n_sounding: keys that sound after it.
        """
        for key in struck:
            self._run = self._run + 1 if key == self._key else 1
            self._key = key
        self._latest += struck
        if struck:
            self._last_stroke_s = seconds
        fading = math.exp((self._heard_s - seconds) / HELD_S)
        self._held = fading * self._held + (1 - fading) * n_sounding
        self._heard_s = seconds
        if seconds < self._next_s:
            return False
        if self._run >= MAX_STROKES:
            reason = STUCK
        elif self._is_circling():
            reason = CIRCLING
        elif n_sounding > MAX_KEYS or self._held > HELD_KEYS:
            reason = DROWNED
        elif seconds - self._last_stroke_s > MAX_PAUSE_S:
            reason = SILENT
        else:
            return False
        self.rescues.append(Rescue(seconds, reason))
        self._next_s = seconds + MIN_BETWEEN_S
        self._run = 0
        self._held = 0.0
        self._latest.clear()
        self._last_stroke_s = seconds
        return True

    def _is_circling(self) -> bool:
        return len(self._latest) == CIRCLE_STROKES and len(set(self._latest)) <= CIRCLE_KEYS


def describe_rescues(rescues: Sequence[Rescue]) -> tuple[str, ...]:
    """Returns what the listener should know of the rescues: a sentence, or none."""
    if not rescues:
        return ()
    if len(rescues) == 1:
        (only,) = rescues
        return (
            f"brought back to the seed at {only.seconds:.0f} s of the new music, when "
            f"{_IN_WORDS[only.reason]}",
        )
    reasons = [why for reason, why in _IN_WORDS.items() if reason in {r.reason for r in rescues}]
    return (
        f"brought back to the seed {len(rescues)} times, the first at {rescues[0].seconds:.0f} s "
        f"of the new music, when {' or '.join(reasons)}",
    )
