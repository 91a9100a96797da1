"""Carries a seed on: runs its notes through a model, then lets the model play.

    seed notes -> steps -> model, step by step -> steps -> notes

One loop serves all models, and its cost a second of music does not grow with the length: the model
carries its state from step to step. Where playing goes astray it is brought back to the seed (see
`guard.py`), and that is told.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .attribution import likeliest_composer
from .density import density_to_come
from .guard import Rescue, describe_rescues
from .models import PyzzicatoConfig, PyzzicatoModel, SamplingRule
from .notes import Note, cut_notes, end_of, sort_notes
from .performer import ROUNDING_S, Performer
from .players import Player, player_for
from .touch import SeedTouch

MAX_SECONDS = 600.0
MAX_SEED_SECONDS = 120.0
MAX_RNG = 2**32 - 1

SILENT_SEED = "the seed is silent: a new piece begins, with a single note"

_CHUNK_SECONDS = 1.0
_OPENING_SECONDS = 0.5
_OPENING_PITCHES = (48, 72)
_OPENING_VELOCITY = 64


@dataclass(frozen=True)
class GenerationSettings:
    """How a seed is carried on; the one source of defaults for command line, page and API.

    Attributes:
        seconds: length of the continuation, 1 to 600.
        seed_start: where in the piece the seed begins, seconds, at or above 0.
        seed_seconds: length of the seed, 1 to 120; a shorter piece is taken whole.
        temperature: sampling; 1 plays as the model is meant to, lower is tamer, higher more daring.
            Above 0, to 4.
        threshold: the article's way instead of sampling: a key sounds where its probability passes
            the threshold, above 0 and below 1. None to sample.
        rng: number of the random draw, 0 to 2**32 - 1; the same number gives the same notes.
        composer: short name of the composer to play as ("chopin"), "any" for nobody in particular,
            None for the one whose music the seed is most like, in the model's own judgement, nobody
            for a seed of fewer than eight notes. Which ones there are is the model's choice.
        guidance: how strongly, 0 to 4: 1 plays as the model has learnt of the composer, more
            exaggerates what sets him apart.
        density: how many notes are meant, 0.5 to 2 times as many as such a seed is usually carried
            on with. Playing keeps near that, and not to it.

    Raises:
        ValueError: if a value is out of its range, naming value, range and fix.
    """

    seconds: float = 30.0
    seed_start: float = 0.0
    seed_seconds: float = 10.0
    temperature: float = 1.0
    threshold: float | None = None
    rng: int = 0
    composer: str | None = None
    guidance: float = 1.0
    density: float = 1.0

    def __post_init__(self) -> None:
        _between("seconds", self.seconds, 1, MAX_SECONDS, "ask for less and carry that on")
        _between("seed_start", self.seed_start, 0, math.inf, "0 is the beginning of the piece")
        _between("seed_seconds", self.seed_seconds, 1, MAX_SEED_SECONDS, "10 is usual")
        _between("temperature", self.temperature, 0.01, 4, "1 plays as the model is meant to")
        if self.threshold is not None:
            _between("threshold", self.threshold, 0.001, 0.999, "try 0.3")
            if self.temperature != 1.0:
                raise ValueError(
                    f"threshold and temperature exclude each other, got {self.threshold} and "
                    f"{self.temperature}; leave one of them out"
                )
        _between("density", self.density, 0.5, 2, "2 asks for twice as many notes")
        if self.threshold is not None and self.density != 1.0:
            raise ValueError(
                f"threshold and density exclude each other, got {self.threshold} and "
                f"{self.density}; leave one of them out"
            )
        _between("guidance", self.guidance, 0, 4, "1.5 is a little more than plain")
        if self.composer is not None and not isinstance(self.composer, str):
            raise ValueError(f"composer must be a name, got {self.composer!r}; try 'chopin'")
        if isinstance(self.rng, bool) or not isinstance(self.rng, int):
            raise ValueError(f"rng must be a whole number, got {self.rng!r}; try 0")
        _between("rng", self.rng, 0, MAX_RNG, "try 0")


@dataclass(frozen=True)
class Chunk:
    """Part of a continuation as it is made.

    Attributes:
        notes: new notes that ended in this chunk, on the continuation's own clock: 0 is where the
            seed ends.
        sounding: new notes that are still held, with their ends as far as they are known.
        seconds: length of the continuation so far.
        piece: seed and continuation as a whole, with the last chunk.
    """

    notes: tuple[Note, ...]
    sounding: tuple[Note, ...]
    seconds: float
    piece: "Continuation | None" = None


@dataclass(frozen=True)
class Continuation:
    """A seed and what a model made of it. Times begin with the seed.

    Attributes:
        seed_notes: the seed; notes still sounding at its end are held as long as the model held
            them.
        new_notes: what the model played.
        seed_seconds: where the continuation begins.
        settings: how it was made.
        wall_seconds: how long that took; sound, picture and waiting for the listener excluded.
        heard_seconds: how much of that was spent hearing the seed, before the first new note.
        remarks: what the listener should know of it, in words.
        rescues: when and why playing that had gone astray was brought back to the seed, keys let go
            and the seed heard again.
        composer: short name of whom it was played as, asked for or heard in the seed; None for
            nobody in particular.
    """

    seed_notes: tuple[Note, ...]
    new_notes: tuple[Note, ...]
    seed_seconds: float
    settings: GenerationSettings
    wall_seconds: float
    heard_seconds: float
    remarks: tuple[str, ...] = ()
    rescues: tuple[Rescue, ...] = ()
    composer: str | None = None

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
    notes: Sequence[Note], settings: GenerationSettings, fs: int
) -> tuple[list[Note], float]:
    """Returns the seed's notes, moved to begin at 0, and its length in seconds, whole frames.

    A seed in which no note is struck has no length.

    Raises:
        ValueError: if the seed begins after the last note.
    """
    length = end_of(notes)
    start = settings.seed_start
    if notes and start >= length:
        raise ValueError(
            f"seed_start must be below {length:.1f} s, where the piece ends, got {start:g}"
        )
    seed = cut_notes(notes, start, start + settings.seed_seconds)
    if not seed:
        return [], 0.0
    seconds = min(settings.seed_seconds, length - start)
    return seed, math.ceil(round(seconds * fs, 6)) / fs


def stream_continuation(
    model: PyzzicatoModel,
    notes: Sequence[Note],
    settings: GenerationSettings | None = None,
) -> Iterator[Chunk]:
    """Yields the continuation about a second of music at a time, as the model plays it.

    The same settings give the same notes on one machine. The last chunk holds the whole.

    Args:
        model: from `load_model`.
        notes: the piece the seed is cut from. Without a note in the seed's time a new piece begins
            with a single note, drawn at random.
        settings: how to carry on; `GenerationSettings()` by default.

    Raises:
        ValueError: if the seed begins after the piece ends, or the model does not know the
            composer or cannot play by a threshold.
    """
    settings = settings or GenerationSettings()
    began = time.perf_counter()
    check_settings(model.config, settings)
    begun = _begin(model, notes, settings)
    player, ahead = begun.player, begun.ahead
    rule = _rule(model, settings, begun.composer)
    performer = Performer(model, player, rule, begun.composer, begun.density, settings.rng)
    heard_seconds = time.perf_counter() - began
    new: list[Note] = []
    ended = list(begun.opening)
    chunk_end = _CHUNK_SECONDS
    while True:
        until = min(chunk_end, settings.seconds)
        ended += _shift(performer.play(until - ahead), ahead)
        reached = player.seconds + ahead
        if reached >= settings.seconds - ROUNDING_S:
            ended += _shift(player.let_go(settings.seconds - ahead), ahead)
            ended = _until(ended, settings.seconds)
            break
        held = tuple(_shift(player.sounding, ahead))
        handed_over = time.perf_counter()
        yield Chunk(tuple(ended), held, reached)
        # What the listener does with it is not the model's time.
        began += time.perf_counter() - handed_over
        new += ended
        ended = []
        chunk_end += _CHUNK_SECONDS * math.ceil((reached - chunk_end + ROUNDING_S) / _CHUNK_SECONDS)
    rescues = [replace(r, seconds=r.seconds + ahead) for r in performer.rescues]
    # The last step may reach over the end, where nobody hears it.
    rescues = [rescue for rescue in rescues if rescue.seconds < settings.seconds]
    spent = heard_seconds, time.perf_counter() - began
    piece = _whole(model, settings, begun, [*new, *ended], rescues, spent)
    yield Chunk(tuple(ended), (), settings.seconds, piece)


def continue_seed(
    model: PyzzicatoModel,
    notes: Sequence[Note],
    settings: GenerationSettings | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Continuation:
    """Returns the seed cut from `notes` and its continuation.

    Args:
        model: from `load_model`.
        notes: the piece the seed is cut from; see `stream_continuation`.
        settings: how to carry on; `GenerationSettings()` by default.
        on_progress: called with the seconds made so far, about once a second of music.

    Raises:
        ValueError: see `stream_continuation`.
    """
    piece = None
    for chunk in stream_continuation(model, notes, settings):
        piece = chunk.piece
        if on_progress is not None:
            on_progress(chunk.seconds)
    assert piece is not None  # the last chunk holds the whole
    return piece


@dataclass(frozen=True)
class _Beginning:
    """What a continuation begins with.

    Attributes:
        seed: its notes, from 0; none for a new piece.
        seed_seconds: its length.
        opening: the note a new piece begins with: the model hears it as its seed, the listener as
            new.
        ahead: how much of the continuation the opening fills, seconds.
        player: hears the seed and takes the model's steps.
        composer: number of whom the model plays as, 0 for nobody in particular.
        density: notes a second that are meant.
    """

    seed: list[Note]
    seed_seconds: float
    opening: list[Note]
    ahead: float
    player: Player
    composer: int
    density: float


def _begin(
    model: PyzzicatoModel, notes: Sequence[Note], settings: GenerationSettings
) -> _Beginning:
    fs = model.config.fs
    seed, seed_seconds = cut_seed(notes, settings, fs)
    opening = [] if seed else [_opening_note(settings.rng)]
    ahead = math.ceil(_OPENING_SECONDS * fs) / fs if opening else 0.0
    touch = SeedTouch(seed, settings.rng)
    player = player_for(model.config, seed or opening, ahead or seed_seconds, touch)
    composer = model.config.composer_number(settings.composer)
    usual = density_to_come(player.steps, model.config, settings.composer, settings.rng)
    if settings.composer is None and seed:
        # Whose music the seed is like has nothing to do with how dense it is asked to go on.
        composer = likeliest_composer(model, player.steps, model.config.density_number(usual))
    density = settings.density * usual
    return _Beginning(seed, seed_seconds, opening, ahead, player, composer, density)


def _whole(
    model: PyzzicatoModel,
    settings: GenerationSettings,
    begun: _Beginning,
    new: list[Note],
    rescues: Sequence[Rescue],
    spent: tuple[float, float],
) -> Continuation:
    """Returns the piece that has been played.

    Args:
        model: who played.
        settings: of the piece.
        begun: what it began with.
        new: what was played, from 0 where the seed ends.
        rescues: returns to the seed.
        spent: seconds of wall time, for hearing the seed and for all.
    """
    held_seed = begun.player.seed_as_held() if begun.seed else []
    names = model.config.composers or []
    heard_seconds, wall_seconds = spent
    return Continuation(
        # The last frame may reach over the end.
        seed_notes=tuple(_until(held_seed, begun.seed_seconds + settings.seconds)),
        new_notes=tuple(sort_notes(_shift(new, begun.seed_seconds))),
        seed_seconds=begun.seed_seconds,
        settings=settings,
        wall_seconds=wall_seconds,
        heard_seconds=heard_seconds,
        remarks=(*(() if begun.seed else (SILENT_SEED,)), *describe_rescues(rescues)),
        rescues=tuple(rescues),
        composer=names[begun.composer - 1] if begun.composer else None,
    )


def check_settings(config: PyzzicatoConfig, settings: GenerationSettings) -> None:
    """Raises ValueError if a model with this config cannot do what the settings ask for."""
    if settings.threshold is not None and config.representation != "roll":
        raise ValueError(
            f"threshold must be left out for a model of note events, got {settings.threshold}; it "
            "is the way of models on a roll"
        )
    config.composer_number(settings.composer)


def _rule(model: PyzzicatoModel, settings: GenerationSettings, composer: int) -> SamplingRule:
    """Returns how the model's steps are drawn."""
    # Without a composer there is nothing to exaggerate.
    guidance = settings.guidance if composer else 1.0
    config = model.config
    return SamplingRule(
        settings.temperature,
        settings.threshold,
        guidance,
        config.tempering,
        config.pacing,
        config.holding,
    )


def _opening_note(rng: int) -> Note:
    """Returns a note from the middle of the keyboard, to begin a piece with."""
    pitch = int(np.random.default_rng(rng).integers(*_OPENING_PITCHES, endpoint=True))
    return Note(pitch, 0.0, _OPENING_SECONDS, _OPENING_VELOCITY)


def _until(notes: Iterable[Note], end_s: float) -> list[Note]:
    """Returns the notes struck before `end_s`, let go then at the latest."""
    return [replace(n, end=min(n.end, end_s)) for n in notes if n.start < end_s]


def _shift(notes: Iterable[Note], by_s: float) -> list[Note]:
    """Returns the notes moved by `by_s` seconds, in the order they have."""
    return [replace(n, start=n.start + by_s, end=n.end + by_s) for n in notes]


def _between(name: str, value: float, low: float, high: float, fix: str) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        raise ValueError(f"{name} must be {low:.10g} to {high:.10g}, got {value!r}; {fix}")
