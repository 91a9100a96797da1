"""Entropy in closed loop: does a model grow unsure when it plays by itself?

On real music a model pays, on average, as many nats for each number of a step as it was unsure of
it. When it plays by itself its mistakes lead it to where it knows less: its entropy grows above
what it pays on held-out music, and the music drifts into noise. Drawn too tamely, it falls below.
Each number of a step (onset step, pitch, duration, velocity; or a roll's frame) has its own.

Source: M. Braverman et al., "Calibration, entropy rates, and memory in language models", ICML 2020.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats

N_PARTS = 3


@dataclass(frozen=True, slots=True)
class NumberEntropy:
    """One number of a step. All in nats; None where there is no step.

    Attributes:
        closed_loop: mean entropy of what the number was drawn from while the model played by
            itself, after whatever shaped the draw.
        thirds: the same in the first, second and last third of the steps of each passage.
        held_out: mean nats paid for the number on held-out music.
        growth: `closed_loop` minus `held_out`; 0 if the model plays as surely as it foresees.
    """

    closed_loop: float | None
    thirds: tuple[float | None, ...]
    held_out: float | None
    growth: float | None


def compare_entropies(
    played: Mapping[str, Sequence[ArrayLike]], held_out: Mapping[str, Sequence[ArrayLike]]
) -> dict[str, NumberEntropy]:
    """Returns each number's entropy in closed loop beside its held-out nats.

    Every step counts alike, whatever passage it is in.

    Args:
        played: by the number's name, an array `(T,)` a passage: the entropy of the number at each
            step the model played, in nats. A third of a passage of fewer than three steps may be
            empty.
        held_out: by the same names, an array `(T,)` a piece: nats paid at each step.

    Raises:
        ValueError: if the names differ, or an entropy or cost is not a finite number at or above 0.
    """
    if played.keys() != held_out.keys():
        raise ValueError(
            f"played and held_out must name the same numbers, got {sorted(played)} and "
            f"{sorted(held_out)}"
        )
    found = {}
    for name, passages in played.items():
        parts = [np.array_split(_steps(name, passage), N_PARTS) for passage in passages]
        thirds = tuple(_mean([part[i] for part in parts]) for i in range(N_PARTS))
        closed = _mean([step for part in parts for step in part])
        paid = _mean([_steps(name, piece) for piece in held_out[name]])
        growth = closed - paid if closed is not None and paid is not None else None
        found[name] = NumberEntropy(closed, thirds, paid, growth)
    return found


def _steps(name: str, values: ArrayLike) -> Floats:
    steps = np.asarray(values, dtype=np.float64).ravel()
    if not (np.isfinite(steps) & (steps >= -1e-6)).all():
        raise ValueError(f"{name} must have finite nats at or above 0 at each step; check the sums")
    return steps


def _mean(parts: Sequence[Floats]) -> float | None:
    steps = np.concatenate(parts) if parts else np.zeros(0)
    return float(steps.mean()) if len(steps) else None
