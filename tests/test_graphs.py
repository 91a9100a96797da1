"""The graph of a checkpoint: in its folder, made once and kept, or asked for in words."""

import importlib.util
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import tiny_config, tune
from huggingface_hub import constants
from made_graphs import architecture, events_text, roll_text, write_made

from pyzzicato.hub import graphs, load_model
from pyzzicato.hub.checkpoints import ModelInfo, read_checkpoint, read_config
from pyzzicato.hub.graphs import find_graph
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns an empty folder in the place where graphs are kept."""
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def info(tmp_path: Path) -> ModelInfo:
    """Returns a checkpoint without a graph."""
    PyzzicatoModel(tiny_config(backbone="conv1d", n_layers=1)).save_pretrained(tmp_path / "best")
    return read_checkpoint(tmp_path / "best", "tiny")


class Exports:
    """Makes graphs as an export would, at once, and counts them."""

    def __init__(self, text: str = "") -> None:
        self.text, self.n_made = text or roll_text(-3.0), 0

    def __call__(self, folder: Path, path: Path) -> None:
        self.n_made += 1
        write_made(self.text, path)


def find(info: ModelInfo, export: graphs.Export) -> Path:
    """Returns the graph of a checkpoint."""
    return find_graph(info, read_config(info.folder), export)


def kept(home: Path) -> list[str]:
    """Returns the names of all files in a home."""
    return sorted(path.name for path in home.rglob("*") if path.is_file())


def test_a_graph_in_the_folder_is_taken(info: ModelInfo, home: Path) -> None:
    export = Exports()
    own = write_made(roll_text(), info.folder / "model.onnx")
    assert find(info, export) == own
    assert (export.n_made, kept(home)) == (0, [])


def test_one_that_is_not_there_is_made_once_and_kept(info: ModelInfo, home: Path) -> None:
    export = Exports()
    first = find(info, export)
    assert first.is_relative_to(home / "pyzzicato" / "graphs")
    assert find(info, export) == first and export.n_made == 1
    assert kept(home) == [first.name]


def test_other_weights_or_another_config_have_another_graph(
    info: ModelInfo, tmp_path: Path
) -> None:
    export = Exports()
    first = find(info, export)
    other = tmp_path / "other"
    PyzzicatoModel(tiny_config(backbone="conv1d", n_layers=1)).save_pretrained(other)
    assert find(read_checkpoint(other, "tiny"), export) != first
    # What a recall is long, say, does not show in the weights.
    shutil.copytree(info.folder, tmp_path / "same weights")
    config = tmp_path / "same weights" / "config.json"
    config.write_text(config.read_text().replace('"fs": 20', '"fs": 10'))
    assert find(read_checkpoint(tmp_path / "same weights", "tiny"), export) != first
    assert export.n_made == 3


def test_an_export_that_fails_leaves_nothing_behind(info: ModelInfo, home: Path) -> None:
    def failing(folder: Path, path: Path) -> None:
        path.write_bytes(b"half a graph")
        raise ValueError("out of order")

    with pytest.raises(ValueError, match="out of order"):
        find(info, failing)
    assert kept(home) == []


def test_a_home_that_cannot_be_written_is_said(info: ModelInfo, home: Path) -> None:
    home.write_text("a file where a folder should be")
    with pytest.raises(ValueError, match="the graph of tiny cannot be kept: "):
        find(info, Exports())


@pytest.mark.parametrize("missing", ["torch", "transformers", "onnxscript"])
def test_without_torch_it_is_said_what_to_install(
    info: ModelInfo, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(graphs, "find_spec", lambda n: None if n == missing else find_spec(n))
    said = rf'tiny holds no model.onnx, and {missing} is not .* pip install "pyzzicato\[torch\]"'
    export = Exports()
    with pytest.raises(ValueError, match=said):
        find(info, export)
    assert export.n_made == 0
    # One that is there plays without.
    write_made(roll_text(), info.folder / "model.onnx")
    assert find(info, export).is_file()


def test_a_strangers_graph_is_checked_and_a_bundled_one_is_not(info: ModelInfo) -> None:
    write_made(events_text(), info.folder / "model.onnx")
    for source in ("folder", "Hub", "cache"):
        with pytest.raises(ValueError, match="must take step of shape"):
            find_graph(replace(info, source=source), architecture())
    assert find_graph(replace(info, source="bundled"), architecture()).is_file()
    # One that a stranger's code has made is a stranger's.
    (info.folder / "model.onnx").unlink()
    with pytest.raises(ValueError, match="must take step of shape"):
        find(info, Exports(events_text()))


def test_a_checkpoint_without_a_graph_is_exported_and_plays(info: ModelInfo, home: Path) -> None:
    """The only test here that waits for a real export."""
    settings = GenerationSettings(seconds=2.0, seed_seconds=4.0)
    first, again = (continue_seed(load_model(str(info.folder)), tune(), settings) for _ in range(2))
    assert first.new_notes == again.new_notes != ()
    assert len(kept(home)) == 1
