"""Plays along: listens to a player phrase by phrase, and answers when it is asked to.

Each note of the player moves the model's state on, once; each note of an answer does too. An answer
that is cut short is forgotten from there on.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..checks import check_number
from ..notes import Note, end_of, sort_notes
from ..representations import StepDecoder, Steps
from ..representations.event_bins import (
    ONSET_TICKS,
    SIZES,
    TICK_S,
    VELOCITIES,
    onset_bin_after,
)
from ..representations.interface import SURE
from ..representations.note_events import NoteDecoder
from .decoding.density import FEWEST_STROKES, USUAL
from .decoding.draw import Draw
from .decoding.parts import Part
from .graph import Mark
from .loaded_model import Model
from .performer import Performer
from .settings import GenerationSettings, check_settings
from .span import played_as, require_events

SHORTEST_S, LONGEST_S = 2.0, 20.0
"""An answer is as long as what was played, but no shorter and no longer than this."""

_AT_ONCE_S = 0.1
"""The first note of an answer comes within this time."""
_PART_S = 0.5
"""An answer is handed over so much music at a time."""
_BREATH_S, _LONGER = 0.3, 1.25
"""After its length an answer ends where it pauses so long, or when it is longer by this ratio."""
_RINGS_S = 2.0
"""The last notes of an answer ring on so long at most."""
_SPREAD = 12.0
"""How far velocities may be from the player's mean, as a standard deviation."""
_CLOCK_ERROR_S = 0.3
"""So much the model's clock, with its rounded times, may be off."""
_OF_ANSWERS = 6


@dataclass(frozen=True)
class AnswerPart:
    """Part of an answer as it is made.

    Attributes:
        notes: those struck since the last part; 0 is the moment it was decided to answer. Where a
            key is struck again, the note before ends there.
        seconds: no later note is struck before.
        is_last: whether the answer is complete.
    """

    notes: tuple[Note, ...]
    seconds: float
    is_last: bool


class Companion:
    """A model that plays along with one player. All times are seconds on the player's clock.

    Its methods may be called from different threads.

    Args:
        model: of note events, from `load_model`.
        settings: `temperature`, `composer`, `density` (1 is the player's) and `rng` count.

    Raises:
        ValueError: if the model is one of rolls, or does not know the composer.
    """

    def __init__(self, model: Model, settings: GenerationSettings | None = None) -> None:
        settings = settings or GenerationSettings()
        require_events(model)
        check_settings(model.config, settings)
        self._model = model
        # An answer that goes astray is cut off by the player.
        self._settings = replace(settings, without=(*settings.without, "guard"), guidance=1.0)
        self._composer = model.config.composer_number(played_as(model, settings, None))
        self._run = model.start({"composer": [self._composer]})
        self._lock = threading.RLock()
        self._waiting: list[Note] = []
        self._phrase: list[Note] = []
        self._last_s: float | None = None
        self._n_answers = 0
        self._answer: _Answer | None = None

    def hear(self, notes: Sequence[Note], until: float | None = None) -> int:
        """Takes notes that the player struck and let go; returns how many moved the state on.

        If one was struck before an answer had been played out, the rest of that answer is
        forgotten.

        Args:
            notes: in any order.
            until: all notes struck before this second have been given; later ones are kept for the
                next call, so that the model takes all in their order. None for all.
        """
        with self._lock:
            if notes:
                self.stop(min(note.start for note in notes))
            self._waiting = sort_notes([*self._waiting, *notes])
            if self._answer is not None and self._answer.is_open:
                return 0  # It is still being made.
            ready = [n for n in self._waiting if until is None or n.start < until]
            self._waiting = self._waiting[len(ready) :]
            self._take(ready)
            return len(ready)

    def answer(self, now: float, seconds: float | None = None) -> Iterator[AnswerPart]:
        """Yields an answer as it is made, much faster than it is to be played.

        It is about as long, dense and loud as what was played since the last one.

        Args:
            now: the moment of the decision; the player's notes that sound on end then.
            seconds: length, 2 to 20; None for that of what was played.

        Raises:
            ValueError: if nothing was played yet, or a value is out of its range.
        """
        if seconds is not None:
            check_number("seconds", seconds, SHORTEST_S, LONGEST_S, "leave it out")
        with self._lock:
            self.stop(now)
            waiting = [n for n in self._waiting if n.start < now]
            self._waiting = []
            self._take([replace(n, end=min(n.end, now)) for n in waiting])
            if self._last_s is None:
                raise ValueError("notes must be played before there is an answer; play some")
            latest = self._last_s - _CLOCK_ERROR_S
            check_number("now", now, latest, fix="it must be after the last note")
            answer = _Answer(self._perform(now), now, self._length(seconds))
            self._answer, self._phrase = answer, []
        return self._parts(answer)

    def stop(self, at: float | None = None) -> int:
        """Ends the latest answer; returns how many of its notes count as played.

        Args:
            at: those struck before this second of the player's clock do, the rest the model
                forgets. None for all that were made.
        """
        with self._lock:
            answer = self._answer
            if answer is None:
                return 0
            answer.is_open = False
            if at is None:
                return len(answer.onsets)
            n = sum(onset < at - answer.now for onset in answer.onsets)
            if n < len(answer.onsets):
                self._run.return_to(answer.marks[n])
                del answer.onsets[n:], answer.marks[n:]
                self._last_s = answer.now + answer.onsets[-1] if n else answer.began_s
            return n

    def _take(self, notes: Sequence[Note]) -> None:
        """Moves the model's state on."""
        if not notes:
            return
        self._answer = None
        first = notes[0].start if self._last_s is None else self._last_s
        steps = self._model.representation.encode(notes, start_s=first)
        self._run.feed(steps)
        # On the model's own clock, so that errors do not add up; it skips long silences.
        reached = first + TICK_S * float(ONSET_TICKS[steps[:, 0]].sum())
        last = notes[-1].start
        self._last_s = reached if abs(reached - last) < _CLOCK_ERROR_S else max(first, last)
        self._phrase += notes

    def _length(self, seconds: float | None) -> float:
        if seconds is not None:
            return seconds
        if not self._phrase:
            return SHORTEST_S
        played = end_of(self._phrase) - self._phrase[0].start
        return float(np.clip(played, SHORTEST_S, LONGEST_S))

    def _perform(self, now: float) -> Performer:
        """Returns who plays the answer."""
        assert self._last_s is not None
        phrase = self._phrase
        lasted = phrase[-1].start - phrase[0].start if phrase else 0.0
        density = USUAL
        if len(phrase) > FEWEST_STROKES and lasted > 0:
            density = (len(phrase) - 1) / lasted
        density *= self._settings.density
        self._run.condition("density", [self._model.config.density_number(density)])
        self._n_answers += 1
        rng = np.random.default_rng([self._settings.rng, _OF_ANSWERS, self._n_answers])
        # The decoder counts from the last note that was struck; which it was does not matter.
        last = Note(60, 0.0, TICK_S, 64)
        decoder = NoteDecoder([last], max(0.0, now - self._last_s))
        performer = Performer(
            self._model, decoder, self._settings, self._composer, density, rng, run=self._run
        )
        if phrase:
            loudness = float(np.mean([note.velocity for note in phrase]))
            performer.parts.parts.append(_Loudness(loudness))
        return performer

    def _parts(self, answer: "_Answer") -> Iterator[AnswerPart]:
        n_given, reached = 0, 0.0
        while True:
            with self._lock:
                if not answer.is_open:
                    return
                reached += _PART_S if n_given else 0.0
                is_last = answer.play(reached)
                if is_last:
                    answer.is_open = False
                    self._last_s = answer.now + answer.onsets[-1]
                notes = tuple(answer.notes[n_given:])
                n_given = len(answer.notes)
                reached = max(reached, answer.settled_s)
            yield AnswerPart(notes, answer.settled_s, is_last)
            if is_last:
                return


