"""The values of decoding that suit a model: the `generation_config.json` of a checkpoint.

    {"do_sample": true, "top_a": {"pitch": 0.2, "duration": 0.06, "velocity": 0.03}}

On a roll there is one number, "keys". What is left out is neutral. `train/calibrate.py` finds them.
Models of release 0.2 have values that nothing reads any more: they are left out, with a warning.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...checks import check_number, plain_text, show_value
from ...representations import Representation

_GONE = {"temperatures": {}, "pacing": 0.0, "holding": 0.0}
"""Keys of release 0.2, and what was neutral."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecodingValues:
    """What a checkpoint says of how its model is drawn from.

    Attributes:
        top_a: by the name of a number, 0 to 1; 0 where not named.

    Raises:
        ValueError: if a value is out of its range, naming both.
    """

    top_a: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.top_a, Mapping):
            raise ValueError(f"top_a must be a table, got {show_value(self.top_a)}")
        for number, value in self.top_a.items():
            check_number(f"top_a of {plain_text(str(number), 40)}", value, 0.0, 1.0)

    def row_of_top_a(self, representation: Representation) -> np.ndarray:
        """Returns `(K,)` limits in the order of the representation's numbers."""
        return np.array([self.top_a.get(name, 0.0) for name in representation.numbers])

    def as_table(self) -> dict[str, Any]:
        """Returns what `generation_config.json` holds."""
        return {"do_sample": True, "top_a": dict(self.top_a)}


def read_values(table: Mapping[str, Any]) -> DecodingValues:
    """Returns the values that a `generation_config.json` holds; other keys are left out.

    Raises:
        ValueError: if a value is of the wrong type or out of its range.
    """
    gone = [name for name, neutral in _GONE.items() if table.get(name, neutral) != neutral]
    if gone:
        _log.warning(
            "the model's %s are of release 0.2 and left out; train/calibrate.py finds values anew",
            ", ".join(gone),
        )
    return DecodingValues(table["top_a"]) if "top_a" in table else DecodingValues()
