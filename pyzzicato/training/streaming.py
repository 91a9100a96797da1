"""A training set that stays on the Hub: shards come when they are needed and go when they are not.

A run draws its crops from a few shards at a time and moves on by one shard every few updates. Which
shards an update sees depends on the seed, the update and the process alone, as its crops do, so a
run resumes without a trace, and processes read different shards. Held-out pieces are read once.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import (  # type: ignore[import-untyped]
    IterableDataset,
    IterableDatasetDict,
    load_dataset,
)
from numpy.typing import NDArray

from ..models.architecture import SUSTAIN
from ..notes import Note
from .store import NOTE, NoteStore, StoredPiece, StoreWriter

UPDATES_A_SHARD = 25
"""After so many updates the oldest of the shards in use gives way to another."""
SHARDS_IN_USE = 4
_FACTS = ["composer", "title", "path", "seconds", "length", "sustain", "data", "licence"]
_NUMBERS = ("onset", "duration", "pitch", "velocity")

Shard = tuple[str, int]


class StreamedStore(NoteStore):
    """A store whose notes are on the Hub, laid out as `publish.py --dataset` does.

    What each piece is (composer, length and so on) is read at the beginning, its notes when asked
    for; a few shards are kept. Memory does not grow with the number of notes.

    Args:
        repo: NAMESPACE/NAME, or a folder laid out in the same way.
        revision: commit, tag or branch; the newest by default.
        n_processes: how many share a run.

    Raises:
        ValueError: if it cannot be read or is laid out otherwise.
    """

    def __init__(self, repo: str, revision: str | None = None, n_processes: int = 1) -> None:
        self._n_processes = n_processes
        self._kept: OrderedDict[Shard, list[NDArray[np.void]]] = OrderedDict()
        self._shard_of: dict[str, tuple[Shard, int]] = {}
        try:
            # The columns are named for the facts alone: the Hub is asked for no others.
            facts = _load(repo, revision, columns=_FACTS)
            self._splits = _load(repo, revision)
            rows = list(self._read_facts(facts))
        except Exception as error:  # The client, its file systems and Parquet each have their own.
            raise ValueError(f"{repo} cannot be streamed: {error!r}"[:500]) from error
        if not rows:
            raise ValueError(f"{repo} holds no piece")
        self.repo = repo
        self.pieces = tuple(piece for piece, _ in rows)
        self.sustain, self.data, self.licence = (
            ", ".join(sorted({str(facts[name]) for _, facts in rows}))
            for name in ("sustain", "data", "licence")
        )
        if self.sustain not in SUSTAIN:
            raise ValueError(f"sustain must be the same in all pieces of {repo}: {self.sustain}")

    def _read_facts(
        self, splits: IterableDatasetDict
    ) -> Iterator[tuple[StoredPiece, dict[str, Any]]]:
        for split, its in splits.items():
            for shard in range(its.num_shards):
                for row, facts in enumerate(its.shard(its.num_shards, shard)):
                    self._shard_of[facts["path"]] = ((split, shard), row)
                    piece = StoredPiece(
                        facts["composer"],
                        facts["title"],
                        split,
                        facts["path"],
                        0,
                        int(facts["length"]),
                        float(facts["seconds"]),
                        facts["data"],
                        facts["licence"],
                    )
                    yield piece, facts

    def fingerprint(self) -> str:
        """Returns nothing: to compute it, all shards would have to be read."""
        return ""

    def packed(self, piece: StoredPiece, first: int = 0, n: int | None = None) -> NDArray[np.void]:
        """Returns a piece's notes from note `first`, at most `n`, with its shard if need be."""
        shard, row = self._shard_of[piece.path]
        notes = self._read_shard(shard)[row]
        return notes[first : None if n is None else first + n]

    def at_hand(
        self, pieces: Sequence[StoredPiece], step: int, process: int, seed: int
    ) -> Sequence[StoredPiece]:
        """Returns those of the pieces that an update of a process draws from."""
        shards = sorted({self._shard_of[piece.path][0] for piece in pieces})
        wanted = set()
        for i in range(SHARDS_IN_USE):
            place = (step // UPDATES_A_SHARD + i) * self._n_processes + process
            turn, at = divmod(place, len(shards))
            order = np.random.default_rng([seed, turn]).permutation(len(shards))
            wanted.add(shards[order[at]])
        return [piece for piece in pieces if self._shard_of[piece.path][0] in wanted]

    def each(self, pieces: Iterable[StoredPiece]) -> Iterator[list[Note]]:
        """Yields the notes of piece after piece; memory holds a few shards at a time."""
        for piece in pieces:
            yield self.notes(piece)

    def release(self) -> None:
        """Does nothing: old shards are let go as new ones come."""

    def _read_shard(self, shard: Shard) -> list[NDArray[np.void]]:
        if shard in self._kept:
            self._kept.move_to_end(shard)
            return self._kept[shard]
        split, index = shard
        its = self._splits[split]
        try:
            rows = its.shard(its.num_shards, index).with_format("numpy")
            notes = [_packed(row) for row in rows]
        except Exception as error:
            raise ValueError(f"shard {index} of {split} cannot be read: {error!r}"[:500]) from error
        self._kept[shard] = notes
        if len(self._kept) > SHARDS_IN_USE + 1:
            self._kept.popitem(last=False)
        return notes


def copy_to_store(
    repo: str,
    out: Path,
    *,
    revision: str | None = None,
    composers: Iterable[str] | None = None,
    splits: Iterable[str] | None = None,
    limit: int | None = None,
) -> int:
    """Writes a training set on the Hub as a store on disk; returns the number of pieces.

    Args:
        repo: NAMESPACE/NAME.
        out: folder of the store.
        revision: commit, tag or branch; the newest by default.
        composers: parts of names, in any case; all if None.
        splits: those wanted; all if None.
        limit: only so many pieces.

    Raises:
        ValueError: if it cannot be read, or holds no such piece.
    """
    source = StreamedStore(repo, revision)
    parts = None if composers is None else [part.casefold() for part in composers]
    wanted = [
        piece
        for piece in source.pieces
        if (splits is None or piece.split in set(splits))
        and (parts is None or any(part in piece.composer.casefold() for part in parts))
    ][:limit]
    if not wanted:
        raise ValueError(f"{repo} holds none of the chosen pieces; check composers and splits")
    writer = StoreWriter(out, source.sustain, source.data, source.licence, repo)
    for piece in wanted:
        writer.add(
            source.packed(piece),
            composer=piece.composer,
            title=piece.title,
            split=piece.split,
            path=piece.path,
            source=piece.source,
            licence=piece.licence,
        )
    writer.close()
    return len(wanted)


def _load(repo: str, revision: str | None, **options: Any) -> IterableDatasetDict:
    found = load_dataset(repo, revision=revision, streaming=True, **options)
    if not all(isinstance(part, IterableDataset) for part in found.values()):
        raise ValueError(f"{repo} is not laid out in shards")
    return found


def _packed(row: dict[str, Any]) -> NDArray[np.void]:
    """Returns a row's notes as they lie in a store."""
    notes = np.zeros(len(row["onset"]), dtype=NOTE)
    for name in _NUMBERS:
        notes[name] = row[name]
    return notes
