"""The architecture as transformers keeps it: the `config.json` of a checkpoint."""

import warnings
from typing import Any

from transformers import PretrainedConfig

from .architecture import Architecture

# Keys beside the architecture's that transformers itself writes into or passes with a config.
_FOREIGN_KEYS = {
    "attn_implementation",
    "auto_map",
    "custom_pipelines",
    "model_type",
    "name_or_path",
}
# Where they were kept until 0.2; `generation_config.json` holds such values now.
_MOVED_KEYS = {"tempering", "pacing", "holding"}


class PyzzicatoConfig(Architecture, PretrainedConfig):
    """An `Architecture` that transformers can read, write and share.

    A key that is unknown, another release's say, is kept, and a warning names it.

    Raises:
        ValueError: if a value is of the wrong type or out of range; the message names the key, its
            range and the value.
    """

    model_type = "pyzzicato"

    def __post_init__(self, **kwargs: Any) -> None:
        # A misspelt one would silently leave its default in place.
        known = _FOREIGN_KEYS | _MOVED_KEYS
        unknown = sorted(k for k in kwargs if k not in known and not k.startswith("_"))
        if unknown:
            warnings.warn(
                f"unknown config keys {', '.join(unknown)}: of another release, or misspelt; they "
                "change nothing",
                stacklevel=2,
            )
        others = {name: value for name, value in kwargs.items() if name not in _MOVED_KEYS}
        PretrainedConfig.__post_init__(self, **others)
        self.check()
