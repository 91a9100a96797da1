"""Real music in the form a system plays in, so that a judge cannot go by the form."""

from dataclasses import replace

from ..checks import show_value
from ..models.architecture import Architecture
from ..notes import cut_notes
from ..representations import representation_named
from .passage_folders import Passage

FORMS = ("events", "ringing", "roll", "none")
"""Forms a passage can be put through: note events, those whose lengths ring on, a piano roll, or as
it is."""


def form_of(architecture: Architecture) -> str:
    """Returns the form that a network plays in, of `FORMS`."""
    return "ringing" if architecture.lets_ring else architecture.representation


def put_through(passage: Passage, form: str) -> Passage:
    """Returns a passage as a representation gives it back: encoded and decoded.

    A roll shows networks only whether a key sounds: all velocities become one.

    Args:
        passage: any.
        form: of `FORMS`.

    Raises:
        ValueError: if there is no such form.
    """
    if form not in FORMS:
        raise ValueError(f"form must be of {', '.join(FORMS)}; got {show_value(form)}")
    notes = list(passage.notes)
    if form != "none":
        rings = form == "ringing"
        steps = representation_named("events" if rings else form, lets_ring=rings)
        notes = steps.decode(steps.encode(notes))
    return replace(passage, notes=tuple(cut_notes(notes, 0.0, passage.seconds)))
