"""All measures of one piece of music, whoever made it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from .distribution import Features, measure_features
from .excerpts import Excerpt
from .originality import Originality, TrainingIndex, measure_originality
from .recurrence import Recurrence, measure_recurrence
from .stability import Stability, measure_stability
from .style import Style, StyleClassifier, measure_style
from .tonality import Tonality, measure_tonality

REAL = "real"
"""Name of the real music among sets of pieces."""

_NUMBERS = (int, float, int | None, float | None)
# Where something is says nothing about how music is.
_PLACES = ("nearest_at_s", "longest_at_s")
_FAMILIES = ("stability", "recurrence", "tonality", "features", "originality")


@dataclass(frozen=True, slots=True)
class PieceMeasures:
    """One piece, measured by every family.

    Attributes:
        name: of the piece or file.
        stability: how steadily it goes on.
        recurrence: whether it comes back to its own figures, and how its chords sound.
        tonality: whether it keeps to a key.
        features: for the comparison of sets.
        style: which composer it sounds like; None without a classifier.
        originality: what it shares with the training music; None without an index.
        composer: whom it should sound like; None if nobody in particular.
        rescues: how often its player was brought back to the seed; None where nobody watched.
        acted: share of the steps whose draw each part of decoding changed, by the part's name.
    """

    name: str
    stability: Stability
    recurrence: Recurrence
    tonality: Tonality
    features: Features
    style: Style | None = None
    originality: Originality | None = None
    composer: str | None = None
    rescues: int | None = None
    acted: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Returns plain JSON values; `from_dict` takes them back."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "PieceMeasures":
        """Returns the measures that `as_dict` gave."""
        features: dict[str, Any] = {
            name: np.asarray(value) if isinstance(value, list) else value
            for name, value in record["features"].items()
        }
        style, originality = record["style"], record["originality"]
        return cls(
            name=record["name"],
            stability=Stability(**record["stability"]),
            recurrence=Recurrence(**record["recurrence"]),
            tonality=Tonality(**record["tonality"]),
            features=Features(**features),
            style=None if style is None else Style(**style),
            originality=None if originality is None else Originality(**originality),
            composer=record["composer"],
            rescues=record["rescues"],
            acted=record["acted"],
        )


def measure_excerpt(
    excerpt: Excerpt,
    *,
    classifier: StyleClassifier | None = None,
    index: TrainingIndex | None = None,
    composer: str | None = None,
) -> PieceMeasures:
    """Returns all measures of an excerpt's notes; its seed serves for comparison alone.

    Args:
        excerpt: the notes and their seed.
        classifier: of composers; without it style is not measured.
        index: of the training music; without it originality is not measured.
        composer: whom the notes should sound like.
    """
    notes, seconds = excerpt.notes, excerpt.seconds
    return PieceMeasures(
        name=excerpt.name,
        stability=measure_stability(notes, seconds),
        recurrence=measure_recurrence(notes),
        tonality=measure_tonality(notes, seconds, excerpt.seed or None),
        features=measure_features(notes),
        style=None if classifier is None else measure_style(notes, classifier),
        originality=None if index is None else measure_originality(notes, index),
        composer=composer,
        rescues=excerpt.rescues,
        acted=excerpt.acted,
    )


def scalar_columns(pieces: Sequence[PieceMeasures]) -> dict[str, list[float | None]]:
    """Returns each single-number measure over the pieces, `{name: [one value a piece]}`.

    Verdicts (true or false) make rates and not spreads, histograms are no single numbers, and
    places in a piece are no measures: these are left out. A piece without a family has None for its
    measures; a family that no piece has is left out.
    """
    found: dict[str, list[float | None]] = {}
    for family in _FAMILIES:
        parts = [getattr(piece, family) for piece in pieces]
        kind = next((type(part) for part in parts if part is not None), None)
        for its in () if kind is None else fields(kind):
            # By its declared type: a histogram that is None in all pieces is still none.
            if its.type in _NUMBERS and its.name not in _PLACES:
                found[its.name] = [getattr(part, its.name, None) for part in parts]
    return found


def _plain(value: Any) -> Any:
    """Returns a value as JSON can hold it: arrays as lists, numpy numbers as Python's."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value
