"""What training asks of a device: no loop over steps, nothing read back, nothing in float64."""

from pathlib import Path

import count_operations
import numpy as np
import pytest
import torch
from conftest import tiny_config
from test_publish import KINDS

from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.representations.event_bins import SIZES
from pyzzicato.training.batches import Batch
from pyzzicato.training.train_settings import TrainSettings

ALL = [
    *KINDS,
    {"representation": "events", "head": "notes", "recalls": [3, 4], "densities": [1.0, 9.0]},
    {"representation": "roll", "head": "joint", "recalls": [2], "chords": 2},
]


def batch_of(representation: str, n_steps: int) -> Batch:
    rng = np.random.default_rng(0)
    highest = SIZES if representation == "events" else [2] * 88
    steps = rng.integers(highest, size=(2, n_steps + 1, len(highest))).astype(np.uint8)
    steps = torch.from_numpy(steps)
    none = torch.zeros(2, dtype=torch.long)
    of_steps = torch.zeros(2, n_steps, dtype=torch.long)
    return Batch(steps[:, :-1], steps[:, 1:], none, none, of_steps)


@pytest.mark.parametrize("choices", ALL, ids=str)
def test_a_pass_has_no_loop_over_steps_and_reads_nothing(choices: dict[str, object]) -> None:
    network = PyzzicatoModel(tiny_config(**choices, n_heads=2)).train()
    batch = batch_of(str(choices["representation"]), 48)
    short, long = (count_operations.count_forward(network, batch, n) for n in (24, 48))
    # Some operations are spared where nothing is to be padded.
    assert abs(long.operations.total() - short.operations.total()) <= 8
    settings = TrainSettings(optimizer="muon")
    update = count_operations.count_update(network, batch, settings)
    assert update.operations[count_operations._READ] == 0
    assert long.n_float64 == update.n_float64 == 0


def test_a_row_of_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    PyzzicatoModel(tiny_config()).save_pretrained(tmp_path)
    count_operations.main(count_operations.CountConfig((str(tmp_path),), 32, 2))
    *_, row = capsys.readouterr().out.splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[0] == str(tmp_path) and cells[4:6] == ["0", "0"]
    assert float(cells[6]) < 1 and int(cells[3]) > int(cells[2]) > 10


def test_reads_and_float64_are_counted() -> None:
    with count_operations.Counting() as counted:
        total = torch.ones(3).double().sum()
        float(total)
    assert counted.operations[count_operations._READ] == 1
    assert counted.n_float64 == 2
