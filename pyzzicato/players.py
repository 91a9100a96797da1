"""Players: turn a model's steps into notes as they come, and hand the seed's notes over.

One player a representation, all alike from outside: `steps` is the seed as the model takes it,
`play` takes one new step and returns the new notes that ended with it, `struck` are the keys it
struck, `sounding` the new notes still held, `let_go` ends them. New notes are on the continuation's
own clock: 0 is where the seed ends.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .events import ONSET_TICKS, TICK_S, decode_events, encode_events, event_note, onset_bin_after
from .models import PyzzicatoConfig
from .notes import LOWEST_PITCH, Note, sort_notes
from .pianoroll import notes_to_roll
from .touch import SeedTouch

Steps = NDArray[np.uint8]


class Player(Protocol):
    """What the loop of `generation.py` needs of a representation."""

    steps: Steps
    """The seed, `(T, A)`."""
    struck: list[int]
    """Keys struck by the last step, lowest first, 0 to 87."""

    @property
    def n_sounding(self) -> int:
        """Returns how many keys sound, the seed's last ones too where the model holds them."""
        ...

    @property
    def seconds(self) -> float:
        """Returns the length of the continuation so far."""
        ...

    @property
    def at_least(self) -> int:
        """Returns the lowest onset step that the next step may have; 0 where it is free."""
        ...

    @property
    def sounding(self) -> list[Note]:
        """Returns the new notes that are held, with their ends as far as they are known."""
        ...

    def end_of_seed(self, n_steps: int, let_go: int | None = None) -> Steps:
        """Returns at most so many last steps of the seed, `(T, A)`, to be heard again.

        A key to let go does not sound at their end, where a model would go on holding it.
        """
        ...

    def strikes_of(self, step: Steps) -> list[int]:
        """Returns the keys that the next `(A,)` step would strike, lowest first."""
        ...

    def play(self, step: Steps) -> list[Note]:
        """Takes the next `(A,)` step; returns the new notes that ended with it."""
        ...

    def let_go(self, at_s: float) -> list[Note]:
        """Lets all keys go at `at_s` seconds; returns the new notes that end with that.

        The next step may follow: it then strikes all keys that it has sounding.
        """
        ...

    def seed_as_held(self) -> list[Note]:
        """Returns the seed, its last notes lengthened where the model went on holding them."""
        ...


def player_for(
    config: PyzzicatoConfig, seed: Sequence[Note], seed_seconds: float, touch: SeedTouch
) -> Player:
    """Returns the player for a model's representation.

    Args:
        config: the model's.
        seed: notes of the seed, from 0; at least one.
        seed_seconds: length of the seed, a whole number of the config's frames.
        touch: gives velocities where the model knows none.
    """
    if config.representation == "events":
        return EventPlayer(seed, seed_seconds)
    return RollPlayer(seed, seed_seconds, config.fs, touch)


