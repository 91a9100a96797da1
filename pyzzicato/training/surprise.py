"""How much of the unlikely to leave out: own notes shall surprise a model as much as real ones do.

A model that plays by itself builds on its own mistakes: its uncertainty grows, and what it draws
then is less expected than any real music is. Drawing without the far tail makes up for that (top-a,
see `pyzzicato/models/drawing.py`): choices stay wide where the model is unsure, and what it is sure
of stays sure. How much of the tail is cut follows from a principle, and not from taste: for each
number of a step (onset, pitch, duration and velocity of a note, or the keys of a frame) the mean
nats that the model gives to what it has played itself are to equal those that it gives to what the
composers have played, over the same seconds after the same seeds (the typical set of Cover & Thomas
2006, "Elements of Information Theory", section 3.1).

Seeds come from training pieces, so that held-out ones stay fit to judge by. After each look at the
seeds each limit is moved in proportion to what is in excess; the guard and what keeps to the seed's
density and lengths are off meanwhile.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..evaluation.excerpts import Excerpt
from ..hub import load_model
from ..playing.continuation import Continuation, continue_seed
from ..playing.decoding.values import DecodingValues
from ..playing.loaded_model import Model
from ..playing.scoring import nats_by_number
from ..playing.settings import GenerationSettings

_LOWEST, _HIGHEST = 1e-5, 1.0
# E-folds of a limit for each nat in excess, as a share of the nats of real music.
_STEP = 6.0
_LARGEST_STEP = 1.5
_FIRST = 0.03
_UNCUT = ("onset",)
"""Numbers whose tail is left: without their rarest steps playing has no pauses and grows denser. Of
`lstm-events` 12.8 notes a second became 12.0, where the composers have 10.4 (40 held-out seeds)."""


@dataclass(frozen=True)
class Surprise:
    """Nats of what followed a seed, by the name of a number, and how many steps it took."""

    nats: NDArray[np.float64]
    n_steps: int


@cache
def loaded(checkpoint: Path) -> Model:
    """Returns a model, loaded once a process."""
    return load_model(str(checkpoint))


def real_surprise(excerpt: Excerpt, checkpoint: Path, composer: str | None = None) -> Surprise:
    """Returns what the composer's own next notes cost the model, given the composer."""
    model = loaded(checkpoint)
    nats = nats_by_number(model, excerpt.joined, composer)
    first = len(model.representation.encode(excerpt.seed)) - 1
    return Surprise(nats[first:].sum(0), len(nats) - first)


def carry_on(
    job: tuple[int, Excerpt],
    checkpoint: Path,
    top_a: Mapping[str, float],
    composer: str | None,
    without: tuple[str, ...],
) -> Continuation:
    """Returns what a model plays after a seed, as the composer, by these limits.

    Args:
        job: number of the random draw, and the seed.
        checkpoint: folder of the model.
        top_a: limits by the name of a number.
        composer: short name; None for nobody in particular.
        without: parts of decoding that are switched off.
    """
    rng, excerpt = job
    model = replace(loaded(checkpoint), decoding=DecodingValues(top_a=top_a))
    settings = GenerationSettings(
        seconds=excerpt.seconds,
        seed_seconds=excerpt.seed_seconds,
        rng=rng,
        composer=composer,
        without=without,
    )
    return continue_seed(model, excerpt.joined, settings)


def own_surprise(
    job: tuple[int, Excerpt],
    checkpoint: Path,
    top_a: Mapping[str, float],
    composer: str | None = None,
) -> Surprise:
    """Returns what the model's own next notes cost it, played as the composer."""
    model = loaded(checkpoint)
    piece = carry_on(job, checkpoint, top_a, composer, ("guard", "density", "lengths"))
    nats = nats_by_number(model, piece.notes, composer)
    first = len(model.representation.encode(piece.seed_notes)) - 1
    return Surprise(nats[first:].sum(0), max(1, len(nats) - first))


def mean_nats(surprises: Sequence[Surprise]) -> NDArray[np.float64]:
    """Returns mean nats a step by number, over all steps of all seeds."""
    total: NDArray[np.float64] = np.sum([s.nats for s in surprises], axis=0)
    return total / sum(s.n_steps for s in surprises)


def next_limit(limit: float, own: float, real: float) -> float:
    """Returns the limit of a number after a look: higher where its own notes surprise it more."""
    step = float(np.clip(_STEP * (own / real - 1), -_LARGEST_STEP, _LARGEST_STEP))
    return float(np.clip(limit * math.exp(step), _LOWEST, _HIGHEST))


def find_limits(
    checkpoint: Path,
    excerpts: Sequence[Excerpt],
    *,
    looks: int,
    processes: int = 1,
    composer: str | None = None,
    first: Mapping[str, float] | None = None,
    report: Callable[[str], object] = print,
) -> dict[str, float]:
    """Returns top-a by number, as the last half of the looks had it on average.

    Args:
        checkpoint: folder of the model.
        excerpts: seeds and what follows them.
        looks: how often the seeds are carried on, 1 or more.
        processes: that play at once; with 1 this one does.
        composer: short name of whose music it is; None for nobody's.
        first: limits to begin with, where they are known.
        report: is handed a line about each look.
    """
    loaded.cache_clear()  # The folder may hold another model than when it was last looked at.
    model = loaded(checkpoint)
    names = list(model.representation.numbers)
    limits = {
        name: 0.0 if name in _UNCUT else max((first or {}).get(name, _FIRST), _LOWEST)
        for name in names
    }
    tried: list[dict[str, float]] = []
    pool = ProcessPoolExecutor(processes) if processes > 1 else None
    every = map if pool is None else pool.map
    try:
        costs = partial(real_surprise, checkpoint=checkpoint, composer=composer)
        real = mean_nats([*every(costs, excerpts)])
        report("real music: " + ", ".join(f"{n} {x:.3f}" for n, x in zip(names, real, strict=True)))
        for look in range(looks):
            run = partial(own_surprise, checkpoint=checkpoint, top_a=limits, composer=composer)
            own = mean_nats([*every(run, enumerate(excerpts))])
            tried.append(limits)
            found = (f"{n} {x:.3f} with {limits[n]:.5f}" for n, x in zip(names, own, strict=True))
            report(f"look {look + 1} of {looks}: " + ", ".join(found))
            limits = {
                name: 0.0 if name in _UNCUT else next_limit(limits[name], o, r)
                for name, o, r in zip(names, own, real, strict=True)
            }
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
    kept = tried[len(tried) // 2 :]
    return {
        name: float(f"{math.exp(np.mean([math.log(t[name]) for t in kept])):.2g}")
        for name in names
        if name not in _UNCUT
    }
