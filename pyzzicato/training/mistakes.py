"""Passages in which training music goes astray by mistake, as a model's own may.

A model goes astray little by little, and what it has played then speaks for where it has strayed
to. What follows such a passage in training is not astray: from that it learns to come back.
"""

from collections.abc import Callable

import numpy as np

from ..representations import Representation, Steps

_PASSAGE_STEPS = 16, 96


def take_detours(
    steps: Steps, share: float, representation: Representation, rng: np.random.Generator
) -> Steps:
    """Returns steps of which about a share lies in passages that are in another key.

    Args:
        steps: `(T, A)`.
        share: 0 to 0.5.
        representation: theirs.
        rng: of passages of 16 to 95 steps, moved by one to six semitones either way.
    """

    def moved(passage: Steps, rng: np.random.Generator) -> Steps:
        semitones = int(rng.integers(1, 7)) * int(rng.choice((-1, 1)))
        return representation.transpose(passage, semitones)

    return _stray(steps, share, moved, rng)


def take_crowds(
    steps: Steps, share: float, representation: Representation, rng: np.random.Generator
) -> Steps:
    """Returns steps of which about a share lies in passages too dense or too thin.

    How dense music has been says how dense it will be. A model that reads its own notes therefore
    grows denser and denser, or dries up.

    Args:
        steps: `(T, A)`.
        share: 0 to 0.5.
        representation: theirs.
        rng: of passages of 16 to 95 steps, and of what becomes of them.
    """
    return _stray(steps, share, representation.crowd, rng)


def take_stutters(
    steps: Steps, share: float, representation: Representation, rng: np.random.Generator
) -> Steps:
    """Returns steps of which about a share lies in passages that stick to one key.

    A key struck again and again says that it will be struck again.

    Args:
        steps: `(T, A)`.
        share: 0 to 0.5.
        representation: theirs.
        rng: of passages of 16 to 95 steps, and of the key.
    """
    return _stray(steps, share, representation.stutter, rng)


def _stray(
    steps: Steps,
    share: float,
    change: Callable[[Steps, np.random.Generator], Steps],
    rng: np.random.Generator,
) -> Steps:
    """Returns steps of which about a share lies in changed passages."""
    if not share:
        return steps
    strayed = steps.copy()
    low, high = _PASSAGE_STEPS
    for first in np.flatnonzero(rng.random(len(steps)) < 2 * share / (low + high - 1)):
        passage = slice(int(first), int(first) + int(rng.integers(low, high)))
        strayed[passage] = change(steps[passage], rng)
    return strayed
