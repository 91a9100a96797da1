"""What follows a run's last update: the record of the model, and its graph."""

from pathlib import Path
from typing import Any

from accelerate import Accelerator  # type: ignore[import-untyped]

from ..hub.checkpoints import GRAPH
from ..hub.graphs import export_network
from .progress import Progress
from .recipes import Settings
from .record import training_record, write_record
from .store import NoteStore


def finish_run(
    store: NoteStore,
    settings: Settings,
    progress: Progress,
    best: Path,
    accelerator: Accelerator,
    command: str,
) -> dict[str, Any]:
    """Writes the record and the graph of a run's best model; returns the record.

    Args:
        store: what was learnt from.
        settings: of the run.
        progress: of the run.
        best: folder of the model.
        accelerator: of the run.
        command: that made it.

    Raises:
        ValueError: if the folder holds no loadable model, or the graph does not give what the
            network gives.
    """
    record = training_record(
        store,
        settings,
        progress,
        command=command,
        n_processes=accelerator.num_processes,
        device=accelerator.device.type,
    )
    write_record(record, best)
    export_network(best, best / GRAPH)
    return record
