"""The values of decoding that suit a model: the `generation_config.json` of a checkpoint.

    {"do_sample": true,
     "temperatures": {"onset": 1.0, "pitch": 0.93, "duration": 1.0, "velocity": 1.0},
     "min_p": {"onset": 0.0, "pitch": 0.04, "duration": 0.01, "velocity": 0.01},
     "pacing": -0.07, "holding": 0.34}

On a roll there is one number, "keys". What is left out is neutral. `train/calibrate.py` finds them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...checks import check_number, plain_text, show_value
from ...representations import Representation

MAX_TILT = 2.0


@dataclass(frozen=True)
class DecodingValues:
    """What a checkpoint says of how its model is drawn from.

    Attributes:
        temperatures: by the name of a number, 0.5 to 2; 1 where not named.
        min_p: likewise, 0 to 0.5; 0 where not named.
        pacing: log-odds by which playing is made sparser, -2 to 2.
        holding: log-odds by which notes are made longer, -2 to 2.

    Raises:
        ValueError: if a value is out of its range, naming both.
    """

    temperatures: Mapping[str, float] = field(default_factory=dict)
    min_p: Mapping[str, float] = field(default_factory=dict)
    pacing: float = 0.0
    holding: float = 0.0

    def __post_init__(self) -> None:
        for name, low, high in (("temperatures", 0.5, 2.0), ("min_p", 0.0, 0.5)):
            table = getattr(self, name)
            if not isinstance(table, Mapping):
                raise ValueError(f"{name} must be a table, got {show_value(table)}")
            for number, value in table.items():
                check_number(f"{name} of {plain_text(str(number), 40)}", value, low, high)
        for name in ("pacing", "holding"):
            check_number(name, getattr(self, name), -MAX_TILT, MAX_TILT)

    def row_of_temperatures(self, representation: Representation) -> np.ndarray:
        """Returns `(K,)` temperatures in the order of the representation's numbers."""
        return np.array([self.temperatures.get(name, 1.0) for name in representation.numbers])

    def row_of_min_p(self, representation: Representation) -> np.ndarray:
        """Returns `(K,)` limits in the order of the representation's numbers."""
        return np.array([self.min_p.get(name, 0.0) for name in representation.numbers])

    def as_table(self) -> dict[str, Any]:
        """Returns what `generation_config.json` holds."""
        return {
            "do_sample": True,
            "temperatures": dict(self.temperatures),
            "min_p": dict(self.min_p),
            "pacing": self.pacing,
            "holding": self.holding,
        }


def read_values(table: Mapping[str, Any]) -> DecodingValues:
    """Returns the values that a `generation_config.json` holds; other keys are left out.

    Raises:
        ValueError: if a value is of the wrong type or out of its range.
    """
    names = ("temperatures", "min_p", "pacing", "holding")
    return DecodingValues(**{name: table[name] for name in names if name in table})
