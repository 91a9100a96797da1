"""The piano of the page: recorded tones in one file, from which the browser plays notes.

The browser must sound notes while a model is still making them, so it is given tones and not
music. They are played once by the engine and soundfont that also play the files a visitor takes
along (`pyzzicato.audio`), one after the other, and kept: a page then sounds like its files. Every
third key is enough: the browser moves a tone by a semitone, which nobody hears.
"""

import hashlib
import io
import json
import os
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]

from ..audio import SAMPLE_RATE, SILENCE, even_gain
from ..engines import Samples, choose_engine, play
from ..midi import midi_bytes
from ..notes import Note, end_of
from .folders import private_folder

PITCHES = range(22, 107, 3)
"""The recorded keys; each serves its neighbours too."""
VELOCITIES = (48, 96)
"""The recorded touches; what lies between is a matter of loudness."""

# From this pitch up, a tone is kept for so many seconds: until it can hardly be heard. High strings
# fade sooner.
_LENGTHS = ((0, 12.0), (48, 9.0), (72, 5.0), (88, 2.5))
# Silence between two tones, so that none rings into the next.
_GAP_S = 0.4
# Quality of the MP3, 0 (best) to 1: about 2 MB for all tones.
_COMPRESSION = 0.5
# So many tones are played at once: all of them, nearly eight minutes, would take 300 MB.
_TONES_A_PART = 10
_LAYOUT = 1


@dataclass(frozen=True, slots=True)
class Tone:
    """Where in the file a tone lies.

    Attributes:
        pitch: MIDI number.
        velocity: how hard it was struck, 1 to 127.
        start: of the stroke, seconds.
        seconds: how long it can be heard before the next one.
    """

    pitch: int
    velocity: int
    start: float
    seconds: float


def lay_out_tones() -> tuple[Tone, ...]:
    """Returns all tones in the order in which they are played."""
    tones = []
    start = 0.0
    for velocity in VELOCITIES:
        for pitch in PITCHES:
            seconds = next(length for lowest, length in reversed(_LENGTHS) if pitch >= lowest)
            tones.append(Tone(pitch, velocity, round(start, 3), seconds))
            start += seconds + _GAP_S
    return tuple(tones)


class Piano:
    """Makes the tones when they are first asked for, and keeps them in a folder.

    Args:
        folder: made if absent; a private one by default, the same at the next start.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or private_folder("piano")
        self._lock = threading.Lock()

    def tones_file(self) -> Path:
        """Returns the MP3 file with all tones; the first call takes some seconds.

        Raises:
            ValueError: if no engine can play here.
            RuntimeError: if the engine breaks down.
        """
        # One at a time: visitors who come while it plays wait for the same file.
        with self._lock:
            engine, soundfont = choose_engine("auto", None)
            key = f"{_LAYOUT} {engine} {soundfont} {soundfont.stat().st_size} {lay_out_tones()}"
            name = hashlib.sha256(key.encode()).hexdigest()[:16]
            path = self._folder / f"{name}.mp3"
            if not path.is_file():
                self._folder.mkdir(parents=True, exist_ok=True)
                _write_whole(_mp3_bytes(_play_tones()), path)
            return path

    def describe(self) -> dict[str, object]:
        """Returns engine, soundfont and places of the tones as plain JSON values.

        Raises:
            ValueError: if no engine can play here.
        """
        engine, soundfont = choose_engine("auto", None)
        return {
            "engine": engine,
            "soundfont": soundfont.name,
            "tones": [asdict(tone) for tone in lay_out_tones()],
        }


def describe_json(piano: Piano) -> str:
    """Returns what `Piano.describe` returns, or null where no engine can play here."""
    try:
        return json.dumps(piano.describe())
    except ValueError:
        return "null"


def _play_tones() -> Samples:
    """Returns the sound of all tones one after the other, `(N,)`, mono.

    Raises:
        ValueError: if no engine can play here, or it plays silence.
        RuntimeError: if the engine breaks down.
    """
    engine, soundfont = choose_engine("auto", None)
    tones = lay_out_tones()
    last = tones[-1]
    sound = np.zeros(round((last.start + last.seconds + _GAP_S) * SAMPLE_RATE), np.float32)
    for first in range(0, len(tones), _TONES_A_PART):
        part = tones[first : first + _TONES_A_PART]
        begin, end = part[0].start, part[-1].start + part[-1].seconds + _GAP_S
        notes = [_strike(tone, begin) for tone in part]
        samples = play(engine, soundfont, midi_bytes(notes), end_of(notes), SAMPLE_RATE)
        here = sound[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
        n = min(len(here), len(samples))
        here[:n] = samples[:n].mean(axis=1)
    # One gain for all: a soft touch stays softer than a hard one.
    sound *= even_gain(np.broadcast_to(sound[:, None], (len(sound), 2)))
    if np.abs(sound).max() <= SILENCE:
        raise ValueError(f"the soundfont must have a piano, got silence from {soundfont.name}")
    return sound


def _strike(tone: Tone, begin: float) -> Note:
    """Returns the note that sounds as a tone, in a part that begins at `begin`."""
    start = tone.start - begin
    return Note(tone.pitch, start, start + tone.seconds - 0.2, tone.velocity)


def _mp3_bytes(sound: Samples) -> bytes:
    """Returns a mono sound as MP3, which every browser reads."""
    target = io.BytesIO()
    soundfile.write(target, sound, SAMPLE_RATE, format="MP3", compression_level=_COMPRESSION)
    return target.getvalue()


def _write_whole(data: bytes, path: Path) -> None:
    """Writes a file that is there whole or not at all, whoever else writes it meanwhile."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    os.replace(file.name, path)
