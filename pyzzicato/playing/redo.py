"""Plays a span of a piece anew so that it leads into what follows.

Many middles are drawn after what comes before the span, and each is weighed by how likely it makes
the notes that come after it: importance weights, with the model as it plays as the proposal. The
best ones are then drawn anew over their last seconds alone, where most of the way into what follows
is decided, with a lean towards the keys of what follows. What is before the span is fed once.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..checks import check_number, check_whole
from ..notes import LOWEST_PITCH, Note, end_of
from ..representations.event_bins import SIZES
from ..representations.note_events import NoteDecoder
from .continuation import Continuation
from .decoding.draw import Numbers
from .loaded_model import Model
from .performer import Performer
from .settings import GenerationSettings, check_settings
from .span import Span, fit_together, nats_of_following, played_as, require_events

SHORTEST_S, LONGEST_S = 2.0, 20.0
TRIES, MOST_TRIES = 20, 64
NOTHING_FOLLOWS = "nothing follows the span, so it was carried on as any ending of a piece"

_AHEAD = 10
"""Notes after the span by which a middle is weighed."""
_TAILS_S = 3.0, 1.5, 0.7
"""Seconds before the right edge that are drawn again, one after the other."""
_KEPT = 6
"""Middles of which that is done."""
_LEAN = 0.5
"""How much a tail leans to the pitch classes of what follows; 1 halves the odds of absent ones."""
_OF_MIDDLES = 3


@dataclass
class _Middle:
    """A span as it was drawn.

    Attributes:
        notes: from 0 where the span begins.
        nats: of the notes after the span.
        has_gap: whether it leaves a gap at one of its edges.
        tails: the piece as it was when the middle had come to each of the tails.
    """

    notes: list[Note]
    nats: float
    has_gap: bool
    tails: "list[_Tail]"

    @property
    def rank(self) -> tuple[bool, float]:
        """Returns what is the less the better it is."""
        return self.has_gap, self.nats


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
        tries: how many middles are drawn, 1 to 64, and so many ends of the best ones, three times.

    Returns:
        `seed_notes` are all notes that stay, `new_notes` those of the span; `seed_seconds` is
        `start`. `facts` has `tries`, and where anything follows the nats of the next ten notes at
        most: `nats_after`, `nats_after_before` with what was in the span before, and
        `nats_after_plain`, the mean of all middles that were drawn.

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
    _check_span(model, notes, start, end, tries)
    check_settings(model.config, settings)
    span = Span.cut(notes, start, end)
    composer = played_as(model, settings, seed_composer)
    base = _base(model, span, settings, composer)
    following = span.after[:_AHEAD]
    before = nats_of_following(base.fork(np.random.default_rng()), span, following, span.inside)
    middles: list[_Middle] = []
    for n in range(tries):
        rng = np.random.default_rng([settings.rng, _OF_MIDDLES, n])
        _add(middles, _draw(base.fork(rng), [], span, following, _TAILS_S))
        yield None
    plain = float(np.mean([middle.nats for middle in middles]))
    if following and tries > 1:
        bias = _leaning(following)
        for place in range(len(_TAILS_S)):
            best = [m.tails for m in sorted(middles, key=lambda middle: middle.rank)[:_KEPT]]
            for n in range(tries):
                tails = best[n % len(best)]
                tail = tails[place]
                rng = np.random.default_rng([settings.rng, _OF_MIDDLES, tries * (1 + place) + n])
                shorter = _TAILS_S[place + 1 :]
                again = _draw(tail.performer.fork(rng), tail.ended, span, following, shorter, bias)
                again.tails = [*tails[: place + 1], *again.tails]
                _add(middles, again)
                yield None
    chosen = min(middles, key=lambda middle: middle.rank)
    facts = {"tries": float(tries)}
    if following:
        facts |= {
            "nats_after": chosen.nats,
            "nats_after_before": before,
            "nats_after_plain": plain,
        }
    staying, new = fit_together([*span.before, *span.after], span.fit(chosen.notes))
    yield Continuation(
        seed_notes=tuple(staying),
        new_notes=tuple(new),
        seed_seconds=start,
        settings=replace(settings, seconds=span.seconds, ending=False),
        wall_seconds=time.perf_counter() - began,
        heard_seconds=0.0,
        remarks=() if following else (NOTHING_FOLLOWS,),
        composer=composer,
        facts=facts,
    )


def _add(middles: list[_Middle], middle: _Middle) -> None:
    """Adds a middle; only the best ones keep their tails, which take memory."""
    middles.append(middle)
    for worse in sorted(middles, key=lambda one: one.rank)[_KEPT:]:
        worse.tails = []


def _check_span(model: Model, notes: Sequence[Note], start: float, end: float, tries: int) -> None:
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
    check_whole("tries", tries, 1, MOST_TRIES, f"{TRIES} is usual")


def _base(
    model: Model, span: Span, settings: GenerationSettings, composer: str | None
) -> Performer:
    """Returns the piece when what is before the span has been fed."""
    return Performer(
        model,
        NoteDecoder(span.context, span.start - span.context_start, model.config.lets_ring),
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
    bias: Numbers | None = None,
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
        step = performer.draw(bias)
        if decoder.onset_s(step) >= span.seconds:
            break
        notes += performer.take(step)
    performer.run.return_to(here)
    tails += [_tail(performer, notes) for _ in tails_s[len(tails) :]]
    nats = nats_of_following(performer, span, following)
    notes += decoder.let_go(np.inf)
    return _Middle(notes, nats, span.has_gap(notes), tails)


def _leaning(following: Sequence[Note]) -> Numbers:
    """Returns the bias that leans towards the pitch classes of notes."""
    shares = np.bincount([n.pitch % 12 for n in following], minlength=12) / len(following)
    classes = (np.arange(SIZES[1]) + LOWEST_PITCH) % 12
    bias = np.zeros(sum(SIZES), dtype=np.float32)
    bias[SIZES[0] : SIZES[0] + SIZES[1]] = _LEAN * np.log(0.5 + 6 * shares[classes])
    return bias


def _tail(performer: Performer, notes: list[Note]) -> _Tail:
    return _Tail(performer.fork(np.random.default_rng()), list(notes))
