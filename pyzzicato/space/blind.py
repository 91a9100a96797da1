"""Blind listening: pairs of takes whose makers the server keeps to itself until the vote.

A listener gets a ticket with a pair. What a ticket stands for (which seed, which two systems, which
random number) follows from it by a secret of the server, so that no pair need be remembered: one
can be judged after a restart, and however many are asked for, they take no memory. Nothing that is
sent before the vote tells who plays: both takes have the same seed, cut in the same way, the same
length and loudnesses of one range, whoever is in the pair, and both are made at the same pace.

A vote needs receipts: the server's own word of when each take began to be played.
"""

import hashlib
import hmac
import math
import random
import secrets
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from .. import __version__
from ..notes import Note, cut_notes
from ..playing.continuation import Chunk, stream_continuation
from ..playing.settings import MAX_RNG, GenerationSettings
from ..seeds import Seed, list_seeds, load_seed
from .page_models import known_models, loaded
from .posted import notes_as_json
from .take_requests import Json
from .votes import REAL

SEED_S, SECONDS = 10.0, 20.0
"""Length of the seed and of a continuation; every preset holds so much."""
LISTEN_S = 5.0
"""So long each of two takes must have been played before a vote."""


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

    def receipt(self, ticket: object, side: int, at: float) -> str:
        """Returns the server's word that a take of a pair began to be played.

        Args:
            ticket: the pair's.
            side: 0 or 1, which of the two.
            at: seconds since 1970.

        Raises:
            ValueError: if there is no such pair; see `pair`.
        """
        self.pair(ticket)
        stamp = f"{at:.3f}"
        return f"{stamp} {self._secret('heard', str(ticket), str(side), stamp).hex()[:32]}"

    def check_heard(self, ticket: object, receipts: object, now: float) -> None:
        """Does nothing where both takes of a pair have been played for `LISTEN_S`.

        Args:
            ticket: the pair's.
            receipts: two, of the first and of the second take, as `receipt` gave them.
            now: seconds since 1970.

        Raises:
            ValueError: if they have not, by the server's own word.
        """
        given = receipts if isinstance(receipts, list | tuple) else ()
        began = [self._read_receipt(ticket, side, receipt) for side, receipt in enumerate(given)]
        times = sorted(time for time in began if time is not None)
        if len(times) != 2 or len(began) != 2:
            raise ValueError("both takes must be played before a vote; play the other one, too")
        wait = max(times[0] + 2 * LISTEN_S, times[1] + LISTEN_S) - now
        if wait > 0:
            raise ValueError(
                f"each take must be played for at least {LISTEN_S:g} s before a vote; listen for "
                f"{math.ceil(wait)} s more"
            )

    def _read_receipt(self, ticket: object, side: int, receipt: object) -> float | None:
        time, _, seal = receipt.partition(" ") if isinstance(receipt, str) else ("", "", "")
        own = self._secret("heard", str(ticket), str(side), time).hex()[:32]
        return float(time) if hmac.compare_digest(seal.encode(), own.encode()) else None

    def _seal(self, number: str) -> str:
        # What a number stands for depends on the models and on the code below.
        systems = " ".join(f"{info.name} {info.revision}" for info in known_models())
        return self._secret("seal", number, __version__, systems).hex()[:32]

    def _secret(self, *parts: str) -> bytes:
        return hmac.digest(self._key, "\n".join(parts).encode(), hashlib.sha256)


def play_pair(ticket: str, pair: Pair) -> Generator[Json, None, None]:
    """Yields how far a pair is, and at last the pair as a listener may know it.

    Args:
        ticket: the pair's.
        pair: who plays what.

    Yields:
        `made`, 0 to 1, and `pair`: None, and in the last answer `ticket`, `seed` (the preset's
        name), `seed_seconds`, `seconds`, `listen_seconds` (so long each must be heard) and `takes`,
        for both in their order `{"seed_notes", "notes"}` on one clock that begins with the seed.
    """
    takes = {place: _written(pair) for place in (0, 1) if pair.systems[place] == REAL}
    playing = [place for place in (0, 1) if place not in takes]
    # A second of both at a time: which of the two is the quicker could tell who it is.
    for chunks in zip_longest(*(_stream(pair, pair.systems[place]) for place in playing)):
        arrived = [(place, chunk) for place, chunk in zip(playing, chunks, strict=True) if chunk]
        for place, chunk in arrived:
            if chunk.piece is not None:
                takes[place] = _as_shown(pair, chunk.piece.new_notes)
        made = min(chunk.seconds for _, chunk in arrived) / pair.seconds
        yield {"made": round(made, 2), "pair": None}
    yield {
        "made": 1.0,
        "pair": {
            "ticket": ticket,
            "seed": pair.seed.name,
            "seed_seconds": pair.seed_seconds,
            "seconds": pair.seconds,
            "listen_seconds": LISTEN_S,
            "takes": [takes[0], takes[1]],
        },
    }


def _draw_pair(dice: random.Random) -> Pair:
    first, second = dice.sample([*sorted(info.name for info in known_models()), REAL], 2)
    seed = load_seed(dice.choice(list_seeds()).name)
    return Pair(seed, (first, second), dice.randint(0, MAX_RNG), SEED_S, SECONDS)


def _stream(pair: Pair, model: str) -> Iterator[Chunk]:
    settings = GenerationSettings(
        seconds=pair.seconds, seed_seconds=pair.seed_seconds, rng=pair.rng
    )
    return stream_continuation(loaded(model), pair.seed.notes, settings)


def _written(pair: Pair) -> Json:
    """Returns the take of the composer: the piece as it was written, cut where the models end."""
    begins = pair.seed_seconds
    piece = cut_notes(pair.seed.notes, 0.0, begins + pair.seconds)
    return _as_shown(pair, [note for note in piece if note.start >= begins])


def _as_shown(pair: Pair, new_notes: Sequence[Note]) -> Json:
    """Returns a take as a listener may know it: the seed is the same note by note for both."""
    seed = cut_notes(pair.seed.notes, 0.0, pair.seed_seconds)
    return {
        "seed_notes": notes_as_json(seed),
        "notes": notes_as_json(_with_touch_of(seed, new_notes)),
    }


def _with_touch_of(seed: Sequence[Note], notes: Sequence[Note]) -> list[Note]:
    """Returns the notes with the seed's loudnesses, the loudest for the loudest.

    A score has a narrow range of them and a performance a wide one, by which one could tell who
    plays; which notes are louder than others stays as it was.
    """
    if not seed or not notes:
        return list(notes)
    # Imported here: the page opens sooner without it.
    from scipy.stats import rankdata

    places = rankdata([note.velocity for note in notes]) - 0.5
    touch = np.quantile([note.velocity for note in seed], places / len(notes))
    return [
        replace(note, velocity=int(velocity))
        for note, velocity in zip(notes, np.rint(touch), strict=True)
    ]
