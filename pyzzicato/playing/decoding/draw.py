"""How one step is drawn: the numbers that a graph takes beside the piece itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]


@dataclass
class Draw:
    """How the next step is drawn. The parts of decoding change it one after the other.

    Attributes:
        uniform: `(N,)` random numbers from 0 to below 1, one for each thing drawn: the four numbers
            of a note, or the 88 keys of a frame.
        temperature: `(K,)`, above 0, one for each number of a note, or one for a frame.
        top_a: `(K,)`, 0 to 1: what is less likely than this share of the square of the likeliest's
            probability is not drawn.
        bias: `(L,)`, added to the logits: of the four numbers one after the other, or of the keys.
    """

    uniform: Numbers
    temperature: Numbers
    top_a: Numbers
    bias: Numbers

    @classmethod
    def neutral(cls, n_uniform: int, n_numbers: int, n_logits: int) -> "Draw":
        """Returns what draws from a network as it is, with all random numbers 0.5."""
        return cls(
            np.full(n_uniform, 0.5, dtype=np.float32),
            np.ones(n_numbers, dtype=np.float32),
            np.zeros(n_numbers, dtype=np.float32),
            np.zeros(n_logits, dtype=np.float32),
        )
