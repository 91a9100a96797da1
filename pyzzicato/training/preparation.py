"""From MIDI files to a store: parsed in parallel, what cannot be read is listed and left out.

`write_store` takes pieces that a catalogue describes. `prepare_folder` takes any folder of MIDI
files: it leaves doubles out, and decides itself which pieces are kept apart to validate on.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..midi import Sustain, read_midi
from .catalogue import Piece
from .music_folder import FoundFile, find_files
from .sameness import Codes, find_doubles, group_pieces, piece_codes
from .splits import VALIDATION_SHARE, split_pieces
from .store import StoreWriter, pack_notes

SKIPPED = "skipped.json"
SPLITS_FILE = "splits.csv"
"""In the store's folder: which piece is in which split. It is read again the next time."""
MIN_NOTES = 8
_NAMED = 3
_COLUMNS = ("sha256", "split", "composer", "title", "path")


@dataclass(frozen=True, slots=True)
class Parsed:
    """One file: its packed notes, or the reason why it was skipped; what its contents are."""

    packed: NDArray[np.void] | None
    reason: str = ""
    codes: Codes | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What became of files.

    Attributes:
        n_pieces: pieces in the store, `n_validation` of them to validate on.
        n_validation: see `n_pieces`.
        n_notes: notes in the store.
        seconds: length of its music, as measured.
        skipped: path and reason of each file that was left out.
        doubles: path of each file that is in the store already, and of the one that is.
    """

    n_pieces: int
    n_validation: int
    n_notes: int
    seconds: float
    skipped: tuple[tuple[str, str], ...]
    doubles: tuple[tuple[str, str], ...] = ()

    def sentences(self) -> list[str]:
        """Returns what there is to say of it."""
        absent = sum(reason == "absent" for _, reason in self.skipped)
        lines = [
            f"{self.n_pieces} pieces, {self.n_notes} notes, {self.seconds / 3600:.1f} h, "
            f"{self.n_validation} of the pieces to validate on",
            f"skipped: {absent} absent, {len(self.skipped) - absent} broken (listed in {SKIPPED})",
        ]
        if self.doubles:
            lines.append(f"left out: {len(self.doubles)} doubles (listed in {SKIPPED})")
        return lines


def parse_file(path: Path, sustain: Sustain, compare: bool = False) -> Parsed:
    """Returns the packed notes of one MIDI file, moved to begin with the first.

    Args:
        path: the file.
        sustain: see `Performance.sounding`.
        compare: whether to return what it takes to compare the piece with others as well.
    """
    if not path.is_file():
        return Parsed(None, reason="absent")
    try:
        notes = read_midi(path).sounding(sustain)
    except ValueError as error:
        return Parsed(None, reason=str(error))
    packed = pack_notes(notes)
    if not compare:
        return Parsed(packed)
    if len(notes) < MIN_NOTES:
        return Parsed(None, reason=f"a piece must have {MIN_NOTES} notes, got {len(notes)}")
    return Parsed(packed, "", piece_codes(notes), hashlib.sha256(path.read_bytes()).hexdigest())


def write_store(
    chosen: Sequence[tuple[Piece, Path]], out: Path, *, sustain: Sustain, processes: int = 1
) -> Preparation:
    """Parses pieces in parallel and writes a store, and what was skipped beside it.

    Args:
        chosen: what is to be in the store, and where it lies.
        out: folder of the store.
        sustain: see `Performance.sounding`.
        processes: how many parse at once.

    Raises:
        ValueError: if none of the pieces could be read; an earlier store is left as it was.
    """
    pieces, files = zip(*chosen, strict=True)
    parsed = _parse(files, sustain, processes)
    return _write(zip(pieces, parsed, strict=True), pieces, out, sustain)


def prepare_folder(
    folder: Path,
    out: Path,
    *,
    table: Path | None = None,
    name: str | None = None,
    composer: str | None = None,
    licence: str = "",
    validation: float = VALIDATION_SHARE,
    sustain: Sustain = "extend",
    processes: int = 1,
    limit: int | None = None,
) -> Preparation:
    """Writes a store of the MIDI files in a folder and the folders in it.

    Broken files are skipped, doubles left out (in any key, at any tempo); the rest is split by
    piece: see `sameness` and `splits`. A store written there before keeps its splits.

    Args:
        folder: where the files lie.
        out: folder of the store.
        table: what is known of the files, see `folders.find_files`.
        name: of the collection; the folder's by default.
        composer: whose all of it is, whatever table, names and folders say; None if they say.
        licence: of the music, where the table does not say; it may be unknown until the music, or
            what has learnt from it, is published.
        validation: share of the pieces to validate on, above 0 and below 1.
        sustain: see `Performance.sounding`.
        processes: how many files are parsed at once.
        limit: only the first so many files.

    Raises:
        ValueError: if there are no MIDI files, fewer than two pieces can be read, or the table or
            an earlier store's splits are not fit; an earlier store is left as it was.
    """
    kept = _read_splits(out / SPLITS_FILE)
    found = find_files(folder, table)[:limit]
    parsed = list(_parse([folder / its.path for its in found], sustain, processes, compare=True))
    read = [(its, done) for its, done in zip(found, parsed, strict=True) if done.packed is not None]
    if not read:
        raise ValueError(
            f"none of the {len(found)} MIDI files is fit: {parsed[0].reason} ({found[0].path})"
        )
    # Of doubles that one stays which was there before, else the one with most notes.
    read.sort(key=lambda row: (row[1].sha256 not in kept, -_n_notes(row[1]), row[0].path))
    doubles = find_doubles([_codes(done) for _, done in read])
    single = sorted(
        (row for i, row in enumerate(read) if i not in doubles), key=lambda row: row[0].path
    )
    given = {done.sha256: its.split for its, done in single if its.split}
    ids = [done.sha256 for _, done in single]
    groups = group_pieces([_codes(done) for _, done in single])
    skipped = [
        (its.path, done.reason)
        for its, done in zip(found, parsed, strict=True)
        if done.packed is None
    ]
    twice = [(read[i][0].path, read[first][0].path) for i, first in sorted(doubles.items())]
    try:
        splits = split_pieces(ids, groups, validation, {**kept, **given})
    except ValueError as error:
        left_out = [*skipped, *((path, f"a double of {first}") for path, first in twice)]
        raise ValueError(f"{error}{_named(left_out)}") from error
    source = name or folder.resolve().name
    pieces = [
        _piece(its, composer or its.composer, split, source, its.licence or licence)
        for (its, _), split in zip(single, splits, strict=True)
    ]
    prepared = _write(
        zip(pieces, (done for _, done in single), strict=True),
        pieces,
        out,
        sustain,
        skipped=skipped,
        doubles=twice,
    )
    _write_splits(out / SPLITS_FILE, ids, pieces)
    return prepared


def _named(left_out: Sequence[tuple[str, str]]) -> str:
    """Returns which files were left out and why, the first few of them, to end a sentence."""
    shown = [f"{path} ({reason})" for path, reason in left_out[:_NAMED]]
    more = [f"{len(left_out) - _NAMED} more"] if len(left_out) > _NAMED else []
    return f". Left out: {', '.join([*shown, *more])}" if shown else ""


def _parse(
    files: Iterable[Path], sustain: Sustain, processes: int, compare: bool = False
) -> Iterator[Parsed]:
    paths = list(files)
    parse = partial(parse_file, sustain=sustain, compare=compare)
    with ProcessPoolExecutor(processes) as pool:
        done = pool.map(parse, paths, chunksize=4)
        yield from tqdm(done, desc="parse", unit="file", total=len(paths))


def _write(
    rows: Iterable[tuple[Piece, Parsed]],
    pieces: Sequence[Piece],
    out: Path,
    sustain: Sustain,
    skipped: Sequence[tuple[str, str]] = (),
    doubles: Sequence[tuple[str, str]] = (),
) -> Preparation:
    names, licences = (
        sorted({getattr(piece, name) for piece in pieces} - {""}) for name in ("source", "licence")
    )
    writer = StoreWriter(out, sustain, ", ".join(names), ", ".join(licences))
    left_out = list(skipped)
    n_notes, n_validation, milliseconds = 0, 0, 0
    for piece, done in rows:
        if done.packed is None:
            left_out.append((piece.path, done.reason))
            continue
        n_notes += len(done.packed)
        n_validation += piece.split == "validation"
        milliseconds += _length(done)
        writer.add(
            done.packed,
            composer=piece.composer,
            title=piece.title,
            split=piece.split,
            path=piece.path,
            source=piece.source,
            licence=piece.licence,
        )
    n_pieces = len(pieces) - (len(left_out) - len(skipped))
    if not n_pieces:
        absent = sum(reason == "absent" for _, reason in left_out)
        raise ValueError(
            f"none of the {len(pieces)} chosen pieces could be read ({absent} absent); "
            "check the folder, the composers and the splits"
        )
    writer.close()
    listed = [*left_out, *((path, f"a double of {first}") for path, first in doubles)]
    (out / SKIPPED).write_text(json.dumps(listed, ensure_ascii=False, indent=1), encoding="utf-8")
    return Preparation(
        n_pieces, n_validation, n_notes, milliseconds / 1000, tuple(left_out), tuple(doubles)
    )


def _length(done: Parsed) -> int:
    """Returns where the last note ends, in milliseconds from the first."""
    assert done.packed is not None
    return int((done.packed["onset"].astype(np.int64) + done.packed["duration"]).max(initial=0))


def _n_notes(done: Parsed) -> int:
    return 0 if done.packed is None else len(done.packed)


def _codes(done: Parsed) -> Codes:
    assert done.codes is not None
    return done.codes


def _piece(its: FoundFile, composer: str, split: str, source: str, licence: str) -> Piece:
    # How long it is, is measured by the store.
    return Piece(composer, its.title, split, 0, its.path, 0.0, source, licence)


def _read_splits(path: Path) -> dict[str, str]:
    """Returns the splits of an earlier store, by the hash of each file; none if there is none."""
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["sha256"]: row["split"] for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise ValueError(
            f"{path} is not a table of splits: {error!r}; correct it, or remove it to split anew"
        ) from error


def _write_splits(path: Path, ids: Sequence[str], pieces: Sequence[Piece]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for its_id, piece in zip(ids, pieces, strict=True):
            table.writerow([its_id, piece.split, piece.composer, piece.title, piece.path])