class RollPlayer:
    """Plays frames of a roll.

    Args:
        seed: notes of the seed, from 0.
        seed_seconds: length of the seed, a whole number of frames.
        fs: frames a second.
        touch: gives each new note its velocity; a model of the roll knows none.
    """

    at_least = 0

    def __init__(
        self, seed: Sequence[Note], seed_seconds: float, fs: int, touch: SeedTouch
    ) -> None:
        self._fs = fs
        self._touch = touch
        self._seed = list(seed)
        self._seed_seconds = seed_seconds
        roll = notes_to_roll(seed, round(seed_seconds * fs), fs)
        self.steps: Steps = (roll > 0).astype(np.uint8)
        self.struck: list[int] = []
        self._last = self.steps[-1]
        self._n = 0
        # Keys the seed leaves sounding belong to it until the model lets them go.
        self._held = {int(key): True for key in np.flatnonzero(self._last)}
        self._held_until: dict[int, float] = {}
        self._onsets: dict[int, tuple[int, int]] = {}

    @property
    def n_sounding(self) -> int:
        """Returns how many keys sound."""
        return len(self._onsets) + len(self._held)

    @property
    def seconds(self) -> float:
        """Returns the length of the continuation so far."""
        return self._n / self._fs

    @property
    def sounding(self) -> list[Note]:
        """Returns the new notes that are held, as long as they have been so far."""
        return sort_notes(
            Note(LOWEST_PITCH + key, onset / self._fs, self._n / self._fs, velocity)
            for key, (onset, velocity) in self._onsets.items()
        )

    def end_of_seed(self, n_steps: int, let_go: int | None = None) -> Steps:
        """Returns the last frames, `(T, 88)`."""
        steps = self.steps[-n_steps:]
        if let_go is not None:
            steps = steps.copy()
            steps[-1, let_go] = 0
        return steps

    def strikes_of(self, step: Steps) -> list[int]:
        """Returns the keys that sound in the next `(88,)` frame and not in the last."""
        keys: list[int] = (step > self._last).nonzero()[0].tolist()
        return keys

    def play(self, step: Steps) -> list[Note]:
        """Takes the next `(88,)` frame; returns the new notes that ended with it."""
        ended = []
        self.struck = []
        for key in (step != self._last).nonzero()[0].tolist():
            if step[key]:
                self.struck.append(key)
                self._onsets[key] = (self._n, self._touch.velocity(LOWEST_PITCH + key))
            else:
                ended += self._release(key)
        self._last = step
        self._n += 1
        return ended

    def let_go(self, at_s: float) -> list[Note]:
        """Lets all keys go after the last frame; returns the new notes that end with that."""
        keys = map(int, np.flatnonzero(self._last))
        self._last = np.zeros_like(self._last)
        return [note for key in keys for note in self._release(key)]

    def _release(self, key: int) -> list[Note]:
        if key in self._onsets:
            onset, velocity = self._onsets.pop(key)
            return [Note(LOWEST_PITCH + key, onset / self._fs, self._n / self._fs, velocity)]
        if self._held.pop(key, False) and self._n:
            self._held_until[LOWEST_PITCH + key] = self._seed_seconds + self._n / self._fs
        return []

    def seed_as_held(self) -> list[Note]:
        """Returns the seed, its last notes lengthened where the model went on holding them."""
        last_of = {note.pitch: i for i, note in enumerate(self._seed)}
        seed = list(self._seed)
        for pitch, end in self._held_until.items():
            i = last_of[pitch]
            seed[i] = replace(seed[i], end=end)
        return sort_notes(seed)


class EventPlayer:
    """Plays note events. A key that is struck again ends the note it holds.

    Args:
        seed: notes of the seed, from 0; at least one.
        seed_seconds: length of the seed; the first new note is struck then or later.
    """

    def __init__(self, seed: Sequence[Note], seed_seconds: float) -> None:
        self._seed = list(seed)
        self.steps: Steps = encode_events(seed)
        last = max(note.start for note in decode_events(self.steps))
        # The model counts from the seed's last note; what is left of the seed must pass first.
        self._rest_s = max(0.0, seed_seconds - last)
        self._is_first = True
        self._ticks = 0
        self._held: dict[int, Note] = {}
        self.struck: list[int] = []

    @property
    def n_sounding(self) -> int:
        """Returns how many new notes sound."""
        return len(self._held)

    @property
    def seconds(self) -> float:
        """Returns when the last new note was struck."""
        return round(self._ticks * TICK_S, 2)

    @property
    def at_least(self) -> int:
        """Returns the lowest onset step that the next note may have, if it is the first new one."""
        return onset_bin_after(self._rest_s) if self._is_first else 0

    @property
    def sounding(self) -> list[Note]:
        """Returns the new notes that are held, as long as they are to last."""
        return sort_notes(self._held.values())

    def end_of_seed(self, n_steps: int, let_go: int | None = None) -> Steps:
        """Returns the last notes, `(N, 4)`; these hold no key."""
        return self.steps[-n_steps:]

    def strikes_of(self, step: Steps) -> list[int]:
        """Returns the key of the next `(4,)` event."""
        return [int(step[1])]

    def play(self, step: Steps) -> list[Note]:
        """Takes the next `(4,)` event; returns the new notes that ended before it is struck."""
        ticks = int(ONSET_TICKS[step[0]])
        if self._is_first:
            ticks = max(0, ticks - round(self._rest_s / TICK_S))
            self._is_first = False
        self._ticks += ticks
        now = self.seconds
        struck = event_note(step, now)
        before = self._held.pop(struck.pitch, None)
        ended = [note for note in self._held.values() if note.end <= now]
        for note in ended:
            del self._held[note.pitch]
        # Twice at once is one stroke.
        if before is not None and before.start < now:
            ended.append(replace(before, end=min(before.end, now)))
        self._held[struck.pitch] = struck
        self.struck = [struck.pitch - LOWEST_PITCH]
        return ended

    def let_go(self, at_s: float) -> list[Note]:
        """Lets all keys go at `at_s`; returns the new notes that end then, or would have before."""
        held, self._held = sort_notes(self._held.values()), {}
        return [replace(n, end=min(n.end, at_s)) for n in held if n.start < at_s]

    def seed_as_held(self) -> list[Note]:
        """Returns the seed as it was given: the model ends no note of it."""
        return sort_notes(self._seed)
