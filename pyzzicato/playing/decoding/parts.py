"""The parts of decoding: what steers a draw, each on its own, each with an off switch.

A part changes how the next step is drawn, and listens to what was played. All are asked in a row
before each step, as the logit filters of whisper are. The table `PART_NAMES` says which there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...representations import StepDecoder
from ...representations.interface import Lengths
from .draw import Draw


@dataclass(frozen=True)
class Played:
    """What a step has led to.

    Attributes:
        seconds: length of the continuation so far.
        struck: keys struck by the step, lowest first, 0 to 87.
        n_sounding: keys that sound after it.
        lengths: what the step says of the lengths of notes.
    """

    seconds: float
    struck: Sequence[int]
    n_sounding: int
    lengths: Lengths = Lengths(0.0, 0)


class Part:
    """One part of decoding; by default it changes nothing and does not listen.

    Attributes:
        name: by which it is switched off and reported.
        n_acted: how many steps it has changed the draw of, so far.
    """

    name = ""
    n_acted = 0

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Changes how the next step is drawn."""

    def listen(self, played: Played) -> None:
        """Takes note of a step."""

    def begin_anew(self) -> None:
        """Forgets what was played: the piece is brought back to its seed."""


@dataclass
class Temperature(Part):
    """The temperature that is asked for.

    Attributes:
        temperature: above 0.
        powers: of it, for each number of a step, see `Representation.temperature_powers`.
    """

    temperature: float
    powers: Sequence[float]
    name = "temperature"

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Multiplies the temperatures."""
        draw.temperature *= np.float32(self.temperature) ** np.asarray(self.powers, np.float32)
        self.n_acted += bool(self.temperature != 1)


@dataclass
class TopA(Part):
    """What is far less likely than the likeliest is not drawn, see `models.drawing.Controls`.

    Attributes:
        shares: `(K,)`, 0 to 1.
    """

    shares: np.ndarray
    name = "top_a"

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Sets the limits."""
        limits = limits_at(draw.temperature, self.shares)
        draw.top_a = np.maximum(draw.top_a, limits.astype(np.float32))
        self.n_acted += bool(self.shares.any())


def limits_at(temperatures: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Returns how much is left out at temperatures, of `shares` at 1; `(K,)` all three.

    A temperature below 1 makes the unlikely rare by itself. Cut as much on top of that, a silent
    roll has no key left to strike: at 0.5 the guard brought it back twice a minute.
    """
    limits: np.ndarray = shares ** (1 / np.minimum(temperatures, 1))
    return limits


@dataclass
class Threshold(Part):
    """The article's way on a roll: nothing is drawn, a key sounds where its probability passes.

    Attributes:
        threshold: 0 to 1.
    """

    threshold: float
    name = "threshold"

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Puts the threshold in the place of all random numbers."""
        draw.uniform = np.full_like(draw.uniform, self.threshold)
        self.n_acted += 1


@dataclass
class Parts:
    """All parts of a piece's decoding, in the order in which they are asked."""

    parts: list[Part] = field(default_factory=list)

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Lets each part change how the next step is drawn."""
        for part in self.parts:
            part.steer(draw, decoder)

    def listen(self, played: Played) -> None:
        """Lets each part take note of a step."""
        for part in self.parts:
            part.listen(played)

    def begin_anew(self) -> None:
        """Lets each part forget what was played."""
        for part in self.parts:
            part.begin_anew()

    @property
    def acted(self) -> dict[str, int]:
        """Returns how many steps each part has changed the draw of, by its name."""
        return {part.name: part.n_acted for part in self.parts}
