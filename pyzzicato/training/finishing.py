"""What follows a run's last update: the record of the model, its form, and its graph."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from accelerate import Accelerator  # type: ignore[import-untyped]

from ..hub.checkpoints import GRAPH, VALUES, read_config, read_decoding
from ..hub.graphs import export_network
from .form_counts import measure_form
from .progress import Progress
from .record import training_record, write_record
from .store import NoteStore
from .train_settings import TrainSettings


def finish_run(
    store: NoteStore,
    settings: TrainSettings,
    progress: Progress,
    best: Path,
    accelerator: Accelerator,
    command: str,
) -> dict[str, Any]:
    """Writes what a run's best model has beside its weights; returns the record.

    That is the record, the graph and, for a model that is told what returns, how much does in the
    music it learnt from.

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
    config = read_config(best)
    if config.returns:
        values = replace(read_decoding(best), form=measure_form(store, config))
        text = json.dumps(values.as_table(), indent=2) + "\n"
        (best / VALUES).write_text(text, encoding="utf-8")
    export_network(best, best / GRAPH)
    return record
