"""Blind listening: pairs of takes whose makers the server keeps to itself until the vote.

A listener gets a ticket with a pair. What a ticket stands for (which seed, which two systems, which
random number) follows from it by a secret of the server, so that no pair need be remembered: one
can be judged after a restart, and however many are asked for, they take no memory. Nothing that is
sent before the vote tells who plays: not the notes, and not when they come, for both takes are made
at the same pace.
"""

import hashlib
import hmac
import math
import random
import secrets
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from .. import __version__
from ..notes import Note, cut_notes
from ..playing.continuation import Chunk, stream_continuation
from ..playing.settings import MAX_RNG, GenerationSettings
from ..seeds import Seed, list_seeds, load_seed
from .posted import notes_as_json
from .takes import Json, known_models, loaded
from .votes import REAL

SEED_S, SECONDS = 10.0, 20.0
"""Length of the seed and of a continuation, seconds."""
SHORT_SEED_S = 6.0
"""Of the seed where the composer plays on: the presets hold 11 to 14 seconds of their works."""


@dataclass(frozen=True)
class Pair:
    """Two takes of one seed, to be told apart by ear alone.

    Attributes:
        seed: the preset.
        systems: what makes the two takes: names of models, or `REAL`.
        rng: number of the models' random draw.
        seed_seconds: length of the seed.
        seconds: length of each continuation.
    """

    seed: Seed
    systems: tuple[str, str]
    rng: int
    seed_seconds: float
    seconds: float


class PairBook:
    """Draws pairs, and knows by a ticket which pair it was given with.

    Args:
        key: the secret; who shares it knows each other's tickets.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def draw(self) -> str:
        """Returns the ticket of a new pair."""
        number = secrets.token_hex(16)
        return f"{number}.{self._seal(number)}"

    def pair(self, ticket: object) -> Pair:
        """Returns the pair of a ticket.

        Raises:
            ValueError: if the ticket was not given out by this server, or by one that had other
                models or another release.
        """
        number, _, seal = ticket.partition(".") if isinstance(ticket, str) else ("", "", "")
        if not hmac.compare_digest(seal.encode(), self._seal(number).encode()):
            raise ValueError(
                "ticket must be one that came with a pair, and this one is not, or is out of date; "
                "listen to another pair"
            )
        return _draw_pair(random.Random(self._secret("pair", number)))

    def _seal(self, number: str) -> str:
        # What a number stands for depends on the models and on the code below.
        systems = " ".join(f"{info.name} {info.revision}" for info in known_models())
        return self._secret("seal", number, __version__, systems).hex()[:32]

    def _secret(self, *told: str) -> bytes:
        return hmac.digest(self._key, "\n".join(told).encode(), hashlib.sha256)


def play_pair(ticket: str, pair: Pair) -> Generator[Json, None, None]:
    """Yields how far a pair is, and at last the pair as a listener may know it.

    Args:
        ticket: the pair's.
        pair: who plays what.

    Yields:
        `made`, 0 to 1, and `pair`: None, and in the last answer `ticket`, `seed` (the preset's
        name), `seed_seconds`, `seconds` and `takes`, for both in their order `{"seed_notes",
        "notes"}` on one clock that begins with the seed.
    """
    takes = {place: _written(pair) for place in (0, 1) if pair.systems[place] == REAL}
    playing = [place for place in (0, 1) if place not in takes]
    # A second of both at a time: which of the two is the quicker could tell who it is.
    for chunks in zip_longest(*(_stream(pair, pair.systems[place]) for place in playing)):
        heard = [(place, chunk) for place, chunk in zip(playing, chunks, strict=True) if chunk]
        for place, chunk in heard:
            if chunk.piece is not None:
                takes[place] = _told(chunk.piece.seed_notes, chunk.piece.new_notes)
        made = min(chunk.seconds for _, chunk in heard) / pair.seconds
        yield {"made": round(made, 2), "pair": None}
    yield {
        "made": 1.0,
        "pair": {
            "ticket": ticket,
            "seed": pair.seed.name,
            "seed_seconds": pair.seed_seconds,
            "seconds": pair.seconds,
            "takes": [takes[0], takes[1]],
        },
    }


def _draw_pair(dice: random.Random) -> Pair:
    first, second = dice.sample([*sorted(info.name for info in known_models()), REAL], 2)
    seed = load_seed(dice.choice(list_seeds()).name)
    rng = dice.randint(0, MAX_RNG)
    if REAL not in (first, second):
        return Pair(seed, (first, second), rng, SEED_S, SECONDS)
    rest = math.floor(seed.seconds - SHORT_SEED_S)
    return Pair(seed, (first, second), rng, SHORT_SEED_S, float(rest))


def _stream(pair: Pair, model: str) -> Iterator[Chunk]:
    settings = GenerationSettings(
        seconds=pair.seconds, seed_seconds=pair.seed_seconds, rng=pair.rng
    )
    return stream_continuation(loaded(model), pair.seed.notes, settings)


def _written(pair: Pair) -> Json:
    """Returns the take of the composer: the piece as it was written, cut where the models end."""
    begins = pair.seed_seconds
    piece = cut_notes(pair.seed.notes, 0.0, begins + pair.seconds)
    return _told(
        [note for note in piece if note.start < begins],
        [note for note in piece if note.start >= begins],
    )


def _told(seed_notes: Sequence[Note], new_notes: Sequence[Note]) -> Json:
    return {"seed_notes": notes_as_json(seed_notes), "notes": notes_as_json(new_notes)}
