"""Real music in the form a system plays in, so that a judge cannot go by the form."""

from dataclasses import replace

from ..checks import show_value
from ..notes import cut_notes
from ..representations import representation_named
from .passage_folders import Passage

REPRESENTATIONS = ("events", "roll", "none")
"""Forms a passage can be put through: note events, a piano roll, or as it is."""


def put_through(passage: Passage, representation: str) -> Passage:
    """Returns a passage as a representation gives it back: encoded and decoded.

    A roll shows networks only whether a key sounds: all velocities become one.

    Args:
        passage: any.
        representation: of `REPRESENTATIONS`.

    Raises:
        ValueError: if there is no such representation.
    """
    if representation not in REPRESENTATIONS:
        raise ValueError(
            f"representation must be of {', '.join(REPRESENTATIONS)}; got "
            f"{show_value(representation)}"
        )
    notes = list(passage.notes)
    if representation != "none":
        steps = representation_named(representation)
        notes = steps.decode(steps.encode(notes))
    return replace(passage, notes=tuple(cut_notes(notes, 0.0, passage.seconds)))
