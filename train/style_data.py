"""Music for the composer classifier: which files, which works, which excerpts.

Titles do not tell works apart: one sonata goes by a dozen titles, its movements by others, and a
recital's file holds three preludes that also stand alone. Two files are therefore of one work if
they share runs of notes, or have one title in MAESTRO (see `group_works`).
"""

import csv
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pyzzicato.evaluation.arrays import note_arrays
from pyzzicato.evaluation.style import MIN_NOTES, MIN_WINDOW_S, WINDOW_S
from pyzzicato.evaluation.style_features import style_features
from pyzzicato.midi import read_midi
from pyzzicato.notes import LOWEST_PITCH, Note, cut_notes, end_of, transpose_notes
from pyzzicato.training.catalogue import Piece

GRAM = 6
"""Runs of so many pitches in playing order are compared between files."""
SHARED = 0.03
"""Files that share more than this part of the shorter one's runs are of one work. Different works
of one composer in MAESTRO share 0.026 at most, performances of one work 0.25 as a rule."""
COMMON = 60
"""A run found in more files than this is no sign of the same piece."""
HOP_S = 45.0
MAX_EXCERPTS = 12
"""Of one file, spread evenly: a long recital counts no more than a sonata."""
MAX_SEMITONES = 5

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """One file of music.

    Attributes:
        path: of the file.
        composer: as in MAESTRO.
        title: of the work, as the catalogue has it.
        split: "train", "validation" or "test".
        kind: "maestro", "performance" or "score".
        new: whether no performance of MAESTRO is known to be of the same work; always False for
            MAESTRO's own.
    """

    path: Path
    composer: str
    title: str
    split: str
    kind: str
    new: bool = False


@dataclass(frozen=True, eq=False)
class FileFeatures:
    """What is kept of one file.

    Attributes:
        source: the file.
        plain: `(E, D)` features of its excerpts of `WINDOW_S`, as played.
        varied: `(E, D)` features of shorter parts of them in other keys.
        runs: codes of its runs of `GRAM` pitches, each once.
    """

    source: Source
    plain: NDArray[np.float32]
    varied: NDArray[np.float32]
    runs: Codes


def maestro_sources(pieces: Sequence[Piece], data_dir: Path, composers: set[str]) -> list[Source]:
    """Returns the training and validation pieces of the composers whose files are there."""
    return [
        Source(data_dir / p.path, p.composer, p.title, p.split, "maestro")
        for p in pieces
        if p.composer in composers and p.split != "test" and (data_dir / p.path).is_file()
    ]


def extra_sources(extra_dir: Path, composers: set[str]) -> list[Source]:
    """Returns the training pieces of the composers in a folder with a `manifest.csv`.

    Its columns: path, composer, title, source, performance_or_score, leak_safe_split,
    matched_maestro_file (empty if MAESTRO does not hold the piece). Performances that MAESTRO holds
    itself (`asap_performance` with a match) are left out.

    Raises:
        ValueError: if the manifest is missing or lacks a column.
    """
    try:
        with (extra_dir / "manifest.csv").open(encoding="utf-8", newline="") as file:
            return [
                Source(
                    extra_dir / row["path"],
                    row["composer"],
                    row["title"],
                    row["leak_safe_split"],
                    "score" if row["performance_or_score"].startswith("score") else "performance",
                    new=not row["matched_maestro_file"],
                )
                for row in csv.DictReader(file)
                if row["composer"] in composers
                and row["leak_safe_split"] == "train"
                and not (row["source"] == "asap_performance" and row["matched_maestro_file"])
            ]
    except (OSError, KeyError) as error:
        raise ValueError(
            f"extra folder must hold manifest.csv with its columns, got {error!r}; leave out "
            "--extra-dir to train on MAESTRO alone"
        ) from error


def hold_out_new(sources: Sequence[Source]) -> list[Source]:
    """Returns the sources, with some pieces held out for composers who have no validation piece.

    Held out are a composer's performances outside MAESTRO of works that MAESTRO does not hold:
    their split becomes "validation".
    """
    covered = {s.composer for s in sources if s.split == "validation"}
    return [
        replace(s, split="validation")
        if s.composer not in covered and s.new and s.kind == "performance"
        else s
        for s in sources
    ]


def read_all(sources: Sequence[Source], processes: int) -> tuple[list[FileFeatures], list[str]]:
    """Returns what is kept of each readable file, and why the others were not read."""
    with ProcessPoolExecutor(processes) as pool:
        results = pool.map(read_source, sources, chunksize=4)
        all_results = list(tqdm(results, total=len(sources), desc="read", unit="file"))
    broken = [result for result in all_results if isinstance(result, str)]
    return [h for h in all_results if isinstance(h, FileFeatures) and len(h.plain)], broken


