"""Carries a seed on: feeds its notes to a model, then lets the model play.

    seed notes -> steps -> graph, step by step -> steps -> notes

One loop serves all models, and its cost a second of music hardly grows with the length: the model
carries what it remembers from step to step. Where playing goes astray it is brought back to the
seed (see `decoding/guard.py`), and the result says so.
"""

import math
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..grid import Grid, Quantiser, find_grid
from ..midi import Performance
from ..models.architecture import ANYBODY
from ..notes import Note, sort_notes
from ..representations import StepDecoder
from ..representations.touch import SeedTouch
from .decoding.density import density_to_come
from .decoding.guard import Rescue, describe_rescues
from .ending import NO_CLOSE, Close, bring_to_close, ends_on_tonic, opening_seconds
from .loaded_model import Model
from .performer import ROUNDING_S, Performer
from .seed import SILENT_SEED, Beginning, begin
from .settings import GenerationSettings, check_settings

_CHUNK_SECONDS = 1.0
# Where nothing plays by a threshold, some of these are tried, for so long.
_THRESHOLDS = (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002)
_TRIED_S = 10.0
_MOST_TRIED = 8
# Numbers of the streams of random draws that use one `rng` for different ends.
_OF_STEPS, _OF_DENSITY = 1, 2


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
        heard_seconds: how much of that was spent feeding the seed, before the first new note.
        remarks: what the listener should know of it, in words.
        rescues: when and why playing that had gone astray was brought back to the seed, keys let go
            and the seed fed again.
        composer: short name of whom it was played as; None for nobody in particular.
        acted: how many steps each part of decoding has changed the draw of, by its name.
        n_steps: how many steps were drawn.
        quantise: how far new notes were moved to the grid of the seed, 0 to 1.
        division: parts of a quarter note that this grid has; None where nothing was moved.
        like: the performance whose tempo, metre and key hold for the piece; None for notes alone.
        like_start_s: where in `like`, in seconds after its first note, the seed begins.
        facts: figures by which it was chosen among others, by name; empty if it was not.
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
    acted: Mapping[str, int] = field(default_factory=dict)
    n_steps: int = 0
    quantise: float = 0.0
    division: int | None = None
    like_start_s: float = 0.0
    like: Performance | None = field(default=None, repr=False, compare=False)
    facts: Mapping[str, float] = field(default_factory=dict)

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


def stream_continuation(
    model: Model,
    notes: Sequence[Note],
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    like: Performance | None = None,
) -> Iterator[Chunk]:
    """Yields the continuation about a second of music at a time, as the model plays it.

    The same settings give the same notes on one machine. The last chunk holds the whole.

    Args:
        model: from `load_model`.
        notes: the piece the seed is cut from. Without a note in the seed's time a new piece begins
            with a single note, drawn at random.
        settings: how to carry on; `GenerationSettings()` by default.
        seed_composer: short name of the seed's composer, if he is known; played as where no
            composer is asked for and the model knows him.
        like: the performance that `notes` are the music of, where there is one: its grid is what
            `settings.quantise` keeps to.

    Raises:
        ValueError: if the seed begins after the piece ends, or the model does not know the
            composer or cannot play by a threshold, or notes are to be quantised and the seed's
            tempo cannot be found.
    """
    settings = settings or GenerationSettings()
    began = time.perf_counter()
    check_settings(model.config, settings)
    begun = _begin(model, notes, settings, seed_composer, like)
    decoder, performer, ahead = begun.decoder, begun.performer, begun.beginning.ahead
    quantiser = Quantiser(begun.grid) if begun.grid else None
    fed_seconds = time.perf_counter() - began
    new: list[Note] = []
    ended = list(begun.beginning.opening)
    chunk_end = _CHUNK_SECONDS
    plays_s = opening_seconds(settings.seconds) if settings.ending else settings.seconds
    close: Close | None = None
    while True:
        until = min(chunk_end, plays_s)
        ended += _shift(performer.play(until - ahead), ahead)
        reached = decoder.seconds + ahead
        if reached >= plays_s - ROUNDING_S:
            if settings.ending:
                close = _close(begun, settings, [*new, *ended])
                begun = replace(begun, decoder=close.performer.decoder, performer=close.performer)
                ended += _shift(close.notes, ahead)
            else:
                ended += _shift(decoder.let_go(settings.seconds - ahead), ahead)
            ended = quantiser.rest(ended) if quantiser else ended
            ended = _until(ended, settings.seconds)
            break
        held = _shift(decoder.sounding, ahead)
        if quantiser:
            ended = quantiser.take(ended, held, reached)
            held = quantiser.sounding(held)
        handed_over = time.perf_counter()
        yield Chunk(tuple(ended), tuple(held), reached)
        # What the listener does with it is not the model's time.
        began += time.perf_counter() - handed_over
        new += ended
        ended = []
        chunk_end += _CHUNK_SECONDS * math.ceil((reached - chunk_end + ROUNDING_S) / _CHUNK_SECONDS)
    spent = fed_seconds, time.perf_counter() - began
    new += ended
    silence = []
    if settings.threshold is not None and not new:
        silence.append(_nothing_played(model, notes, settings, seed_composer, performer.highest))
    piece = _whole(settings, begun, new, spent, silence)
    if close is not None:
        # On a grid the last notes lie elsewhere than when they were chosen.
        is_tonic = ends_on_tonic(piece.notes)
        remarks = () if is_tonic else (NO_CLOSE,)
        facts = {"tries": float(close.tries), "tonic": float(is_tonic)}
        piece = replace(piece, remarks=(*piece.remarks, *remarks), facts=facts)
    yield Chunk(tuple(ended), (), settings.seconds, piece)


