"""Carries a seed on: runs its notes through a model, then lets the model play.

    seed notes -> steps -> model, step by step -> steps -> notes

One loop serves all models, and its cost a second of music does not grow with the length: the model
carries its state from step to step.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from .models import PyzzicatoModel, SamplingRule
from .notes import LOWEST_PITCH, Note, cut_notes, end_of, sort_notes
from .pianoroll import notes_to_roll
from .touch import SeedTouch

MAX_SECONDS = 600.0
MAX_SEED_SECONDS = 120.0
MAX_RNG = 2**32 - 1

_CHUNK_SECONDS = 1.0


@dataclass(frozen=True)
class GenerationSettings:
    """How a seed is carried on; the one source of defaults for command line, page and API.

    Attributes:
        seconds: length of the continuation, 1 to 600.
        seed_start: where in the piece the seed begins, seconds, at or above 0.
        seed_seconds: length of the seed, 1 to 120; a shorter piece is taken whole.
        temperature: sampling; 1 plays as the model has learnt, lower is tamer, higher more daring.
            Above 0, to 4.
        threshold: the article's way instead of sampling: a key sounds where its probability passes
            the threshold, above 0 and below 1. None to sample.
        rng: number of the random draw, 0 to 2**32 - 1; the same number gives the same notes.

    Raises:
        ValueError: if a value is out of its range, naming value, range and fix.
    """

    seconds: float = 30.0
    seed_start: float = 0.0
    seed_seconds: float = 10.0
    temperature: float = 1.0
    threshold: float | None = None
    rng: int = 0

    def __post_init__(self) -> None:
        _between("seconds", self.seconds, 1, MAX_SECONDS, "ask for less and carry that on")
        _between("seed_start", self.seed_start, 0, math.inf, "0 is the beginning of the piece")
        _between("seed_seconds", self.seed_seconds, 1, MAX_SEED_SECONDS, "10 is usual")
        _between("temperature", self.temperature, 0.01, 4, "1 plays as the model has learnt")
        if self.threshold is not None:
            _between("threshold", self.threshold, 0.001, 0.999, "try 0.3")
            if self.temperature != 1.0:
                raise ValueError(
                    f"threshold and temperature exclude each other, got {self.threshold} and "
                    f"{self.temperature}; leave one of them out"
                )
        if isinstance(self.rng, bool) or not isinstance(self.rng, int):
            raise ValueError(f"rng must be a whole number, got {self.rng!r}; try 0")
        _between("rng", self.rng, 0, MAX_RNG, "try 0")


@dataclass(frozen=True)
class Chunk:
    """Part of a continuation as it is made.

    Attributes:
        notes: new notes that ended in this chunk, on the continuation's own clock: 0 is where the
            seed ends.
        seconds: length of the continuation so far.
    """

    notes: tuple[Note, ...]
    seconds: float


@dataclass(frozen=True)
class Continuation:
    """A seed and what a model made of it. Times begin with the seed.

    Attributes:
        seed_notes: the seed; notes still sounding at its end are held as long as the model held
            them.
        new_notes: what the model played.
        seed_seconds: where the continuation begins.
        settings: how it was made.
        wall_seconds: how long that took, sound and picture excluded.
    """

    seed_notes: tuple[Note, ...]
    new_notes: tuple[Note, ...]
    seed_seconds: float
    settings: GenerationSettings
    wall_seconds: float

    @property
    def notes(self) -> list[Note]:
        """Returns seed and continuation as one piece."""
        return sort_notes((*self.seed_notes, *self.new_notes))

    @property
    def continuation_only(self) -> list[Note]:
        """Returns the new notes alone, beginning at 0 where the seed ended."""
        return [
            replace(n, start=max(0.0, n.start - self.seed_seconds), end=n.end - self.seed_seconds)
            for n in self.new_notes
        ]

    @property
    def real_time_factor(self) -> float:
        """Returns seconds of music made a second of wall time."""
        return self.settings.seconds / max(self.wall_seconds, 1e-9)


def cut_seed(
    notes: list[Note], settings: GenerationSettings, fs: int
) -> tuple[list[Note], float]:
    """Returns the seed's notes, moved to begin at 0, and its length in seconds, whole frames.

    Raises:
        ValueError: if the seed begins after the last note, or no note is struck in it.
    """
    length = end_of(notes)
    start = settings.seed_start
    if notes and start >= length:
        raise ValueError(
            f"seed_start must be below {length:.1f} s, where the piece ends, got {start:g}"
        )
    seed = cut_notes(notes, start, start + settings.seed_seconds)
    if not seed:
        end = start + settings.seed_seconds
        later = min((n.start for n in notes if n.start >= end), default=None)
        hint = "" if later is None else f"; the next note is at {later:.1f} s"
        raise ValueError(f"the seed has no note between {start:g} and {end:g} s{hint}")
    seconds = min(settings.seed_seconds, length - start)
    return seed, math.ceil(round(seconds * fs, 6)) / fs


class RollPlayer:
    """Turns a model's frames into notes, one frame at a time, and hands the seed's notes over.

    Args:
        seed: notes of the seed, from 0.
        seed_seconds: length of the seed, a whole number of frames.
        fs: frames a second.
        touch: gives each new note its velocity; a model of the roll knows none.
    """

    def __init__(
        self, seed: list[Note], seed_seconds: float, fs: int, touch: SeedTouch
    ) -> None:
        self._fs = fs
        self._touch = touch
        self._seed = seed
        self._seed_seconds = seed_seconds
        roll = notes_to_roll(seed, round(seed_seconds * fs), fs)
        self.steps: NDArray[np.uint8] = (roll > 0).astype(np.uint8)
        self._last = self.steps[-1]
        self._n = 0
        # Keys the seed leaves sounding belong to it until the model lets them go.
        self._held = {int(key): True for key in np.flatnonzero(self._last)}
        self._held_until: dict[int, float] = {}
        self._onsets: dict[int, tuple[int, int]] = {}

    @property
    def seconds(self) -> float:
        """Returns the length of the continuation so far."""
        return self._n / self._fs

    def play(self, frame: NDArray[np.uint8]) -> list[Note]:
        """Takes the next `(88,)` frame; returns the new notes that ended with it."""
        ended = []
        for key in map(int, np.flatnonzero(frame != self._last)):
            if frame[key]:
                self._onsets[key] = (self._n, self._touch.velocity(LOWEST_PITCH + key))
            else:
                ended += self._release(key)
        self._last = frame
        self._n += 1
        return ended

    def stop(self) -> list[Note]:
        """Lets all keys go; returns the new notes that end with that."""
        return [note for key in map(int, np.flatnonzero(self._last)) for note in self._release(key)]

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


def stream_continuation(
    model: PyzzicatoModel, player: RollPlayer, settings: GenerationSettings
) -> Iterator[Chunk]:
    """Yields the continuation about a second of music at a time, as the model plays it.

    Args:
        model: any model on rolls.
        player: holds the seed; ask it afterwards for `seed_as_held`.
        settings: how to carry on. The same settings give the same notes on one machine.
    """
    generator = torch.Generator().manual_seed(settings.rng)
    rule = SamplingRule(settings.temperature, settings.threshold)
    model.eval()
    notes: list[Note] = []
    chunk_end = _CHUNK_SECONDS
    with torch.inference_mode():
        hidden, state = model.hidden(torch.from_numpy(player.steps)[None], model.start(1))
        last = hidden[:, -1]
    while player.seconds < settings.seconds - 1e-9:
        # Entered anew for each step: a generator must not leave its mode on while it waits.
        with torch.inference_mode():
            step = model.sample(last, rule, generator)
            notes += player.play(step[0].numpy())
            last, state = model.step(step, state)
        if player.seconds >= chunk_end:
            yield Chunk(tuple(notes), player.seconds)
            notes = []
            chunk_end += _CHUNK_SECONDS
    yield Chunk((*notes, *player.stop()), player.seconds)


def continue_seed(
    model: PyzzicatoModel,
    notes: list[Note] | tuple[Note, ...],
    settings: GenerationSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Continuation:
    """Returns the seed cut from `notes` and its continuation.

    Args:
        model: from `load_model`.
        notes: the piece the seed is cut from.
        settings: how to carry on; `GenerationSettings()` by default.
        on_progress: called with the seconds made so far, about once a second of music.

    Raises:
        ValueError: if there is no note to carry on.
    """
    settings = settings or GenerationSettings()
    seed, seed_seconds = cut_seed(list(notes), settings, model.config.fs)
    player = RollPlayer(seed, seed_seconds, model.config.fs, SeedTouch(seed, settings.rng))
    new: list[Note] = []
    began = time.perf_counter()
    with one_thread():
        for chunk in stream_continuation(model, player, settings):
            new += chunk.notes
            if on_progress is not None:
                on_progress(chunk.seconds)
    wall = time.perf_counter() - began
    moved = (replace(n, start=n.start + seed_seconds, end=n.end + seed_seconds) for n in new)
    return Continuation(
        tuple(player.seed_as_held()), tuple(sort_notes(moved)), seed_seconds, settings, wall
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs torch on one thread: as fast as two for one small step, and the sums never regroup."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _between(name: str, value: float, low: float, high: float, fix: str) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        raise ValueError(f"{name} must be {low:.10g} to {high:.10g}, got {value!r}; {fix}")
