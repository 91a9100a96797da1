"""Soundfonts: where they are looked for, and the check that a file really is one.

A soundfont holds the recorded piano tones that an engine of `audio.py` plays. The order of search
is: what the caller names, the environment variable `PYZZICATO_SOUNDFONT`, the folders in which
Linux distributions put soundfonts (best piano first), and last the small General MIDI font that
comes with pretty_midi, which is a poor piano but always there.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from .checks import show_path, show_value

SOUNDFONT_VARIABLE = "PYZZICATO_SOUNDFONT"
"""Environment variable that names the soundfont to play."""

PCM_SUFFIX = ".sf2"
"""Soundfonts with plain samples; `.sf3` has compressed ones, which not every engine reads."""

_SYSTEM_FOLDERS = (
    Path("/usr/share/sounds/sf3"),
    Path("/usr/share/sounds/sf2"),
    Path("/usr/share/soundfonts"),
    Path("/usr/local/share/soundfonts"),
)
_BEST_FIRST = (
    "MuseScore_General.sf3",
    "MuseScore_General_Lite.sf3",
    "MuseScore_General_Full.sf3",
    "MuseScore_General.sf2",
    "FluidR3_GM.sf2",
    "FluidR3_GM.sf3",
    "default-GM.sf3",
    "default-GM.sf2",
    "default.sf2",
)
_HEADER_BYTES = 12


def soundfont_candidates() -> list[Path]:
    """Returns the soundfonts of this machine, best piano first; links are resolved.

    The folders of the distribution come first and the font of pretty_midi last. Neither the
    caller's choice nor the environment variable is looked at: see `find_soundfont`.
    """
    places = [folder / name for name in _BEST_FIRST for folder in _SYSTEM_FOLDERS]
    places.append(Path.home() / ".fluidsynth" / "default_sound_font.sf2")
    bundled = find_spec("pretty_midi")
    if bundled is not None and bundled.origin is not None:
        places.append(Path(bundled.origin).with_name("TimGM6mb.sf2"))
    # A dictionary keeps the order and drops the links that lead to the same file.
    return list(dict.fromkeys(place.resolve() for place in places if place.is_file()))


def find_soundfont(soundfont: str | Path | None = None, compressed: bool = True) -> Path:
    """Returns the soundfont to play, checked by `check_soundfont`.

    A font that is asked for, by the argument or by the environment variable, is taken or refused:
    it is never silently replaced by another.

    Args:
        soundfont: a file; None looks at `PYZZICATO_SOUNDFONT`, then at `soundfont_candidates`.
        compressed: whether the engine reads compressed (`.sf3`) fonts.

    Raises:
        ValueError: if the font that is asked for is missing, damaged or of the wrong kind, or if
            this machine has none.
    """
    name = "soundfont"
    if soundfont is None and os.environ.get(SOUNDFONT_VARIABLE):
        soundfont, name = os.environ[SOUNDFONT_VARIABLE], SOUNDFONT_VARIABLE
    if soundfont is not None:
        if not isinstance(soundfont, str | os.PathLike):
            raise ValueError(f"soundfont must be a path, got {show_value(soundfont)}")
        return check_soundfont(Path(soundfont).expanduser(), compressed, name)
    for candidate in soundfont_candidates():
        if compressed or candidate.suffix == PCM_SUFFIX:
            return check_soundfont(candidate, compressed)
    raise ValueError(
        "soundfont must be an .sf2 file, and none was found on this machine; name one with "
        f"{SOUNDFONT_VARIABLE}, or install pretty_midi, which brings one"
    )


def check_soundfont(path: Path, compressed: bool = True, name: str = "soundfont") -> Path:
    """Returns `path` if the file is a whole soundfont.

    FluidSynth plays silence, or another font, when it cannot read the one it was given, so the file
    is looked at first: its magic numbers and whether it is as long as its header says.

    Args:
        path: the file.
        compressed: whether compressed samples (soundfont version 3) will do.
        name: what the message calls the font: the argument or the variable that named it.

    Raises:
        ValueError: if the file is missing, is not a soundfont, was cut short or is compressed where
            it must not be.

    Source: SoundFont Technical Specification 2.04, section 4 (the RIFF form "sfbk").
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            beginning = header + file.read(64)
        size = path.stat().st_size
    except OSError as error:
        raise ValueError(
            f"{name} must be a soundfont that can be read, got {show_path(path)}: "
            f"{error.strerror}; "
            "check the path"
        ) from error
    if header[:4] != b"RIFF" or header[8:] != b"sfbk":
        raise ValueError(
            f"{name} must be a soundfont (RIFF, sfbk), got {path.name}, which begins with "
            f"{header!r}; is it another kind of file?"
        )
    expected = int.from_bytes(header[4:8], "little") + 8
    if size < expected:
        raise ValueError(
            f"{name} must be a whole soundfont, got {path.name} with {size:,} of {expected:,} "
            "bytes; fetch it again"
        )
    if not compressed and _major_version(beginning) >= 3:
        raise ValueError(
            f"{name} must be an .sf2 file for this engine, got {path.name} with compressed "
            "samples; install FluidSynth, which reads it, or name an .sf2 file"
        )
    return path


def _major_version(beginning: bytes) -> int:
    """Returns the soundfont's major version from its first bytes; 0 where they hold none."""
    # The version chunk is `ifil`, a size of 4, then the major version: two bytes, little-endian.
    where = beginning.find(b"ifil")
    if where < 0 or len(beginning) < where + 10:
        return 0
    return int.from_bytes(beginning[where + 8 : where + 10], "little")
