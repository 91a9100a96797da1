"""The training record: what a run was, from what, and by which runs before it."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from conftest import tiny_config, tiny_settings
from test_training import EVENTS

from pyzzicato.hub.checkpoints import weights_revision
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.representations.note_events import NoteEvents
from pyzzicato.representations.roll import PianoRoll
from pyzzicato.training.baselines import count_baselines, count_event_baselines
from pyzzicato.training.held_out import middle_crops
from pyzzicato.training.progress import Progress
from pyzzicato.training.record import hours_by_composer, training_record, write_record
from pyzzicato.training.store import NoteStore, StoredPiece
from pyzzicato.training.train_settings import TrainSettings


def record_of(store: NoteStore, settings: TrainSettings, progress: Progress) -> dict[str, Any]:
    """Returns the record of a run, as JSON would give it back."""
    record = training_record(
        store, settings, progress, command="python x", n_processes=2, device="cpu"
    )
    read: dict[str, Any] = json.loads(json.dumps(record))
    return read


def test_the_record_says_what_the_run_was(store: NoteStore) -> None:
    settings = tiny_settings(composers=("Bach",))
    look = {"step": 4.0, "training": 3.0, "validation": 2.5}
    progress = Progress(step=8, best_loss=2.5, best_step=4, seconds=1.26, curve=[look])
    record = record_of(store, settings, progress)
    assert record["command"] == "python x"
    assert (record["data"]["name"], record["data"]["licence"]) == ("Tunes", "CC0 1.0")
    assert record["started_from"] is None
    assert record["settings"] == json.loads(json.dumps(settings.as_dict()))
    assert (record["steps"], record["best_step"], record["wall_seconds"]) == (8, 4, 1.3)
    assert record["steps_seen"] == 8 * 2 * 32 * 2
    assert record["hardware"]["processes"] == 2
    assert record["curve"] == [look]
    bach = [piece for piece in store.pieces if piece.composer == "Bach"]
    assert (record["data"]["train_pieces"], record["data"]["validation_pieces"]) == (2, 1)
    assert list(record["data"]["train_hours"]) == ["Bach"]

    steps = PianoRoll(20)
    counted = count_baselines([steps.encode(store.notes(piece)) for piece in bach[:2]])
    (crop,) = middle_crops(store, [bach[2]], steps, settings.eval_steps)
    assert len(crop) == 40
    losses = record["losses"]
    assert (losses["unit"], losses["validation"]) == ("nats a frame", 2.5)
    assert losses["baselines"] == {
        "all_keys_by_frequency": pytest.approx(counted.frequency_nll([crop])),
        "copy_the_last_frame": pytest.approx(counted.copy_nll([crop])),
    }


def test_the_record_lists_the_runs_that_led_to_it(store: NoteStore, tmp_path: Path) -> None:
    progress = Progress(step=4, best_loss=2.5, best_step=4, seconds=60.0)
    assert record_of(store, tiny_settings(), progress)["earlier_runs"] == []
    settings, found = tiny_settings(), []
    for name in ("first", "second"):
        PyzzicatoModel(settings.model_config("extend")).save_pretrained(tmp_path / name)
        record = json.loads(json.dumps(record_of(store, settings, progress)))
        write_record(record, tmp_path / name)
        run = {"command": "python x", "steps": 4, "steps_seen": 512, "wall_seconds": 60.0}
        same = ("settings", "started_from", "data")
        found.append({**run, **{key: record[key] for key in same}})
        settings = tiny_settings(start_from=str(tmp_path / name))
        began = record_of(store, settings, progress)["started_from"]
        weights = weights_revision(tmp_path / name / "model.safetensors")
        assert began == {"repo": None, "commit": None, "revision": weights}
        assert record_of(store, settings, progress)["earlier_runs"] == found


def test_the_record_of_a_run_on_events_counts_notes(store: NoteStore) -> None:
    settings = tiny_settings(model=EVENTS, eval_steps=12)
    losses = record_of(store, settings, Progress(step=8, best_loss=9.0))["losses"]
    steps = NoteEvents()
    training, held_out = store.of_split("train"), store.of_split("validation")
    counted = count_event_baselines([steps.encode(store.notes(piece)) for piece in training])
    crops = middle_crops(store, held_out, steps, 12)
    assert (losses["unit"], losses["validation"]) == ("nats a note", 9.0)
    assert losses["baselines"] == {
        "all_numbers_by_frequency": pytest.approx(counted.frequency_nll(crops)),
        "given_the_note_before": pytest.approx(counted.markov_nll(crops)),
    }


def test_hours_are_summed_by_composer_most_first() -> None:
    def piece(composer: str, hours: float) -> StoredPiece:
        return StoredPiece(composer, "T", "train", "p", 0, 100, 3600 * hours)

    pieces = [piece("A", 1), piece("B", 1.5), piece("A", 1.504)]
    assert list(hours_by_composer(pieces).items()) == [("A", 2.5), ("B", 1.5)]


def test_a_record_is_written_beside_a_model_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no model"):
        write_record({"a": 1}, tmp_path)
    PyzzicatoModel(tiny_config()).save_pretrained(tmp_path)
    path = write_record({"composer": "Frédéric", "loss": math.pi}, tmp_path)
    assert path == tmp_path / "training.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {"composer": "Frédéric", "loss": math.pi}
