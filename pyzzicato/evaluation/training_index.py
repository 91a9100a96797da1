"""An index of training music: where in it a few successive notes occur.

The file holds the pitches of every piece in playing order, as intervals, and one onset in
`TIME_STEP_NOTES`: for MAESTRO's 5.7 million training notes 2.0 MB, with two million of other
collections 3.0 MB, since performances of one work compress well side by side. Fingerprints are not
stored but made again on loading, in a few seconds; so a file cannot contradict itself, and is
smaller than one of fingerprints would be.
"""

import io
import json
import lzma
import math
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import show_value
from ..notes import HIGHEST_PITCH, LOWEST_PITCH, Note
from .fingerprints import (
    Flags,
    Floats,
    Hashes,
    Pitches,
    Places,
    distinctive_grams,
    gram_hashes,
    playing_order,
    winnow,
)

BUNDLED_INDEX = Path(__file__).with_name("training_index.npz")
"""Index of the training pieces of MAESTRO, SUPRA and Piano-midi.de, what the bundled models learnt
from (`lstm-events-open` from the last of them and other scores); it holds their order of notes and
is therefore under their licences, CC BY-NC-SA 4.0 and, for Piano-midi.de, CC BY-SA 3.0 DE. Made by
`train/build_index.py --data-dir MAESTRO --extra-dir EXTRA --sources supra piano_midi_de`."""
FORMAT = 1
"""Version of the file; to be raised whenever what it holds, or its order, changes."""
TIME_STEP_NOTES = 32
"""One onset in so many notes is kept: enough to say where in a piece, to a second or two."""
TIMES_A_SECOND = 10
COMMON_COMPOSERS = 4
"""A gram that so many composers wrote belongs to everybody and is no fingerprint."""
MAX_HITS = 200_000
"""Places looked at for one piece at most, rarest grams first; keeps memory and time bounded."""
MAX_FILE_BYTES = 256 * 2**20
"""Unpacked size of a file: that of 200 million notes; MAESTRO takes 7 MB."""
MAX_ONSET_S = 86_400.0
REST = -128
"""Stands for no note, around and between pieces: no transposition makes a pitch of it."""
_REST_NOTES = 8
# Codes have 32 bits; the highest of them say which part one is of.
_PARTS, _PART_SHIFT = 16, 28
_ARRAYS = {"format": "u1", "labels": "u1", "lengths": "u4", "pitches": "i1", "times": "i4"}
# What the standard library and numpy raise on damaged archives and array headers.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    KeyError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


