"""Real music in the form a system plays in, so that a judge cannot go by the form."""

from dataclasses import replace

from ..notes import Note, cut_notes
from ..representations.event_bins import decode_events, encode_events
from ..representations.pianoroll import notes_to_roll, roll_to_notes
from .passage_folders import Passage

REPRESENTATIONS = ("events", "roll", "none")
"""Forms a passage can be put through: note events, a piano roll, or as it is."""

_ROLL_VELOCITY = 64


def put_through(passage: Passage, representation: str) -> Passage:
    """Returns a passage as a representation gives it back: encoded and decoded.

    A roll tells networks only whether a key sounds: all velocities become one.

    Args:
        passage: any.
        representation: of `REPRESENTATIONS`.

    Raises:
        ValueError: if there is no such representation.
    """
    if representation not in REPRESENTATIONS:
        raise ValueError(
            f"representation must be of {', '.join(REPRESENTATIONS)}; got {representation!r}"
        )
    notes = list(passage.notes)
    if representation == "events":
        notes = decode_events(encode_events(notes))
    elif representation == "roll":
        notes = [_as_loud(note) for note in roll_to_notes(notes_to_roll(notes))]
    return replace(passage, notes=tuple(cut_notes(notes, 0.0, passage.seconds)))


def _as_loud(note: Note) -> Note:
    return replace(note, velocity=_ROLL_VELOCITY)
