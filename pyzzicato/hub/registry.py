"""The registry: which repository on the Hub, at which commit, each bundled model is published in.

`registry.json` holds

    {"lstm": {"repo": "NAMESPACE/pyzzicato-lstm", "commit": "<40 digits>",
              "sums": {"model.onnx": "<64 digits>"}}}

with a SHA-256 of each file of the checkpoint: what comes from the Hub is used if it has them. A
model that is not in it has not been published; its bundled copy is the only one.
`train/publish.py --pin NAME` writes an entry. `PYZZICATO_REGISTRY` names another file to use.

A bundled model that was renamed is found by its old name too (`OLD_NAMES`), and by the name of one
that is no longer bundled the one that plays in its place (`REPLACED`).
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..checks import show_value

BUNDLED_REGISTRY = Path(__file__).parent / "registry.json"
OLD_NAMES = {"lstm-free": "lstm-events-open"}
"""What bundled models were called before, and what they are called now."""
REPLACED = {"wavenet-events": "lstm-events"}
"""Models that are no longer bundled, and what plays in their place. Votes for them stay theirs."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SUM = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pin:
    """A repository and the commit of it that this release of the package uses.

    Attributes:
        repo: NAMESPACE/NAME.
        commit: 40 hexadecimal digits.
        sums: the SHA-256 of each file of the checkpoint, 64 hexadecimal digits, by its name.
    """

    repo: str
    commit: str
    sums: Mapping[str, str]

    def __post_init__(self) -> None:
        if not is_repo_id(self.repo):
            raise ValueError(f"repo must be NAMESPACE/NAME, got {show_value(self.repo)}")
        if not isinstance(self.commit, str) or not _COMMIT.fullmatch(self.commit):
            raise ValueError(f"commit must be 40 hexadecimal digits, got {show_value(self.commit)}")
        if not isinstance(self.sums, Mapping) or not self.sums:
            raise ValueError(
                f"sums must hold a checksum for each file, got {show_value(self.sums)}; write them "
                "with train/publish.py --pin"
            )
        for file, digest in self.sums.items():
            if not isinstance(digest, str) or not _SUM.fullmatch(digest):
                raise ValueError(
                    f"sums must be 64 hexadecimal digits each, got {show_value(digest)} for "
                    f"{show_value(file)}"
                )

    def as_dict(self) -> dict[str, object]:
        """Returns the entry of the registry, as plain JSON values."""
        return {"repo": self.repo, "commit": self.commit, "sums": dict(sorted(self.sums.items()))}


def current_name(name: str) -> str:
    """Returns what the model of an old name is called now; other names stay as they are."""
    return OLD_NAMES.get(name, name)


def bundled_name(name: str) -> str:
    """Returns what plays where an old model or an old name is asked for; others stay."""
    return REPLACED.get(name, current_name(name))


def is_repo_id(text: object) -> bool:
    """Returns whether a text can name a repository on the Hub: NAMESPACE/NAME."""
    if not isinstance(text, str) or text.count("/") != 1:
        return False
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(text)
    except HFValidationError:
        return False
    return True


def registry_path() -> Path:
    """Returns the registry in use: `PYZZICATO_REGISTRY` or the package's own."""
    return Path(os.environ.get("PYZZICATO_REGISTRY") or BUNDLED_REGISTRY)


def read_registry() -> dict[str, Pin]:
    """Returns the published models by name; none if the registry does not exist.

    Raises:
        ValueError: if the file is not a registry.
    """
    path = registry_path()
    if not path.exists():
        return {}
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return {current_name(n): Pin(**its) for n, its in table.items() if n not in REPLACED}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a registry of models: {error!r}") from error


def write_pin(name: str, pin: Pin) -> Path:
    """Adds or moves a model's entry in the registry in use; returns the registry's path."""
    entries = {**read_registry(), name: pin}
    table = {n: entries[n].as_dict() for n in sorted(entries)}
    path = registry_path()
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return path
