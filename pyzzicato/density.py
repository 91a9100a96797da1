"""Note density: how many notes are struck a second, read off a model's steps.

Left to itself a model tends towards the density of the music it has learnt from, whatever its seed
has: sparse seeds grow denser, dense ones thinner. One that is told the density of its piece keeps
it. (Conditioning on note density is Performance RNN's way: Simon & Oore 2017, "Performance RNN:
Generating music with expressive timing and dynamics", magenta.tensorflow.org/performance-rnn.)
"""

import numpy as np
from numpy.typing import NDArray

from .events import ONSET_TICKS, TICK_S
from .models import PyzzicatoConfig

FEWEST_STROKES = 8
"""Fewer strokes tell nothing of the density of the piece they are from."""


def density_number(steps: NDArray[np.uint8], config: PyzzicatoConfig) -> int:
    """Returns the number a model takes for the density of a passage, 0 where that is not told.

    Args:
        steps: `(T, A)`, see `note_density`.
        config: the model's.
    """
    return config.density_number(note_density(steps, config)) if config.densities else 0


def note_density(steps: NDArray[np.uint8], config: PyzzicatoConfig) -> float | None:
    """Returns how many notes a second are struck in a passage; None if too few to tell.

    Args:
        steps: `(T, A)` as a model takes them, T at least 1; what sounds in the first frame of a
            roll, and the first note event, count as struck before it.
        config: the model's.
    """
    later = steps[1:]
    if config.representation == "roll":
        n_strokes = int(np.count_nonzero(later > steps[:-1]))
        seconds = len(later) / config.fs
    else:
        n_strokes = len(later)
        seconds = float(ONSET_TICKS[later[:, 0]].sum() * TICK_S)
    return n_strokes / seconds if n_strokes >= FEWEST_STROKES and seconds > 0 else None
