"""How a seed is carried on: the one source of defaults for command line, page and API."""

import math
from dataclasses import dataclass

from ..checks import check_number, check_whole, show_value
from ..models.architecture import Architecture
from ..representations import representation_of
from .decoding import PART_NAMES

MAX_SECONDS = 600.0
MIN_ENDING_S = 5.0
"""A continuation that is brought to a close is as long at least."""
MAX_SEED_SECONDS = 120.0
MAX_RNG = 2**32 - 1


@dataclass(frozen=True)
class GenerationSettings:
    """How a seed is carried on.

    Attributes:
        seconds: length of the continuation, 1 to 600.
        seed_start: where in the piece the seed begins, seconds, at or above 0.
        seed_seconds: length of the seed, 1 to 120; a shorter piece is taken whole.
        temperature: 1 plays as the model is meant to, lower is tamer, higher more daring. 0.1 to 4.
        threshold: the article's way instead of drawing: a key sounds where its probability passes
            the threshold, 0.001 to 0.999. None to draw.
        rng: number of the random draw, 0 to 2**32 - 1; the same number gives the same notes.
        composer: short name of the composer to play as ("chopin"), "any" for nobody in particular,
            None for the seed's own composer where he is known, else nobody. Which ones there are is
            the model's choice.
        guidance: how strongly, 0 to 4: 1 plays as the model has learnt of the composer, more
            exaggerates what sets him apart.
        density: how many notes are meant, 0.5 to 2 times as many as such a seed is usually carried
            on with. Playing keeps near that, and not to it.
        quantise: how far new notes are moved to the grid of the seed's tempo and metre, 0 (they
            stay) to 1 (they lie on it). None for 1 where the seed lies on a grid, else 0.
        ending: whether the piece is brought to a close within `seconds`, which are 5 at least; see
            `pyzzicato.playing.ending`.
        without: names of the parts of decoding that are switched off, see
            `pyzzicato.playing.decoding`.

    Raises:
        ValueError: if a value is out of its range, naming value, range and fix.
    """

    seconds: float = 30.0
    seed_start: float = 0.0
    seed_seconds: float = 10.0
    temperature: float = 1.0
    threshold: float | None = None
    rng: int = 0
    composer: str | None = None
    guidance: float = 1.0
    density: float = 1.0
    quantise: float | None = None
    ending: bool = False
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_number("seconds", self.seconds, 1, MAX_SECONDS, "for more, carry the result on")
        check_number("seed_start", self.seed_start, 0, math.inf, "0 is the beginning of the piece")
        check_number("seed_seconds", self.seed_seconds, 1, MAX_SEED_SECONDS, "10 is usual")
        check_number("temperature", self.temperature, 0.1, 4, "1 plays as the model is meant to")
        if self.threshold is not None:
            check_number("threshold", self.threshold, 0.001, 0.999, "try 0.3")
            self._excludes_threshold("temperature", self.temperature)
            self._excludes_threshold("density", self.density)
            if self.ending:
                raise ValueError(
                    "threshold and ending exclude each other; leave one of them out: without a "
                    "draw there is one ending"
                )
        check_number("density", self.density, 0.5, 2, "2 asks for twice as many notes")
        if self.quantise is not None:
            check_number("quantise", self.quantise, 0, 1, "1 is on the grid")
        if self.ending:
            check_number("seconds", self.seconds, MIN_ENDING_S, MAX_SECONDS, "a close takes time")
        check_number("guidance", self.guidance, 0, 4, "1.5 is a little more than plain")
        if self.composer is not None and not isinstance(self.composer, str):
            raise ValueError(
                f"composer must be a name, got {show_value(self.composer)}; try 'chopin'"
            )
        check_whole("rng", self.rng, 0, MAX_RNG, "try 0")
        # A list, as JSON has it, is taken too; a string would be taken letter by letter.
        names = (self.without,) if isinstance(self.without, str) else self.without
        if not isinstance(names, list | tuple) or any(name not in PART_NAMES for name in names):
            raise ValueError(
                f"without must be of {', '.join(PART_NAMES)}; got {show_value(self.without)}"
            )
        object.__setattr__(self, "without", tuple(names))

    def _excludes_threshold(self, name: str, value: float) -> None:
        if value != 1.0:
            raise ValueError(
                f"threshold and {name} exclude each other, got {self.threshold} and {value}; "
                "leave one of them out"
            )


def has_threshold(architecture: Architecture) -> bool:
    """Returns whether a model can play by a threshold: one that decides on each key can."""
    return "keys" in representation_of(architecture).numbers


def check_settings(architecture: Architecture, settings: GenerationSettings) -> None:
    """Raises ValueError if a model of this architecture cannot do what the settings ask for."""
    if settings.threshold is not None and not has_threshold(architecture):
        raise ValueError(
            f"threshold must be left out for a model of note events, got {settings.threshold}; it "
            "is the way of models on a roll"
        )
    architecture.composer_number(settings.composer)
