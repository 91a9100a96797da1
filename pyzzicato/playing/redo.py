"""Plays a span of a piece anew so that it leads into what follows.

Many middles are drawn after what comes before the span, and each is weighed by how likely it makes
the notes that come after it: importance weights, with the model as it plays as the proposal. The
best ones are then drawn anew over their last seconds alone, where most of the way into what follows
is decided. What is before the span is fed once.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..checks import check_number
from ..notes import Note, end_of, shift_notes, sort_notes
from ..representations import Steps
from ..representations.event_bins import encode_events
from ..representations.note_events import NoteDecoder
from .continuation import Continuation
from .decoding.density import USUAL
from .loaded_model import Model
from .performer import Performer
from .scoring import nats_after
from .settings import GenerationSettings, check_settings

SHORTEST_S, LONGEST_S = 2.0, 20.0
TRIES, MOST_TRIES = 24, 64
NOTHING_FOLLOWS = "nothing follows the span, so it was carried on as any ending of a piece"

_CONTEXT_S, _CONTEXT_NOTES = 120.0, 1000
"""Of what is before a span, so much is fed."""
_AHEAD = 15
"""Notes after the span by which a middle is weighed."""
_AROUND_S = 10.0
"""So far to both sides the density around a span is counted."""
_TAILS_S = 2.0, 1.0
"""Seconds before the right edge that are drawn again, one after the other."""
_KEPT = 4
"""Middles of which that is done."""
_RINGS_S = 0.3
"""A new note may always ring on so long past the right edge."""
_OF_MIDDLES = 3


@dataclass
class _Middle:
    """A span as it was drawn.

    Attributes:
        notes: from 0 where the span begins.
        nats: of the notes after the span.
        tails: the piece as it was when the middle had come to each of the tails.
        decoder: which has it.
    """

    notes: list[Note]
    nats: float
    tails: "list[_Tail]"
    decoder: NoteDecoder


@dataclass
class _Tail:
    """A middle up to where a tail begins."""

    performer: Performer
    ended: list[Note]


def redo_span(
    model: Model,
    notes: Sequence[Note],
    start: float,
    end: float,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    tries: int = TRIES,
) -> Continuation:
    """Returns the piece with a span played anew; before and after it the notes stay as they are.

    Args:
        model: of note events, from `load_model`.
        notes: the piece.
        start: where the span begins, seconds; a note at least is struck before.
        end: where it ends, 2 to 20 s later.
        settings: how to play: `temperature`, `composer`, `density` (1 is that of the music around)
            and `rng`; lengths are not looked at.
        seed_composer: short name of the piece's composer, if he is known.
        tries: how many middles are drawn, 1 to 64.

    Returns:
        `seed_notes` are all notes that stay, `new_notes` those of the span; `seed_seconds` is
        `start`. `facts` has `tries`, and where anything follows `nats_after`, of the next 15 notes
        at most, and `nats_after_before`, the same with what was in the span before.

    Raises:
        ValueError: if a value is out of its range, the model is one of rolls, or nothing is before
            the span.
    """
    *_, piece = stream_redo(model, notes, start, end, settings, seed_composer, tries)
    assert piece is not None
    return piece


def stream_redo(
    model: Model,
    notes: Sequence[Note],
    start: float,
    end: float,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    tries: int = TRIES,
) -> Iterator[Continuation | None]:
    """Yields None after each middle that was drawn, and the piece at last; see `redo_span`."""
    began = time.perf_counter()
    settings = settings or GenerationSettings()
    check_span(model, notes, start, end, tries)
    check_settings(model.config, settings)
    span = Span.cut(notes, start, end)
    composer = played_as(model, settings, seed_composer)
    base = _base(model, span, settings, composer)
    following = span.after[:_AHEAD]
    before = _nats_of(base.fork(np.random.default_rng()), span.inside, span, following)
    middles: list[_Middle] = []
    for n in range(tries):
        rng = np.random.default_rng([settings.rng, _OF_MIDDLES, n])
        middles.append(_draw(base.fork(rng), [], span, following, _TAILS_S))
        yield None
    if following and tries > 1:
        for place in range(len(_TAILS_S)):
            best = sorted(middles, key=lambda middle: middle.nats)[:_KEPT]
            for n in range(tries // 2):
                tail = best[n % len(best)].tails[place]
                rng = np.random.default_rng([settings.rng, _OF_MIDDLES, tries * (1 + place) + n])
                shorter = _TAILS_S[place + 1 :]
                again = _draw(tail.performer.fork(rng), tail.ended, span, following, shorter)
                again.tails = [*best[n % len(best)].tails[: place + 1], *again.tails]
                middles.append(again)
                yield None
    chosen = min(middles, key=lambda middle: middle.nats)
    facts = {"tries": float(tries)}
    if following:
        facts |= {"nats_after": chosen.nats, "nats_after_before": before}
    yield Continuation(
        seed_notes=tuple(sort_notes([*span.before_as_held(chosen.decoder), *span.after])),
        new_notes=tuple(span.fit(chosen.notes)),
        seed_seconds=start,
        settings=replace(settings, seconds=span.seconds),
        wall_seconds=time.perf_counter() - began,
        heard_seconds=0.0,
        remarks=() if following else (NOTHING_FOLLOWS,),
        composer=composer,
        facts=facts,
    )


@dataclass(frozen=True)
class Span:
    """A piece around a span.

    Attributes:
        start: where the span begins, seconds.
        end: where it ends.
        context: the last notes before it, moved by `context_start`.
        context_start: when the context begins.
        before: all notes struck before it.
        inside: those struck in it.
        after: those struck after it.
    """

    start: float
    end: float
    context: list[Note]
    context_start: float
    before: list[Note]
    inside: list[Note]
    after: list[Note]

    @classmethod
    def cut(cls, notes: Sequence[Note], start: float, end: float) -> "Span":
        """Returns a piece cut around a span."""
        piece = sort_notes(notes)
        before = [n for n in piece if n.start < start]
        heard = [n for n in before if n.start >= start - _CONTEXT_S][-_CONTEXT_NOTES:]
        first = heard[0].start if heard else 0.0
        return cls(
            start,
            end,
            shift_notes(heard, -first),
            first,
            before,
            [n for n in piece if start <= n.start < end],
            [n for n in piece if n.start >= end],
        )

    @property
    def seconds(self) -> float:
        """Returns its length."""
        return self.end - self.start

    def density(self) -> float:
        """Returns how many notes a second are struck around it."""
        near = (self.start - _AROUND_S, self.start), (self.end, self.end + _AROUND_S)
        struck = [*self.before, *self.after]
        last = max(n.start for n in struck)
        n_near = sum(low <= n.start < high for n in struck for low, high in near)
        seconds = min(_AROUND_S, self.start - self.before[0].start)
        seconds += min(_AROUND_S, max(0.0, last - self.end))
        return n_near / seconds if n_near > 1 and seconds > 1 else USUAL

    def before_as_held(self, decoder: NoteDecoder) -> list[Note]:
        """Returns the notes before it, those that ring on let go where their key is struck."""
        older = self.before[: len(self.before) - len(self.context)]
        return [*older, *shift_notes(decoder.seed_as_held(), self.context_start)]

    def fit(self, new: Sequence[Note]) -> list[Note]:
        """Returns new notes on the piece's clock, which ring past its end as what was there did."""
        rings = max([end_of([*self.before, *self.inside]), self.end + _RINGS_S])
        moved = []
        for note in shift_notes(new, self.start):
            struck = [n.start for n in self.after if n.pitch == note.pitch and n.start > note.start]
            moved.append(replace(note, end=min([note.end, rings, *struck[:1]])))
        return moved


