"""What a model thinks comes next at a moment of a piece: the odds of the keys and of the time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..checks import check_number
from ..notes import LOWEST_PITCH, Note, end_of
from ..representations.event_bins import ONSET_TICKS, SIZES, TICK_S, onset_bin_after
from ..representations.interface import SURE
from .decoding.draw import Draw
from .decoding.parts import limits_at
from .graph import GraphRun
from .loaded_model import Model
from .settings import GenerationSettings, check_settings
from .span import Span, played_as, require_events

_ENOUGH = 0.99
"""Times that are less likely, together, than what is left of 1 are not asked for their keys."""


@dataclass(frozen=True)
class Came:
    """The piece's own next note.

    Attributes:
        pitch: MIDI number.
        start: when it is struck, seconds.
        chance: that its key is struck next, whenever.
    """

    pitch: int
    start: float
    chance: float


@dataclass(frozen=True)
class Odds:
    """What a model thinks comes next.

    Attributes:
        at: the moment, seconds.
        last: when the last note before it was struck.
        keys: `(88,)` chances that a key is struck next, whenever that is; their sum is 1.
        onsets: seconds from the moment to the next note, rising, and their chances.
        came: the piece's own next note; None at its end.
    """

    at: float
    last: float
    keys: NDArray[np.float64]
    onsets: tuple[tuple[float, float], ...]
    came: Came | None

    def likeliest(self, n: int) -> list[tuple[int, float]]:
        """Returns MIDI number and chance of the `n` likeliest keys, the likeliest first."""
        order = np.argsort(-self.keys, kind="stable")[:n]
        return [(LOWEST_PITCH + int(key), float(self.keys[key])) for key in order]


def next_odds(
    model: Model,
    notes: Sequence[Note],
    at: float,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
) -> Odds:
    """Returns the odds of what is struck next, as a continuation would draw it.

    It is known that nothing was struck between the last note and the moment. The chances of the
    keys are those for each time the next note may be struck at, weighed by the chance of that time.

    Args:
        model: of note events, from `load_model`.
        notes: the piece.
        at: the moment, seconds; a note at least is struck before.
        settings: `temperature`, `composer` and `without` count, of the last "top_a"; other parts
            of decoding depend on what was played.
        seed_composer: short name of the piece's composer, if he is known.

    Raises:
        ValueError: if a value is out of its range or the model is one of rolls.
    """
    settings = settings or GenerationSettings()
    require_events(model)
    check_settings(model.config, settings)
    check_number("at", at, 0, end_of(notes), "it is a moment of the piece, seconds")
    span = Span.cut(notes, at, at)
    if not span.context:
        raise ValueError(f"at must be after the first note, got {at:g}; choose a later moment")
    number = model.config.composer_number(played_as(model, settings, seed_composer))
    run = model.start({"composer": [number]})
    steps = model.representation.encode(span.context)
    run.feed(steps)
    last = span.context_start + TICK_S * float(ONSET_TICKS[steps[1:, 0]].sum())
    rest_s = max(0.0, at - last)
    onsets, keys = _chances(model, run, settings, onset_bin_after(rest_s))
    waits = TICK_S * ONSET_TICKS - rest_s
    came = None
    if span.after:
        note = span.after[0]
        came = Came(note.pitch, note.start, float(keys[note.pitch - LOWEST_PITCH]))
    likely = tuple(
        (max(0.0, round(float(wait), 3)), float(chance))
        for wait, chance in zip(waits, onsets, strict=True)
        if chance > 0
    )
    return Odds(at, last, keys, likely, came)


def _chances(
    model: Model, run: GraphRun, settings: GenerationSettings, first: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the chances of the times and of the keys.

    Args:
        model: who is asked.
        run: its piece so far.
        settings: how it would play.
        first: the earliest time that can be, as a bin.
    """
    representation, values, graph = model.representation, model.decoding, model.graph
    heats = settings.temperature ** np.asarray(representation.temperature_powers)
    shares = values.row_of_top_a(representation) * ("top_a" not in settings.without)
    limits = limits_at(heats, shares)
    draw = Draw.neutral(*(graph.size(name) for name in ("uniform", "temperature", "bias")))
    here = run.mark()
    _, logits = run.draw(draw)
    logits_of_times = logits[0, : SIZES[0]].astype(np.float64)
    logits_of_times[:first] = -np.inf
    onsets = _softmax(logits_of_times, heats[0], limits[0])
    keys = np.zeros(SIZES[1])
    order = np.argsort(-onsets)
    n_asked = 1 + int(np.searchsorted(np.cumsum(onsets[order]), _ENOUGH))
    for onset in order[:n_asked]:
        run.return_to(here)
        draw.bias = np.zeros_like(draw.bias)
        draw.bias[: SIZES[0]] = -SURE
        draw.bias[onset] = SURE
        _, logits = run.draw(draw)
        row = logits[0, SIZES[0] : SIZES[0] + SIZES[1]].astype(np.float64)
        keys += onsets[onset] * _softmax(row, heats[1], limits[1])
    return onsets, keys / keys.sum()


def _softmax(logits: NDArray[np.float64], temperature: float, top_a: float) -> NDArray[np.float64]:
    """Returns the chances as `models.drawing.choose` draws them."""
    away = logits - logits.max()
    chances = np.exp(away / temperature)
    chances[np.exp(away) < top_a / np.exp(away).sum()] = 0.0
    total: NDArray[np.float64] = chances / chances.sum()
    return total
