"""What the rest of the package needs of a representation."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..notes import Note
from .passages import Change, NoteSource, PieceOfNotes
from .touch import SeedTouch

Steps = NDArray[np.uint8]
Numbers = NDArray[np.float32]

SURE = 1e9
"""A bias that decides: what has it is drawn, what has its negative is not."""


class Lengths(NamedTuple):
    """What steps say of how long their notes are.

    Where keys are held from step to step, notes are seen to go on before it is known how long they
    are. `e_folds / n_known` is the mean logarithm of the length all the same: the estimate of most
    likelihood from what has ended and what has not, for lengths that are Pareto distributed (Cohen
    & Whitten 1988, "Parameter Estimation in Reliability and Life Span Models", on censored data).

    Attributes:
        e_folds: by how much they have become longer than the shortest note there is, all together.
        n_known: how many lengths became known.
    """

    e_folds: float
    n_known: int


class Hold(NamedTuple):
    """How playing is held to a density.

    Attributes:
        push: log-odds that make playing sparser, for each e-fold of notes too many.
        free: so far from the target, as a ratio either way, playing is left alone.
        counted_s: strokes count for less the longer ago they are, 1/e after this time.
        most: log-odds that it pushes at the most, either way.
    """

    push: float
    free: float
    counted_s: float
    most: float = 100.0


class Representation(Protocol):
    """How notes become the steps of a network."""

    @property
    def unit(self) -> str:
        """Returns what a step is, in words."""
        ...

    @property
    def steps_are_notes(self) -> bool:
        """Returns whether a step is one note: what the bench and playing along need."""
        ...

    @property
    def numbers(self) -> Mapping[str, int]:
        """Returns what is drawn in a step, and how many choices each has.

        That is the four numbers of a note, or the keys of a frame, all together.
        """
        ...

    @property
    def temperature_powers(self) -> Sequence[float]:
        """Returns for each of `numbers` the power of the temperature that it is drawn at."""
        ...

    @property
    def density_hold(self) -> Hold:
        """Returns how playing is held to its density where the seed shows that well."""
        ...

    @property
    def density_hold_asked(self) -> Hold:
        """Returns how it is held where more or fewer notes than usual are asked for."""
        ...

    @property
    def density_hold_unknown(self) -> Hold:
        """Returns how it is held where the seed is too short for that, lest a few notes set it."""
        ...

    @property
    def length_push(self) -> float:
        """Returns the log-odds that make notes longer, for each e-fold that they are too short."""
        ...

    def encode(
        self, notes: Sequence[Note], seconds: float | None = None, start_s: float = 0.0
    ) -> Steps:
        """Returns the `(T, A)` steps of notes.

        Args:
            notes: any, struck at or after `start_s`.
            seconds: length of the passage; None for as long as the notes last.
            start_s: where it begins.
        """
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

    def lengths(self, steps: Steps) -> Lengths:
        """Returns what steps `(T, A)` say of the lengths of their notes."""
        ...

    def avoid(self, key: int, decoder: "StepDecoder") -> Numbers:
        """Returns the bias with which a key, 0 to 87, is not struck."""
        ...

    def room(self, piece: PieceOfNotes, n_steps: int) -> int:
        """Returns how many places a crop of a piece can begin at, 1 or more."""
        ...

    def crop(
        self, store: NoteSource, piece: PieceOfNotes, place: int, n_steps: int, change: Change
    ) -> Steps:
        """Returns at most `n_steps` steps of a piece, `(T, A)`, from place number `place`."""
        ...

    def seconds_left(
        self, store: NoteSource, piece: PieceOfNotes, place: int, steps: Steps, change: Change
    ) -> NDArray[np.float64]:
        """Returns `(T,)` seconds of the piece that are left after each step of a crop."""
        ...

    def add_noise(self, steps: Steps, share: float, rng: np.random.Generator) -> Steps:
        """Returns steps of which a share is wrong, as a model's own may be."""
        ...

    def transpose(self, steps: Steps, semitones: int) -> Steps:
        """Returns steps moved along the keys by -6 to 6 semitones."""
        ...

    def crowd(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns as many steps of a passage that is denser than it was, or thinner."""
        ...

    def stutter(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns as many steps of a passage in which one key is struck again and again."""
        ...

    def open(self, steps: Steps, rng: np.random.Generator) -> Steps:
        """Returns steps that begin as a new piece may, with little at first."""
        ...

    def intended(self, steps: Steps, strayed: Steps) -> Steps:
        """Returns what should follow each of the steps of a piece that has strayed.

        Args:
            steps: `(T + 1, A)`, as written.
            strayed: the same with mistaken passages (`mistakes.py`), as they were played.

        Returns:
            `(T, A)`.
        """
        ...


class StepDecoder(Protocol):
    """Turns the steps that follow a seed into notes as they come.

    New notes are on the continuation's own clock: 0 is where the seed ends.

    Attributes:
        seed_steps: the seed, `(T, A)`.
        struck: keys struck by the last step, lowest first, 0 to 87.
        lengths: what the last step says of the lengths of notes, the seed's last ones too.
    """

    seed_steps: Steps
    struck: list[int]
    lengths: Lengths

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

    def on_grid(self, step: Steps, onset: Callable[[float], float]) -> Steps:
        """Returns the next `(A,)` step as it is to be played, with its strokes on a grid.

        Args:
            step: as drawn.
            onset: moves an onset, in seconds after the seed's end, to the grid.
        """
        ...

    def let_go(self, at_s: float) -> list[Note]:
        """Lets all keys go at `at_s` seconds; returns the new notes that end with that.

        The next step may follow: it then strikes all keys that it has sounding.
        """
        ...

    def seed_as_held(self) -> list[Note]:
        """Returns the seed, its last notes lengthened where the network went on holding them."""
        ...
