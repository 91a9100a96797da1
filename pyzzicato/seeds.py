"""Preset seeds: typed-in openings of public-domain works, ready to be carried on.

Each preset is a text file in `seed_scores/`, in the form that `pyzzicato.scores` describes; its
name is the file's name without `.txt`. To add one, type the notes of an opening of 10 to 14 seconds
into a new file there: `list_seeds` finds it. `train/check_seeds.py` compares the presets with
encoded scores of the same works.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from .notes import Note, end_of
from .scores import parse_score

FOLDER = "seed_scores"
"""The package's folder of scores."""


@dataclass(frozen=True)
class Seed:
    """A preset seed.

    Attributes:
        name: what `load_seed` takes, like `bach-prelude-c-major`.
        title: of the work.
        composer: full name as MAESTRO's catalogue spells it.
        key: like `C major`.
        year: of composition or first print.
        source: where the work was printed and what the typed notes were checked against.
        notes: in seconds, sorted, pedal included; the first starts at 0.
    """

    name: str
    title: str
    composer: str
    key: str
    year: int
    source: str
    notes: tuple[Note, ...]

    @property
    def seconds(self) -> float:
        """Returns the latest offset in seconds."""
        return end_of(self.notes)


@cache
def list_seeds() -> tuple[Seed, ...]:
    """Returns all preset seeds from the oldest work to the youngest.

    Raises:
        ValueError: if a score cannot be read; the message names its file, line and token.
    """
    seeds = []
    for file in files("pyzzicato").joinpath(FOLDER).iterdir():
        if file.name.endswith(".txt"):
            score = parse_score(file.read_text(encoding="utf-8"), file.name)
            seeds.append(
                Seed(
                    name=file.name.removesuffix(".txt"),
                    title=score.title,
                    composer=score.composer,
                    key=score.key,
                    year=score.year,
                    source=score.source,
                    notes=score.notes,
                )
            )
    return tuple(sorted(seeds, key=lambda seed: (seed.year, seed.name)))


def load_seed(name: str) -> Seed:
    """Returns the preset seed called `name`.

    Raises:
        ValueError: if there is none; the message lists the valid names and the closest one.
    """
    seeds = {seed.name: seed for seed in list_seeds()}
    if name not in seeds:
        close = get_close_matches(name, seeds, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"name must be one of {', '.join(seeds)}, got {name!r}{hint}")
    return seeds[name]
