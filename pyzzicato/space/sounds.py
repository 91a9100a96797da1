"""Sound files of a request: WAV, or MP3 for less to load."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from ..audio import Sound, render, write_mp3, write_wav
from ..notes import Note, end_of
from .folders import new_folder
from .request_limits import MAX_RENDERED_NOTES, MAX_RENDERED_SECONDS

FORMATS = {"wav": "audio/wav", "mp3": "audio/mpeg"}
"""{format: its MIME type}"""

_log = logging.getLogger(__name__)


def render_file(
    notes: Sequence[Note], audio_format: str, check: Callable[[], None] | None = None
) -> tuple[Path, Sound]:
    """Returns the path of a sound file of the notes, in a folder of its own, and the sound.

    Args:
        notes: what to play, at most `MAX_RENDERED_SECONDS` long and `MAX_RENDERED_NOTES` many.
        audio_format: "wav" or "mp3".
        check: called now and then; what it raises ends the rendering.

    Raises:
        ValueError: if there are no notes, they last too long or are too many, or no engine can play
            here, or the file cannot be written.
    """
    if len(notes) > MAX_RENDERED_NOTES:
        raise ValueError(
            f"the music must have at most {MAX_RENDERED_NOTES} notes to be rendered, got "
            f"{len(notes)}; cut it"
        )
    if end_of(notes) > MAX_RENDERED_SECONDS:
        raise ValueError(
            f"the music must end within {MAX_RENDERED_SECONDS:.0f} s to be rendered, got "
            f"{end_of(notes):.0f} s; cut it"
        )
    if not notes:
        raise ValueError("notes must hold at least one note, got none; there is nothing to play")
    sound = _play(notes, check)
    path = new_folder() / f"continuation.{audio_format}"
    if audio_format == "mp3":
        return write_mp3(sound, path), sound
    return write_wav(sound, path), sound


def _play(notes: Sequence[Note], check: Callable[[], None] | None) -> Sound:
    """Returns the sound; what an engine says of its files is for the log, and not for visitors."""
    try:
        return render(notes, check=check)
    except (ValueError, RuntimeError) as error:
        _log.error("the sound could not be made", exc_info=error)
        raise ValueError(
            "the sound cannot be made on this server: its piano (engine and soundfont) is missing "
            "or damaged, or these notes are too soft to be heard"
        ) from error
