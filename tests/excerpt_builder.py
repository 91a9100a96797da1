"""Excerpts to measure, and a classifier and an index small enough to make on the spot."""

import numpy as np

from pyzzicato.evaluation.excerpts import Excerpt, cut_excerpt
from pyzzicato.evaluation.measures import PieceMeasures, measure_excerpt
from pyzzicato.evaluation.originality import TrainingIndex
from pyzzicato.evaluation.style import StyleClassifier
from pyzzicato.evaluation.style_features import N_FEATURES
from pyzzicato.notes import Note

SEED_SECONDS = 5.0
SECONDS = 15.0
CHOPIN, BACH = "Frédéric Chopin", "Johann Sebastian Bach"


def playing(number: int = 0, rate: float = 6.0, name: str = "piece") -> Excerpt:
    """Returns notes at random in C major, `rate` a second, seed included; drawn by `number`."""
    random = np.random.default_rng(number)
    keys = [pitch for pitch in range(40, 90) if pitch % 12 in (0, 2, 4, 5, 7, 9, 11)]
    starts = np.cumsum(random.exponential(1 / rate, int(rate * 60)))
    notes = [
        Note(int(random.choice(keys)), float(s), float(s) + 0.3, int(random.integers(30, 100)))
        for s in starts
    ]
    return cut_excerpt(f"{name} {number}", notes, 0.0, SEED_SECONDS, SECONDS)


def silent(number: int = 0, name: str = "silence") -> Excerpt:
    """Returns an excerpt whose seed is followed by nothing."""
    seed = playing(number).seed
    return Excerpt(f"{name} {number}", seed, SEED_SECONDS, (), SECONDS)


def measured(excerpt: Excerpt, composer: str | None = None, **judges: object) -> PieceMeasures:
    """Returns the measures of an excerpt."""
    return measure_excerpt(excerpt, composer=composer, **judges)  # type: ignore[arg-type]


def small_classifier() -> StyleClassifier:
    """Returns a classifier of two composers that has learned nothing but makes up its mind."""
    weights = np.random.default_rng(0).normal(size=(N_FEATURES, 2)) / 5
    return StyleClassifier(
        (BACH, CHOPIN),
        mean=np.zeros(N_FEATURES),
        scale=np.ones(N_FEATURES),
        weights=weights,
        bias=np.zeros(2),
    )


def small_index() -> TrainingIndex:
    """Returns an index of two pieces; `playing(0)` and `playing(1)` are copies of them."""
    pieces = [(CHOPIN, f"Study {i}", playing(i).joined) for i in range(2)]
    return TrainingIndex.build(pieces)
