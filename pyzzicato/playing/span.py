"""A span of a piece that is played anew, and what is around it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..notes import Note, end_of, shift_notes, sort_notes
from ..representations.note_events import NoteDecoder
from .decoding.density import USUAL
from .loaded_model import Model
from .performer import Performer
from .scoring import nats_after
from .settings import GenerationSettings

_CONTEXT_S, _CONTEXT_NOTES = 60.0, 400
"""Of what is before a span, so much is fed."""
_AROUND_S = 10.0
"""So far to both sides the density around a span is counted."""
_GAP_S = 0.5
"""A shorter wait is no gap."""
_RINGS_S = 0.3
"""A new note may always ring on so long past the right edge."""


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
        near = [n for n in before if n.start >= start - _CONTEXT_S]
        context = (near or before[-1:])[-_CONTEXT_NOTES:]
        first = context[0].start if context else 0.0
        return cls(
            start,
            end,
            shift_notes(context, -first),
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

    def has_gap(self, new: Sequence[Note]) -> bool:
        """Returns whether new notes, from 0 where it begins, leave a gap at one of its edges.

        That is a longer wait than any in the seconds to both sides, and than half a second.
        """
        left = [n.start for n in self.before if n.start >= self.start - _AROUND_S]
        right = [n.start for n in self.after if n.start < self.end + _AROUND_S]
        waits = [b - a for side in (left, right) for a, b in pairwise(side)]
        inside = sorted(self.start + n.start for n in new)
        edges = [*pairwise([*left[-1:], *inside[:1]]), *pairwise([*inside[-1:], *right[:1]])]
        most = max([_GAP_S, *waits])
        return not inside or any(b - a > most for a, b in edges)

    def fit(self, new: Sequence[Note]) -> list[Note]:
        """Returns new notes on the piece's clock, let go after its end as the old ones were."""
        rings = max(end_of([*self.before, *self.inside]), self.end + _RINGS_S)
        return [replace(n, end=min(n.end, rings)) for n in shift_notes(new, self.start)]


def fit_together(staying: Sequence[Note], new: Sequence[Note]) -> tuple[list[Note], list[Note]]:
    """Returns notes that stay and new ones, each let go where one of the others strikes its key."""

    def let_go(notes: Sequence[Note], others: Sequence[Note]) -> list[Note]:
        strikes: dict[int, list[float]] = {}
        for other in others:
            strikes.setdefault(other.pitch, []).append(other.start)
        return [
            replace(n, end=min([n.end, *(t for t in strikes.get(n.pitch, ()) if t > n.start)]))
            for n in sort_notes(notes)
        ]

    return let_go(staying, new), let_go(new, staying)


def require_events(model: Model) -> None:
    """Raises ValueError if a model is not one of note events."""
    if not model.representation.steps_are_notes:
        raise ValueError(
            "model must be one of note events, such as attention-events, got "
            f"{model.name or 'one of piano rolls'}; this cannot be done with piano rolls"
        )


def played_as(model: Model, settings: GenerationSettings, seed_composer: str | None) -> str | None:
    """Returns whom a model plays as: who is asked for, else the piece's own composer."""
    composer = settings.composer
    if composer is None and seed_composer in (model.config.composers or []):
        composer = seed_composer
    return composer if model.config.composer_number(composer) else None


def nats_of_following(
    performer: Performer,
    span: Span,
    following: Sequence[Note],
    inside: Sequence[Note] = (),
    origin: float | None = None,
) -> float:
    """Returns the nats of notes after a span, as they are likely after what was played in it.

    Args:
        performer: who has played it; its network takes the notes.
        span: which it was.
        following: the notes.
        inside: notes of the span that have not been played yet.
        origin: the 0 of the performer's clock, seconds of the piece; None where the span begins.
    """
    decoder = performer.decoder
    assert isinstance(decoder, NoteDecoder)
    begins = span.start if origin is None else origin
    steps = performer.model.representation.encode(
        [*inside, *following], start_s=begins + decoder.last_onset_s
    )
    nats = nats_after(performer.model, performer.run, steps)
    return float(nats[len(inside) :].sum())
