"""The registry: what is bundled loads and is what it says; anything else is refused in words."""

import json
import shutil

import pytest
from conftest import tune

from pyzzicato.hub import DEFAULT_MODEL, list_models, load_model, loading, model_info
from pyzzicato.hub.loading import BUNDLED as BUNDLED_FOLDER
from pyzzicato.hub.networks import open_network
from pyzzicato.hub.registry import OLD_NAMES, REPLACED
from pyzzicato.hub.sums import SUMS, write_sums
from pyzzicato.models.architecture import COMPOSERS
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.training.loop import save_weights

BUNDLED = [info.name for info in list_models()]


def test_the_three_networks_of_the_article_are_bundled():
    assert BUNDLED[0] == DEFAULT_MODEL
    assert {"conv1d", "wavenet", "lstm"} <= set(BUNDLED)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_model_is_what_its_record_says(name):
    info = model_info(name)
    model = load_model(name)
    network = open_network(info.folder)
    assert sum(weight.numel() for weight in network.state_dict().values()) == info.n_weights
    assert model.config.backbone == network.config.backbone == info.backbone
    assert not network.training
    assert info.size_bytes < 11_000_000
    losses = info.record["losses"]
    assert len(losses["baselines"]) == 2
    assert losses["validation"] < min(losses["baselines"].values())
    assert "train/train.py" in info.record["command"]
    hours = info.record["data"]["train_hours"]
    # Whoever can be asked for was learnt.
    assert {COMPOSERS[name] for name in model.config.composers} <= set(hours)
    assert {"Johann Sebastian Bach", "Frédéric Chopin"} <= set(hours)
    assert json.loads(json.dumps(info.as_dict()))["licence"] == info.record["data"]["licence"]


@pytest.mark.parametrize(("old", "new"), [*OLD_NAMES.items(), *REPLACED.items()])
def test_a_renamed_or_replaced_model_is_found_by_its_old_name(old, new):
    assert new in [info.name for info in list_models()]
    assert model_info(old) == model_info(new)
    assert load_model(old).name == new


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Returns a copy of what is bundled, which is used in its place."""
    copy = shutil.copytree(BUNDLED_FOLDER, tmp_path / "pretrained")
    monkeypatch.setattr(loading, "BUNDLED", copy)
    return copy


@pytest.mark.parametrize("name", ["model.onnx", "model.safetensors"])
def test_a_flipped_bit_in_a_bundled_model_is_found_and_the_others_play(copied, caplog, name):
    path = copied / DEFAULT_MODEL / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert [info.name for info in list_models()] == BUNDLED[1:]
    assert f"the bundled model {DEFAULT_MODEL} cannot be used: {name} is damaged" in caplog.text
    with pytest.raises(ValueError, match="is damaged.*install the package again"):
        load_model(DEFAULT_MODEL)
    assert load_model(BUNDLED[1]).name == BUNDLED[1]


def test_a_bundled_config_that_is_half_there_leaves_the_others(copied, caplog):
    path = copied / "lstm" / "config.json"
    path.write_bytes(path.read_bytes()[:100])
    assert "lstm" not in [info.name for info in list_models()]
    assert "the bundled model lstm cannot be used: config.json" in caplog.text


def test_the_checksums_are_written_as_they_are(copied):
    before = (copied / SUMS).read_bytes()
    assert write_sums(copied).read_bytes() == before


def test_a_folder_without_a_config_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"holds no config\.json; name the folder of a checkpoint"):
        load_model(str(tmp_path))


def test_a_folder_with_a_checkpoint_loads_like_its_bundled_twin(tmp_path):
    folder = tmp_path / "mine"
    bundled = model_info(DEFAULT_MODEL)
    save_weights(open_network(bundled.folder), folder)
    for name in ("model.onnx", "generation_config.json"):
        shutil.copy(bundled.folder / name, folder)
    settings = GenerationSettings(seconds=3.0, seed_seconds=4.0)
    ours, theirs = load_model(DEFAULT_MODEL), load_model(str(folder))
    played = [continue_seed(model, tune(), settings).new_notes for model in (ours, theirs)]
    assert played[0] == played[1] != ()
    assert ours.decoding == theirs.decoding
    assert model_info(str(folder)).revision == bundled.revision
    assert model_info(str(folder)).record == {}


@pytest.mark.parametrize("name", ["lstn", "", "..", "../pretrained/lstm", "no/such/folder"])
def test_an_unknown_model_names_those_there_are(name):
    with pytest.raises(ValueError, match="model must be one of .*conv1d.*wavenet"):
        load_model(name)


def test_a_near_miss_is_pointed_out():
    with pytest.raises(ValueError, match="did you mean lstm"):
        load_model("lstmm")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("backbone", "gru", "backbone must be one of"),
        ("hidden_size", 10**9, "hidden_size must be a whole number from 1 to 4096"),
        ("hidden_size", "320", "hidden_size must be a whole number"),
        ("n_layers", 10**6, "n_layers must be"),
        ("model_type", "bert", "model_type is 'bert'"),
    ],
)
def test_a_wrong_or_hostile_config_is_refused(tmp_path, key, value, said):
    folder = tmp_path / "bad"
    shutil.copytree(model_info(DEFAULT_MODEL).folder, folder)
    answer = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**answer, key: value}))
    with pytest.raises(ValueError, match=said):
        load_model(str(folder))


def test_weights_that_are_no_safetensors_are_not_opened(tmp_path):
    folder = tmp_path / "pickle"
    folder.mkdir()
    shutil.copy(model_info(DEFAULT_MODEL).folder / "config.json", folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ValueError, match=r"holds no model\.safetensors"):
        load_model(str(folder))


@pytest.mark.parametrize("damage", [b"", b"\xff" * 64, b"\x02\x00\x00\x00\x00\x00\x00\x00{]"])
def test_damaged_weights_are_refused(tmp_path, damage):
    folder = tmp_path / "damaged"
    folder.mkdir()
    shutil.copy(model_info(DEFAULT_MODEL).folder / "config.json", folder)
    (folder / "model.safetensors").write_bytes(damage)
    with pytest.raises(ValueError, match="is not a safetensors file"):
        load_model(str(folder))


def test_a_config_of_another_release_is_read_with_a_warning(tmp_path):
    folder = tmp_path / "bad"
    shutil.copytree(model_info(DEFAULT_MODEL).folder, folder)
    answer = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**answer, "hiden_size": 8}))
    with pytest.warns(UserWarning, match="unknown config keys hiden_size"):
        open_network(folder)
