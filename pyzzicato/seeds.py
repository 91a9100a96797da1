"""Preset seeds: typed-in openings of public-domain works, ready to be carried on.

Each preset is a text file in `seed_scores/`, in the form that `pyzzicato.scores` describes; its
name is the file's name without `.txt`. To add one, type the notes of an opening of 30 to 40 seconds
into a new file there: `list_seeds` finds it. A model is given its first ten seconds unless asked
otherwise; the rest is how the composer goes on. `train/check_seeds.py` compares the presets with
encoded scores of the same works.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from .checks import show_value
from .midi import Performance, Timing
from .midi.texts import composers_in
from .notes import Note, end_of, shift_notes
from .scores import parse_score

# Names are no longer; to compare a longer one takes seconds.
_LONGEST_NAME = 100
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
        timing: tempo, metre and key as typed in, from the beginning of the first bar.
        begins_s: when in that time the first note is struck.
    """

    name: str
    title: str
    composer: str
    key: str
    year: int
    source: str
    notes: tuple[Note, ...]
    timing: Timing = Timing()
    begins_s: float = 0.0

    @property
    def performance(self) -> Performance:
        """Returns the seed as a file of it would be read, with its tempo, metre and key."""
        notes = tuple(shift_notes(self.notes, self.begins_s))
        names = composers_in(self.composer)
        return Performance(
            notes=notes,
            timing=self.timing,
            title=self.title,
            title_data=self.title.encode(),
            composer=names.pop() if len(names) == 1 else None,
        )

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
    return tuple(sorted(map(_read_seed, seed_names()), key=lambda seed: (seed.year, seed.name)))


@cache
def seed_names() -> tuple[str, ...]:
    """Returns the names of the preset seeds in the order of the alphabet; none is read for it."""
    found = (file.name for file in files("pyzzicato").joinpath(FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".txt") for name in found if name.endswith(".txt")))


def load_seed(name: str) -> Seed:
    """Returns the preset seed called `name`.

    Raises:
        ValueError: if there is none; the message lists the valid names and the closest one.
    """
    if not isinstance(name, str) or name not in seed_names():
        known = [seed.name for seed in list_seeds()]
        close = get_close_matches(str(name)[:_LONGEST_NAME], known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"seed must be one of {', '.join(known)}, got {show_value(name)}{hint}")
    return _read_seed(name)


@cache
def _read_seed(name: str) -> Seed:
    file = files("pyzzicato").joinpath(FOLDER, f"{name}.txt")
    score = parse_score(file.read_text(encoding="utf-8"), file.name)
    return Seed(
        name=name,
        title=score.title,
        composer=score.composer,
        key=score.key,
        year=score.year,
        source=score.source,
        notes=score.notes,
        timing=score.timing,
        begins_s=score.begins_s,
    )
