"""What a visitor takes along: a take as MIDI, sound or picture."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ..checks import check_number, check_one_of, plain_text
from ..midi import write_midi
from ..notes import Note
from .folders import new_folder
from .posted import file_data, notes_from_json
from .request_limits import MAX_MUSIC_SECONDS
from .sounds import render_file
from .turns import check_now

FORMS = {
    "midi": "audio/midi",
    "midi-new": "audio/midi",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "png": "image/png",
}
"""{form: its MIME type}; `midi-new` is the continuation alone."""


# Sums of times differ in their last bits.
_ROUNDING_S = 1e-6


def save_take(
    form: Literal["midi", "midi-new", "wav", "mp3", "png"],
    seed_notes: list[dict[str, float]],
    new_notes: list[dict[str, float]],
    seed_seconds: float,
    seconds: float,
    title: str = "",
) -> dict[str, Any]:
    """Writes a take as a file, from the notes that the page shows.

    Args:
        form: one of `FORMS`.
        seed_notes: the seed, from 0.
        new_notes: the continuation, on the same clock.
        seed_seconds: where the continuation begins.
        seconds: its length.
        title: written above the picture.

    Returns:
        The file as gradio serves it.

    Raises:
        ValueError: if a value is of the wrong type or out of its range.
    """
    kind = check_one_of("form", form, FORMS)
    seed, new = notes_from_json(seed_notes), notes_from_json(new_notes)
    begins = check_number("seed_seconds", seed_seconds, 0, MAX_MUSIC_SECONDS, "0 is no seed")
    first = min((note.start for note in new), default=begins)
    if kind == "midi-new" and first < begins - _ROUNDING_S:
        raise ValueError(
            f"seed_seconds must be at most {first:g} s, where the continuation's first note is, "
            f"got {begins:g}"
        )
    lasts = check_number(
        "seconds", seconds, 0, MAX_MUSIC_SECONDS, "it is the continuation's length"
    )
    path = _write(kind, seed, new, begins, begins + lasts, plain_text(str(title)))
    return file_data(path, FORMS[kind])


def _write(
    kind: str, seed: list[Note], new: list[Note], begins: float, ends: float, title: str
) -> Path:
    if kind in ("wav", "mp3"):
        return render_file([*seed, *new], kind, check_now)[0]
    folder = new_folder()
    if kind == "png":
        # Here: matplotlib takes as long to import as the rest of the page.
        from ..plots import plot_pianoroll, save_png

        picture = plot_pianoroll(seed, new, begins, title, end_seconds=ends)
        return save_png(picture, folder / "pianoroll.png")
    alone = kind == "midi-new"
    notes = [_moved(note, begins) for note in new] if alone else [*seed, *new]
    return write_midi(notes, folder / "continuation.mid")


def _moved(note: Note, begins: float) -> Note:
    """Returns a new note on the continuation's own clock."""
    return replace(note, start=max(0.0, note.start - begins), end=note.end - begins)
