"""Notices when playing has gone astray, so that it can be brought back to its seed.

The bounds lie where real music hardly comes: of 826 passages of 120 s from training and held-out
pieces nine had a key struck 16 times in a row or more, seven had 96 strokes in a row on four keys
or fewer; of 123 such passages none had more than 62 keys at once; of 600 training passages one held
more than 36 keys for long, 42 as this mean has it; of 3,208 passages of all splits one in fifty was
without a stroke for 12 s.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ...notes import LOWEST_PITCH, Note, sort_notes
from ...representations import Representation, StepDecoder
from .draw import Draw
from .parts import Part, Played

MAX_STROKES = 16
"""So often a key is not struck in a row, nothing else between. The measures already call half as
many stuck (`evaluation.stability.STUCK_RUN`), and 23 of those passages have them: what the
guard does is not to be what it is judged by."""
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


class Guard(Part):
    """Listens to the new notes of one piece.

    After a rescue from a stuck key another is struck first: a seed that has led to one key again
    and again is likely to do so once more.

    Args:
        representation: of the steps.
    """

    name = "guard"

    def __init__(self, representation: Representation) -> None:
        self._representation = representation
        self.rescues: list[Rescue] = []
        self.avoided: int | None = None
        self._is_astray = False
        self._next_s = 0.0
        self._key = -1
        self._run = 0
        self._latest: deque[int] = deque(maxlen=CIRCLE_STROKES)
        self._last_stroke_s = 0.0
        self._seconds = 0.0
        self._held = 0.0

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Keeps the key that was stuck from being struck first."""
        if self.avoided is not None:
            draw.bias += self._representation.avoid(self.avoided, decoder)

    def listen(self, played: Played) -> None:
        """Notes a rescue if a step has led astray; `take_rescue` returns it."""
        seconds, struck = played.seconds, played.struck
        if struck:
            self.avoided = None
        for key in struck:
            self._run = self._run + 1 if key == self._key else 1
            self._key = key
        self._latest += struck
        if struck:
            self._last_stroke_s = seconds
        fading = math.exp((self._seconds - seconds) / HELD_S)
        self._held = fading * self._held + (1 - fading) * played.n_sounding
        self._seconds = seconds
        reason = self._reason(seconds, played.n_sounding) if seconds >= self._next_s else None
        if reason is None:
            return
        self.rescues.append(Rescue(seconds, reason))
        self.n_acted += 1
        self._is_astray = True
        self.avoided = self._key if reason == STUCK else None
        self._next_s = seconds + MIN_BETWEEN_S
        self._run = 0
        self._held = 0.0
        self._latest.clear()
        self._last_stroke_s = seconds

    def take_rescue(self) -> bool:
        """Returns whether the last step has led astray, once."""
        is_astray, self._is_astray = self._is_astray, False
        return is_astray

    def _reason(self, seconds: float, n_sounding: int) -> str | None:
        if self._run >= MAX_STROKES:
            return STUCK
        if self._is_circling():
            return CIRCLING
        if n_sounding > MAX_KEYS or self._held > HELD_KEYS:
            return DROWNED
        return SILENT if seconds - self._last_stroke_s > MAX_PAUSE_S else None

    def _is_circling(self) -> bool:
        return len(self._latest) == CIRCLE_STROKES and len(set(self._latest)) <= CIRCLE_KEYS


def faults_of(
    notes: Sequence[Note], seconds: float, representation: Representation
) -> list[Rescue]:
    """Returns when and why a guard would have brought a piece back that was played without it.

    Args:
        notes: of the continuation, on its own clock.
        seconds: its length.
        representation: of the model that played.
    """
    guard = Guard(representation)
    for start, chord in groupby(sort_notes(notes), key=lambda note: note.start):
        n_sounding = sum(note.start <= start < note.end for note in notes)
        guard.listen(Played(start, [note.pitch - LOWEST_PITCH for note in chord], n_sounding))
    guard.listen(Played(seconds, (), 0))
    return guard.rescues


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
