"""Models from the Hub when the Hub or a repository is not as it should be.

Each fault ends in a model or in one clear error within seconds; nothing from a repository is run,
memory is bounded, and the cache is never left with half a file.
"""

import json
import pickle
import resource
import struct
import time
from pathlib import Path

import pytest
from conftest import tiny_config, tune
from graph_store import save_playable
from huggingface_hub import constants

from pyzzicato.hub import downloads as downloading
from pyzzicato.hub import load_model, model_info, open_model
from pyzzicato.hub.downloads import HubUnreachableError, NotOnHubError, forget_silence
from pyzzicato.hub.registry import Pin, write_pin
from pyzzicato.hub.sums import checkpoint_sums
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.publishing.shipped_code import AUTO_MAP, shipped_code

REPO = "someone/their-model"
SUMS = {"model.onnx": "0" * 64}
SHORT = GenerationSettings(seconds=1.0, seed_seconds=2.0)


@pytest.fixture
def files(tmp_path) -> dict[str, bytes]:
    """Returns the files of a small sound checkpoint."""
    folder = save_playable(PyzzicatoModel(tiny_config()), tmp_path / "sound")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def changed(files: dict[str, bytes], **keys: object) -> dict[str, bytes]:
    config = {**json.loads(files["config.json"]), **keys}
    return {**files, "config.json": json.dumps(config).encode()}


def nothing_half_done(cache: Path) -> bool:
    return not list(cache.rglob("*.incomplete"))


