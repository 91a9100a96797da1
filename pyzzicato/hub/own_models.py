"""Models of one's own, kept under a name beside the bundled ones.

They lie in `~/.pyzzicato/models/NAME`, or where `PYZZICATO_MODELS` says, each a checkpoint folder
like the bundled ones. `pyzzicato learn` puts them there.
"""

import os
import re
import shutil
from pathlib import Path

from ..checks import show_value
from .checkpoints import CONFIG, WEIGHTS, weights_revision

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def own_folder() -> Path:
    """Returns the folder that models of one's own are kept in; it need not exist."""
    return Path(os.environ.get("PYZZICATO_MODELS") or Path.home() / ".pyzzicato" / "models")


def own_names() -> list[str]:
    """Returns the names of the models of one's own, in alphabetical order."""
    try:
        found = [path.parent for path in own_folder().glob(f"*/{WEIGHTS}")]
    except OSError:
        return []  # A home that nobody may look into.
    return sorted(
        path.name for path in found if _NAME.fullmatch(path.name) and (path / CONFIG).is_file()
    )


def check_name(name: str) -> str:
    """Returns the name of a model or a style of one's own.

    Raises:
        ValueError: if it is no word of small letters, digits and hyphens.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            "name must be 1 to 40 small letters, digits and hyphens, the first no hyphen, got "
            f"{show_value(name)}; try my-band"
        )
    return name


def as_name(text: str) -> str:
    """Returns a text as a name: "My Band (live)" as "my-band-live"; "my-music" if none is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "my-music"


def keep_model(checkpoint: Path, name: str) -> Path:
    """Copies a checkpoint to where it is found by its name; returns the place.

    Args:
        checkpoint: folder of the model.
        name: see `check_name`; a model that is kept under it gives way.

    Raises:
        ValueError: if the name is not fit, or the copy cannot be written.
    """
    place = own_folder() / check_name(name)
    part = place.with_name(f".{name}.{os.getpid()}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(checkpoint, part)
        shutil.rmtree(place, ignore_errors=True)
        part.rename(place)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise ValueError(
            f"the model cannot be kept as {name!r} ({error.strerror or 'not all can be copied'}); "
            "make room in the folder of your own models, and go on"
        ) from error
    return place


def is_kept(checkpoint: Path, name: str) -> bool:
    """Returns whether the model kept under a name has the weights of a checkpoint."""
    kept, other = own_folder() / name / WEIGHTS, checkpoint / WEIGHTS
    if not kept.is_file() or not other.is_file():
        return False
    return weights_revision(kept) == weights_revision(other)
