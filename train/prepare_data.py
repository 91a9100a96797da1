"""Turn MIDI collections into training data: notes that training reads by memory map.

    python train/prepare_data.py --data-dir MAESTRO --out data/notes --limit 10        # a taste
    python train/prepare_data.py --data-dir MAESTRO --out data/notes                   # everything
    python train/prepare_data.py --data-dir MAESTRO --out data/bach --composers bach
    python train/prepare_data.py --download --data-dir data --out data/notes           # online
    python train/prepare_data.py --from-hub NAMESPACE/DATASET --out data/notes         # prepared
    python train/prepare_data.py --data-dir MAESTRO --explore reports/                 # figure 1

    python train/prepare_data.py --data-dir EXTRA --sources mutopia nifc_chopin --out data/free
    python train/prepare_data.py --data-dir MAESTRO --extra-dir EXTRA --sources supra \
        --out data/more                                       # MAESTRO, and more to learn from

MAESTRO is the unpacked official folder, version 2 or 3: maestro-v*.csv and one folder a year. With
`--sources` the folder is another collection, described by its manifest.csv; with `--extra-dir` too,
that collection's training pieces join MAESTRO's, and what is held out stays MAESTRO's.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pyzzicato.midi import read_midi
from pyzzicato.plots import plot_composers, save_png
from pyzzicato.training.catalogue import (
    SPLITS,
    Piece,
    count_works,
    download_maestro,
    most_played,
    select_files,
)
from pyzzicato.training.store import StoreWriter, pack_notes


@dataclass(frozen=True)
class PrepareConfig:
    """One preparation: see `--help` for each field."""

    data_dir: Path | None
    out: Path | None
    explore: Path | None
    composers: tuple[str, ...] | None
    sources: tuple[str, ...] | None
    splits: tuple[str, ...]
    sustain: str
    limit: int | None
    download: bool
    processes: int
    from_hub: str | None = None
    revision: str | None = None
    extra_dir: Path | None = None


@dataclass(frozen=True)
class Prepared:
    """One parsed file: its packed notes, or the reason why it was skipped."""

    packed: NDArray[np.void] | None
    reason: str = ""


def prepare_file(path: Path, sustain: str) -> Prepared:
    """Returns the packed notes of one MIDI file, moved to begin with the first."""
    if not path.is_file():
        return Prepared(None, reason="absent")
    try:
        notes = read_midi(path).sounding(sustain)
    except ValueError as error:
        return Prepared(None, reason=str(error))
    return Prepared(pack_notes(notes))


def write_store(chosen: Sequence[tuple[Piece, Path]], config: PrepareConfig, out: Path) -> None:
    """Parses the pieces in parallel, writes the store, prints what was skipped and why.

    Args:
        chosen: what is to be in the store, and where it lies.
        config: of `sustain` and `processes` use is made.
        out: folder of the store.

    Raises:
        ValueError: if none of the pieces could be read; an earlier store is left as it was.
    """
    pieces, files = zip(*chosen, strict=True)
    names, licences = (
        sorted({getattr(piece, name) for piece in pieces}) for name in ("source", "licence")
    )
    writer = StoreWriter(out, config.sustain, ", ".join(names), ", ".join(licences))
    skipped: list[tuple[str, str]] = []
    n_notes, seconds = 0, 0.0
    with ProcessPoolExecutor(config.processes) as pool:
        results = pool.map(partial(prepare_file, sustain=config.sustain), files, chunksize=4)
        for piece, done in zip(tqdm(pieces, desc="parse", unit="file"), results, strict=True):
            if done.packed is None:
                skipped.append((piece.path, done.reason))
                continue
            n_notes += len(done.packed)
            seconds += piece.duration_s
            writer.add(
                done.packed,
                composer=piece.composer,
                title=piece.title,
                split=piece.split,
                path=piece.path,
            )
    absent = sum(reason == "absent" for _, reason in skipped)
    if len(skipped) == len(pieces):
        raise ValueError(
            f"none of the {len(pieces)} chosen pieces could be read ({absent} absent); "
            "check the folder, the composers and the splits"
        )
    writer.close()
    (out / "skipped.json").write_text(json.dumps(skipped, indent=1), encoding="utf-8")
    print(f"{len(pieces) - len(skipped)} pieces, {n_notes} notes, {seconds / 3600:.1f} h in {out}")
    print(f"skipped: {absent} absent, {len(skipped) - absent} broken (listed in skipped.json)")


def explore(pieces: list[Piece], folder: Path) -> None:
    """Draws pieces and distinct works of the 14 most played composers, and prints the table."""
    rows = [(name, n, count_works(pieces, name)) for name, n in most_played(pieces)]
    folder.mkdir(parents=True, exist_ok=True)
    save_png(plot_composers(rows), folder / "composers.png")
    lines = ["| composer | performances | distinct works |", "|---|---|---|"]
    lines += [f"| {name} | {n} | {works} |" for name, n, works in rows]
    table = "\n".join(lines)
    (folder / "composers.md").write_text(table + "\n", encoding="utf-8")
    print(table)
    print(f"{len(pieces)} performances in all; figure in {folder / 'composers.png'}")


def copy_from_hub(config: PrepareConfig) -> None:
    """Writes the store from a training set that is on the Hub already prepared."""
    # Imported here: preparing from files does without the libraries of data sets.
    from pyzzicato.training.streaming import copy_to_store

    assert config.from_hub is not None
    assert config.out is not None  # the parser sees to both
    n_pieces = copy_to_store(
        config.from_hub,
        config.out,
        revision=config.revision,
        composers=config.composers,
        splits=config.splits,
        limit=config.limit,
    )
    print(f"{n_pieces} pieces of {config.from_hub} in {config.out}")


def main(config: PrepareConfig) -> None:
    """Runs one preparation."""
    if config.from_hub is not None:
        copy_from_hub(config)
        return
    data_dir = config.data_dir
    assert data_dir is not None  # the parser sees to it
    if config.download:
        data_dir = download_maestro(data_dir)
    choose = partial(select_files, data_dir, sources=config.sources, extra_dir=config.extra_dir)
    if config.explore is not None:
        explore([piece for piece, _ in choose(None, SPLITS)], config.explore)
    if config.out is not None:
        chosen = choose(config.composers, config.splits, limit=config.limit)
        write_store(chosen, config, config.out)


def parse_args() -> PrepareConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data-dir", type=Path, help="MAESTRO's folder")
    source.add_argument("--from-hub", metavar="REPO", help="prepared data on the Hub instead")
    add("--revision", help="commit, tag or branch of --from-hub")
    add("--out", type=Path, help="folder for the prepared data")
    add("--explore", type=Path, help="folder for the figure of composers")
    add("--composers", nargs="+", help="parts of names, for example bach chopin (default: all)")
    add("--extra-dir", type=Path, help="another collection, whose --sources join what is learnt")
    add("--sources", nargs="+", help="collections of the manifest.csv in --extra-dir or --data-dir")
    add("--splits", nargs="+", default=SPLITS, choices=SPLITS)
    add("--sustain", default="extend", choices=("extend", "ignore"), help="the sustain pedal")
    add("--limit", type=_count, help="only the first N pieces")
    add("--download", action="store_true", help="download MAESTRO v3 into --data-dir first")
    add("--processes", type=_count, default=os.cpu_count() or 1)
    args = vars(parser.parse_args())
    if args["out"] is None and args["explore"] is None:
        parser.error("name --out, --explore or both")
    if args["from_hub"] is not None and (args["out"] is None or args["explore"] is not None):
        parser.error("--from-hub takes --out and no --explore")
    if args["extra_dir"] is not None and (args["sources"] is None or args["out"] is None):
        parser.error("--extra-dir takes --sources, the collections to add, and --out")
    for name in ("composers", "sources"):
        args[name] = None if args[name] is None else tuple(args[name])
    return PrepareConfig(**{**args, "splits": tuple(args["splits"])})


def _count(text: str) -> int:
    """Returns a number of things, 1 or more, from the command line."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {value}")
    return value


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
