"""As transformers users expect: kinds known by name, models saved and published whole, batches."""

import json
import warnings
from pathlib import Path

import pytest
import torch
from conftest import tiny_config, tune
from huggingface_hub import metadata_load
from test_publish import RECORD, checkpoint
from transformers import AutoConfig, AutoModel, pipeline

from pyzzicato import PyzzicatoModel, continue_seed, continue_seeds, load_model
from pyzzicato.auto import TASK
from pyzzicato.midi import midi_bytes
from pyzzicato.models.config import PyzzicatoConfig
from pyzzicato.notes import transpose_notes
from pyzzicato.playing.settings import GenerationSettings

WHOLE = {"config.json", "model.safetensors", "model.onnx", "training.json", "README.md"}
WHOLE |= {"pipeline.py", "model.py", "handler.py"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return checkpoint(tmp_path / "best", representation="events", head="notes")


def test_auto_classes_know_the_kind_without_its_own_code(folder: Path) -> None:
    assert isinstance(AutoConfig.from_pretrained(folder), PyzzicatoConfig)
    network = AutoModel.from_pretrained(folder, dtype=torch.float32)
    assert isinstance(network, PyzzicatoModel)
    settings = GenerationSettings(seconds=2, rng=3)
    played = pipeline(TASK, model=str(folder))(tune(), seconds=2, rng=3)
    expected = continue_seed(load_model(str(folder)), tune(), settings)
    assert played["midi"] == midi_bytes(expected.notes, seed_seconds=expected.seed_seconds)


def test_a_batch_plays_what_each_would_play_alone(folder: Path, tmp_path: Path) -> None:
    pieces = [tune(), transpose_notes(tune(6), 5), tune(4)]
    paths = []
    for i, notes in enumerate(pieces):
        paths.append(str(tmp_path / f"{i}.mid"))
        Path(paths[-1]).write_bytes(midi_bytes(notes))
    play = pipeline(TASK, model=str(folder))
    alone = [play(path, seconds=2)["midi"] for path in paths]
    together = play(paths, seconds=2, batch_size=2)
    assert [its["midi"] for its in together] == alone
    model, settings = load_model(str(folder)), GenerationSettings(seconds=2)
    one_by_one = continue_seeds(model, pieces, settings)
    assert [p.new_notes for p in continue_seeds(model, pieces, settings, processes=2)] == [
        p.new_notes for p in one_by_one
    ]
    assert [p.new_notes for p in one_by_one] == [
        continue_seed(model, notes, settings).new_notes for notes in pieces
    ]
    with pytest.raises(ValueError, match="one for each of 3 pieces, got 1"):
        continue_seeds(model, pieces, seed_composers=["bach"])


def test_a_loaded_model_is_saved_whole(folder: Path, tmp_path: Path) -> None:
    load_model(str(folder)).save_pretrained(tmp_path / "by-graph")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        AutoModel.from_pretrained(folder).save_pretrained(tmp_path / "by-network")
    for name in ("by-graph", "by-network"):
        whole = tmp_path / name
        assert {path.name for path in whole.iterdir()} >= WHOLE
        assert "pyzzicato" in metadata_load(whole / "README.md")["tags"]
        assert json.loads((whole / "training.json").read_text())["data"] == RECORD["data"]
        assert "auto_map" in json.loads((whole / "config.json").read_text())
        piece = continue_seed(load_model(str(whole)), tune(), GenerationSettings(seconds=20))
        assert piece.n_steps > 0


def test_weights_that_have_learnt_more_ask_for_a_licence(folder: Path, tmp_path: Path) -> None:
    network = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        network.head.onset.bias += 1
    with pytest.warns(UserWarning, match="only weights and config were saved: .*licence"):
        network.save_pretrained(tmp_path / "bare")
    assert not (tmp_path / "bare" / "README.md").exists()
    assert PyzzicatoModel.from_pretrained(tmp_path / "bare").num_parameters()
    network.save_pretrained(tmp_path / "whole", licence="CC BY 4.0")
    record = json.loads((tmp_path / "whole" / "training.json").read_text())
    assert record["data"]["licence"] == "CC BY 4.0"
    assert record["earlier_runs"][0]["data"]["licence"] == "CC BY-NC-SA 4.0"


def test_models_are_published_by_push_to_hub(hub, folder: Path) -> None:
    load_model(str(folder)).push_to_hub("me/by-graph")
    AutoModel.from_pretrained(folder).push_to_hub("me/by-network", commit_message="Mine")
    for repo in ("me/by-graph", "me/by-network"):
        files = hub.repos["models", repo].commits[-1]["files"]
        assert set(files) >= WHOLE
        assert continue_seed(load_model(repo), tune(), GenerationSettings(seconds=20)).n_steps > 0
    with pytest.raises(ValueError, match="without max_shard_size"):
        AutoModel.from_pretrained(folder).push_to_hub("me/by-network", max_shard_size="1GB")
    hub.put("me/other", {"README.md": b"Somebody else's"})
    with pytest.raises(ValueError, match="me/other"):
        load_model(str(folder)).push_to_hub("me/other")


def test_a_fresh_network_has_no_card(tmp_path: Path) -> None:
    fresh = PyzzicatoModel(tiny_config())
    with pytest.warns(UserWarning, match="only weights and config were saved"):
        fresh.save_pretrained(tmp_path / "fresh")
    assert {path.name for path in (tmp_path / "fresh").iterdir()} == {
        "config.json",
        "model.safetensors",
    }