def read_source(source: Source) -> FileFeatures | str:
    """Returns the excerpts of one file as features, or why it cannot be read."""
    try:
        notes = read_midi(source.path).sounding("extend")
    except ValueError as error:
        return str(error)
    return measure_notes(source, notes)


def measure_notes(source: Source, notes: Sequence[Note]) -> FileFeatures:
    """Returns the excerpts of a piece as features; the same each time."""
    draw = np.random.default_rng(zlib.crc32(source.path.name.encode()))
    excerpts = cut_excerpts(notes)
    plain = [style_features(excerpt) for excerpt in excerpts]
    varied = [style_features(vary(excerpt, draw)) for excerpt in excerpts]
    return FileFeatures(source, _rows(plain), _rows(varied), note_runs(notes))


def _rows(features: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
    return np.array(features, dtype=np.float32)


def cut_excerpts(notes: Sequence[Note]) -> list[list[Note]]:
    """Returns excerpts of `WINDOW_S` every `HOP_S`, at most `MAX_EXCERPTS` spread over the piece.

    A piece shorter than that is one excerpt. Those with fewer than `MIN_NOTES` notes are left out.
    """
    room = max(0.0, end_of(notes) - WINDOW_S)
    n = min(MAX_EXCERPTS, 1 + int(room // HOP_S))
    starts = np.linspace(0.0, room, n) if n > 1 else np.zeros(1)
    cuts = [cut_notes(notes, float(start), float(start) + WINDOW_S) for start in starts]
    return [cut for cut in cuts if len(cut) >= MIN_NOTES]


def vary(excerpt: Sequence[Note], draw: np.random.Generator) -> list[Note]:
    """Returns a part of at least `MIN_WINDOW_S` of the excerpt in another key.

    So the classifier learns that neither key nor length matters. The excerpt itself is returned if
    the part would have fewer than `MIN_NOTES` notes.
    """
    seconds = draw.uniform(MIN_WINDOW_S, WINDOW_S)
    start = draw.uniform(0.0, WINDOW_S - seconds)
    semitones = int(draw.integers(-MAX_SEMITONES, MAX_SEMITONES + 1))
    part = transpose_notes(cut_notes(excerpt, start, start + seconds), semitones)
    return part if len(part) >= MIN_NOTES else list(excerpt)


def note_runs(notes: Sequence[Note]) -> Codes:
    """Returns a code of each run of `GRAM` pitches in playing order, each code once, ascending."""
    keys = note_arrays(notes).pitches - LOWEST_PITCH
    if len(keys) < GRAM:
        return np.zeros(0, np.int64)
    runs = np.lib.stride_tricks.sliding_window_view(keys, GRAM)
    return np.unique(runs @ (128 ** np.arange(GRAM)))


def group_works(sources: Sequence[Source], runs: Sequence[Codes]) -> NDArray[np.int64]:
    """Returns the number of the work of each file: equal for files of one work.

    Two files by one composer are of one work if they share more than `SHARED` of the shorter one's
    runs, or are MAESTRO's and have one title (movements of a sonata), or if both are of one work
    with a third. Titles outside MAESTRO say too little: all preludes may be called "Preludes".
    """
    parent = list(range(len(sources)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    by_title: dict[tuple[str, str], int] = {}
    by_composer: dict[str, list[int]] = defaultdict(list)
    for i, source in enumerate(sources):
        if source.kind == "maestro":
            parent[root(i)] = root(by_title.setdefault((source.composer, source.title), i))
        by_composer[source.composer].append(i)
    for members in by_composer.values():
        for (i, j), shared in _shared_runs(members, runs).items():
            if shared > SHARED * min(len(runs[i]), len(runs[j])):
                parent[root(i)] = root(j)
    return np.array([root(i) for i in range(len(sources))])


def _shared_runs(members: Sequence[int], runs: Sequence[Codes]) -> Counter[tuple[int, int]]:
    """Returns how many runs each two of the files share; see `COMMON`."""
    codes = np.concatenate([runs[i] for i in members])
    owners = np.repeat(members, [len(runs[i]) for i in members])
    order = np.argsort(codes, kind="stable")
    codes, owners = codes[order], owners[order]
    bounds = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1], True])
    shared: Counter[tuple[int, int]] = Counter()
    for first, last in zip(bounds[:-1], bounds[1:], strict=True):
        if 1 < last - first <= COMMON:
            shared.update(combinations(owners[first:last].tolist(), 2))
    return shared
