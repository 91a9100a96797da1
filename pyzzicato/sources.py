"""What a seed can be cut from: whatever is music becomes a `SeedPiece`.

A preset or its name, a MIDI file (path, bytes, open file), a `pretty_midi.PrettyMIDI`, notes, or a
piano roll of 88 keys.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from .midi import Performance, Sustain, read_midi
from .midi.texts import decode
from .notes import N_PITCHES, Note, sort_notes
from .representations.pianoroll import FS, roll_to_notes
from .representations.touch import PLAIN_VELOCITY
from .seeds import Seed, load_seed, seed_names

OWN_NOTES = "Notes"
"""The title of notes that come without one."""
_ENDINGS = (".mid", ".midi", ".rmi", ".kar")
_LOUDEST = 127
_KINDS = (
    "seed must be a preset or its name, a MIDI file (path, bytes or open file), a PrettyMIDI, a "
    f"list of notes or a piano roll of shape (T, {N_PITCHES})"
)


@dataclass(frozen=True)
class SeedPiece:
    """A piece to take a seed from.

    Attributes:
        title: for the picture and the page.
        notes: as a model's checkpoint wants them, with pedal or without; the first starts at 0.
        remarks: what was left out, skipped or repaired when a file was read, in words.
        performance: what the notes are from: tempo, metre, key, hands and composer; None for notes
            alone.
        name: short, for the names of files: a preset's, or that of the file without its ending.
    """

    title: str
    notes: tuple[Note, ...]
    remarks: tuple[str, ...] = ()
    performance: Performance | None = None
    name: str = ""

    @property
    def composer(self) -> str | None:
        """Returns the short name of the composer that preset or file names; None for none."""
        return self.performance.composer if self.performance else None


def read_source(source: Any, sustain: str = "extend", fs: int = FS) -> SeedPiece:
    """Returns music of any kind as a piece to take a seed from.

    Args:
        source: a `SeedPiece`; a `Seed` or the name of one; a MIDI file as path, bytes or open
            binary file; a `Performance` or `pretty_midi.PrettyMIDI`; notes, as `Note` or as tables
            with `pitch`, `start`, `end` and `velocity`, on their own clock; or a piano roll, an
            array of shape `(T, 88)` with velocities, or zeros and ones.
        sustain: the checkpoint's treatment of the pedal, "extend" or "ignore".
        fs: frames a second of a roll.

    Raises:
        ValueError: if it is none of these, or cannot be read.
    """
    if isinstance(source, SeedPiece):
        return source
    if isinstance(source, Seed):
        return preset_piece(source)
    if isinstance(source, Performance):
        return file_piece(source, source.title or OWN_NOTES, sustain)
    if isinstance(source, str):
        return read_seed(source, sustain)
    if isinstance(source, os.PathLike):
        return read_seed(os.fsdecode(source), sustain)
    if isinstance(source, bytes | bytearray | memoryview) or _is_midi_object(source):
        performance = read_midi(source)
        return file_piece(performance, performance.title or OWN_NOTES, sustain)
    if isinstance(source, np.ndarray):
        return SeedPiece("Piano roll", tuple(_notes_of_roll(source, fs)), name="roll")
    if isinstance(source, Sequence):
        return SeedPiece(OWN_NOTES, tuple(sort_notes(_note(n) for n in source)), name="notes")
    raise ValueError(f"{_KINDS}, got {type(source).__name__}")


def read_seed(source: str, sustain: str) -> SeedPiece:
    """Returns a preset seed by its name, or the piece in a MIDI file from its first note on.

    Args:
        source: a preset's name or the path of a MIDI file.
        sustain: the checkpoint's treatment of the pedal, "extend" or "ignore".

    Raises:
        ValueError: if `source` is neither; the message lists the presets.
    """
    if source in seed_names():
        return preset_piece(load_seed(source))
    if not os.path.lexists(source) and not source.lower().endswith(_ENDINGS):
        load_seed(source)  # Raises, naming the presets and the nearest one.
    return file_piece(read_midi(source), file_title(source), sustain)


def preset_piece(seed: Seed) -> SeedPiece:
    """Returns a preset as a piece to take a seed from."""
    title = f"{seed.composer}: {seed.title}"
    return SeedPiece(title, seed.notes, performance=seed.performance, name=seed.name)


def file_piece(performance: Performance, title: str, sustain: str) -> SeedPiece:
    """Returns what a MIDI file plays as a piece to take a seed from, from its first note on.

    Args:
        performance: from `read_midi`.
        title: of the piece.
        sustain: the checkpoint's treatment of the pedal, "extend" or "ignore".
    """
    notes = tuple(performance.music(cast(Sustain, sustain)))
    return SeedPiece(title, notes, tuple(performance.remarks()), performance, title)


def file_title(path: str | os.PathLike[str]) -> str:
    """Returns a file's name without its ending, fit to be shown.

    A name may be of bytes that are no UTF-8; they are taken for Western European then.
    """
    return decode(os.fsencode(Path(path).stem)) or "MIDI file"


def _is_midi_object(source: object) -> bool:
    return hasattr(source, "read") or (hasattr(source, "instruments") and hasattr(source, "write"))


def _note(value: object) -> Note:
    if isinstance(value, Note):
        return value
    if isinstance(value, Mapping):
        try:
            return Note(**value)
        except TypeError as error:
            raise ValueError(
                f"a note must have pitch, start, end and velocity, got {dict(value)!r}"
            ) from error
    raise ValueError(f"{_KINDS}, got a list with {type(value).__name__} in it")


def _notes_of_roll(roll: np.ndarray, fs: int) -> list[Note]:
    """Returns the notes of a roll of velocities, or of zeros and ones, from the first one on."""
    if roll.ndim != 2 or roll.shape[1] != N_PITCHES:
        fix = (
            "turn it round: roll.T"
            if roll.ndim == 2 and roll.shape[0] == N_PITCHES
            else ("rows are frames, columns the piano's keys")
        )
        raise ValueError(f"roll must be of shape (T, {N_PITCHES}), got {roll.shape}; {fix}")
    if not (np.issubdtype(roll.dtype, np.number) or roll.dtype == bool):
        raise ValueError(f"roll must hold numbers, got {roll.dtype}")
    values = np.nan_to_num(roll.astype(float), nan=-1)
    if values.size and (values.min() < 0 or values.max() > _LOUDEST):
        raise ValueError(
            f"roll must hold velocities, 0 to {_LOUDEST}, or zeros and ones, got others"
        )
    if values.max(initial=0) <= 1:
        values *= PLAIN_VELOCITY
    return roll_to_notes(np.ceil(values).astype(np.uint8), fs)
