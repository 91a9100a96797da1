"""The piano roll: a step is a frame, 88 zeros and ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..notes import LOWEST_PITCH, N_PITCHES, Note, shift_notes, sort_notes
from .interface import SURE, Hold, Lengths, Numbers, StepDecoder, Steps
from .pianoroll import notes_to_roll, roll_to_notes
from .roll_passages import RollPassages
from .touch import PLAIN_VELOCITY, SeedTouch


@dataclass(frozen=True)
class PianoRoll(RollPassages):
    """Frames of 88 keys, `fs` a second."""

    fs: int
    unit: str = "frame"
    steps_are_notes: bool = False
    numbers: dict[str, int] = field(default_factory=lambda: {"keys": N_PITCHES})
    temperature_powers: tuple[float, ...] = (1.0,)
    # Uncorrected, a roll plays sparser than its target at temperature 1 and denser at others: in a
    # wide free range temperature would change the density. More than 2.5 log-odds silence slow
    # pieces for long, and temperature needs no more.
    density_hold: Hold = Hold(push=8.0, free=1.05, counted_s=15.0, most=2.5)
    density_hold_asked: Hold = density_hold
    # As strongly in so short a time it would strike whole handfuls after a pause.
    density_hold_unknown: Hold = Hold(push=1.6, free=1.12, counted_s=2.0, most=2.5)
    # Of 0, 1, 2 and 3 the first by which the median change of lengths is no larger than in real
    # music, with all three networks (60 held-out places, `train/check_join.py`).
    length_push: float = 1.0

    def encode(
        self, notes: Sequence[Note], seconds: float | None = None, start_s: float = 0.0
    ) -> Steps:
        """Returns `(T, 88)` zeros and ones."""
        n_frames = None if seconds is None else round(seconds * self.fs)
        moved = shift_notes(notes, -start_s) if start_s else notes
        return (notes_to_roll(moved, n_frames, self.fs) > 0).astype(np.uint8)

    def decode(self, steps: Steps) -> list[Note]:
        """Returns the notes of `(T, 88)` frames, all struck alike."""
        return roll_to_notes(steps * np.uint8(PLAIN_VELOCITY), self.fs)

    def decoder(self, seed: Sequence[Note], seed_seconds: float, touch: SeedTouch) -> "RollDecoder":
        """Returns what turns the frames that follow a seed into notes."""
        return RollDecoder(seed, seed_seconds, self.fs, touch)

    def whole_seconds(self, seconds: float) -> float:
        """Returns the length in whole frames, rounded up."""
        return float(np.ceil(round(seconds * self.fs, 6)) / self.fs)

    def count_strokes(self, steps: Steps) -> int:
        """Returns how many notes are struck after the first frame."""
        return int(np.count_nonzero(steps[1:] > steps[:-1]))

    def seconds_after_first(self, steps: Steps) -> float:
        """Returns the time from the first frame to the last."""
        return (len(steps) - 1) / self.fs

    def sparser(self, log_odds: float, decoder: StepDecoder) -> Numbers:
        """Returns a bias against keys that do not sound."""
        return -np.float32(log_odds) * (1 - _present(decoder))

    def longer(self, log_odds: float, decoder: StepDecoder) -> Numbers:
        """Returns a bias for keys that sound."""
        return np.float32(log_odds) * _present(decoder)

    def lengths(self, steps: Steps) -> Lengths:
        """Returns how long keys sound in frames `(T, 88)`; known where they are let go."""
        held = HeldKeys()
        lengths = [held.take(frame) for frame in steps]
        return Lengths(sum(its.e_folds for its in lengths), sum(its.n_known for its in lengths))

    def avoid(self, key: int, decoder: StepDecoder) -> Numbers:
        """Returns the bias with which a key is not struck; if it sounds, it may go on."""
        bias = np.zeros(N_PITCHES, dtype=np.float32)
        bias[key] = -SURE * (1 - _present(decoder)[key])
        return bias


class HeldKeys:
    """How long the keys of a roll have been held, in frames; none at first."""

    def __init__(self) -> None:
        self._frames = np.zeros(N_PITCHES, dtype=np.int64)

    def take(self, frame: Steps) -> Lengths:
        """Takes the next frame `(88,)`; returns what it says of the lengths of notes."""
        before, self._frames = self._frames, (self._frames + 1) * frame
        longer = np.flatnonzero(self._frames > 1)
        e_folds = np.log(self._frames[longer] / before[longer]).sum()
        return Lengths(float(e_folds), int(np.count_nonzero(before[frame == 0])))

    def let_go(self) -> None:
        """Lets all keys go, which says nothing of lengths."""
        self._frames = np.zeros_like(self._frames)


def _present(decoder: StepDecoder) -> Numbers:
    assert isinstance(decoder, RollDecoder)
    return decoder.present.astype(np.float32)


class RollDecoder:
    """Turns frames that follow a seed into notes.

    Args:
        seed: notes of the seed, from 0.
        seed_seconds: length of the seed, a whole number of frames.
        fs: frames a second.
        touch: gives each new note its velocity; a model of the roll knows none.
    """

    impossible = None

    def __init__(
        self, seed: Sequence[Note], seed_seconds: float, fs: int, touch: SeedTouch
    ) -> None:
        self._fs = fs
        self._touch = touch
        # What sounds on past the end of the seed goes on as long as the network holds it.
        self._seed = [replace(n, end=min(n.end, seed_seconds)) for n in seed]
        self._seed_seconds = seed_seconds
        roll = notes_to_roll(seed, round(seed_seconds * fs), fs)
        self.seed_steps: Steps = (roll > 0).astype(np.uint8)
        self.struck: list[int] = []
        self._held_keys = HeldKeys()
        for frame in self.seed_steps:
            self.lengths = self._held_keys.take(frame)
        self._last: Steps = self.seed_steps[-1]
        self._n = 0
        # Keys the seed leaves sounding belong to it until the model lets them go.
        self._held = {int(key): True for key in np.flatnonzero(self._last)}
        self._held_until: dict[int, float] = {}
        self._onsets: dict[int, tuple[int, int]] = {}
        # Keys that are to be struck at the next place of a grid.
        self._waiting: set[int] = set()

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
        steps: Steps = self.seed_steps[-n_steps:]
        if let_go is not None:
            steps = steps.copy()
            steps[-1, let_go] = 0
        return steps

    @property
    def present(self) -> Steps:
        """Returns the last frame, `(88,)`."""
        return self._last

    def on_grid(self, step: Steps, onset: Callable[[float], float]) -> Steps:
        """Returns the frame without strokes that are not on the grid; they come when it does."""
        moved = step.copy()
        struck = np.flatnonzero(step > self._last).tolist()
        if abs(onset(self.seconds) - self.seconds) > 0.5 / self._fs:
            moved[struck] = 0
            self._waiting.update(struck)
        else:
            moved[list(self._waiting)] = 1
            self._waiting.clear()
        return moved

    def play(self, step: Steps) -> list[Note]:
        """Takes the next `(88,)` frame; returns the new notes that ended with it."""
        ended = []
        self.struck = []
        for key in (step != self._last).nonzero()[0].tolist():
            if step[key]:
                self.struck.append(key)
            else:
                ended += self._release(key)
        if self.struck:
            held = np.flatnonzero(step & self._last)
            highest = LOWEST_PITCH + int(held[-1]) if len(held) else 0
            pitches = [LOWEST_PITCH + key for key in self.struck]
            velocities = self._touch.strike(pitches, self.seconds, highest)
            for key, velocity in zip(self.struck, velocities, strict=True):
                self._onsets[key] = (self._n, velocity)
        self.lengths = self._held_keys.take(step)
        self._last = step
        self._n += 1
        return ended

    def let_go(self, at_s: float) -> list[Note]:
        """Lets all keys go after the last frame; returns the new notes that end with that."""
        keys = map(int, np.flatnonzero(self._last))
        self._held_keys.let_go()
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
