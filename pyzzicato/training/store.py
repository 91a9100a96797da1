"""Prepared pieces on disk: packed rolls in one file, read by memory map.

A store is a folder with `frames.bin`, `(N, 11)` bytes with one bit for each of 88 keys, all pieces
one after the other, and `store.json`, which says where each piece lies and how notes became frames.
All of MAESTRO's training split takes 127 MB; the article's ten-second windows as float32 would take
about 1 TB.
"""

import json
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..pianoroll import unpack_roll

_BYTES_A_FRAME = 11


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """Where a piece lies in the store (`start` and `length` in frames) and what it is."""

    composer: str
    title: str
    split: str
    path: str
    start: int
    length: int
    n_notes: int


class StoreWriter:
    """Writes a store piece by piece; memory does not grow with the number of pieces.

    Args:
        folder: made if absent; an earlier store in it is replaced when `close` is called.
        fs: frames a second.
        sustain: how the pedal was treated, "extend" or "ignore".
    """

    def __init__(self, folder: Path, fs: int, sustain: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._settings = {"fs": fs, "sustain": sustain}
        self._file = (folder / "frames.bin.part").open("wb")
        self._pieces: list[StoredPiece] = []
        self._start = 0

    def add(
        self,
        packed: NDArray[np.uint8],
        *,
        composer: str,
        title: str,
        split: str,
        path: str,
        n_notes: int,
    ) -> None:
        """Appends one piece's `(T, 11)` packed frames."""
        self._file.write(packed.tobytes())
        self._pieces.append(
            StoredPiece(composer, title, split, path, self._start, len(packed), n_notes)
        )
        self._start += len(packed)

    def close(self) -> None:
        """Finishes the store; until then readers see the one before or none."""
        self._file.close()
        (self._folder / "frames.bin.part").replace(self._folder / "frames.bin")
        table = {**self._settings, "pieces": [asdict(piece) for piece in self._pieces]}
        text = json.dumps(table, ensure_ascii=False, indent=1)
        (self._folder / "store.json").write_text(text, encoding="utf-8")


class RollStore:
    """Reads a store.

    Attributes:
        fs: frames a second.
        sustain: "extend" or "ignore".
        pieces: all pieces, in the order of the file.

    Raises:
        ValueError: if the folder holds no store or a damaged one.
    """

    def __init__(self, folder: Path) -> None:
        try:
            table = json.loads((folder / "store.json").read_text(encoding="utf-8"))
            self.fs = int(table["fs"])
            self.sustain = str(table["sustain"])
            self.pieces = tuple(StoredPiece(**piece) for piece in table["pieces"])
            *starts, expected = accumulate((piece.length for piece in self.pieces), initial=0)
            if starts != [piece.start for piece in self.pieces]:
                raise ValueError("the pieces do not lie one after the other")
            raw = np.memmap(folder / "frames.bin", dtype=np.uint8, mode="r")
            self._frames = raw.reshape(-1, _BYTES_A_FRAME)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{folder} holds no prepared data ({error!r}); run train/prepare_data.py first"
            ) from error
        if len(self._frames) != expected:
            raise ValueError(
                f"frames.bin in {folder} must hold {expected} frames, got {len(self._frames)}; "
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

    def frames(self, piece: StoredPiece, first: int = 0, n: int | None = None) -> NDArray[np.uint8]:
        """Returns `(T, 88)` zeros and ones of a piece from frame `first`, at most `n` frames."""
        last = piece.length if n is None else min(piece.length, first + n)
        return unpack_roll(self._frames[piece.start + first : piece.start + last])

    def each(self, pieces: Iterable[StoredPiece]) -> Iterator[NDArray[np.uint8]]:
        """Yields the `(T, 88)` frames of piece after piece; memory holds one at a time."""
        for piece in pieces:
            yield self.frames(piece)
            self.release()

    def release(self) -> None:
        """Gives back the memory of the pages read so far; they are read again when needed."""
        self._mapping.madvise(mmap.MADV_DONTNEED)
