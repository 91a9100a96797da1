"""Note density: how many notes are struck a second, and how many should be.

Left to itself a model tends towards the density of the music it has learnt from, whatever its seed
has: sparse seeds grow denser, dense ones thinner. One that is told the density of its piece keeps
it better, and the pacemaker sees to the rest (`pacemaker.py`). (Conditioning on note density is
Performance RNN's way: Simon & Oore 2017, "Performance RNN: Generating music with expressive timing
and dynamics", magenta.tensorflow.org/performance-rnn.)
"""

import math

import numpy as np
from numpy.typing import NDArray

from .events import ONSET_TICKS, TICK_S
from .models import PyzzicatoConfig

FEWEST_STROKES = 4
"""Fewer strokes tell nothing of the density of the piece they are from."""
USUAL, KEPT = 9.4, 0.67
"""Notes a second that music tends to, and how far ten seconds tell of what follows: the expected
logarithm of the density of the next 25 s is that of USUAL plus KEPT times how far the ten seconds'
is from it. Least squares over 4,205 places in the 1,409 training pieces of 150 s and more (MAESTRO,
SUPRA and Piano-midi.de); correlation 0.74."""
VARIETY = 0.43
"""Standard deviation of the logarithm of the density of two minutes, over the same places."""
USUAL_OF = {
    "bach": 7.0,
    "beethoven": 8.8,
    "brahms": 8.3,
    "chopin": 9.1,
    "debussy": 7.6,
    "haydn": 7.5,
    "liszt": 10.8,
    "mendelssohn": 9.6,
    "mozart": 7.7,
    "rachmaninoff": 8.5,
    "scarlatti": 8.7,
    "schubert": 8.4,
    "schumann": 8.7,
    "scriabin": 8.1,
}
"""Notes a second of a composer: geometric mean over minutes, two minutes apart, of the same data's
training pieces."""

# Numbers the stream of random draws, beside those that use the same `rng` for other ends.
_DRAWS = 2


def density_number(steps: NDArray[np.uint8], config: PyzzicatoConfig) -> int:
    """Returns the number a model takes for the density of a passage, 0 where that is not told.

    Args:
        steps: `(T, A)`, see `note_density`.
        config: the model's.
    """
    return config.density_number(note_density(steps, config))


def density_to_come(
    seed: NDArray[np.uint8], config: PyzzicatoConfig, composer: str | None, rng: int
) -> float:
    """Returns how many notes a second should be struck in what follows a seed.

    Music goes on more like other music than its last ten seconds were: very dense or sparse seeds
    are carried on a little less so. Where the seed does not tell, the density is drawn as it varies
    over the composer's pieces.

    Args:
        seed: its steps `(T, A)`, see `note_density`.
        config: the model's.
        composer: short name of whom the model is asked to play as; None if it is not.
        rng: number of the random draw.
    """
    density = note_density(seed, config)
    if density is not None:
        return USUAL * math.exp(KEPT * math.log(density / USUAL))
    drawn = float(np.exp(np.random.default_rng([rng, _DRAWS]).normal(scale=VARIETY)))
    return USUAL_OF.get(composer or "", USUAL) * drawn


def note_density(steps: NDArray[np.uint8], config: PyzzicatoConfig) -> float | None:
    """Returns how many notes a second are struck in a passage; None if too few to tell.

    Args:
        steps: `(T, A)` as a model takes them, T at least 1; what sounds in the first frame of a
            roll, and the first note event, count as struck before it.
        config: the model's.
    """
    later = steps[1:]
    n_strokes = count_strokes(steps, config)
    if config.representation == "roll":
        seconds = len(later) / config.fs
    else:
        seconds = float(ONSET_TICKS[later[:, 0]].sum() * TICK_S)
    return n_strokes / seconds if n_strokes >= FEWEST_STROKES and seconds > 0 else None


def count_strokes(steps: NDArray[np.uint8], config: PyzzicatoConfig) -> int:
    """Returns how many notes are struck after the first of the steps `(T, A)`, T at least 1."""
    if config.representation == "roll":
        return int(np.count_nonzero(steps[1:] > steps[:-1]))
    return len(steps) - 1