class TrainingIndex:
    """Training pieces, searchable by fingerprint.

    Made by `build` or `load`, not directly.

    Attributes:
        labels: composer and title of each piece.
        n_notes: notes of all pieces.
        n_fingerprints: codes kept to find them by.
    """

    def __init__(
        self,
        labels: Sequence[tuple[str, str]],
        pieces: Sequence[NDArray[np.integer[Any]]],
        times: Sequence[Floats],
    ) -> None:
        """Takes pitches in playing order and every `TIME_STEP_NOTES`-th onset of each piece."""
        self.labels = tuple(labels)
        self.n_notes = sum(len(piece) for piece in pieces)
        self._times = times
        self._lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
        self._starts = np.cumsum([_REST_NOTES, *(self._lengths + _REST_NOTES)])[:-1]
        n_places = self.n_notes + _REST_NOTES * (len(pieces) + 1)
        self._pitches = np.full(n_places, REST, dtype=np.int8)
        for start, piece in zip(self._starts, pieces, strict=True):
            self._pitches[start : start + len(piece)] = piece
        self._hashes, self._places = self._fingerprints()
        self.n_fingerprints = len(self._hashes)

    @classmethod
    def build(cls, pieces: Iterable[tuple[str, str, Sequence[Note]]]) -> "TrainingIndex":
        """Returns the index of some pieces, taken one at a time.

        Args:
            pieces: composer, title and notes of each; one without notes is left out.

        Raises:
            ValueError: if a note is struck after 24 hours.
        """
        labels: list[tuple[str, str]] = []
        sequences: list[Pitches] = []
        times: list[Floats] = []
        for composer, title, notes in pieces:
            onsets, pitches = playing_order(notes)
            if onsets.max(initial=0.0) > MAX_ONSET_S:
                raise ValueError(
                    f"notes must be struck within {MAX_ONSET_S:.0f} s, got one at "
                    f"{onsets.max():.0f} s in {title!r}; shift or cut them"
                )
            if len(pitches):
                labels.append((composer, title))
                sequences.append(pitches)
                times.append(np.round(onsets[::TIME_STEP_NOTES], 1))
        return cls(labels, sequences, times)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the index to a file and returns its path; the same index gives the same bytes.

        Raises:
            ValueError: if the file cannot be written.
        """
        labels = json.dumps(self.labels, ensure_ascii=False).encode()
        pitches = np.concatenate([np.zeros(0, np.int16), *self._pieces()])
        times = np.concatenate([np.zeros(0), *self._times])
        ticks = np.round(times * TIMES_A_SECOND).astype(np.int64)
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            format=np.array([FORMAT], dtype=np.uint8),
            labels=np.frombuffer(labels, dtype=np.uint8),
            lengths=self._lengths.astype(np.uint32),
            pitches=np.diff(pitches, prepend=np.int16(0)).astype(np.int8),
            times=np.diff(ticks, prepend=0).astype(np.int32),
        )
        target = Path(path)
        try:
            target.write_bytes(buffer.getvalue())
        except OSError as error:
            raise ValueError(
                f"index {str(target)!r} cannot be written: {error.strerror}; choose an existing "
                "folder you may write to"
            ) from error
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "TrainingIndex":
        """Returns the index of a file written by `save`.

        Nothing in the file is trusted: no pickles, sizes are looked at before anything is
        unpacked, and lengths, pitches and times must agree.

        Raises:
            ValueError: if the file is missing, damaged, too large or not an index.
        """
        try:
            arrays = _read_arrays(Path(path))
            labels = _check_labels(json.loads(arrays["labels"].tobytes()))
            return cls(labels, *_check_notes(arrays, len(labels)))
        except OSError as error:
            raise ValueError(
                f"training index {os.fspath(path)!r} cannot be read: {error.strerror}; check the "
                "path, or make one with train/build_index.py"
            ) from error
        except _DAMAGE as error:
            raise ValueError(
                f"training index {os.fspath(path)!r} cannot be read: {error}; make it anew with "
                "train/build_index.py"
            ) from error

    def find(self, hashes: Hashes, distinctive: Flags) -> tuple[Places, Places]:
        """Returns where grams occur: the gram's number and its place, both `(H,)`.

        Args:
            hashes: `(G,)` codes of a piece's grams.
            distinctive: `(G,)` which of them to look for.
        """
        first = np.searchsorted(self._hashes, hashes, side="left")
        counts = np.searchsorted(self._hashes, hashes, side="right") - first
        counts[~distinctive] = 0
        rarest_first = np.argsort(counts, kind="stable")
        too_many = np.cumsum(counts[rarest_first]) > MAX_HITS
        counts[rarest_first[too_many]] = 0
        grams = np.repeat(np.arange(len(hashes)), counts)
        within = np.arange(len(grams)) - np.repeat(np.cumsum(counts) - counts, counts)
        return grams, self._places[first[grams] + within].astype(np.int64)

    def pitches_at(self, places: Places) -> Pitches:
        """Returns the pitches at some places; `REST` between pieces and outside the index."""
        inside = (places >= 0) & (places < len(self._pitches))
        return np.where(inside, self._pitches[np.where(inside, places, 0)], REST).astype(np.int16)

    def name_place(self, place: int) -> tuple[str, str, float]:
        """Returns composer, title and time in seconds of a place at or next to a note."""
        nearest = np.searchsorted(self._starts - _REST_NOTES // 2, place, side="right")
        piece = max(int(nearest) - 1, 0)
        times = self._times[piece]
        known = np.arange(len(times)) * TIME_STEP_NOTES
        seconds = float(np.interp(place - self._starts[piece], known, times))
        return *self.labels[piece], seconds

    def _pieces(self) -> Iterator[Pitches]:
        """Yields the pitches of each piece."""
        for start, length in zip(self._starts, self._lengths, strict=True):
            yield self._pitches[start : start + length].astype(np.int16)

    def _fingerprints(self) -> tuple[Hashes, NDArray[np.int32]]:
        """Returns the codes kept, sorted, and the place of each.

        There are millions: they are sorted a part at a time, so that it takes little memory.
        """
        hashes: list[Hashes] = [np.zeros(0, np.uint32)]
        places: list[NDArray[np.int32]] = [np.zeros(0, np.int32)]
        composers: list[NDArray[np.int32]] = [np.zeros(0, np.int32)]
        number = {name: i for i, name in enumerate(sorted({name for name, _ in self.labels}))}
        for (composer, _), start, pitches in zip(
            self.labels, self._starts, self._pieces(), strict=True
        ):
            codes = gram_hashes(pitches)
            kept = winnow(codes, distinctive_grams(pitches))
            hashes.append(codes[kept])
            places.append((start + kept).astype(np.int32))
            composers.append(np.full(len(kept), number[composer], dtype=np.int32))
        all_hashes, all_places = np.concatenate(hashes), np.concatenate(places)
        all_composers = np.concatenate(composers)
        del hashes, places, composers
        found = []
        for part in range(_PARTS):
            here = np.flatnonzero(all_hashes >> _PART_SHIFT == part)
            here = here[np.argsort(all_hashes[here], kind="stable")]
            here = here[_written_by_few(all_hashes[here], all_composers[here])]
            found.append((all_hashes[here], all_places[here]))
        sorted_hashes, sorted_places = zip(*found, strict=True)
        return np.concatenate(sorted_hashes), np.concatenate(sorted_places)


def _written_by_few(hashes: Hashes, composers: NDArray[np.int32]) -> Flags:
    """Returns which codes fewer than `COMMON_COMPOSERS` composers share.

    Args:
        hashes: `(H,)` sorted codes.
        composers: `(H,)` number of the composer of each.
    """
    if not len(hashes):
        return np.zeros(0, dtype=np.bool_)
    group = np.cumsum(np.diff(hashes, prepend=hashes[0]) != 0, dtype=np.int32)
    n_composers = int(composers.max()) + 1
    pairs = group.astype(np.int64) * n_composers + composers
    pairs.sort()
    different = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
    counts = np.bincount(different // n_composers)
    return np.asarray((counts < COMMON_COMPOSERS)[group])


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Returns the arrays of a file, one-dimensional and of the types they should have."""
    with zipfile.ZipFile(path) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist()}
        missing = [name for name in _ARRAYS if f"{name}.npy" not in sizes]
        if missing:
            raise ValueError(f"it is not a training index (no {', '.join(missing)})")
        if sum(sizes.values()) > MAX_FILE_BYTES:
            raise ValueError(
                f"unpacked size must be at most {MAX_FILE_BYTES} bytes, got {sum(sizes.values())}"
            )
        return {
            name: _read_array(archive.read(f"{name}.npy"), name, kind)
            for name, kind in _ARRAYS.items()
        }