def continue_seed(
    model: Model,
    notes: Sequence[Note],
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    on_progress: Callable[[float], None] | None = None,
    like: Performance | None = None,
) -> Continuation:
    """Returns the seed cut from `notes` and its continuation.

    Args:
        model: from `load_model`.
        notes: the piece the seed is cut from; see `stream_continuation`.
        settings: how to carry on; `GenerationSettings()` by default.
        seed_composer: short name of the seed's composer, if he is known.
        on_progress: called with the seconds made so far, about once a second of music.
        like: the performance that `notes` are the music of; see `stream_continuation`.

    Raises:
        ValueError: see `stream_continuation`.
    """
    piece = None
    for chunk in stream_continuation(model, notes, settings, seed_composer, like):
        piece = chunk.piece
        if on_progress is not None:
            on_progress(chunk.seconds)
    assert piece is not None  # the last chunk holds the whole
    return piece


@dataclass(frozen=True)
class _Begun:
    """A continuation before its first new step."""

    beginning: Beginning
    decoder: StepDecoder
    performer: Performer
    composer: str | None
    grid: Grid | None
    like: Performance | None


def _close(begun: _Begun, settings: GenerationSettings, new: Sequence[Note]) -> Close:
    """Returns the end of a continuation of which so much has been played."""
    seed, ahead = begun.beginning.seed, begun.beginning.ahead
    rng = [settings.rng, zlib.crc32(begun.decoder.seed_steps.tobytes())]
    return bring_to_close(begun.performer, [*seed, *new], settings.seconds - ahead, rng)


def _begin(
    model: Model,
    notes: Sequence[Note],
    settings: GenerationSettings,
    seed_composer: str | None,
    like: Performance | None,
) -> _Begun:
    representation = model.representation
    beginning = begin(notes, settings, representation)
    place = settings.seed_start, beginning.seed_seconds
    grid = find_grid(like, beginning.seed, *place, settings.quantise)
    decoder = representation.decoder(
        beginning.seed or beginning.opening,
        beginning.ahead or beginning.seed_seconds,
        SeedTouch(beginning.seed, settings.rng),
    )
    # Other seeds and other models draw other numbers: otherwise all would strike the same stray
    # notes at the same time.
    others = model.fingerprint, zlib.crc32(decoder.seed_steps.tobytes())
    composer = settings.composer
    if composer is None and seed_composer in (model.config.composers or []):
        composer = seed_composer
    composer = None if composer == ANYBODY else composer
    target = settings.density * density_to_come(
        decoder.seed_steps,
        representation,
        composer,
        np.random.default_rng([settings.rng, _OF_DENSITY, *others]),
    )
    performer = Performer(
        model,
        decoder,
        settings,
        model.config.composer_number(composer),
        target,
        np.random.default_rng([settings.rng, _OF_STEPS, *others]),
        grid,
        ends_at_s=settings.seconds - beginning.ahead if settings.ending else None,
    )
    return _Begun(beginning, decoder, performer, composer, grid, like)