def check_span(model: Model, notes: Sequence[Note], start: float, end: float, tries: int) -> None:
    """Raises ValueError unless a span of a piece can be played anew."""
    require_events(model)
    length = end_of(notes)
    first = min((n.start for n in notes), default=0.0)
    check_number("start", start, 0, length, "it is where the span begins, seconds")
    check_number("end", end, 0, length, "it is where the span ends, at most where the piece does")
    check_number("end - start", end - start, SHORTEST_S, LONGEST_S, "choose another span, seconds")
    if start <= first:
        raise ValueError(
            f"start must be above {first:.2f} s, where the first note is struck, got {start:g}; "
            "begin the span after it"
        )
    check_number("tries", tries, 1, MOST_TRIES, f"{TRIES} is usual")


def require_events(model: Model) -> None:
    """Raises ValueError if a model is not one of note events."""
    if model.config.representation != "events":
        raise ValueError(
            f"model must be one of note events for this, got {model.name or 'one of piano rolls'}; "
            "try lstm-events"
        )


def played_as(model: Model, settings: GenerationSettings, seed_composer: str | None) -> str | None:
    """Returns whom a model plays as: who is asked for, else the composer of the piece."""
    composer = settings.composer
    if composer is None and seed_composer in (model.config.composers or []):
        composer = seed_composer
    return composer if model.config.composer_number(composer) else None


def _base(
    model: Model, span: Span, settings: GenerationSettings, composer: str | None
) -> Performer:
    """Returns the piece when what is before the span has been fed."""
    return Performer(
        model,
        NoteDecoder(span.context, span.start - span.context_start),
        # A middle in which playing goes astray is not chosen: it needs no guard.
        replace(settings, without=(*settings.without, "guard"), guidance=1.0),
        model.config.composer_number(composer),
        settings.density * span.density(),
        np.random.default_rng(),
    )


def _draw(
    performer: Performer,
    ended: list[Note],
    span: Span,
    following: list[Note],
    tails_s: Sequence[float],
) -> _Middle:
    """Returns a middle, drawn to the end from where a performer is."""
    decoder = performer.decoder
    assert isinstance(decoder, NoteDecoder)
    tails: list[_Tail] = []
    notes = list(ended)
    while True:
        while len(tails) < len(tails_s) and decoder.seconds >= span.seconds - tails_s[len(tails)]:
            tails.append(_tail(performer, notes))
        here = performer.run.mark()
        step = performer.draw()
        if decoder.onset_s(step) >= span.seconds:
            break
        notes += performer.take(step)
    performer.run.return_to(here)
    tails += [_tail(performer, notes) for _ in tails_s[len(tails) :]]
    nats = _nats_of(performer, [], span, following)
    notes += decoder.let_go(np.inf)
    return _Middle(notes, nats, tails, decoder)


def _tail(performer: Performer, notes: list[Note]) -> _Tail:
    return _Tail(performer.fork(np.random.default_rng()), list(notes))


def _nats_of(
    performer: Performer, inside: Sequence[Note], span: Span, following: Sequence[Note]
) -> float:
    """Returns the nats of the notes after a span, after notes in it that have not been taken."""
    decoder = performer.decoder
    assert isinstance(decoder, NoteDecoder)
    notes = [
        replace(n, start=n.start - span.context_start, end=n.end - span.context_start)
        for n in (*inside, *following)
    ]
    last_s = decoder.last_onset_s + span.start - span.context_start
    steps: Steps = encode_events(notes, last_s)
    nats = nats_after(performer.model, performer.run, steps)
    return float(nats[len(inside) :].sum())
