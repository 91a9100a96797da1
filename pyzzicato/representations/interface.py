"""What the rest of the package needs of a representation."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..notes import Note
from .touch import SeedTouch

Steps = NDArray[np.uint8]
Numbers = NDArray[np.float32]

SURE = 1e9
"""A bias that decides: what has it is drawn, what has its negative is not."""


class Representation(Protocol):
    """How notes become the steps of a network."""

    @property
    def unit(self) -> str:
        """Returns what a step is, in words."""
        ...

    @property
    def numbers(self) -> Mapping[str, int]:
        """Returns what is drawn in a step, and how many choices each has.

        That is the four numbers of a note, or the keys of a frame, all together.
        """
        ...

    @property
    def density_push(self) -> float:
        """Returns the log-odds that make playing sparser, for each e-fold of notes too many."""
        ...

    def encode(self, notes: Sequence[Note], seconds: float | None = None) -> Steps:
        """Returns the `(T, A)` steps of notes that begin at 0; of a passage so long, if given."""
        ...

    def decode(self, steps: Steps) -> list[Note]:
        """Returns the notes of `(T, A)` steps."""
        ...

    def decoder(self, seed: Sequence[Note], seed_seconds: float, touch: SeedTouch) -> "StepDecoder":
        """Returns what turns the steps that follow a seed into notes.

        Args:
            seed: its notes, from 0; at least one.
            seed_seconds: its length, a whole number of frames.
            touch: gives velocities where the steps have none.
        """
        ...

    def whole_seconds(self, seconds: float) -> float:
        """Returns a length of a seed that is a whole number of steps, where steps have a length."""
        ...

    def count_strokes(self, steps: Steps) -> int:
        """Returns how many notes are struck after the first of the steps `(T, A)`, T at least 1."""
        ...

    def seconds_after_first(self, steps: Steps) -> float:
        """Returns the time from the first to the last of the steps `(T, A)`, T at least 1."""
        ...

    def sparser(self, log_odds: float, decoder: "StepDecoder") -> Numbers:
        """Returns the bias that makes playing sparser, below 0 denser."""
        ...

    def longer(self, log_odds: float, decoder: "StepDecoder") -> Numbers:
        """Returns the bias that makes notes longer, below 0 shorter."""
        ...

    def avoid(self, key: int, decoder: "StepDecoder") -> Numbers:
        """Returns the bias with which a key, 0 to 87, is not struck."""
        ...


class StepDecoder(Protocol):
    """Turns the steps that follow a seed into notes as they come.

    New notes are on the continuation's own clock: 0 is where the seed ends.

    Attributes:
        seed_steps: the seed, `(T, A)`.
        struck: keys struck by the last step, lowest first, 0 to 87.
    """

    seed_steps: Steps
    struck: list[int]

    @property
    def n_sounding(self) -> int:
        """Returns how many keys sound, the seed's last ones too."""
        ...

    @property
    def seconds(self) -> float:
        """Returns the length of the continuation so far."""
        ...

    @property
    def impossible(self) -> Numbers | None:
        """Returns the bias that keeps the next step from what cannot follow; None if all can."""
        ...

    @property
    def sounding(self) -> list[Note]:
        """Returns the new notes that are held, with their ends as far as they are known."""
        ...

    def end_of_seed(self, n_steps: int, let_go: int | None = None) -> Steps:
        """Returns at most so many last steps of the seed, `(T, A)`, to be fed again.

        A key to let go does not sound at their end.
        """
        ...

    def play(self, step: Steps) -> list[Note]:
        """Takes the next `(A,)` step; returns the new notes that ended with it."""
        ...

    def let_go(self, at_s: float) -> list[Note]:
        """Lets all keys go at `at_s` seconds; returns the new notes that end with that.

        The next step may follow: it then strikes all keys that it has sounding.
        """
        ...

    def seed_as_held(self) -> list[Note]:
        """Returns the seed, its last notes lengthened where the network went on holding them."""
        ...
