"""Published and found again: the real clients against a Hub on this machine."""

import json
import shutil
import sys
from pathlib import Path

import publish
import pytest
import torch
from conftest import tiny_config
from graph_store import save_playable
from huggingface_hub import constants

from pyzzicato.hub import find_models, load_model, model_info, open_model
from pyzzicato.hub.networks import open_network
from pyzzicato.hub.registry import read_registry
from pyzzicato.models.architecture import BACKBONES, HEADS, LOOKING_BACK
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.publishing.commits import publish_folder
from pyzzicato.publishing.plans import Plan, plan_publication

REPO = "me/pyzzicato-tiny"
RECORD = {
    "command": "python train/train.py tiny.toml",
    "data": {
        "name": "MAESTRO",
        "licence": "CC BY-NC-SA 4.0",
        "train_pieces": 2,
        "validation_pieces": 1,
        "train_hours": {"Frédéric Chopin": 1.5, "Claude Debussy": 0.5},
    },
    "losses": {
        "unit": "nats a frame",
        "validation": 3.5,
        "baselines": {"copy_the_last_frame": 4.5},
    },
}
# Each backbone, representation and head once: publishing treats all alike, and each takes a graph.
KINDS = [
    {"backbone": backbone, "representation": representation, "head": head}
    for backbone, representation, head in [
        ("conv1d", "roll", "independent"),
        ("wavenet", "roll", "joint"),
        ("lstm", "events", "notes"),
        ("attention", "events", "notes"),
        ("transformer", "events", "notes"),
    ]
]


def checkpoint(folder: Path, **choices: object) -> Path:
    """Returns a folder with a tiny trained model's files."""
    save_playable(PyzzicatoModel(tiny_config(**choices)), folder)
    (folder / "training.json").write_text(json.dumps(RECORD, ensure_ascii=False), "utf-8")
    return folder


def publish_it(folder: Path, repo: str = REPO, **options: object):
    """Publishes quickly, without a continuation on the card."""
    config = publish.PublishConfig(
        checkpoint=folder, repo=repo, **{"example": False, "sound": False, "yes": True, **options}
    )
    return publish.main(config)


def some_steps(kind: dict[str, str]) -> torch.Tensor:
    """Returns nine steps of a representation at random."""
    roll = kind["representation"] == "roll"
    return torch.randint(0, 2, (1, 9, 88)) if roll else torch.randint(0, 16, (1, 9, 4))


def test_every_backbone_and_head_is_among_the_kinds():
    assert {kind["backbone"] for kind in KINDS} == set(BACKBONES)
    assert {(kind["representation"], kind["head"]) for kind in KINDS} == {
        (representation, head) for representation in HEADS for head in HEADS[representation]
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(kind.values()))
def test_each_kind_comes_back_as_it_went(hub, tmp_path, kind):
    size = {"dense_size": 16} if kind["backbone"] in LOOKING_BACK else {}
    folder = checkpoint(tmp_path / "best", composers=["bach", "chopin"], **kind, **size)
    published = publish_it(folder)
    assert published.is_new
    model, info = open_model(REPO)
    steps = some_steps(kind)
    ours, theirs = (open_network(place) for place in (folder, info.folder))
    assert torch.equal(theirs(steps).logits, ours(steps).logits)
    assert model.graph_path.read_bytes() == (folder / "model.onnx").read_bytes()
    assert (info.source, info.repo, info.commit) == ("Hub", REPO, published.commit)
    assert (info.backbone, info.representation, info.head) == tuple(kind.values())
    assert info.record == RECORD
    assert model_info(REPO).source == "cache"
    listed = find_models(refresh=True).models[-1]
    assert (listed["name"], listed["commit"]) == (REPO, published.commit)
    assert (listed["backbone"], listed["head"]) == (info.backbone, info.head)


def test_publishing_again_makes_no_commit_and_a_change_makes_one(hub, tmp_path, capsys):
    folder = checkpoint(tmp_path / "best")
    first = publish_it(folder, tag="v1")
    again = publish_it(folder, tag="v1")
    assert again.commit == first.commit
    assert not again.is_new
    assert "no commit was made" in capsys.readouterr().out
    assert len(hub.repos["models", REPO].commits) == 2  # the empty repository's and ours
    changed = checkpoint(tmp_path / "other", backbone="wavenet")
    with pytest.raises(ValueError, match="tag must be a new one, got 'v1'"):
        publish_it(changed, tag="v1")
    second = publish_it(changed, tag="v2")
    assert second.is_new
    assert load_model(REPO).config.backbone == "wavenet"
    for revision in ("v1", first.commit):
        assert load_model(REPO, revision).config.backbone == "lstm"
    assert model_info(REPO, "v2").commit == second.commit


