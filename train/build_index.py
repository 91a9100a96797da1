"""Make the index of training music that tells copying from composing.

    python train/build_index.py --data-dir MAESTRO --out runs/index.npz --limit 20      # a taste
    python train/build_index.py --data-dir MAESTRO --out runs/index.npz                 # everything
    python train/build_index.py --data-dir MAESTRO --out runs/bach.npz --composers bach
    python train/build_index.py --data-dir MAESTRO --extra-dir EXTRA --sources supra \
        --out runs/index.npz

MAESTRO is the unpacked official folder, version 2 or 3. A piece that a model was not trained on
does not belong into its index: name the same composers and collections as in training (see
`prepare_data.py`). The index holds the notes of the pieces without their timing, and so falls under
their licences; MAESTRO's is CC BY-NC-SA 4.0.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from pyzzicato.evaluation.originality import TrainingIndex
from pyzzicato.midi import read_midi
from pyzzicato.notes import Note
from pyzzicato.training.catalogue import Piece, select_files


@dataclass(frozen=True)
class IndexConfig:
    """One index: see `--help` for each field."""

    data_dir: Path
    out: Path
    composers: tuple[str, ...] | None
    limit: int | None
    processes: int
    extra_dir: Path | None = None
    sources: tuple[str, ...] | None = None


@dataclass
class Skipped:
    """Files that are not in the index, and why."""

    absent: int = 0
    broken: list[str] = field(default_factory=list)


def read_notes(path: Path) -> tuple[Note, ...] | str | None:
    """Returns the notes of a file as fingered, None if it is absent, or why it is unreadable."""
    if not path.is_file():
        return None
    try:
        return read_midi(path).notes
    except ValueError as error:
        return str(error)


def parse(
    chosen: list[tuple[Piece, Path]], config: IndexConfig, skipped: Skipped
) -> Iterator[tuple[str, str, tuple[Note, ...]]]:
    """Yields composer, title and notes of each readable piece; counts the others in `skipped`."""
    with ProcessPoolExecutor(config.processes) as pool:
        results = pool.map(read_notes, [path for _, path in chosen], chunksize=4)
        bar = tqdm(chosen, desc="parse", unit="file")
        for (piece, _), notes in zip(bar, results, strict=True):
            if notes is None:
                skipped.absent += 1
            elif isinstance(notes, str):
                skipped.broken.append(notes)
            else:
                yield piece.composer, piece.title, notes


def main(config: IndexConfig) -> None:
    """Builds, saves and loads one index, and prints its size."""
    chosen = select_files(
        config.data_dir,
        config.composers,
        ["train"],
        sources=config.sources,
        extra_dir=config.extra_dir,
        limit=config.limit,
    )
    skipped = Skipped()
    start = time.perf_counter()
    index = TrainingIndex.build(parse(chosen, config, skipped))
    if not index.labels:
        raise ValueError(f"data folder must hold training pieces, got none in {config.data_dir}")
    config.out.parent.mkdir(parents=True, exist_ok=True)
    path = index.save(config.out)
    built = time.perf_counter()
    TrainingIndex.load(path)
    print(
        f"{len(index.labels)} pieces, {index.n_notes} notes, {index.n_fingerprints} fingerprints; "
        f"{path.stat().st_size / 1e6:.2f} MB in {path}; built in {built - start:.0f} s, loads in "
        f"{time.perf_counter() - built:.1f} s"
    )
    print(f"skipped: {skipped.absent} absent, {len(skipped.broken)} broken")
    for reason in skipped.broken:
        print(f"  {reason}")


def parse_args() -> IndexConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data-dir", type=Path, required=True, help="MAESTRO's folder")
    add("--out", type=Path, required=True, help="file to write, .npz")
    add("--composers", nargs="+", help="parts of names, for example bach chopin (default: all)")
    add("--limit", type=int, help="only the first so many pieces")
    add("--processes", type=int, default=os.cpu_count() or 1)
    add("--extra-dir", type=Path, help="another collection, whose --sources were learnt from too")
    add("--sources", nargs="+", help="collections of the manifest.csv in --extra-dir or --data-dir")
    return IndexConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