def _whole(
    settings: GenerationSettings,
    begun: _Begun,
    new: list[Note],
    spent: tuple[float, float],
    silence: Sequence[str],
) -> Continuation:
    """Returns the piece that has been played.

    Args:
        settings: of the piece.
        begun: what it began with.
        new: what was played, from 0 where the seed ends.
        spent: seconds of wall time, for feeding the seed and for all.
        silence: why there is no new note, in a sentence, where there is none.
    """
    seed_seconds = begun.beginning.seed_seconds
    held_seed = begun.decoder.seed_as_held() if begun.beginning.seed else []
    if begun.grid:
        held_seed = _let_go_for(_shift(new, seed_seconds), held_seed)
    ahead = begun.beginning.ahead
    rescues = [replace(r, seconds=r.seconds + ahead) for r in begun.performer.rescues]
    # The last step may reach over the end.
    rescues = [rescue for rescue in rescues if rescue.seconds < settings.seconds]
    fed_seconds, wall_seconds = spent
    return Continuation(
        seed_notes=tuple(_until(held_seed, seed_seconds + settings.seconds)),
        new_notes=tuple(sort_notes(_shift(new, seed_seconds))),
        seed_seconds=seed_seconds,
        settings=settings,
        wall_seconds=wall_seconds,
        heard_seconds=fed_seconds,
        remarks=(
            *(() if begun.beginning.seed else (SILENT_SEED,)),
            *silence,
            *describe_rescues(rescues),
        ),
        rescues=tuple(rescues),
        composer=begun.composer,
        acted=begun.performer.acted,
        n_steps=begun.performer.n_steps,
        **_kept(settings, begun),
    )


def _kept(settings: GenerationSettings, begun: _Begun) -> dict[str, Any]:
    """Returns what the piece keeps of the tempo and grid of its seed."""
    grid = begun.grid
    if grid is None:
        return {"like": begun.like, "like_start_s": settings.seed_start}
    return {
        "quantise": grid.strength,
        "division": grid.division,
        "like": grid.like,
        "like_start_s": grid.origin_s - begun.beginning.seed_seconds - grid.like.start_s,
    }


def _nothing_played(
    model: Model,
    notes: Sequence[Note],
    settings: GenerationSettings,
    composer: str | None,
    highest: float,
) -> str:
    """Returns what the listener should know of a threshold by which no key sounds.

    Args:
        model: who played.
        notes: the piece, and how it was to be carried on.
        settings: see `notes`.
        composer: see `notes`.
        highest: the highest log-odds that a key had.
    """
    silence = f"by the threshold of {settings.threshold:g} no key sounds"
    chance = 1 / (1 + math.exp(-highest))
    for threshold in [t for t in _THRESHOLDS if t < chance][:_MOST_TRIED]:
        tried = replace(settings, threshold=threshold, seconds=min(settings.seconds, _TRIED_S))
        begun = _begin(model, notes, tried, composer, None)
        if begun.performer.play(tried.seconds) or begun.decoder.sounding:
            return f"{silence}; {threshold:g} plays something"
    return f"{silence}, and those below play nothing either; leave it out, and notes are drawn"


def _let_go_for(new: Iterable[Note], seed: Iterable[Note]) -> list[Note]:
    """Returns the seed's notes, each let go at the latest where its key is struck anew."""
    struck: dict[int, float] = {}
    for note in new:
        struck[note.pitch] = min(note.start, struck.get(note.pitch, math.inf))
    return [replace(n, end=min(n.end, struck.get(n.pitch, n.end))) for n in seed]


def _until(notes: Iterable[Note], end_s: float) -> list[Note]:
    """Returns the notes struck before `end_s`, let go then at the latest."""
    return [replace(n, end=min(n.end, end_s)) for n in notes if n.start < end_s]


def _shift(notes: Iterable[Note], by_s: float) -> list[Note]:
    """Returns the notes moved by `by_s` seconds, in the order they have."""
    return [replace(n, start=n.start + by_s, end=n.end + by_s) for n in notes]
