"""What given notes cost a model, in nats, by its graph: how likely it thinks them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..notes import Note
from ..representations import Representation, Steps
from ..representations.interface import SURE
from .decoding.draw import Draw
from .graph import GraphRun
from .loaded_model import Model


def nats_by_number(
    model: Model, notes: Sequence[Note], composer: str | None = None
) -> NDArray[np.float64]:
    """Returns the nats of each step after the first, by number, `(T - 1, K)`.

    The model is drawn from as it is, without any part of decoding, and given no density.

    Args:
        model: who judges.
        notes: the piece, from 0.
        composer: short name of whose music it is to be taken for; None for nobody's.

    Raises:
        ValueError: if the model does not know the composer.
    """
    number = model.config.composer_number(composer)
    return nats_of(model, model.representation.encode(notes), number)


def nats_of(model: Model, steps: Steps, composer: int = 0) -> NDArray[np.float64]:
    """Returns the nats of each of the steps `(T, A)` but the first, by number, `(T - 1, K)`.

    Args:
        model: who judges.
        steps: in its representation.
        composer: number of whose music it is to be taken for, 0 for nobody's.
    """
    run = model.start({"composer": [composer]})
    run.feed(steps[:1])
    return nats_after(model, run, steps[1:])


def nats_after(model: Model, run: GraphRun, steps: Steps) -> NDArray[np.float64]:
    """Returns the nats of steps `(T, A)` that follow what a network has taken, `(T, K)`.

    The network takes them too.

    Args:
        model: who judges.
        run: its piece so far, a step at least, in one view.
        steps: in its representation.
    """
    representation, graph = model.representation, model.graph
    draw = Draw.neutral(*(graph.size(name) for name in ("uniform", "temperature", "bias")))
    nats = np.empty((len(steps), len(representation.numbers)))
    for i, step in enumerate(steps):
        draw.bias = decisive_bias(step, representation)
        _, logits = run.draw(draw)
        nats[i] = step_nats(logits[0].astype(np.float64), step, representation)
    return nats


def decisive_bias(step: Steps, representation: Representation) -> NDArray[np.float32]:
    """Returns the bias with which a step `(A,)` is drawn for certain."""
    sizes = list(representation.numbers.values())
    if len(sizes) == 1:
        return np.where(step > 0, SURE, -SURE).astype(np.float32)
    bias = np.full(sum(sizes), -SURE, dtype=np.float32)
    bias[np.cumsum([0, *sizes[:-1]]) + step] = SURE
    return bias


def step_nats(
    logits: NDArray[np.float64], step: Steps, representation: Representation
) -> NDArray[np.float64]:
    """Returns the nats of a step by number, `(K,)`, for its logits `(L,)`."""
    sizes = list(representation.numbers.values())
    if len(sizes) == 1:
        # A key sounds with the chance of its log-odds.
        return np.array([np.logaddexp(0, np.where(step > 0, -logits, logits)).sum()])
    parts = np.split(logits, np.cumsum(sizes)[:-1])
    return np.array([np.logaddexp.reduce(x) - x[n] for x, n in zip(parts, step, strict=True)])
