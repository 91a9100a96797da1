"""The training set on the Hub: published, streamed with the real client, trained from."""

import sys
from dataclasses import replace

import numpy as np
import prepare_data
import publish
import pytest
from conftest import tiny_settings, tune
from huggingface_hub import DatasetCard

import train
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.publishing import model_repo
from pyzzicato.training import streaming
from pyzzicato.training.loop import train as run
from pyzzicato.training.recipes import Recipe, Stage
from pyzzicato.training.store import NoteStore, StoreWriter, pack_notes
from pyzzicato.training.streaming import StreamedStore

REPO = "me/tiny-notes"


@pytest.fixture
def published(dataset_hub, store_folder, monkeypatch):
    """Returns the local store whose twin is on the Hub, a shard for each two pieces."""
    monkeypatch.setattr("pyzzicato.publishing.dataset_repo.PIECES_A_SHARD", 2)
    publish.main(publish.PublishConfig(dataset=REPO, data=store_folder, yes=True))
    return NoteStore(store_folder)


def test_what_is_streamed_is_what_was_prepared(published, hub):
    streamed = StreamedStore(REPO)
    for fact in ("sustain", "data", "licence"):
        assert getattr(streamed, fact) == getattr(published, fact)
    assert len(streamed.pieces) == len(published.pieces)
    for piece in streamed.pieces:
        (twin,) = [p for p in published.pieces if p.path == piece.path]
        assert (piece.composer, piece.title, piece.split) == (twin.composer, twin.title, twin.split)
        assert (piece.length, piece.seconds) == (twin.length, twin.seconds)
        assert np.array_equal(streamed.packed(piece), published.packed(twin))
        assert np.array_equal(streamed.packed(piece, 2, 3), published.packed(twin, 2, 3))


def test_the_card_says_what_is_in_it(published, hub):
    card = DatasetCard(hub.read(REPO, "README.md", kind="datasets").decode())
    card.validate("dataset")
    assert card.data.license == "cc0-1.0"
    n_notes = sum(piece.length for piece in published.of_split("train"))
    assert f"| train | 4 | {n_notes:,} |" in card.text
    assert {s["split"] for s in card.data.configs[0]["data_files"]} == {"train", "validation"}


def test_each_piece_keeps_its_collection_and_licence(dataset_hub, tmp_path):
    writer = StoreWriter(tmp_path / "store", "extend", "rolls, scores", "")
    for name, licence in (("rolls", "CC BY 4.0"), ("scores", "")):
        for split in ("train", "validation"):
            writer.add(
                pack_notes(tune(3)),
                composer="Satie",
                title=split,
                split=split,
                path=f"{name}/{split}.mid",
                source=name,
                licence=licence,
            )
    writer.close()
    config = publish.PublishConfig(dataset=REPO, data=tmp_path / "store", yes=True)
    with pytest.raises(ValueError, match="must know its licence, .*--licence"):
        publish.main(config)
    assert not dataset_hub.repos
    publish.main(replace(config, licence="MIT"))
    options = {p.source: p.licence for p in StreamedStore(REPO).pieces}
    assert options == {"rolls": "CC BY 4.0", "scores": "MIT"}
    card = DatasetCard(dataset_hub.read(REPO, "README.md", kind="datasets").decode())
    assert card.data.license == "other"
    assert card.data.to_dict()["license_name"] == "cc-by-4.0-and-mit"
    assert "| [MIT](https://opensource.org/license/mit) | scores |" in card.text


def test_processes_read_different_shards_and_all_are_read(published, monkeypatch):
    monkeypatch.setattr(streaming, "SHARDS_IN_USE", 1)
    stores = [StreamedStore(REPO, n_processes=2) for _ in range(2)]
    training = stores[0].of_split("train")
    seen = []
    for step in range(0, 4 * streaming.UPDATES_A_SHARD, streaming.UPDATES_A_SHARD):
        first, second = (
            {p.path for p in s.at_hand(training, step, i, seed=0)} for i, s in enumerate(stores)
        )
        assert not first & second
        seen += [*first, *second]
    assert set(seen) == {piece.path for piece in training}
    assert len(stores[0]._kept) == 0  # nothing was downloaded to find that out


def test_training_streams_and_ends_as_it_would_again(published, tmp_path, new_accelerator):
    settings = tiny_settings()
    curves = [
        run(StreamedStore(REPO), settings, tmp_path / name, new_accelerator()).curve
        for name in ("one", "two")
    ]
    timeless = [[{**look, "seconds": 0.0} for look in curve] for curve in curves]
    assert timeless[0] == timeless[1]
    assert curves[0][-1]["validation"] < curves[0][0]["validation"] * 1.5


def test_prepare_data_copies_from_the_hub(published, tmp_path, monkeypatch):
    out = tmp_path / "copy"
    arguments = ["prepare_data.py", "--from-hub", REPO, "--out", str(out), "--composers", "bach"]
    monkeypatch.setattr(sys, "argv", arguments)
    prepare_data.main(prepare_data.parse_args())
    copied = NoteStore(out)
    assert copied.repo == REPO
    assert {piece.composer for piece in copied.pieces} == {"Bach"}
    twins = {piece.path: piece for piece in published.pieces}
    for piece in copied.pieces:
        assert np.array_equal(copied.packed(piece), published.packed(twins[piece.path]))


def test_the_script_streams_and_publishes_in_the_end(published, hub, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(model_repo, "EXAMPLE_SETTINGS", GenerationSettings(seconds=1))
    preset = tmp_path / "tiny.toml"
    preset.write_text(
        "max_steps = 2\nbatch_size = 1\ncrop_steps = 16\neval_every = 2\neval_steps = 16\n"
        '[model]\nbackbone = "lstm"\nhidden_size = 8\ndense_size = 8\n'
    )
    arguments = ["train.py", str(preset), "--stream", REPO, "--out", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", [*arguments, "--push-to-hub", "me/pyzzicato-streamed"])
    train.main(train.parse_args())
    assert ("models", "me/pyzzicato-streamed") in hub.repos
    record = hub.read("me/pyzzicato-streamed", "training.json").decode()
    assert f"--stream {REPO}" in record


def test_what_is_no_training_set_is_refused(hub, tmp_path, published):
    hub.put("me/text", {"data/train.txt": b"hello"}, kind="datasets")
    for repo in ("me/text", "me/nothing"):
        with pytest.raises(ValueError, match=f"{repo} cannot be streamed"):
            StreamedStore(repo)
    with pytest.raises(ValueError, match="--data must be given"):
        publish.main(publish.PublishConfig(dataset=REPO, yes=True))


def test_a_token_that_may_not_write_is_found_out_before_training(published, hub, tmp_path):
    hub.account = {"name": "me", "auth": {"accessToken": {"role": "read"}}}
    recipe = Recipe((Stage("", tiny_settings()),))
    config = train.TrainConfig(
        None, tmp_path / "run", recipe, stream=REPO, push_to_hub="me/pyzzicato-mine"
    )
    with pytest.raises(ValueError, match="may not write to me/pyzzicato-mine"):
        train.main(config)
    assert not (tmp_path / "run").exists()
