"""Keeps a part of a piece and plays the rest around it.

The kept notes enter as steps when their time comes. Between them the model plays as it likes, but
what it would strike after the next kept note is not played: that note comes first. Several pieces
are played side by side (particles); each kept note weighs them by how likely they made it, and
those that made it unlikely give way to copies of the others (sequential Monte Carlo: Gordon et al.
1993, "Novel approach to nonlinear/non-Gaussian Bayesian state estimation").
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..checks import check_number, check_whole
from ..notes import LOWEST_PITCH, Note, end_of, shift_notes, sort_notes
from ..representations.event_bins import SIZES
from ..representations.interface import SURE
from ..representations.note_events import NoteDecoder
from .continuation import Continuation
from .decoding.density import USUAL
from .decoding.draw import Draw, Numbers
from .decoding.pace import Pace
from .decoding.parts import Played
from .loaded_model import Model
from .performer import Performer
from .scoring import decisive_bias, step_nats
from .settings import GenerationSettings, check_settings
from .span import Span, fit_together, nats_of_following, played_as, require_events

SHORTEST_S, LONGEST_S = 2.0, 120.0
TRIES, MOST_TRIES = 6, 16
_AHEAD = 10
_OF_PARTICLES = 4
_SOON_S = 0.05
"""A key that a note that stays strikes so soon is left alone."""
_COMING_S, _CLASH = 1.0, 0.5
"""Log-odds against a key a semitone beside each note that stays and comes within these seconds."""
_MOST_A_SECOND = 50
"""More new notes are not played between two that stay."""


@dataclass
class _Particle:
    """One of the pieces that are played side by side.

    Attributes:
        performer: who plays it, the new part's clock being 0 where the span begins.
        log_weight: how likely it made the kept notes.
        new: the new notes that have ended.
    """

    performer: Performer
    log_weight: float = 0.0
    new: list[Note] = field(default_factory=list)

    @property
    def decoder(self) -> NoteDecoder:
        """Returns its clock."""
        assert isinstance(self.performer.decoder, NoteDecoder)
        return self.performer.decoder

    def fork(self, rng: np.random.Generator) -> "_Particle":
        """Returns a copy that goes its own way."""
        return _Particle(self.performer.fork(rng), 0.0, list(self.new))


def keep_part(
    model: Model,
    notes: Sequence[Note],
    kept: Sequence[Note],
    start: float = 0.0,
    end: float | None = None,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    tries: int = TRIES,
) -> Continuation:
    """Returns the piece with all but a part of it played anew.

    Args:
        model: of note events, from `load_model`.
        notes: the piece.
        kept: which of its notes stay, see `pyzzicato.playing.voices`; before `start` and from
            `end` on all do.
        start: from where on the rest is played anew, seconds.
        end: to where, 2 to 120 s later; None for as long as the piece is.
        settings: how to play: `temperature`, `composer`, `density` (1 is that of the part that is
            taken away) and `rng`; lengths are not looked at.
        seed_composer: short name of the piece's composer, if he is known.
        tries: how many pieces are played side by side, 1 to 16.

    Returns:
        `seed_notes` are all notes that stay, `new_notes` those played around them; `seed_seconds`
        is `start`. `facts` has `tries`, and how many notes are `kept` and `new`.

    Raises:
        ValueError: if a value is out of its range, the model is one of rolls, or nothing is kept
            in the time to be played anew.
    """
    *_, piece = stream_keep(model, notes, kept, start, end, settings, seed_composer, tries)
    assert piece is not None
    return piece


def stream_keep(
    model: Model,
    notes: Sequence[Note],
    kept: Sequence[Note],
    start: float = 0.0,
    end: float | None = None,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    tries: int = TRIES,
) -> Iterator[Continuation | None]:
    """Yields None now and then while it plays, and the piece at last; see `keep_part`."""
    began = time.perf_counter()
    settings = settings or GenerationSettings()
    require_events(model)
    check_settings(model.config, settings)
    length = end_of(notes)
    end = length if end is None else end
    check_number("start", start, 0, length, "it is where the new part begins, seconds")
    check_number("end", end, 0, length, "leave it out for the whole piece")
    check_number("end - start", end - start, SHORTEST_S, LONGEST_S, "choose another span, seconds")
    check_whole("tries", tries, 1, MOST_TRIES, f"{TRIES} is usual")
    staying = [n for n in sort_notes(set(kept) & set(notes)) if start <= n.start < end]
    if not staying:
        raise ValueError(
            f"kept must have notes of the piece from {start:g} to {end:g} s, got none; choose some"
        )
    span = Span.cut(notes, start, end)
    composer = played_as(model, settings, seed_composer)
    rest = _Rest(model, span, staying, settings, composer)
    yield from rest.play(tries)
    new = rest.best()
    fixed, new = fit_together([*span.before, *staying, *span.after], new)
    yield Continuation(
        seed_notes=tuple(fixed),
        new_notes=tuple(new),
        seed_seconds=start,
        settings=replace(settings, seconds=span.seconds, ending=False),
        wall_seconds=time.perf_counter() - began,
        heard_seconds=0.0,
        composer=composer,
        facts={"tries": float(tries), "kept": float(len(staying)), "new": float(len(new))},
    )


class _Rest:
    """What is played around the notes that stay.

    Args:
        model: who plays.
        span: the piece around it.
        staying: the notes that stay in the span, at least one.
        settings: how to play.
        composer: whom to play as.
    """

    def __init__(
        self,
        model: Model,
        span: Span,
        staying: Sequence[Note],
        settings: GenerationSettings,
        composer: str | None,
    ) -> None:
        self._model, self._span, self._rng_number = model, span, settings.rng
        self._staying = list(staying)
        self._waiting = self._staying
        n_gone = len(span.inside) - len(staying)
        kept_density = len(staying) / span.seconds
        # Around a part that was alone so much is played that the whole is as dense as music is.
        alone = max(USUAL / 2, USUAL - kept_density)
        target = settings.density * (n_gone / span.seconds if n_gone else alone)
        self._origin = span.start
        if span.context:
            decoder = NoteDecoder(
                span.context, span.start - span.context_start, model.config.lets_ring
            )
        else:
            first, *self._waiting = self._staying
            self._origin = first.start
            decoder = NoteDecoder(shift_notes([first], -first.start), 0.0)
        self._base = Performer(
            model,
            decoder,
            replace(settings, without=(*settings.without, "guard"), guidance=1.0),
            model.config.composer_number(composer),
            target + kept_density,
            np.random.default_rng(),
        )
        stay = set(staying)
        gone = [n.start - self._origin for n in span.inside if n not in stay]
        pace = Pace(target, gone, settings.density, model.representation)
        parts = self._base.parts
        parts.parts = [pace if part.name == pace.name else part for part in parts.parts]
        self._particles: list[_Particle] = []

    def play(self, tries: int) -> Iterator[None]:
        """Plays the rest in so many ways at once; yields after each note that stays."""
        rng = np.random.default_rng([self._rng_number, _OF_PARTICLES])
        self._particles = [_Particle(self._base.fork(child)) for child in rng.spawn(tries)]
        for note in self._waiting:
            for particle in self._particles:
                self._play_up_to(particle, note.start, note.pitch)
                particle.log_weight += self._enter(particle, note)
            self._particles = _resample(self._particles, rng)
            yield None
        for particle in self._particles:
            self._play_up_to(particle, self._span.end, 0)
            following = self._span.after[:_AHEAD]
            particle.log_weight -= nats_of_following(
                particle.performer, self._span, following, origin=self._origin
            )
            yield None

    def best(self) -> list[Note]:
        """Returns the new notes of the piece that made the notes that stay likeliest."""
        best = max(self._particles, key=lambda particle: particle.log_weight)
        return shift_notes([*best.new, *best.decoder.let_go(np.inf)], self._origin)

    def _play_up_to(self, particle: _Particle, at_s: float, pitch: int) -> None:
        """Plays all that comes before a note that is struck at a time."""
        performer, decoder = particle.performer, particle.decoder
        until = round(at_s - self._origin, 2)
        for part in performer.parts.parts:
            if isinstance(part, Pace):
                part.until_s = until
        bias = self._bias(self._origin + decoder.seconds, at_s)
        most = _MOST_A_SECOND * (1 + until - decoder.seconds)
        n = 0
        while True:
            here = performer.run.mark()
            step = performer.draw(bias)
            onset = decoder.onset_s(step)
            n += 1
            if onset > until or (onset == until and step[1] + LOWEST_PITCH >= pitch) or n > most:
                break
            particle.new += performer.take(step)
        performer.run.return_to(here)

    def _bias(self, from_s: float, to_s: float) -> Numbers:
        """Returns the bias against keys that the kept part holds, or strikes soon.

        Keys a semitone beside what comes within a second are a little less likely: the network has
        not seen it yet.
        """
        bias = np.zeros(sum(SIZES), dtype=np.float32)
        keys = bias[SIZES[0] : SIZES[0] + SIZES[1]]
        for note in self._staying:
            key = note.pitch - LOWEST_PITCH
            if note.end > from_s and note.start <= to_s + _SOON_S:
                keys[key] = -SURE
            if from_s < note.start <= from_s + _COMING_S:
                beside = (np.arange(len(keys)) - key) % 12
                keys[(beside == 1) | (beside == 11)] -= _CLASH
        return bias

    def _enter(self, particle: _Particle, note: Note) -> float:
        """Takes a note that stays; returns the logarithm of its chance, when no other came first.

        The length and loudness of a note say little of what else fits.
        """
        decoder, run = particle.decoder, particle.performer.run
        representation, graph = self._model.representation, self._model.graph
        (step,) = representation.encode([note], start_s=self._origin + decoder.last_onset_s)
        draw = Draw.neutral(*(graph.size(name) for name in ("uniform", "temperature", "bias")))
        draw.bias = decisive_bias(step, representation)
        _, logits = run.draw(draw)
        row = logits[0].astype(np.float64)
        onset_nats, pitch_nats, *_ = step_nats(row, step, representation)
        onsets = row[: SIZES[0]]
        not_before = np.logaddexp.reduce(onsets[step[0] :]) - np.logaddexp.reduce(onsets)
        decoder.pass_to(note.start - self._origin)
        played = Played(decoder.seconds, (), decoder.n_sounding)
        particle.performer.parts.listen(played)
        return float(-onset_nats - pitch_nats - not_before)


def _resample(particles: list[_Particle], rng: np.random.Generator) -> list[_Particle]:
    """Returns as many pieces, the unlikely ones replaced by copies, where few carry the weight."""
    logs = np.array([particle.log_weight for particle in particles])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    n = len(particles)
    if 1 / (weights**2).sum() > n / 2:
        return particles
    places = (rng.random() + np.arange(n)) / n
    chosen = np.minimum(np.searchsorted(np.cumsum(weights), places), n - 1)
    drawn: list[_Particle] = []
    for i, child in zip(chosen, rng.spawn(n), strict=True):
        drawn.append(particles[i].fork(child))
    return drawn
