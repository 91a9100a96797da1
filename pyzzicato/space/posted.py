"""Music as visitors and programs post it: a preset's name, a MIDI file, or notes as JSON.

Nothing of it is believed. A file is one that was uploaded to this server: paths to other places and
addresses of other hosts are refused before anything is opened or fetched. No message names a path.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gradio import FileData
from gradio.utils import get_upload_folder

from ..checks import check_one_of, plain_text, show_value
from ..midi import read_midi
from ..notes import Note, end_of, sort_notes
from ..seeds import list_seeds, load_seed
from ..sources import SeedPiece, file_piece, preset_piece
from .request_limits import (
    MAX_DEPTH,
    MAX_MUSIC_SECONDS,
    MAX_NOTES,
    MAX_UPLOAD_BYTES,
    MIDI_LIMITS,
)

OWN_FILE = "Your MIDI file"
OWN_NOTES = "Your notes"
NO_SEED = "Nothing"
_DEFAULT_VELOCITY = 64
# What JSON makes of lists and objects.
_NESTING = (dict, list, tuple)
_NOTE_FIELDS = {"pitch", "start", "end", "velocity"}
_SERVED = "/gradio_api/file="
_MAX_PATH = 4096
_UPLOAD_FIRST = "upload the file first (POST /gradio_api/upload), or post its bytes in base64"


def read_posted(
    sustain: str, *, seed: object = None, midi: object = None, notes: object = None
) -> SeedPiece:
    """Returns the piece that was posted in one of the three ways; without any, an empty one.

    Args:
        sustain: whether notes are lengthened by the pedal, as the model wants them.
        seed: name of a preset.
        midi: an uploaded MIDI file as gradio describes it, or the bytes of one in base64.
        notes: as `notes_from_json` takes them.

    Raises:
        ValueError: if more than one is given, or what is given is not music within the limits.
    """
    given = [name for name, value in _ways(seed, midi, notes).items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"give one of seed, midi and notes, got {' and '.join(given)}")
    if seed is not None:
        preset = load_seed(check_one_of("seed", seed, [seed.name for seed in list_seeds()]))
        return preset_piece(preset)
    if midi is not None:
        return file_piece(read_midi(midi_data(midi), MIDI_LIMITS), _title_of(midi), sustain)
    if notes is not None:
        return SeedPiece(OWN_NOTES, tuple(notes_from_json(notes)))
    return SeedPiece(NO_SEED, ())


def midi_data(posted: object) -> bytes:
    """Returns the bytes of a posted MIDI file.

    Args:
        posted: an uploaded file (`{"path": ...}`, as gradio's upload answers), the path or address
            of one as text, or base64 text with or without `data:...;base64,` before it, in one line
            or several.

    Raises:
        ValueError: if it is neither, too large, or not a file that was uploaded here.
    """
    if isinstance(posted, Mapping):
        return _uploaded_bytes(posted.get("path"))
    if not isinstance(posted, str):
        raise ValueError(f"midi must be an uploaded file or base64 text, got {show_value(posted)}")
    if (path := _own_path(posted)) is not None:
        return _uploaded_bytes(path)
    text = posted.partition(",")[2] if posted.startswith("data:") else posted
    # With a line break or two after every 76 characters, as mail has it.
    if len(text) > (MAX_UPLOAD_BYTES * 4 / 3 + 4) * 78 / 76:
        raise ValueError(f"midi must hold at most 1 MB, got {len(text) * 3 / 4e6:.1f} MB; cut it")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(
            f"midi must be an uploaded file or base64 text, got {show_value(posted)}; "
            f"{_UPLOAD_FIRST}"
        ) from error


def notes_from_json(posted: object, most_s: float = MAX_MUSIC_SECONDS) -> list[Note]:
    """Returns notes posted as JSON, in the order of `sort_notes`.

    Args:
        posted: a list of `{"pitch", "start", "end", "velocity"}`: MIDI number (21 to 108), seconds,
            seconds, 1 to 127. Without a velocity 64 is taken. An empty list is no notes.
        most_s: when the last note may end.

    Raises:
        ValueError: if it is anything else, or passes the limits; the message says which note.
    """
    if not isinstance(posted, Sequence) or isinstance(posted, str):
        raise ValueError(
            f"notes must be a list, got {show_value(posted)}; see /seeds for an example"
        )
    if len(posted) > MAX_NOTES:
        raise ValueError(f"notes must be at most {MAX_NOTES}, got {len(posted)}; cut the piece")
    notes = [_note(i, note) for i, note in enumerate(posted)]
    if end_of(notes) > most_s:
        raise ValueError(
            f"notes must end within {most_s:.0f} s, got {end_of(notes):.6g} s; cut the piece"
        )
    return sort_notes(notes)


def notes_as_json(notes: Sequence[Note]) -> list[dict[str, float]]:
    """Returns notes as `notes_from_json` takes them.

    Times are not rounded: a seed that is posted back must fall into the same frames.
    """
    return [
        {"pitch": n.pitch, "start": n.start, "end": n.end, "velocity": n.velocity} for n in notes
    ]


def file_data(path: Path, mime_type: str) -> dict[str, object]:
    """Returns a file of a request's folder as gradio serves it; its client makes a download of it.

    Args:
        path: in a folder of `folders.new_folder`.
        mime_type: like "audio/midi".
    """
    return FileData(
        path=str(path), orig_name=path.name, size=path.stat().st_size, mime_type=mime_type
    ).model_dump()


def refuse_outside_files(posted: object) -> None:
    """Refuses descriptions of files, anywhere in a posted value, that were not uploaded here.

    gradio would fetch an address before a callback sees it, and walks through values by recursion:
    this comes first.

    Raises:
        ValueError: if there is one, or the value is nested deeper than `MAX_DEPTH`.
    """
    pending: list[tuple[Any, int]] = [(posted, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"values must be nested at most {MAX_DEPTH} deep; send simpler ones")
        # As gradio tells files from other values; the rest it leaves alone.
        if isinstance(value, dict) and isinstance(value.get("path"), str) and "meta" in value:
            _check_uploaded(value["path"])
        parts = value.values() if isinstance(value, dict) else value
        if isinstance(value, _NESTING):
            pending += [(part, depth + 1) for part in parts if isinstance(part, _NESTING)]


def _ways(seed: object, midi: object, notes: object) -> dict[str, object]:
    return {"seed": seed, "midi": midi, "notes": notes}


def _own_path(text: str) -> str | None:
    """Returns the path of a file of this server that a text names; None if it names none.

    The text may be the path itself or an address. Nothing is fetched: whatever host an address
    names, the file is looked for here.
    """
    if len(text) > _MAX_PATH:
        return None
    path = text.strip()
    if path.startswith(("http://", "https://")):
        path = unquote(urlsplit(path).path.partition(_SERVED)[2])
    try:
        return path if path.startswith("/") and _check_uploaded(path) else None
    except ValueError:
        return None


def _uploaded_bytes(path: object) -> bytes:
    if not isinstance(path, str):
        raise ValueError(f"midi must be an uploaded file, got one without a path; {_UPLOAD_FIRST}")
    with _check_uploaded(path).open("rb") as file:
        data = file.read(MAX_UPLOAD_BYTES + 1)
    if len(data) > MAX_UPLOAD_BYTES:
        raise ValueError("midi must hold at most 1 MB, got more; cut it")
    return data


def _check_uploaded(path: str) -> Path:
    """Returns the path of a file that was uploaded here; its message does not name the path."""
    refusal = ValueError(f"files must be ones that were uploaded here; {_UPLOAD_FIRST}")
    if "://" in path or "\0" in path:
        raise refusal
    try:
        folder, file = Path(get_upload_folder()).resolve(), Path(path).resolve()
        fits = file.is_relative_to(folder) and file.is_file()
    except (OSError, RuntimeError):
        raise refusal from None
    if not fits:
        raise refusal
    return file


def _title_of(midi: object) -> str:
    """Returns the uploaded file's own name without its ending, made harmless."""
    name = midi.get("orig_name") if isinstance(midi, Mapping) else None
    return (plain_text(Path(name).stem) if isinstance(name, str) else "") or OWN_FILE


def _note(i: int, note: object) -> Note:
    if not isinstance(note, Mapping) or not {"pitch", "start", "end"} <= set(note) <= _NOTE_FIELDS:
        raise ValueError(
            "notes must be given as pitch, start, end and velocity each, got "
            f"{show_value(note)} for number {i}"
        )
    values = [note["pitch"], note["start"], note["end"], note.get("velocity", _DEFAULT_VELOCITY)]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise ValueError(f"notes must be given in numbers, got others for number {i}")
    pitch, start, end, velocity = values
    try:
        return Note(_whole(pitch), float(start), float(end), _whole(velocity))
    except (ValueError, OverflowError) as error:
        # Cut: it repeats numbers, and one may have thousands of digits.
        raise ValueError(
            f"notes must be playable, got for number {i}: {str(error)[:120]}"
        ) from error


def _whole(value: float) -> int:
    """Returns 60 for 60.0, as JSON may say; what is not whole stays for `Note` to refuse."""
    return int(value) if float(value).is_integer() else value  # type: ignore[return-value]
