"""What the view "Learn" is given: counted, not typed."""

import json

from pyzzicato.hub import DEFAULT_MODEL, list_models
from pyzzicato.space import learn
from pyzzicato.space.learn import describe_learning
from pyzzicato.space.names import model_titles


def test_composers_are_counted_in_the_training_music():
    rows = describe_learning()["composers"]
    assert len(rows) == 14
    assert [row["pieces"] for row in rows] == sorted((r["pieces"] for r in rows), reverse=True)
    bach = next(row for row in rows if row["name"] == "Johann Sebastian Bach")
    assert 0 < bach["works"] < bach["pieces"]
    assert bach["hours"] > 10


def test_each_model_has_a_row_from_its_record():
    rows = {row["name"]: row for row in describe_learning()["models"]}
    assert set(rows) == {info.name for info in list_models()}
    for info in list_models():
        assert rows[info.name]["revision"] == info.revision
        assert rows[info.name]["loss"] == info.as_dict()["validation_loss"]


def test_the_minutes_of_all_runs_are_summed():
    run = {"command": "python x", "wall_seconds": 120.0}
    assert learn._training_minutes({**run, "earlier_runs": [run, run]}) == 6
    assert learn._training_minutes({**run, "earlier_runs": [{"command": "python y"}]}) is None
    assert learn._training_minutes({}) is None


def test_measures_come_from_the_newest_report_that_knows_a_model(tmp_path, monkeypatch):
    name = list_models()[0].name

    def report(folder, rate, names):
        system = {"measures": {"notes_a_second": {"median": rate}}, "rates": {}}
        options = {"description": folder, "systems": {n: system for n in names}}
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "report.json").write_text(json.dumps(options), encoding="utf-8")

    monkeypatch.setattr(learn, "REPORTS", tmp_path)
    assert describe_learning()["measures"] is None
    report("v1", 8.125, ["real", name])
    report("v2", 5.0, ["real", "of-someone-else"])
    measures = describe_learning()["measures"]
    assert measures["columns"] == ["real", name]
    assert measures["description"] == "v1"
    assert measures["rows"][0] == ["Notes a second", "8.1", "8.1"]
    assert measures["rows"][-1] == ["Taken for the seed's composer", "–", "–"]


def test_titles_of_models_differ():
    titles = model_titles()
    assert set(titles) == {info.name for info in list_models()}
    assert len(set(titles.values())) == len(titles)
    # A musician chooses by how a model plays, and by what he may do with it.
    assert titles[DEFAULT_MODEL].startswith("Expressive")
    assert sum("free for commercial use" in title for title in titles.values()) == 1
