"""Checksums of what is bundled or pinned: a flipped bit in a graph plays something else.

`SHA256SUMS` beside the bundled models holds a line for each graph and each file of weights, as
`sha256sum` writes them: `sha256sum --check SHA256SUMS` checks them by hand. `train/publish.py
--bundled` writes it. Those of pinned models stand in the registry, for every file that is fetched.
"""

from collections.abc import Mapping
from pathlib import Path

from .checkpoints import CONFIG, GRAPH, RECORD, VALUES, WEIGHTS, file_sum

SUMS = "SHA256SUMS"
_SUMMED = (GRAPH, WEIGHTS)
_FETCHED = (CONFIG, VALUES, GRAPH, WEIGHTS, RECORD)


def write_sums(bundled: Path) -> Path:
    """Writes the checksums of all models in a folder; returns the file."""
    files = sorted(path for name in _SUMMED for path in bundled.glob(f"*/{name}"))
    lines = [f"{file_sum(path)}  {path.relative_to(bundled).as_posix()}\n" for path in files]
    target = bundled / SUMS
    target.write_text("".join(lines), encoding="utf-8")
    return target


def check_sums(folder: Path) -> None:
    """Raises ValueError unless a bundled model's graph and weights are as they were made.

    Args:
        folder: of the model; its name stands in the file beside it.
    """
    start = f"{folder.name}/"
    listed = _read_sums(folder.parent)
    sums = {n.removeprefix(start): value for n, value in listed.items() if n.startswith(start)}
    if not sums:
        raise ValueError(f"{SUMS} holds no checksum of it; write them with train/publish.py")
    for name in sums:
        _check(folder / name, sums, SUMS)


def checkpoint_sums(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of each file of a checkpoint, by its name, as a pin has them."""
    return {name: file_sum(folder / name) for name in _FETCHED if (folder / name).is_file()}


def check_pinned(folder: Path, sums: Mapping[str, str]) -> None:
    """Raises ValueError unless the files of a fetched checkpoint are those that were pinned.

    Args:
        folder: of the checkpoint.
        sums: of the pin; a file that has none there must not be in the folder.
    """
    for name in _FETCHED:
        if name in sums or (folder / name).is_file():
            _check(folder / name, sums, "the registry")


def _check(path: Path, sums: Mapping[str, str], of: str) -> None:
    try:
        found = file_sum(path)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from error
    if path.name not in sums:
        raise ValueError(f"{path.name} is not to be used, {of} holds no checksum of it")
    if found != sums[path.name]:
        raise ValueError(f"{path.name} is damaged, its checksum is not that of {of}")


def _read_sums(bundled: Path) -> dict[str, str]:
    try:
        lines = (bundled / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{SUMS} cannot be read") from error
    pairs = (line.split("  ", 1) for line in lines if "  " in line)
    return {name: digest for digest, name in pairs}
