"""Collections named by hash: which files, with which bytes, a model was made from.

A manifest has a line a file, its SHA-256 and its path in the collection's folder, as the command
`sha256sum` writes and checks them. It is over bytes and not over notes as they are parsed: bytes
stay the same when reading MIDI gets better, and any machine has a program that checks them. The
manifest's own SHA-256 stands for the whole collection, so that a recipe names it in one line.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

SUFFIX = ".sha256"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_SHOWN = 5


def file_hash(path: Path) -> str:
    """Returns the SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, paths: Iterable[str], out: Path) -> str:
    """Writes the manifest of a collection; returns the manifest's own SHA-256.

    Args:
        folder: of the collection.
        paths: in it, with forward slashes; those that are absent are left out.
        out: the manifest.

    Raises:
        ValueError: if none of the files is there.
    """
    at_hand = sorted(path for path in set(paths) if (folder / path).is_file())
    if not at_hand:
        raise ValueError(f"{folder} must hold files of the collection, got none; check the folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"{file_hash(folder / path)}  {path}\n" for path in at_hand)
    out.write_text("".join(lines), encoding="utf-8", newline="\n")
    return file_hash(out)


def read_manifest(path: Path, sha256: str | None = None) -> dict[str, str]:
    """Returns the hash of each file of a collection, by its path.

    Args:
        path: the manifest.
        sha256: what the manifest's own hash must be; any if None.

    Raises:
        ValueError: if it is no manifest, or another one.
    """
    try:
        found = None if sha256 is None else file_hash(path)
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not a manifest of hashes: {error}") from error
    if found != sha256:
        raise ValueError(f"{path} must have the SHA-256 {sha256}, got {found}; it is another one")
    table = {}
    for line in lines:
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise ValueError(f"{path} is not a manifest of hashes: it holds {line[:80]!r}")
        table[parts[2]] = parts[1]
    if not table:
        raise ValueError(f"{path} is not a manifest of hashes: it is empty")
    return table


def check_files(manifest: Mapping[str, str], files: Iterable[tuple[str, Path]]) -> list[str]:
    """Returns what is wrong, a sentence each; none if the listed files are those of a manifest.

    Args:
        manifest: from `read_manifest`.
        files: path in the collection, and where the file lies; those not listed are left alone.
    """
    wrong = []
    for path, place in files:
        if path in manifest and not place.is_file():
            wrong.append(f"{path} is absent")
        elif path in manifest and file_hash(place) != manifest[path]:
            wrong.append(f"{path} has other bytes")
    return wrong


def check_collections(manifests: Sequence[Path], files: Sequence[tuple[str, Path]]) -> set[str]:
    """Returns which files one or more manifests list, all of which are as they were.

    Args:
        manifests: one for each collection.
        files: path in its collection, and where the file lies.

    Raises:
        ValueError: if a listed file is absent or has other bytes, or none is listed.
    """
    together = {path: its for file in manifests for path, its in read_manifest(file).items()}
    listed = {path for path, _ in files if path in together}
    wrong = check_files(together, files)
    if not listed:
        wrong = ["none of the files is listed"]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ValueError(
            f"the data must be that of {', '.join(path.name for path in manifests)}: "
            f"{'; '.join(wrong[:_SHOWN])}{more}; download the collection again, or leave "
            "--manifest out"
        )
    return listed
