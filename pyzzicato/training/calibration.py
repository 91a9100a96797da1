"""Values for drawing from a model, found by principle: surprise first, then themes."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..evaluation.excerpts import Excerpt
from ..hub.checkpoints import VALUES
from ..playing.decoding.values import DecodingValues
from .surprise import find_limits
from .themes import raise_limit


def find_values(
    checkpoint: Path,
    excerpts: Sequence[Excerpt],
    *,
    looks: int,
    processes: int = 1,
    composer: str | None = None,
    first: Mapping[str, float] | None = None,
    report: Callable[[str], object] = print,
) -> dict[str, float]:
    """Returns top-a by number: how much of the unlikely is left out.

    First own notes shall surprise the model as much as real ones do (`surprise.py`), then figures
    shall come back as often as they do in real music (`themes.py`).

    Args:
        checkpoint: folder of the model.
        excerpts: seeds of training pieces, so that held-out ones stay fit to judge by, and what
            follows them.
        looks: how often the seeds are carried on for the first, and at the most for the second; 1
            or more.
        processes: that play at once; with 1 this one does.
        composer: short name of whose music it is; None for nobody's.
        first: limits to begin with, where they are known.
        report: is handed a line about each look.
    """
    shared: dict[str, Any] = {
        "looks": looks,
        "processes": processes,
        "composer": composer,
        "report": report,
    }
    limits = find_limits(checkpoint, excerpts, first=first, **shared)
    return raise_limit(checkpoint, excerpts, limits, **shared)


def write_values(checkpoint: Path, limits: Mapping[str, float]) -> Path:
    """Writes top-a by number into a checkpoint's `generation_config.json`; returns its path."""
    file = checkpoint / VALUES
    table = DecodingValues(top_a=limits).as_table()
    file.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    return file
