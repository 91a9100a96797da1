"""Sound files of a request: WAV, or MP3 for less to load."""

from collections.abc import Sequence
from pathlib import Path

import soundfile  # type: ignore[import-untyped]

from ..audio import Sound, render, write_wav
from ..notes import Note, end_of
from .folders import new_folder
from .limits import MAX_RENDERED_SECONDS

FORMATS = {"wav": "audio/wav", "mp3": "audio/mpeg"}
"""{format: its MIME type}"""
# A codec is given a few seconds at a time: minutes in one call have crashed it.
_BLOCK = 16_384


def render_file(notes: Sequence[Note], audio_format: str) -> tuple[Path, Sound]:
    """Returns the path of a sound file of the notes, in a folder of its own, and the sound.

    Args:
        notes: what to play, at most `MAX_RENDERED_SECONDS` long.
        audio_format: "wav" or "mp3".

    Raises:
        ValueError: if there are no notes, or they last too long.
    """
    if end_of(notes) > MAX_RENDERED_SECONDS:
        raise ValueError(
            f"the music must end within {MAX_RENDERED_SECONDS:.0f} s to be rendered, got "
            f"{end_of(notes):.0f} s; cut it"
        )
    sound = render(notes)
    path = new_folder() / f"continuation.{audio_format}"
    if audio_format == "mp3":
        return write_mp3(sound, path), sound
    return write_wav(sound, path), sound


def write_mp3(sound: Sound, path: Path) -> Path:
    """Writes the sound as an MP3 file and returns its path."""
    with soundfile.SoundFile(
        path, "w", samplerate=sound.sample_rate, channels=2, format="MP3", subtype="MPEG_LAYER_III"
    ) as file:
        for start in range(0, len(sound.samples), _BLOCK):
            file.write(sound.samples[start : start + _BLOCK])
    return path