class _Loudness(Part):
    """Keeps velocities near the player's.

    Args:
        mean: of the velocities that were played.
    """

    name = "loudness"

    def __init__(self, mean: float) -> None:
        self._bias = np.zeros(sum(SIZES), dtype=np.float32)
        self._bias[-SIZES[3] :] = -(((VELOCITIES - mean) / _SPREAD) ** 2) / 2

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Adds to the bias."""
        draw.bias += self._bias
        self.n_acted += 1


class _Answer:
    """An answer as it is made.

    Attributes:
        notes: so far, each as long as it is to last.
        onsets: of its notes.
        marks: the model before each of them.
        settled_s: no later note is struck before.
        is_open: whether more is to be made.
    """

    def __init__(self, performer: Performer, now: float, seconds: float) -> None:
        self.now = now
        self._performer, self._seconds = performer, seconds
        decoder = performer.decoder
        assert isinstance(decoder, NoteDecoder)
        self._decoder = decoder
        self.began_s = now + decoder.last_onset_s
        self.notes: list[Note] = []
        self.onsets: list[float] = []
        self.marks: list[Mark] = []
        self.settled_s = 0.0
        self.is_open = True

    def play(self, until_s: float) -> bool:
        """Plays on past a second, a note at least; returns whether the answer is complete."""
        n_before = len(self.notes)
        while len(self.notes) == n_before or self.settled_s <= until_s:
            mark = self._performer.run.mark()
            step = self._performer.draw(self._soon() if not self.onsets else None)
            onset = self._decoder.onset_s(step)
            if self.onsets and self._ends_before(onset):
                self._performer.run.return_to(mark)
                self.settled_s = self._seconds
                return True
            self._performer.take(step)
            (struck,) = (n for n in self._decoder.sounding if n.start == onset and _is(n, step))
            self.notes.append(replace(struck, end=min(struck.end, self._latest_end)))
            self.onsets.append(onset)
            self.marks.append(mark)
            self.settled_s = onset
        return False

    @property
    def _latest_end(self) -> float:
        return self._seconds * _LONGER + _RINGS_S

    def _ends_before(self, onset: float) -> bool:
        if onset < self._seconds:
            return False
        return onset - self.onsets[-1] > _BREATH_S or onset > self._seconds * _LONGER

    def _soon(self) -> np.ndarray:
        """Returns the bias by which the first note comes at once."""
        rest_s = -self._decoder.last_onset_s
        first = onset_bin_after(rest_s)
        late = rest_s + _AT_ONCE_S < TICK_S * ONSET_TICKS
        late[: first + 1] = False
        bias = np.zeros(sum(SIZES), dtype=np.float32)
        bias[: SIZES[0]][late] = -SURE
        return bias


def _is(note: Note, step: Steps) -> bool:
    """Returns whether a note is of the key that a step strikes."""
    return note.pitch == 21 + int(step[1])
