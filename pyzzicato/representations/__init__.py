"""How notes become the steps of a network, and steps notes: one object a representation.

A representation encodes and decodes, turns the steps of a network into notes as they come, and
knows what its steps say of strokes and time. Everything else asks it. A new one is one file beside
these and a row of the table.
"""

from ..models.architecture import Architecture
from .interface import Representation, StepDecoder, Steps
from .note_events import NoteEvents
from .roll import PianoRoll

__all__ = ["Representation", "StepDecoder", "Steps", "representation_of"]


def representation_of(architecture: Architecture) -> Representation:
    """Returns the representation that a network's steps are in."""
    table: dict[str, Representation] = {
        "roll": PianoRoll(architecture.fs),
        "events": NoteEvents(),
    }
    return table[architecture.representation]
