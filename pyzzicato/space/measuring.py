"""Measures of a take, as numbers for programs and in words for people."""

import functools
from typing import Any

from ..evaluation.excerpts import Excerpt
from ..evaluation.measures import PieceMeasures, measure_excerpt
from ..evaluation.originality import TrainingIndex
from ..evaluation.style import StyleClassifier
from ..evaluation.training_index import BUNDLED_INDEX
from ..playing.continuation import Continuation

_FAMILIES = ("stability", "tonality", "features", "originality")


def measure_take(piece: Continuation) -> dict[str, Any]:
    """Returns the measures of a take's new notes beside its seed, as plain JSON values.

    See `measures_of` for what they are.
    """
    excerpt = Excerpt(
        name="take",
        seed=piece.seed_notes,
        seed_seconds=piece.seed_seconds,
        notes=tuple(piece.continuation_only),
        seconds=piece.settings.seconds,
    )
    return measures_of(excerpt)


def measures_of(excerpt: Excerpt) -> dict[str, Any]:
    """Returns the measures of an excerpt as plain JSON values.

    Returns:
        `stability`, `tonality`, `features` and `originality`, each `{measure: number, text or
        None}` as `pyzzicato.evaluation` describes them; `style`, the probability of each composer;
        and `in_words`, a sentence each for `density`, `originality` and `style`.
    """
    measures = measure_excerpt(excerpt, classifier=_classifier(), index=_index())
    values = measures.as_dict()
    numbers = {family: _without_lists(values[family]) for family in _FAMILIES}
    return {
        **numbers,
        "style": values["style"]["probabilities"],
        "in_words": _in_words(measures),
    }


def load_measuring() -> None:
    """Loads what measuring needs, some seconds the first time, so that no visitor waits for it."""
    _classifier()
    _index()


def training_labels() -> tuple[tuple[str, str], ...]:
    """Returns composer and title of each training piece."""
    return _index().labels


@functools.cache
def _classifier() -> StyleClassifier:
    return StyleClassifier.load()


@functools.cache
def _index() -> TrainingIndex:
    return TrainingIndex.load(BUNDLED_INDEX)


def _without_lists(family: dict[str, Any]) -> dict[str, Any]:
    """Returns the single numbers of a family; histograms are for the comparison of sets."""
    return {name: value for name, value in family.items() if not isinstance(value, list)}


def _in_words(measures: PieceMeasures) -> dict[str, str]:
    style, originality = measures.style, measures.originality
    sounds_like = "too few notes to say whom it sounds like"
    if style is not None and style.composer is not None and style.probability is not None:
        sounds_like = f"sounds like {style.composer} ({style.probability:.0%})"
    return {
        "density": f"{measures.stability.notes_a_second:.1f} notes a second",
        "originality": "" if originality is None else originality.sentence(),
        "style": sounds_like,
    }
