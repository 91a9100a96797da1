"""What a continuation begins with: a seed cut from a piece, or a single note."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..notes import Note, end_of, sort_notes
from ..representations import Representation
from .settings import GenerationSettings

SILENT_SEED = "the seed is silent: a new piece begins, with a single note"

_OPENING_S = 0.5
_OPENING_PITCHES = (48, 72)
_OPENING_VELOCITY = 64


@dataclass(frozen=True)
class Beginning:
    """What a continuation begins with.

    Attributes:
        seed: its notes, from 0; none for a new piece.
        seed_seconds: its length.
        opening: the note a new piece begins with: the seed of the network, and new to the listener.
        ahead: how much of the continuation the opening fills, seconds.
    """

    seed: list[Note]
    seed_seconds: float
    opening: list[Note]
    ahead: float


def begin(
    notes: Sequence[Note], settings: GenerationSettings, representation: Representation
) -> Beginning:
    """Returns the seed of a continuation; without a note in its time, a single note."""
    seed, seed_seconds = cut_seed(notes, settings, representation)
    if seed:
        return Beginning(seed, seed_seconds, [], 0.0)
    pitch = int(np.random.default_rng(settings.rng).integers(*_OPENING_PITCHES, endpoint=True))
    opening = Note(pitch, 0.0, _OPENING_S, _OPENING_VELOCITY)
    return Beginning([], seed_seconds, [opening], representation.whole_seconds(_OPENING_S))


def cut_seed(
    notes: Sequence[Note], settings: GenerationSettings, representation: Representation
) -> tuple[list[Note], float]:
    """Returns the seed's notes, moved to begin at 0, and its length in seconds, whole steps.

    Notes that sound on past its end keep their length: they may ring into what follows. A seed in
    which no note is struck has no length.

    Raises:
        ValueError: if the seed begins after the last note.
    """
    length = end_of(notes)
    start = settings.seed_start
    if notes and start >= length:
        raise ValueError(
            f"seed_start must be below {length:.1f} s, where the piece ends, got {start:g}"
        )
    end = start + settings.seed_seconds
    seed = [
        replace(note, start=note.start - start, end=note.end - start)
        for note in sort_notes(notes)
        if start <= note.start < end
    ]
    if not seed:
        return [], 0.0
    return seed, representation.whole_seconds(min(settings.seed_seconds, length - start))
