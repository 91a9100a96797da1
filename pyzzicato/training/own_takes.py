"""Takes of a model's own beside the composers' continuations, and which of them sound more real.

Seeds are places in training pieces. Each is carried on several times; an adversary (see
`evaluation/adversary.py`) then learns to tell takes from the composers' own next notes, and says of
each take how suspicious it is. No fold of it judges a piece that it has learnt from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..evaluation.adversary import cross_validated_scores
from ..evaluation.adversary_features import SIZES, passage_features
from ..evaluation.excerpts import Excerpt, draw_places, excerpt_at
from ..evaluation.passage_folders import Passage
from ..evaluation.round_trips import form_of, put_through
from ..playing.continuation import continue_seed
from ..playing.decoding.density import density_to_come
from ..playing.loaded_model import Model
from ..playing.settings import GenerationSettings
from ..representations import Steps
from .store import NoteStore

FEWEST_NOTES = 8
"""A seed or a continuation with fewer, of the composer's, is passed over."""


@dataclass(frozen=True)
class TakesOfSeed:
    """A seed, and how it went on.

    Attributes:
        piece: composer and title.
        n_seed: steps of the seed.
        density: number the model was given for the density, see `Architecture.density_number`.
        real: steps of the seed and the composer's own notes, `(T, A)`.
        takes: steps of the seed and a take, each.
        figures: `(1 + takes, F)`, of the composer's notes and of each take.
    """

    piece: str
    n_seed: int
    density: int
    real: Steps
    takes: tuple[Steps, ...]
    figures: NDArray[np.float64]

    def write(self, path: Path) -> None:
        """Writes all of it as `.npz`."""
        arrays: dict[str, Any] = {f"take{i}": take for i, take in enumerate(self.takes)}
        part = path.with_suffix(".part.npz")
        np.savez_compressed(
            part,
            piece=np.array(self.piece),
            numbers=np.array([self.n_seed, self.density, len(self.takes)]),
            real=self.real,
            figures=self.figures,
            **arrays,
        )
        part.rename(path)

    @classmethod
    def read(cls, path: Path) -> "TakesOfSeed":
        """Returns what `write` has written.

        Raises:
            ValueError: if the file is damaged.
        """
        try:
            with np.load(path) as file:
                n_seed, density, n = (int(number) for number in file["numbers"])
                takes = tuple(file[f"take{i}"] for i in range(n))
                return cls(
                    str(file["piece"]), n_seed, density, file["real"], takes, file["figures"]
                )
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise ValueError(f"{path} is damaged ({error}); remove it, it is made anew") from error


def draw_seeds(
    store: NoteStore, n: int, seed_seconds: float, seconds: float, rng: int
) -> dict[int, tuple[str, Excerpt]]:
    """Returns seeds of training pieces drawn at random: whose, and what follows, by their numbers.

    Args:
        store: prepared data.
        n: how many places; those with next to no notes are left out.
        seed_seconds: length of a seed.
        seconds: how much of what follows.
        rng: number of the random draw.

    Raises:
        ValueError: if no training piece is long enough.
    """
    needed = seed_seconds + seconds
    pieces = [piece for piece in store.of_split("train") if piece.seconds >= needed]
    if not pieces:
        raise ValueError(f"no training piece lasts {needed:g} s; choose shorter takes")
    drawn = {}
    for i, (piece, place) in enumerate(draw_places(pieces, n, rng)):
        excerpt = excerpt_at(str(i), store.notes(piece), place, seed_seconds, seconds)
        if min(len(excerpt.seed), len(excerpt.notes)) >= FEWEST_NOTES:
            drawn[i] = f"{piece.composer}: {piece.title}", excerpt
    return drawn


def play_takes(model: Model, piece: str, excerpt: Excerpt, n: int, rng: int) -> TakesOfSeed:
    """Returns `n` takes of a seed beside what the composer wrote.

    They are played as a listener hears them, but without the guard: what goes astray is to be seen.

    Args:
        model: who plays.
        piece: whose seed it is.
        excerpt: the seed and the composer's own notes.
        n: how many.
        rng: number of the random draw.
    """
    steps = model.representation
    seed = steps.encode(excerpt.seed)
    takes, passages = [], [Passage(piece, excerpt.notes, excerpt.seconds)]
    for i in range(n):
        settings = GenerationSettings(
            seconds=excerpt.seconds,
            seed_seconds=excerpt.seed_seconds,
            rng=n * rng + i,
            without=("guard",),
        )
        take = continue_seed(model, excerpt.joined, settings)
        takes.append(steps.encode(take.notes))
        passages.append(replace(passages[0], notes=tuple(take.continuation_only)))
    # Both in one form, or the adversary learns to know the grid, or what loudness rolls are given.
    same = [put_through(passage, form_of(model.config)) for passage in passages]
    density = density_to_come(seed, steps, None, np.random.default_rng(rng))
    return TakesOfSeed(
        piece,
        len(seed),
        model.config.density_number(density),
        steps.encode(excerpt.joined),
        tuple(takes),
        np.stack([_figures(passage) for passage in same]),
    )


def suspicion(seeds: Sequence[TakesOfSeed]) -> list[NDArray[np.float64]]:
    """Returns how suspicious each take of each seed looks, as log-odds of being made."""
    names = {name: i for i, name in enumerate(sorted({its.piece for its in seeds}))}
    table = np.concatenate([its.figures for its in seeds])
    is_made = np.concatenate([np.arange(len(its.figures)) > 0 for its in seeds])
    pieces = np.concatenate([np.full(len(its.figures), names[its.piece]) for its in seeds])
    scores = cross_validated_scores(table, is_made, pieces)
    ends = np.cumsum([len(its.figures) for its in seeds])[:-1]
    return [of_seed[1:] for of_seed in np.split(scores, ends)]


def _figures(passage: Passage) -> NDArray[np.float64]:
    if len(passage.notes) < 2:
        return np.full(sum(SIZES.values()), np.nan)
    return np.concatenate(list(passage_features(passage.notes, passage.seconds).values()))
