"""The list of models: bundled and published ones, ours and others', with and without a network."""

import json
import time

import pytest
from huggingface_hub import constants, metadata_load
from test_publish import checkpoint, publish_it

from pyzzicato.__main__ import main
from pyzzicato.hub import find_models, list_models
from pyzzicato.hub.listing import hub_row


def test_models_of_others_appear_by_themselves(hub, tmp_path):
    commit = publish_it(checkpoint(tmp_path / "best"), "someone/their-own").commit
    hub.put("someone/unrelated", {"README.md": b"---\ntags:\n- music\n---\n"})
    listing = find_models()
    assert listing.remark is None
    theirs = listing.models[-1]
    assert (theirs["name"], theirs["source"]) == ("someone/their-own", "Hub")
    assert theirs["commit"] == commit
    assert (theirs["backbone"], theirs["representation"]) == ("lstm", "roll")
    assert theirs["licence"] == "CC BY-NC-SA 4.0"
    assert theirs["measures"] == {"loss": 3.5}
    assert theirs["weights"] > 0
    bundled = [info.name for info in list_models()]
    assert [row["name"] for row in listing.models] == [*bundled, "someone/their-own"]


def test_a_published_bundled_model_is_listed_once(hub):
    first = list_models()[0]
    publish_it(first.folder, "me/published", pin=first.name)
    rows = find_models().models
    assert [row["name"] for row in rows] == [info.name for info in list_models()]
    assert (rows[0]["repo"], rows[0]["source"]) == ("me/published", "bundled")
    assert rows[0]["commit"] == hub.repos["models", "me/published"].refs["main"]
    assert rows[0]["measures"]["loss"] == round(first.record["losses"]["validation"], 4)


def test_the_hub_is_asked_once_a_day_or_on_request(hub, tmp_path):
    find_models()
    publish_it(checkpoint(tmp_path / "best"), "someone/new")
    hub.requests.clear()
    assert "someone/new" not in [row["name"] for row in find_models().models]
    assert not hub.requests
    assert "someone/new" in [row["name"] for row in find_models(refresh=True).models]


@pytest.mark.parametrize("fault", ["down", "slow", "error", "offline"])
def test_without_the_hub_the_last_list_is_shown_and_said_to_be_old(
    hub, tmp_path, monkeypatch, fault
):
    publish_it(checkpoint(tmp_path / "best"), "someone/their-own")
    find_models()
    if fault == "down":
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, "")
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        hub.__exit__()
    elif fault == "slow":
        hub.faults.delay_s = 10
        monkeypatch.setattr("pyzzicato.hub.listing.PATIENT_ANSWER_S", 0.5)
    elif fault == "error":
        hub.faults.status = 500
    else:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    began = time.monotonic()
    listing = find_models(refresh=True)
    assert time.monotonic() - began < 3
    assert "someone/their-own" in [row["name"] for row in listing.models]
    assert listing.remark is not None
    assert listing.remark.startswith("Models on the Hub are those of")


def test_never_asked_and_no_network(hub, monkeypatch, capsys):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert main(["models", "--json"]) == 0
    said = capsys.readouterr()
    assert "Models on the Hub are not listed" in said.err
    assert [row["name"] for row in json.loads(said.out)] == [i.name for i in list_models()]


def test_a_damaged_kept_list_is_asked_for_anew(hub, tmp_path):
    find_models()
    (kept,) = (tmp_path / "assets").rglob("models-*.json")
    kept.write_text('{"half')
    assert find_models().remark is None
    assert json.loads(kept.read_text()) == []


def test_where_nothing_can_be_kept_models_are_listed_all_the_same(hub, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path / "file" / "assets"))
    for _ in range(2):
        listing = find_models()
        assert listing.remark is None
        assert [row["name"] for row in listing.models] == [info.name for info in list_models()]


def test_what_others_write_into_their_cards_is_cut_to_plain_values():
    card = {
        "license": "mit",
        "pyzzicato": {
            "backbone": "\x1b[31mred\x07" + "x" * 1000,
            "weights": "many",
            "hours": float("inf"),
            "size_mb": True,
            "measures": {f"m{i}\n": i for i in range(1000)} | {"bad": [1], 3: 4},
        },
    }
    row = hub_row("someone/odd", "0" * 40, card)
    assert row["backbone"].startswith("[31mredx")
    assert len(row["backbone"]) == 80
    assert (row["weights"], row["hours"], row["size_mb"]) == (None, None, None)
    assert row["licence"] == "mit"
    assert len(row["measures"]) == 40
    assert row["measures"]["m1"] == 1
    for odd in ({"pyzzicato": 3}, {"pyzzicato": {"measures": 3}}, {}):
        assert hub_row("someone/odd", None, odd)["measures"] == {}


def test_the_command_lists_both_in_words(hub, tmp_path, capsys):
    publish_it(checkpoint(tmp_path / "best"), "someone/their-own")
    capsys.readouterr()
    assert main(["models", "--refresh"]) == 0
    said = capsys.readouterr().out
    (theirs,) = [line.split() for line in said.splitlines() if line.startswith("someone/their-own")]
    assert theirs[1:3] == ["lstm", "rolls"] and "3.500" in theirs
    heads = [line.split() for line in said.splitlines() if line.startswith("figures")]
    shown = [name for head in heads for name in head[1:]]
    assert set(shown) == {row["name"] for row in find_models().models if len(row["measures"]) > 1}
    assert all(len(line) <= 100 for line in said.splitlines())


def test_bundled_models_have_the_measures_of_their_cards(hub):
    rows = {row["name"]: row for row in find_models().models}
    for name in ("lstm-events", "lstm"):
        card = metadata_load(next(i.folder for i in list_models() if i.name == name) / "README.md")
        assert rows[name]["measures"]["overlapped_area"] > 0.5
        assert rows[name]["measures"].items() >= card["pyzzicato"]["measures"].items()


@pytest.mark.parametrize("portal", ["html", "endless"])
def test_another_server_in_the_hubs_place_leaves_the_bundled_models(hub, portal):
    hub.faults.portal = portal
    began = time.monotonic()
    listing = find_models()
    assert time.monotonic() - began < 5
    assert [row["name"] for row in listing.models] == [info.name for info in list_models()]
    assert "Hub" in listing.remark