def test_a_commit_by_somebody_else_in_between_is_not_undone(hub, tmp_path):
    folder = checkpoint(tmp_path / "best")
    publish_it(folder)
    other = checkpoint(tmp_path / "other", hidden_size=4)
    hub.faults.commit_before = {"NOTES.md": b"by somebody else"}
    with pytest.raises(ValueError, match="changed by somebody else in the meantime"):
        publish_it(other)
    assert hub.read(REPO, "NOTES.md") == b"by somebody else"
    assert load_model(REPO).config.hidden_size == 8
    publish_it(other)
    assert load_model(REPO).config.hidden_size == 4


def test_a_private_repository_is_made_private(hub, tmp_path):
    publish_it(checkpoint(tmp_path / "best"), private=True)
    assert hub.repos["models", REPO].private


def test_a_dry_run_writes_everything_and_sends_nothing(hub, tmp_path, capsys):
    out = tmp_path / "out"
    assert publish_it(checkpoint(tmp_path / "best"), dry_run=True, out=out) is None
    assert not any(value.startswith(("POST", "PUT")) for value in hub.requests)
    assert (out / "README.md").read_text(encoding="utf-8").startswith("---\n")
    said = capsys.readouterr().out
    assert "model.safetensors" in said
    assert f"changes to {REPO} (a new repository):" in said


def test_a_dry_run_needs_no_hub(tmp_path, capsys):
    publish_it(checkpoint(tmp_path / "best"), dry_run=True)
    assert "not compared with what is published: " in capsys.readouterr().out


def test_a_pinned_model_is_loaded_from_the_hub_then_the_cache_then_the_bundled_copy(hub, tmp_path):
    bundled = model_info("lstm")
    assert (bundled.source, bundled.repo) == ("bundled", None)
    published = publish_it(bundled.folder, "me/pyzzicato-lstm", pin="lstm")
    assert read_registry()["lstm"].commit == published.commit
    assert model_info("lstm").source == "Hub"
    assert model_info("lstm").revision == bundled.revision
    hub.requests.clear()
    assert open_model("lstm")[1].source == "cache"
    assert not hub.requests  # a commit that is in the cache needs no Hub
    shutil.rmtree(tmp_path / "cache")
    hub.faults.status = 500
    assert open_model("lstm")[1].source == "bundled"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "training.json").unlink(), "must hold training.json"),
        (lambda f: (f / "model.safetensors").unlink(), "holds no model.safetensors"),
        (lambda f: (f / "config.json").write_text("{}"), "not a Pyzzicato config"),
    ],
)
def test_an_unfit_folder_is_not_published(hub, tmp_path, damage, said):
    folder = checkpoint(tmp_path / "best")
    damage(folder)
    with pytest.raises(ValueError, match=said):
        publish_it(folder)
    assert not hub.repos


def test_a_report_about_other_weights_is_refused(hub, tmp_path):
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"settings": {"model": {"lstm": "0" * 12}}, "systems": {}}))
    with pytest.raises(ValueError, match="must be about these weights"):
        publish_it(checkpoint(tmp_path / "best"), report=report)


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_hub_that_refuses_is_reported_in_words(hub, tmp_path, status):
    hub.faults.status = status
    hub.faults.where = "^POST"
    with pytest.raises(ValueError, match="was not published: .*(log in|later|not allowed)"):
        publish_it(checkpoint(tmp_path / "best"))


def test_the_command_line(hub, tmp_path, monkeypatch, capsys):
    folder = checkpoint(tmp_path / "best")
    arguments = ["publish.py", str(folder), "--repo", REPO, "--no-example", "--tag", "v1", "--yes"]
    monkeypatch.setattr(sys, "argv", arguments)
    publish.main(publish.parse_args())
    assert REPO in capsys.readouterr().out
    assert "v1" in hub.repos["models", REPO].tags
    for wrong in (["--repo", "no-namespace"], [], ["--repo", REPO, "--space", "me/page"]):
        monkeypatch.setattr(sys, "argv", ["publish.py", str(folder), *wrong])
        with pytest.raises(ValueError, match="NAMESPACE/NAME|must be given"):
            publish.main(publish.parse_args())


def test_a_hub_out_of_reach_is_reported_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Port 9 of this machine: nobody listens there.
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(ValueError, match="me/x could not be looked at: no connection"):
        plan_publication(tmp_path, "me/x")
    plan = Plan((), (), (), (), (), None, "")
    with pytest.raises(ValueError, match="me/x was not published: no connection"):
        publish_folder(tmp_path, "me/x", plan, message="m")
