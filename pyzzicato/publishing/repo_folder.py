"""The folder that a repository is laid out in."""

from pathlib import Path


def empty_folder(out: Path) -> Path:
    """Returns a folder, made if absent, that holds nothing.

    Raises:
        ValueError: if it holds something.
    """
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ValueError(f"{out} must be an empty folder; choose another")
    return out
