"""Prepared pieces on disk: notes, all pieces in one file, read by memory map.

A store is a folder with `notes.bin`, eight bytes a note, all pieces one after the other, and
`store.json`, which says where each piece lies and how the pedal was treated. Rolls and note events
are made from the notes when a batch is drawn, so one store serves all models, and music can be
transposed and stretched exactly. All of MAESTRO's training split takes 45 MB; the article's
ten-second windows of rolls as float32 would take about 1 TB.
"""

import hashlib
import json
import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..notes import Note

NOTE = np.dtype([("onset", "<u4"), ("duration", "<u2"), ("pitch", "u1"), ("velocity", "u1")])
"""A note on disk; onset in milliseconds from the first of its piece, duration in milliseconds."""

_MAX_DURATION_MS = 2**16 - 1


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """Where a piece lies in the store (`start` and `length` in notes) and what it is.

    `source` is the collection it is from, `licence` what that may be used for; both are empty in
    stores from before they were kept for each piece.
    """

    composer: str
    title: str
    split: str
    path: str
    start: int
    length: int
    seconds: float
    source: str = ""
    licence: str = ""


class StoreWriter:
    """Writes a store piece by piece; memory does not grow with the number of pieces.

    Args:
        folder: made if absent; an earlier store in it is replaced when `close` is called.
        sustain: how the pedal was treated, "extend" or "ignore".
        data: name of the data set.
        licence: of the data, which weights trained on it follow.
        repo: NAMESPACE/NAME on the Hub that it is copied from, if it is.
    """

    def __init__(
        self, folder: Path, sustain: str, data: str, licence: str, repo: str | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._facts = {"sustain": sustain, "data": data, "licence": licence, "repo": repo}
        self._file = (folder / "notes.bin.part").open("wb")
        self._pieces: list[StoredPiece] = []
        self._start = 0

    def add(
        self,
        notes: NDArray[np.void],
        *,
        composer: str,
        title: str,
        split: str,
        path: str,
        source: str = "",
        licence: str = "",
    ) -> None:
        """Appends one piece's `(N,)` notes, from `pack_notes`."""
        self._file.write(notes.tobytes())
        ends = notes["onset"].astype(np.int64) + notes["duration"]
        seconds = float(ends.max(initial=0)) / 1000
        self._pieces.append(
            StoredPiece(
                composer, title, split, path, self._start, len(notes), seconds, source, licence
            )
        )
        self._start += len(notes)

    def close(self) -> None:
        """Finishes the store; until then readers see the one before or none."""
        self._file.close()
        (self._folder / "notes.bin.part").replace(self._folder / "notes.bin")
        table = {**self._facts, "pieces": [asdict(piece) for piece in self._pieces]}
        text = json.dumps(table, ensure_ascii=False, indent=1)
        (self._folder / "store.json").write_text(text, encoding="utf-8")


class NoteStore:
    """Reads a store.

    Attributes:
        sustain: "extend" or "ignore".
        data: name of the data set.
        licence: of the data.
        repo: NAMESPACE/NAME on the Hub that it is copied from, None if from none.
        pieces: all pieces, in the order of the file.

    Raises:
        ValueError: if the folder holds no store or a damaged one.
    """

    def __init__(self, folder: Path) -> None:
        try:
            table = json.loads((folder / "store.json").read_text(encoding="utf-8"))
            self.sustain, self.data, self.licence = (
                str(table[name]) for name in ("sustain", "data", "licence")
            )
            self.repo: str | None = table.get("repo")
            self.pieces = tuple(StoredPiece(**piece) for piece in table["pieces"])
            *starts, expected = accumulate((piece.length for piece in self.pieces), initial=0)
            if starts != [piece.start for piece in self.pieces]:
                raise ValueError("the pieces do not lie one after the other")
            raw = np.memmap(folder / "notes.bin", dtype=np.uint8, mode="r")
            self._notes = raw.view(NOTE)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{folder} holds no prepared data ({error!r}); run train/prepare_data.py first"
            ) from error
        if len(self._notes) != expected:
            raise ValueError(
                f"notes.bin in {folder} must hold {expected} notes, got {len(self._notes)}; "
                "run train/prepare_data.py again"
            )
        # Crops are read in random order: reading ahead would only fill memory.
        self._mapping: mmap.mmap = raw._mmap  # type: ignore[attr-defined]
        self._mapping.madvise(mmap.MADV_RANDOM)

    def of_split(self, split: str, composers: Iterable[str] | None = None) -> list[StoredPiece]:
        """Returns the pieces of a split, of the named composers only unless that is None."""
        wanted = None if composers is None else set(composers)
        return [
            piece
            for piece in self.pieces
            if piece.split == split and (wanted is None or piece.composer in wanted)
        ]

    def sources(self) -> dict[str, dict[str, list[str]]]:
        """Returns for each collection its licences and the splits it has pieces in."""
        found: dict[str, dict[str, set[str]]] = {}
        for piece in self.pieces:
            if piece.source:
                collection = found.setdefault(piece.source, {"licences": set(), "splits": set()})
                collection["licences"].add(piece.licence)
                collection["splits"].add(piece.split)
        return {
            name: {key: sorted(values) for key, values in found[name].items()}
            for name in sorted(found)
        }

    def at_hand(
        self, pieces: Sequence[StoredPiece], step: int, process: int, seed: int
    ) -> Sequence[StoredPiece]:
        """Returns those of the pieces that an update draws from: all, since all are on disk."""
        return pieces

    def packed(self, piece: StoredPiece, first: int = 0, n: int | None = None) -> NDArray[np.void]:
        """Returns a piece's notes from note `first`, at most `n`, as they lie on disk."""
        last = piece.length if n is None else min(piece.length, first + n)
        return self._notes[piece.start + first : piece.start + last]

    def notes(self, piece: StoredPiece) -> list[Note]:
        """Returns all notes of a piece, from 0 seconds."""
        return unpack_notes(self.packed(piece))

    def each(self, pieces: Iterable[StoredPiece]) -> Iterator[list[Note]]:
        """Yields the notes of piece after piece; memory holds one at a time."""
        for piece in pieces:
            yield self.notes(piece)
            self.release()

    def fingerprint(self) -> str:
        """Returns the SHA-256 of all notes, which tells one training set from another."""
        return hashlib.sha256(self._notes.view(np.uint8).data).hexdigest()

    def release(self) -> None:
        """Gives back the memory of the pages read so far; they are read again when needed."""
        self._mapping.madvise(mmap.MADV_DONTNEED)


def pack_notes(notes: Sequence[Note]) -> NDArray[np.void]:
    """Returns `(N,)` packed notes, sorted by onset and pitch, the first onset at 0.

    Times are rounded to milliseconds; a note lasts 1 ms at least and 65.5 s at most.
    """
    packed = np.zeros(len(notes), dtype=NOTE)
    if len(notes):
        onsets = np.round([1000 * note.start for note in notes])
        ends = np.round([1000 * note.end for note in notes])
        packed["onset"] = onsets - onsets.min()
        packed["duration"] = np.clip(ends - onsets, 1, _MAX_DURATION_MS)
        packed["pitch"] = [note.pitch for note in notes]
        packed["velocity"] = [note.velocity for note in notes]
    return packed[np.lexsort((packed["pitch"], packed["onset"]))]


def unpack_notes(packed: NDArray[np.void]) -> list[Note]:
    """Returns the notes of `pack_notes`."""
    return [
        Note(pitch, onset / 1000, (onset + duration) / 1000, velocity)
        for onset, duration, pitch, velocity in packed.tolist()
    ]
