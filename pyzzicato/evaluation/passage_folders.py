"""Folders of passages to judge: one file a passage, MIDI or arrays of notes, whoever made them.

A file is named `PIECE@NUMBER.npz`, or `.mid`: passages of one piece share what stands before the
last `@`, so that a judge never learns from the piece it is tested on. A name without `@` is a piece
by itself. An .npz holds one array `notes`, `(N, 4)`: onset and offset in seconds, pitch, velocity.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..midi import read_midi
from ..notes import Note, cut_notes
from .midi_files import find_midi

ARRAYS = ".npz"


@dataclass(frozen=True)
class Passage:
    """Some music to judge.

    Attributes:
        name: of its file, without the ending.
        notes: the notes, struck in `[0, seconds)` and let go by then.
        seconds: its length.
    """

    name: str
    notes: tuple[Note, ...]
    seconds: float

    @property
    def piece(self) -> str:
        """Returns the name of the piece it is from."""
        return self.name.rpartition("@")[0] or self.name


def passage_name(piece: str, number: int) -> str:
    """Returns the name of one passage of a piece."""
    return f"{piece}@{number:05d}"


def write_passage(notes: Iterable[Note], path: Path) -> None:
    """Writes notes as an .npz, in one go: a file that is there is whole.

    Args:
        notes: from 0 seconds.
        path: of the file; its folder is made.
    """
    rows = [(note.start, note.end, note.pitch, note.velocity) for note in notes]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez_compressed(file, notes=np.array(rows, dtype=np.float64).reshape(-1, 4))
    part.replace(path)


def read_passages(
    folder: Path, seconds: float = 60.0, names: Iterable[str] | None = None
) -> list[Passage]:
    """Returns the passages of a folder, by name.

    Args:
        folder: of .npz or MIDI files; those in folders below it count too.
        seconds: length of every passage; what is struck later is left out.
        names: only these; None for all.

    Raises:
        ValueError: if the folder holds no passage, or a file cannot be read.
    """
    paths: Sequence[Path] = sorted(folder.rglob(f"*{ARRAYS}")) or find_midi([folder])
    wanted = None if names is None else set(names)
    chosen = [path for path in paths if wanted is None or path.stem in wanted]
    return [
        Passage(path.stem, tuple(cut_notes(_read(path), 0.0, seconds)), seconds) for path in chosen
    ]


def _read(path: Path) -> list[Note]:
    if path.suffix != ARRAYS:
        return read_midi(path).sounding("extend")
    try:
        with np.load(path, allow_pickle=False) as file:
            rows = np.asarray(file["notes"], dtype=np.float64)
        return [Note(int(p), on, off, int(v)) for on, off, p, v in rows.tolist()]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ValueError(
            f"{path.name} must hold an array 'notes' of (N, 4) with onset, offset, pitch and "
            f"velocity, got {error}; make it again"
        ) from error
