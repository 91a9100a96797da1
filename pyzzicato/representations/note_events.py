"""Note events: a step is a note, four whole numbers (see `event_bins.py`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..notes import LOWEST_PITCH, Note, sort_notes
from .event_bins import (
    DURATIONS_S,
    ONSET_TICKS,
    SIZES,
    TICK_S,
    decode_events,
    encode_events,
    event_note,
    onset_bin_after,
    onset_bins,
)
from .event_passages import EventPassages
from .interface import SURE, Hold, Lengths, Numbers, StepDecoder, Steps
from .ringing import as_heard, let_ring
from .touch import SeedTouch

_NAMES = ("onset", "pitch", "duration", "velocity")


@dataclass(frozen=True)
class NoteEvents(EventPassages):
    """Notes, one after the other."""

    unit: str = "note"
    steps_are_notes: bool = True
    numbers: dict[str, int] = field(default_factory=lambda: dict(zip(_NAMES, SIZES, strict=True)))
    # Onsets decide how many notes there are, and temperature is to say which. At 0.5 as it is
    # `lstm-events` played 1.31 times as many.
    temperature_powers: tuple[float, ...] = (0.5, 1.0, 1.0, 1.0)
    density_hold: Hold = Hold(push=6.0, free=1.25, counted_s=15.0)
    # Asked for 1.4 times as many notes `attention-events` plays 1.08 times as many by the hold
    # above, and 1.22 times as many so (medians over held-out seeds, `train/check_density.py`).
    density_hold_asked: Hold = Hold(push=12.0, free=1.05, counted_s=8.0)
    # Four notes in half a second, most of no length, had made `lstm-events` play 22.9 notes a
    # second where the target was 15, and 12.4 so (medians of ten seconds, four draws).
    density_hold_unknown: Hold = Hold(push=24.0, free=1.12, counted_s=2.0)
    # From the shortest to the longest duration; 1.5 for each e-fold of it.
    length_push: float = 8.0

    def encode(
        self, notes: Sequence[Note], seconds: float | None = None, start_s: float = 0.0
    ) -> Steps:
        """Returns `(N, 4)` bins."""
        return encode_events(let_ring(notes) if self.lets_ring else notes, start_s)

    def decode(self, steps: Steps) -> list[Note]:
        """Returns the notes of `(N, 4)` bins."""
        notes = decode_events(steps)
        return as_heard(notes) if self.lets_ring else notes

    def decoder(self, seed: Sequence[Note], seed_seconds: float, touch: SeedTouch) -> "NoteDecoder":
        """Returns what turns the note events that follow a seed into notes."""
        return NoteDecoder(seed, seed_seconds, self.lets_ring)

    def whole_seconds(self, seconds: float) -> float:
        """Returns the length in whole ticks, rounded up."""
        return float(np.ceil(round(seconds / TICK_S, 6)) * TICK_S)

    def count_strokes(self, steps: Steps) -> int:
        """Returns how many notes follow the first."""
        return len(steps) - 1

    def seconds_after_first(self, steps: Steps) -> float:
        """Returns the time from the first onset to the last."""
        return float(ONSET_TICKS[steps[1:, 0]].sum() * TICK_S)

    def sparser(self, log_odds: float, decoder: StepDecoder) -> Numbers:
        """Returns a bias for longer onset steps.

        In proportion over the first half of the steps, and all of the second half alike: dense
        music becomes calmer, and sparse music does not fall silent.
        """
        n = SIZES[0]
        return _bias(0, log_odds * np.minimum(np.arange(n) / (n // 2), 1))

    def longer(self, log_odds: float, decoder: StepDecoder) -> Numbers:
        """Returns a bias for longer durations.

        In proportion: durations lie in equal ratios, so that a chance is multiplied by a power of
        the duration.
        """
        n = SIZES[2]
        return _bias(2, log_odds * np.arange(n) / (n - 1))

    def lengths(self, steps: Steps) -> Lengths:
        """Returns the durations of events `(N, 4)`: each is known at once."""
        return _lengths(steps)

    def avoid(self, key: int, decoder: StepDecoder) -> Numbers:
        """Returns the bias with which a key is not struck."""
        return _bias(1, np.where(np.arange(SIZES[1]) == key, -SURE, 0))


def _lengths(steps: Steps) -> Lengths:
    return Lengths(float(np.log(DURATIONS_S[steps[:, 2]] / DURATIONS_S[0]).sum()), len(steps))


def _bias(number: int, values: np.ndarray) -> Numbers:
    """Returns the bias of a step whose number has these values, and all others none."""
    bias = np.zeros(sum(SIZES), dtype=np.float32)
    first = sum(SIZES[:number])
    bias[first : first + SIZES[number]] = values
    return bias


class NoteDecoder:
    """Turns note events that follow a seed into notes.

    A key that is struck again ends the note it holds.

    Args:
        seed: notes of the seed, from 0; at least one.
        seed_seconds: length of the seed; the first new note is struck then or later.
        lets_ring: see `EventPassages`.
    """

    def __init__(self, seed: Sequence[Note], seed_seconds: float, lets_ring: bool = False) -> None:
        self._seed = list(seed)
        self.seed_steps: Steps = NoteEvents(lets_ring).encode(seed)
        last = max(note.start for note in decode_events(self.seed_steps))
        # The model counts from the seed's last note; what is left of the seed must pass first.
        self._rest_s = max(0.0, seed_seconds - last)
        self._is_first = True
        self._ticks = 0
        # On a grid: when the last note was to be struck, and where it was.
        self._drawn_s = 0.0
        self._place = 0.0
        self._held: dict[int, Note] = {}
        # Notes of the seed that ring on past its end, by their place in it.
        self._seed_seconds = seed_seconds
        self._ringing = {n.pitch: i for i, n in enumerate(self._seed) if n.end > seed_seconds}
        self.struck: list[int] = []
        self.lengths = Lengths(0.0, 0)

    @property
    def n_sounding(self) -> int:
        """Returns how many keys sound, the seed's last ones too."""
        now = self._seed_seconds + self.seconds
        ringing = sum(self._seed[i].end > now for i in self._ringing.values())
        return len(self._held) + ringing

    @property
    def seconds(self) -> float:
        """Returns when the last new note was struck."""
        return round(self._ticks * TICK_S, 2)

    @property
    def impossible(self) -> Numbers | None:
        """Returns the bias that lets the first new note be struck after the seed's end."""
        if not self._is_first:
            return None
        bias = np.zeros(sum(SIZES), dtype=np.float32)
        bias[: onset_bin_after(self._rest_s)] = -SURE
        return bias

    @property
    def sounding(self) -> list[Note]:
        """Returns the new notes that are held, as long as they are to last."""
        return sort_notes(self._held.values())

    def end_of_seed(self, n_steps: int, let_go: int | None = None) -> Steps:
        """Returns the last notes, `(N, 4)`; these hold no key."""
        return self.seed_steps[-n_steps:]

    @property
    def last_onset_s(self) -> float:
        """Returns when the last note was struck; below 0 if that is one of the seed's."""
        return self.seconds - (self._rest_s if self._is_first else 0.0)

    def pass_to(self, at_s: float) -> None:
        """Moves on to a time at which a note was struck that is not for the decoder to play."""
        self._ticks = round(at_s / TICK_S)
        self._is_first = False

    def onset_s(self, step: Steps) -> float:
        """Returns when a `(4,)` event would be struck, if it came next."""
        return round(self._ticks_at(step) * TICK_S, 2)

    def on_grid(self, step: Steps, onset: Callable[[float], float]) -> Steps:
        """Returns the event with the onset step that comes nearest to the grid.

        The time as drawn is counted beside the time as played, so that many short steps go on.
        """
        rest_s = self._rest_s if self._is_first else 0.0
        self._drawn_s = max(0.0, self._drawn_s + int(ONSET_TICKS[step[0]]) * TICK_S - rest_s)
        place = onset(self._drawn_s)
        wait_s = rest_s + max(0.0, place - self.seconds)
        if not self._is_first and place == self._place:
            wait_s = 0.0  # At once with the note before, which lies beside the place by a tick.
        self._place = place
        moved = step.copy()
        moved[0] = onset_bins(round(wait_s / TICK_S))
        return moved

    def _ticks_at(self, step: Steps) -> int:
        ticks = int(ONSET_TICKS[step[0]])
        if self._is_first:
            ticks = max(0, ticks - round(self._rest_s / TICK_S))
        return self._ticks + ticks

    def play(self, step: Steps) -> list[Note]:
        """Takes the next `(4,)` event; returns the new notes that ended before it is struck."""
        self._ticks = self._ticks_at(step)
        self._is_first = False
        now = self.seconds
        struck = event_note(step, now)
        self._end_ringing(struck.pitch, now)
        before = self._held.pop(struck.pitch, None)
        ended = [note for note in self._held.values() if note.end <= now]
        for note in ended:
            del self._held[note.pitch]
        # Twice at once is one stroke.
        if before is not None and before.start < now:
            ended.append(replace(before, end=min(before.end, now)))
        self._held[struck.pitch] = struck
        self.struck = [struck.pitch - LOWEST_PITCH]
        self.lengths = _lengths(step[None])
        return ended

    def let_go(self, at_s: float) -> list[Note]:
        """Lets all keys go at `at_s`; returns the new notes that end then, or would have before."""
        held, self._held = sort_notes(self._held.values()), {}
        for pitch in list(self._ringing):
            self._end_ringing(pitch, at_s)
        return [replace(n, end=min(n.end, at_s)) for n in held if n.start < at_s]

    def _end_ringing(self, pitch: int, at_s: float) -> None:
        """Ends a note of the seed that rings, if its key does."""
        if (i := self._ringing.pop(pitch, None)) is not None:
            note = self._seed[i]
            end = max(self._seed_seconds, min(note.end, self._seed_seconds + at_s))
            self._seed[i] = replace(note, end=max(end, note.start + TICK_S))

    def seed_as_held(self) -> list[Note]:
        """Returns the seed; its last notes ring on as long as they are, or until struck again."""
        return sort_notes(self._seed)
