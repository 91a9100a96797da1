"""Checksums of what is bundled: a flipped bit in a graph plays on, and plays something else.

`SHA256SUMS` beside the bundled models holds a line for each graph and each file of weights, as
`sha256sum` writes them: `sha256sum --check SHA256SUMS` checks them by hand. `train/publish.py
--bundled` writes it.
"""

from pathlib import Path

from .checkpoints import GRAPH, WEIGHTS, file_sum

SUMS = "SHA256SUMS"
_SUMMED = (GRAPH, WEIGHTS)


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
    sums = _read_sums(folder.parent)
    names = [name for name in sums if name.startswith(f"{folder.name}/")]
    if not names:
        raise ValueError(f"{SUMS} holds no checksum of it; write them with train/publish.py")
    for name in names:
        path = folder.parent / name
        try:
            is_whole = file_sum(path) == sums[name]
        except OSError as error:
            raise ValueError(f"{path.name} cannot be read: {error.strerror}") from error
        if not is_whole:
            raise ValueError(f"{path.name} is damaged, its checksum is not that of {SUMS}")


def _read_sums(bundled: Path) -> dict[str, str]:
    try:
        lines = (bundled / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{SUMS} cannot be read") from error
    pairs = (line.split("  ", 1) for line in lines if "  " in line)
    return {name: told for told, name in pairs}
