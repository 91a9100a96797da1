"""How notes become the steps of a network, and steps notes: one object a representation.

A representation encodes and decodes, turns the steps of a network into notes as they come, knows
what its steps say of strokes and time, and cuts and spoils passages for training. Everything else
asks it. A new one is one file beside these and a row of the table.
"""

from collections.abc import Callable

from ..models.architecture import Architecture
from .interface import Representation, StepDecoder, Steps
from .note_events import NoteEvents
from .pianoroll import FS
from .roll import PianoRoll

__all__ = ["Representation", "StepDecoder", "Steps", "representation_named", "representation_of"]

_TABLE: dict[str, Callable[[int, bool], Representation]] = {
    "roll": lambda fs, _: PianoRoll(fs),
    "events": lambda _, lets_ring: NoteEvents(lets_ring),
}


def representation_named(name: str, fs: int = FS, lets_ring: bool = False) -> Representation:
    """Returns a representation by its name.

    Args:
        name: "roll" or "events".
        fs: frames a second of a roll.
        lets_ring: whether note events last as if no key were struck twice (see `ringing.py`).
    """
    return _TABLE[name](fs, lets_ring)


def representation_of(architecture: Architecture) -> Representation:
    """Returns the representation that a network's steps are in."""
    return representation_named(
        architecture.representation, architecture.fs, architecture.lets_ring
    )