def _read_array(data: bytes, name: str, kind: str) -> NDArray[Any]:
    """Returns the array of an npy member after comparing what it announces with what it holds."""
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{name} is not an array")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    content = data[stream.tell() :]
    if dtype != np.dtype(f"<{kind}") or shape != (len(content) // dtype.itemsize,):
        raise ValueError(f"{name} must be a list of {kind}, got {shape} of {dtype}")
    return np.frombuffer(content, dtype=dtype, count=math.prod(shape))


def _check_labels(labels: object) -> list[tuple[str, str]]:
    """Returns composers and titles out of what a file says they are."""
    if not isinstance(labels, list):
        raise ValueError("labels must be a list of composers and titles")
    checked = []
    for label in labels:
        match label:
            case [str(composer), str(title)]:
                checked.append((composer, title))
            case _:
                raise ValueError(f"a label must be a composer and a title, got {show_value(label)}")
    return checked


def _check_notes(
    arrays: dict[str, NDArray[Any]], n_pieces: int
) -> tuple[list[NDArray[np.int8]], list[Floats]]:
    """Returns pitches and times of each piece if the arrays agree with each other."""
    if arrays["format"].tolist() != [FORMAT]:
        raise ValueError(f"format must be {FORMAT}, got {arrays['format'].tolist()!r:.40}")
    lengths = arrays["lengths"].astype(np.int64)
    n_times = -(-lengths // TIME_STEP_NOTES)
    # The first pitch out of its range is seen as it is: a step of 8 bits does not lead round 16.
    pitches = np.cumsum(arrays["pitches"], dtype=np.int16)
    ticks = np.cumsum(arrays["times"], dtype=np.int64)
    if len(lengths) != n_pieces or (lengths < 1).any():
        raise ValueError(f"there must be one length for each of {n_pieces} labels, from 1")
    if lengths.sum() != len(pitches) or n_times.sum() != len(ticks):
        raise ValueError("lengths must add up to the notes and times there are")
    if ((pitches < LOWEST_PITCH) | (pitches > HIGHEST_PITCH)).any() or (ticks < 0).any():
        raise ValueError(f"pitches must be {LOWEST_PITCH} to {HIGHEST_PITCH}, times from 0")
    pieces = np.split(pitches.astype(np.int8), np.cumsum(lengths)[:-1])
    return pieces[:n_pieces], np.split(ticks / TIMES_A_SECOND, np.cumsum(n_times)[:-1])[:n_pieces]