class Fired:
    """Unpickling one of these leaves a mark on disk."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.mark,))


# ---- The Hub misbehaves -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_an_answer_that_is_an_error_is_reported_at_once(hub, files, status):
    hub.put(REPO, files)
    hub.faults.status = status
    began = time.monotonic()
    with pytest.raises(ValueError, match=REPO) as found:
        load_model(REPO)
    assert time.monotonic() - began < 3
    kind = NotOnHubError if status in (401, 404) else HubUnreachableError
    assert isinstance(found.value, kind)


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_a_pinned_model_falls_back_to_the_bundled_copy(hub, status, caplog):
    write_pin("lstm", Pin("me/pyzzicato-lstm", "0" * 40, SUMS))
    hub.faults.status = status
    began = time.monotonic()
    model, info = open_model("lstm")
    assert time.monotonic() - began < 3
    assert info.source == "bundled"
    assert model.graph_path == info.folder / "model.onnx"
    assert "the bundled copy is used" in caplog.text


@pytest.mark.parametrize("portal", ["html", "endless"])
def test_another_server_in_the_hubs_place_is_reported_within_seconds(hub, files, portal):
    hub.put(REPO, files)
    hub.faults.portal = portal
    began = time.monotonic()
    with pytest.raises(HubUnreachableError, match="is not the Hub"):
        load_model(REPO)
    assert time.monotonic() - began < 5


def test_a_slow_hub_is_not_waited_for_twice(hub):
    write_pin("lstm", Pin("me/pyzzicato-lstm", "0" * 40, SUMS))
    hub.faults.delay_s = 10
    began = time.monotonic()
    assert open_model("lstm")[1].source == "bundled"
    assert time.monotonic() - began < 3
    began = time.monotonic()
    assert open_model("lstm")[1].source == "bundled"
    assert time.monotonic() - began < 1.5  # below the two seconds of a wait


def test_a_slow_hub_is_reported_where_there_is_no_copy(hub, files, monkeypatch):
    hub.put(REPO, files)
    hub.faults.delay_s = 10
    monkeypatch.setattr(downloading, "PATIENT_ANSWER_S", 0.5)
    with pytest.raises(HubUnreachableError, match="did not answer for someone/their-model within"):
        load_model(REPO)


def test_a_hub_that_is_down_gives_what_the_cache_has(hub, files, monkeypatch):
    hub.put(REPO, files)
    first = model_info(REPO)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    began = time.monotonic()
    model, info = open_model(REPO)
    assert time.monotonic() - began < 3
    assert (info.source, info.commit) == ("cache", first.commit)
    assert continue_seed(model, tune(), SHORT).seed_notes
    with pytest.raises(HubUnreachableError):
        load_model("someone/never-seen")


def test_offline_means_that_nobody_is_asked(hub, files, monkeypatch):
    hub.put(REPO, files)
    load_model(REPO)
    hub.requests.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert model_info(REPO).source == "cache"
    with pytest.raises(HubUnreachableError, match="HF_HUB_OFFLINE is set"):
        load_model("someone/never-seen")
    write_pin("lstm", Pin("me/pyzzicato-lstm", "0" * 40, SUMS))
    assert model_info("lstm").source == "bundled"
    assert not hub.requests


def test_a_download_that_is_cut_goes_on_where_it_was(hub, files):
    hub.put(REPO, files)
    hub.faults.cut_after, hub.faults.cut_times = 1000, 1
    model, info = open_model(REPO)
    assert hub.faults.cut_times == 0
    assert info.folder.joinpath("model.safetensors").read_bytes() == files["model.safetensors"]
    assert nothing_half_done(Path(constants.HF_HUB_CACHE))


def test_a_download_that_is_always_cut_leaves_no_half_file_behind(hub, files, monkeypatch):
    hub.put(REPO, files)
    hub.faults.cut_after, hub.faults.cut_times = 0, 10**6
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(HubUnreachableError, match="was not downloaded"):
        load_model(REPO)
    hub.faults.cut_times = 0
    forget_silence()
    assert model_info(REPO).source == "Hub"
    assert nothing_half_done(Path(constants.HF_HUB_CACHE))


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_between_the_answer_and_the_download(hub, files, status):
    hub.put(REPO, files)
    hub.faults.where, hub.faults.status = "/resolve/", status
    began = time.monotonic()
    kind = NotOnHubError if status == 404 else HubUnreachableError
    with pytest.raises(kind, match=REPO):
        downloading.fetch_checkpoint(REPO)
    assert time.monotonic() - began < 5


def test_a_download_that_takes_too_long_goes_on_behind_the_bundled_copy(hub, monkeypatch):
    bundled = model_info("conv1d").folder
    commit = hub.put("me/conv1d", {p.name: p.read_bytes() for p in bundled.iterdir()})
    write_pin("conv1d", Pin("me/conv1d", commit, checkpoint_sums(bundled)))
    monkeypatch.setattr(downloading, "DOWNLOAD_S", 0.3)
    hub.faults.where, hub.faults.delay_s = "^GET .*/resolve/", 0.4
    assert open_model("conv1d")[1].source == "bundled"
    for _ in range(100):
        if model_info("conv1d").source == "cache":
            break
        time.sleep(0.1)
    assert model_info("conv1d").commit == commit


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("file", ["model.onnx", "model.safetensors", "generation_config.json"])
def test_a_pinned_file_that_is_another_is_refused_for_the_bundled_copy(hub, caplog, file):
    bundled = model_info("lstm").folder
    files = {path.name: path.read_bytes() for path in bundled.iterdir()}
    commit = hub.put("me/lstm", {**files, file: flipped(files[file])})
    write_pin("lstm", Pin("me/lstm", commit, checkpoint_sums(bundled)))
    assert open_model("lstm")[1].source == "bundled"
    assert f"{file} is damaged, its checksum is not that of the registry" in caplog.text
    # Whoever asks for that commit and no other gets the error.
    with pytest.raises(ValueError, match=f"at commit {commit[:12]} is not what was pinned: {file}"):
        open_model("lstm", revision=commit)


def test_a_pinned_file_that_is_damaged_in_the_cache_is_refused(hub, caplog):
    bundled = model_info("lstm").folder
    commit = hub.put("me/lstm", {path.name: path.read_bytes() for path in bundled.iterdir()})
    write_pin("lstm", Pin("me/lstm", commit, checkpoint_sums(bundled)))
    fetched = model_info("lstm")
    assert fetched.source == "Hub"
    graph = (fetched.folder / "model.onnx").resolve()
    graph.write_bytes(flipped(graph.read_bytes()))
    assert open_model("lstm")[1].source == "bundled"
    assert f"remove {fetched.folder}, and it is downloaded again" in caplog.text


def test_a_file_that_was_not_pinned_is_refused(hub, caplog):
    bundled = model_info("lstm").folder
    commit = hub.put("me/lstm", {path.name: path.read_bytes() for path in bundled.iterdir()})
    sums = checkpoint_sums(bundled)
    del sums["generation_config.json"]
    write_pin("lstm", Pin("me/lstm", commit, sums))
    assert open_model("lstm")[1].source == "bundled"
    assert "generation_config.json is not to be used" in caplog.text


# ---- A repository is not what it should be ------------------------------------------------------


def test_a_pickle_is_not_even_downloaded(hub, files, tmp_path):
    mark = tmp_path / "fired"
    del files["model.safetensors"]
    hub.put(REPO, {**files, "pytorch_model.bin": pickle.dumps(Fired(mark))})
    for trust in (False, True):
        with pytest.raises(NotOnHubError, match=r"holds no model\.safetensors"):
            load_model(REPO, trust_remote_code=trust)
    assert not hub.downloads()
    assert not mark.exists()


def test_no_such_revision_and_no_such_repository(hub, files):
    hub.put(REPO, files)
    with pytest.raises(NotOnHubError, match="no such revision"):
        load_model(REPO, "v9")
    with pytest.raises(NotOnHubError, match="no such repository"):
        load_model("someone/nothing")
    with pytest.raises(NotOnHubError, match=r"holds no config\.json"):
        hub.put("someone/text", {"README.md": b"hello"})
        load_model("someone/text")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"hidden_size": 10**12}, "hidden_size must be"),
        ({"hidden_size": "8"}, "hidden_size must be"),
        ({"hidden_size": [8]}, "hidden_size must be"),
        ({"n_layers": None}, "n_layers must be"),
        ({"backbone": {"a": 1}}, "backbone must be one of"),
        ({"backbone": "gru"}, "backbone must be one of"),
        ({"model_type": "llama"}, "model_type is 'llama'"),
        ({"dropout": float("nan")}, "dropout must be"),
        (
            {"representation": "events", "head": "notes", "spans": [4.0]},
            "the graph must take step of shape",
        ),
    ],
)
def test_a_wrong_or_hostile_config_costs_neither_time_nor_memory(hub, files, keys, said):
    hub.put(REPO, changed(files, **keys))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    with pytest.raises(ValueError, match=said):
        load_model(REPO)
    assert time.monotonic() - began < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


@pytest.mark.parametrize(
    "config",
    [b"", b"[]", b"null", b"\xff\xfe", b"{" * 50_000, b"[" * 90_000, b'{"a": 1' + b"0" * 99_000],
)
def test_a_config_that_is_none(hub, files, config):
    hub.put(REPO, {**files, "config.json": config})
    with pytest.raises(ValueError, match="is not a Pyzzicato config"):
        load_model(REPO)


def test_a_file_that_is_too_large_is_not_downloaded(hub, files):
    hub.put(REPO, {**files, "config.json": b" " * 200_000})
    with pytest.raises(ValueError, match="must be at most 100000 bytes long, got 200000"):
        load_model(REPO)
    assert not hub.downloads()


def header(**tensors: object) -> bytes:
    answer = json.dumps(tensors).encode()
    return struct.pack("<Q", len(answer)) + answer


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        pickle.dumps("no tensors"),
        struct.pack("<Q", 2**62) + b"{}",
        header(w={"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 4 * 10**18]}),
        header(w={"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}) + b"\0" * 8,
        header(w=3),
    ],
)
def test_weights_that_are_none(hub, files, weights):
    hub.put(REPO, {**files, "model.safetensors": weights})
    with pytest.raises(ValueError, match="is not a safetensors file|cannot be loaded"):
        load_model(REPO)


# ---- Code from a repository ---------------------------------------------------------------------


def with_code(files: dict[str, bytes], mark: Path) -> dict[str, bytes]:
    """Returns a checkpoint of another kind, whose code leaves a mark when it is run."""
    code = {name: text.encode() for name, text in shipped_code().items()}
    code["config.py"] = code["config.py"].replace(
        b'model_type = "pyzzicato"', b'model_type = "their_own"'
    )
    code["model.py"] += f"\nopen({str(mark)!r}, 'w').close()\n".encode()
    return {**changed(files, model_type="their_own", auto_map=AUTO_MAP), **code}


def test_code_runs_only_when_it_is_trusted(hub, files, tmp_path, monkeypatch):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "m"))
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "home"))
    mark = tmp_path / "ran"
    # Without a graph, which would play without its code.
    del files["model.onnx"]
    hub.put(REPO, with_code(files, mark))
    with pytest.raises(ValueError, match="pass trust_remote_code=True"):
        load_model(REPO)
    assert not mark.exists()
    assert not [name for name in hub.downloads() if name.endswith(".py")]
    model, info = open_model(REPO, trust_remote_code=True)
    assert mark.exists()
    assert (info.source, info.repo, info.backbone) == ("Hub", REPO, "lstm")
    # What plays is the graph that its code has made, once.
    assert model.graph_path.is_relative_to(tmp_path / "home")
    mark.unlink()
    again = load_model(REPO, trust_remote_code=True)
    assert not mark.exists()
    made = [continue_seed(m, tune(), SHORT) for m in (model, again)]
    assert len(made[0].seed_notes) > 5 and made[0].new_notes == made[1].new_notes


def test_a_graph_of_another_kind_needs_trust_too_and_runs_no_code(hub, files, tmp_path):
    mark = tmp_path / "ran"
    hub.put(REPO, with_code(files, mark))
    with pytest.raises(ValueError, match="pass trust_remote_code=True"):
        load_model(REPO)
    model = load_model(REPO, trust_remote_code=True)
    assert continue_seed(model, tune(), SHORT).seed_notes
    assert not mark.exists()


def test_code_that_fails_is_said_to(hub, files, tmp_path, monkeypatch):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "m"))
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "home"))
    del files["model.onnx"]
    broken = with_code(files, tmp_path / "ran")
    broken["model.py"] = b"raise RuntimeError('out of order')\n"
    hub.put(REPO, broken)
    with pytest.raises(ValueError, match="cannot be loaded by its own code"):
        load_model(REPO, trust_remote_code=True)
    assert not list((tmp_path / "home").rglob("*.part"))


def test_our_own_kinds_run_no_code_from_the_repository_even_when_trusted(hub, files, tmp_path):
    mark = tmp_path / "ran"
    code = {"model.py": f"open({str(mark)!r}, 'w').close()\n".encode()}
    hub.put(REPO, {**changed(files, auto_map=AUTO_MAP), **code})
    assert load_model(REPO, trust_remote_code=True).config.backbone == "lstm"
    assert not mark.exists()
    assert not [name for name in hub.downloads() if name.endswith(".py")]


def test_a_graph_that_is_none_is_refused(hub, files):
    hub.put(REPO, {**files, "model.onnx": b"no graph"})
    with pytest.raises(ValueError, match="is no ONNX graph"):
        load_model(REPO)
