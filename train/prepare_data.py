"""Turn MIDI collections into training data: notes that training reads by memory map.

    python train/prepare_data.py --midi-dir FOLDER --out data/mine                     # your music
    python train/prepare_data.py --data-dir MAESTRO --out data/notes --limit 10        # a taste
    python train/prepare_data.py --data-dir MAESTRO --out data/notes                   # everything
    python train/prepare_data.py --data-dir MAESTRO --out data/bach --composers bach
    python train/prepare_data.py --download --data-dir data --out data/notes           # online
    python train/prepare_data.py --from-hub NAMESPACE/DATASET --out data/notes         # prepared
    python train/prepare_data.py --data-dir MAESTRO --explore reports/                 # figure 1

    python train/prepare_data.py --data-dir EXTRA --sources mutopia nifc_chopin --out data/free
    python train/prepare_data.py --data-dir MAESTRO --extra-dir EXTRA --sources supra \
        --out data/more                                       # MAESTRO, and more to learn from

`--midi-dir` takes any folder of MIDI files and the folders in it. Broken files are skipped, doubles
left out, one piece in ten is kept apart to validate on; `splits.csv` beside the notes says which,
and is kept when the folder has grown. Composer and title are taken from a csv (`--table`, or one in
the folder) or from names like "Composer - Title.mid"; else the file's folder names the composer.

MAESTRO is the unpacked official folder, version 2 or 3: maestro-v*.csv and one folder a year. With
`--sources` the folder is another collection, described by its manifest.csv; with `--extra-dir` too,
that collection's training pieces join MAESTRO's, and what is held out stays MAESTRO's. `--manifest`
compares each file with the hashes of `manifest.py` first, and prepares nothing else than those.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from pyzzicato.midi import Sustain
from pyzzicato.plots import plot_composers, save_png
from pyzzicato.training.catalogue import (
    SPLITS,
    Piece,
    count_works,
    download_maestro,
    most_played,
    select_files,
)
from pyzzicato.training.checksums import check_collections
from pyzzicato.training.preparation import prepare_folder, write_store
from pyzzicato.training.splits import VALIDATION_SHARE


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
    midi_dir: Path | None = None
    table: Path | None = None
    name: str | None = None
    licence: str = ""
    validation: float = VALIDATION_SHARE
    manifests: tuple[Path, ...] = ()


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


def prepare_own(config: PrepareConfig) -> None:
    """Writes the store from any folder of MIDI files."""
    assert config.midi_dir is not None
    assert config.out is not None  # the parser sees to both
    prepared = prepare_folder(
        config.midi_dir,
        config.out,
        table=config.table,
        name=config.name,
        licence=config.licence,
        validation=config.validation,
        sustain=cast(Sustain, config.sustain),
        processes=config.processes,
        limit=config.limit,
    )
    print("\n".join([*prepared.sentences(), f"in {config.out}"]))


def listed_in(
    manifests: tuple[Path, ...], chosen: list[tuple[Piece, Path]]
) -> list[tuple[Piece, Path]]:
    """Returns those of the pieces that manifests list, and says how many they do not."""
    listed = check_collections(manifests, [(piece.path, path) for piece, path in chosen])
    kept = [(piece, path) for piece, path in chosen if piece.path in listed]
    print(f"{len(kept)} files are as the manifests say; {len(chosen) - len(kept)} are not in them")
    return kept


def main(config: PrepareConfig) -> None:
    """Runs one preparation."""
    if config.from_hub is not None:
        copy_from_hub(config)
        return
    if config.midi_dir is not None:
        prepare_own(config)
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
        if not chosen:
            raise ValueError("composers, sources and splits must leave a piece; they leave none")
        if config.manifests:
            chosen = listed_in(config.manifests, chosen)
        prepared = write_store(
            chosen,
            config.out,
            sustain=cast(Sustain, config.sustain),
            processes=config.processes,
        )
        print("\n".join([*prepared.sentences(), f"in {config.out}"]))


def parse_args() -> PrepareConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data-dir", type=Path, help="MAESTRO's folder")
    source.add_argument("--midi-dir", type=Path, help="any folder of MIDI files")
    source.add_argument("--from-hub", metavar="REPO", help="prepared data on the Hub instead")
    add("--revision", help="commit, tag or branch of --from-hub")
    add("--out", type=Path, help="folder for the prepared data")
    add("--explore", type=Path, help="folder for the figure of composers")
    add("--composers", nargs="+", help="parts of names, for example bach chopin (default: all)")
    add("--extra-dir", type=Path, help="another collection, whose --sources join what is learnt")
    add("--sources", nargs="+", help="collections of the manifest.csv in --extra-dir or --data-dir")
    add("--table", type=Path, help="csv of --midi-dir's files: path, composer, title, split")
    add("--name", help="what to call the music of --midi-dir (default: the folder's name)")
    add("--licence", default="", help="of the music of --midi-dir; needed to publish, not to train")
    add("--validation", type=float, default=VALIDATION_SHARE, metavar="SHARE")
    add("--manifest", dest="manifests", type=Path, nargs="+", default=[], help="see manifest.py")
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
    if args["midi_dir"] is not None and (args["out"] is None or args["explore"] is not None):
        parser.error("--midi-dir takes --out and no --explore")
    args["manifests"] = tuple(args["manifests"])
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
