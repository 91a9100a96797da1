"""Write down, or check, which files a collection consists of: a SHA-256 for each.

    python train/manifest.py --data-dir MAESTRO --out train/manifests
    python train/manifest.py --data-dir EXTRA --sources piano_midi_de supra --out train/manifests
    python train/manifest.py --midi-dir FOLDER --out train/manifests
    python train/manifest.py --data-dir MAESTRO --check train/manifests/maestro-v2.0.0.sha256

A file is written for each collection, in the form of the command `sha256sum`. Its own hash, which
is printed, names the collection; `prepare_data.py --manifest` checks data against it.
"""

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from pyzzicato.training.catalogue import SPLITS, newest_catalogue, select_files
from pyzzicato.training.checksums import (
    SUFFIX,
    check_files,
    file_hash,
    read_manifest,
    write_manifest,
)
from pyzzicato.training.music_folder import find_files


@dataclass(frozen=True)
class ManifestConfig:
    """Which collection, and where its manifests go or lie. `out` or `check` is set."""

    data_dir: Path | None = None
    midi_dir: Path | None = None
    sources: tuple[str, ...] | None = None
    out: Path | None = None
    check: Path | None = None


def main(config: ManifestConfig) -> int:
    """Writes the manifests, or checks one; returns the number of files that are wrong."""
    folder = config.data_dir or config.midi_dir
    assert folder is not None  # the parser sees to it
    if config.check is not None:
        return check(folder, config.check)
    assert config.out is not None
    for name, paths in sorted(collections(config).items()):
        file = config.out / f"{name}{SUFFIX}"
        sha256 = write_manifest(folder, paths, file)
        print(f"{file}: {len(read_manifest(file))} files, SHA-256 {sha256}")
    return 0


def collections(config: ManifestConfig) -> dict[str, list[str]]:
    """Returns the files of each collection, by its name."""
    if config.midi_dir is not None:
        return {config.midi_dir.resolve().name: [its.path for its in find_files(config.midi_dir)]}
    assert config.data_dir is not None
    found: dict[str, list[str]] = defaultdict(list)
    for piece, _ in select_files(config.data_dir, None, SPLITS, sources=config.sources):
        found[piece.source].append(piece.path)
    if config.sources is None:
        return {newest_catalogue(config.data_dir).stem: found.popitem()[1]}
    return found


def check(folder: Path, manifest: Path) -> int:
    """Prints which files of a folder are not as a manifest says; returns how many."""
    listed = read_manifest(manifest)
    wrong = check_files(listed, [(path, folder / path) for path in listed])
    for sentence in wrong:
        print(sentence)
    sha256 = file_hash(manifest)
    print(f"{len(listed) - len(wrong)} of {len(listed)} files are those of {manifest} ({sha256})")
    return len(wrong)


def parse_args() -> ManifestConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data-dir", type=Path, help="MAESTRO's folder or, with --sources, others")
    source.add_argument("--midi-dir", type=Path, help="any folder of MIDI files")
    parser.add_argument(
        "--sources", nargs="+", help="collections of the manifest.csv in --data-dir"
    )
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--out", type=Path, help="folder for the manifests")
    action.add_argument("--check", type=Path, help="a manifest to check the folder against")
    args = vars(parser.parse_args())
    args["sources"] = None if args["sources"] is None else tuple(args["sources"])
    return ManifestConfig(**args)


if __name__ == "__main__":
    try:
        sys.exit(1 if main(parse_args()) else 0)
    except ValueError as error:
        sys.exit(f"error: {error}")
