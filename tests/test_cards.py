"""Cards: facts from the model's own files and nothing else, in metadata that the Hub takes."""

import json
import re
import sys
import tomllib
from copy import deepcopy

import publish
import pytest
from conftest import ROOT
from huggingface_hub import ModelCard
from jinja2 import UndefinedError
from packaging.licenses import canonicalize_license_expression
from test_publish import RECORD, checkpoint, publish_it

from pyzzicato.hub import list_models, model_info
from pyzzicato.hub.checkpoints import weights_revision
from pyzzicato.hub.registry import Pin, write_pin
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.publishing import model_repo
from pyzzicato.publishing.bundled import bundled_licences, licence_expression
from pyzzicato.publishing.cards import TEMPLATES, model_card, render_card
from pyzzicato.publishing.licences import licence_id
from pyzzicato.publishing.model_facts import base_of, model_facts
from pyzzicato.publishing.model_repo import build_model_repo

REPORT = json.loads((ROOT / "reports/v0.3/report.json").read_text(encoding="utf-8"))
# The report is about these weights, whatever is bundled by now.
REPORTED = dict(REPORT["settings"]["model"])
CONFIG = {"backbone": "lstm", "representation": "roll", "head": "independent", "fs": 20}
PARTS = {
    "backbone": {"about": "Layers.", "weights": 1_000_000},
    "head": {"about": "Keys.", "weights": 500_000},
}


def facts(name: str = "lstm", report=REPORT, record=RECORD, **options):
    return model_facts(
        CONFIG,
        record,
        report,
        repo=f"me/{name}",
        revision=REPORTED.get(name, "0" * 12),
        parts=PARTS,
        size_bytes=6_000_000,
        **options,
    )


@pytest.fixture
def quick(monkeypatch) -> None:
    """Shortens the continuation on the card."""
    monkeypatch.setattr(model_repo, "EXAMPLE_SETTINGS", GenerationSettings(seconds=2))


def test_a_card_lists_earlier_runs():
    run = {"command": "python train/train.py first.toml", "steps_seen": 12, "wall_seconds": 3}
    text = model_card(facts(record={**RECORD, "earlier_runs": [run]}))
    assert "| earlier run | first.toml, 12 steps seen |" in text
    assert "earlier run" not in model_card(facts())


@pytest.mark.parametrize("name", REPORTED)
def test_a_card_says_what_the_files_say(hub, name):
    card = ModelCard(model_card(facts(name)))
    card.validate("model")
    assert card.data.license == "cc-by-nc-sa-4.0"
    assert card.data.library_name == "transformers"
    assert {"pyzzicato", "lstm", "roll", "midi"} <= set(card.data.tags)
    assert card.data.datasets is None
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    ours = REPORT["systems"][name]
    assert results["loss"] == 3.5
    assert results["copied"] == round(ours["rates"]["copied"]["share"], 4)
    assert results["kinship"] == round(ours["measures"]["kinship"]["median"], 4)
    assert results["bits_a_note"] == round(REPORT["likelihood"][name]["bits_a_note"], 4)
    text = card.text
    for heading in (
        "Use it",
        "Architecture",
        "Training data",
        "Training procedure",
        "Evaluation",
        "Originality",
        "Limits",
        "Use it for",
        "Licence",
        "Citation",
    ):
        assert f"\n## {heading}\n" in text
    assert ours["longest_match"]["sentence"] in text if "longest_match" in ours else True
    assert "| Frédéric Chopin | 1.5 |" in text
    assert "copy the last frame | 4.500" in text
    others = set(REPORTED) - {name}
    columns = next(line for line in text.splitlines() if line.startswith("|  | real |"))
    cells = [cell.strip() for cell in columns.split("|")]
    assert name in cells
    assert not others & set(cells)


def test_limits_are_what_lies_outside_real_music():
    report = deepcopy(REPORT)
    measures = {n: report["systems"][n]["measures"] for n in ("lstm", "real")}
    measures["lstm"]["polyphony"]["median"] = measures["real"]["polyphony"]["p95"] + 1
    found = facts("lstm", report)["evaluation"]["limits"]
    assert any(sentence.startswith("polyphony: ") for sentence in found)
    kinship = measures["lstm"]["kinship"]["median"]
    assert measures["real"]["kinship"]["p5"] <= kinship <= measures["real"]["kinship"]["p95"]
    assert not any(sentence.startswith("kinship") for sentence in found)


def test_without_report_record_or_continuation_the_card_says_so():
    card = model_card(facts(report=None, record={}))
    assert "No evaluation report was at hand" in card
    assert "Not recorded." in card
    assert "Not measured." in card
    assert "![" not in card
    assert ModelCard(card).data.eval_results is None


def test_a_report_about_other_weights_is_not_used():
    assert facts("unknown")["evaluation"] is None


def test_small_shares_of_hours_are_one_row():
    hours = {f"Composer {i}": float(i) for i in range(1, 21)}
    record = {**RECORD, "data": {**RECORD["data"], "train_hours": hours}}
    rows = facts(record=record)["composers"]
    assert len(rows) == 16
    assert rows[0] == ("Composer 20", 20.0)
    assert rows[-1] == ("5 others", 15.0)
    assert facts(record=record)["hours"] == sum(hours.values())


SUPRA = {"MAESTRO": {"licences": ["CC BY-NC-SA 4.0"], "splits": ["train", "validation"]}}
SUPRA |= {"supra": {"licences": ["CC BY-NC-SA 4.0"], "splits": ["train"]}}


def with_data(**options):
    return {**RECORD, "data": {**RECORD["data"], **options}}


def test_figures_stand_under_the_data_they_were_measured_on():
    record = with_data(name="MAESTRO, supra", sources=SUPRA)
    card = ModelCard(model_card(facts(record=record)))
    index = card.data.to_dict()["model-index"][0]["results"]
    (entry,) = index
    assert entry["dataset"] == {"name": "MAESTRO", "type": "maestro", "split": "validation"}
    assert {"loss", "bits_a_note", "copied"} <= {its["type"] for its in entry["metrics"]}
    own = {**SUPRA, "mine": {"licences": ["MIT"], "splits": ["validation"]}}
    for several in (with_data(name="MAESTRO, mine"), with_data(sources=own)):
        results = ModelCard(model_card(facts(record=several))).data.eval_results
        assert "loss" not in {result.metric_type for result in results}
    record = with_data(sources={"mine": {"licences": ["MIT"], "splits": ["train", "validation"]}})
    both = ModelCard(model_card(facts(record=record))).data.to_dict()["model-index"][0]["results"]
    assert [its["dataset"]["type"] for its in both] == ["mine", "maestro"]


def test_a_card_speaks_of_no_place_on_a_disk_and_no_docstring_of_torch(tmp_path):
    command = "python train/train.py train/presets/further/lstm-7.toml --data data/more"
    settings = {"start_from": "runs/lstm6/best", "index": "/home/somebody/index.npz", "rate": 1e-3}
    run = {"command": command, "steps_seen": 5, "data": RECORD["data"], "settings": settings}
    record = {**RECORD, "command": command, "settings": settings, "earlier_runs": [run]}
    text = model_card(facts(record=record))
    assert "| recipe | lstm-7.toml |" in text
    assert "| index | index.npz |" in text
    for place in ("runs/", "/home", "data/more", "train/presets", "--data"):
        assert place not in text
    folder = checkpoint(tmp_path / "best", composers=["bach", "chopin"])
    build_model_repo(folder, "me/tiny", tmp_path / "out", example=False)
    text = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "| composers | A table of 3 rows of" in text
    assert "lookup table" not in text and ":math:" not in text
    assert str(tmp_path) not in text


def test_data_sets_are_ids_on_the_hub():
    card = ModelCard(model_card(facts(record=with_data(repo="me/maestro-notes"))))
    assert card.data.datasets == ["me/maestro-notes"]
    assert card.data.pipeline_tag == "audio-to-audio"


def test_the_licences_of_the_model_before_are_inherited(tmp_path):
    before = {"data": {"name": "piano_midi_de", "licence": "CC BY-SA 3.0 DE"}, "steps_seen": 1}
    record = {**RECORD, "earlier_runs": [before], "started_from": {"repo": "you/base"}}
    text = model_card(facts(record=record))
    data = ModelCard(text).data
    assert (data.license, data.license_link) == ("other", "LICENSE.md")
    assert data.license_name == "cc-by-nc-sa-4.0-and-cc-by-sa-3.0-de"
    assert (data.base_model, data.to_dict()["base_model_relation"]) == ("you/base", "finetune")
    assert "(https://creativecommons.org/licenses/by-sa/3.0/de/) | [piano-midi.de](" in text
    assert "(https://creativecommons.org/licenses/by-nc-sa/4.0/) | [MAESTRO](" in text
    assert "- Not for commercial use: CC BY-NC-SA 4.0." in text
    assert data.to_dict()["pyzzicato"]["licence"] == "CC BY-NC-SA 4.0, CC BY-SA 3.0 DE"
    alone = ModelCard(model_card(facts())).data
    assert (alone.license, alone.license_name, alone.base_model) == ("cc-by-nc-sa-4.0", None, None)
    folder = checkpoint(tmp_path / "best")
    (folder / "training.json").write_text(json.dumps(record), "utf-8")
    assert model_info(str(folder)).as_dict()["licence"] == "CC BY-NC-SA 4.0, CC BY-SA 3.0 DE"
    build_model_repo(folder, "me/tiny", tmp_path / "out", example=False)
    licences = (tmp_path / "out" / "LICENSE.md").read_text("utf-8")
    assert "CC BY-SA 3.0 DE" in licences and "CC BY-NC-SA 4.0" in licences
    assert "The code in this repository is under [Apache-2.0]" in licences


def test_a_base_that_is_named_brings_its_licences(hub, tmp_path):
    base = checkpoint(tmp_path / "base", hidden_size=4)
    record = with_data(name="piano_midi_de", licence="CC BY-SA 3.0 DE")
    (base / "training.json").write_text(json.dumps(record), "utf-8")
    publish_it(base, "me/base")
    out = tmp_path / "out"
    folder = checkpoint(tmp_path / "best")
    build_model_repo(folder, "me/tiny", out, example=False, base_model="me/base")
    card = ModelCard.load(out / "README.md")
    assert card.data.base_model == "me/base"
    assert card.data.license_name == "cc-by-nc-sa-4.0-and-cc-by-sa-3.0-de"
    (earlier,) = json.loads((out / "training.json").read_text("utf-8"))["earlier_runs"]
    assert earlier["data"] == record["data"]
    # Published from what it was published as, it has learnt from nothing twice.
    build_model_repo(out, "me/tiny", tmp_path / "again", example=False, base_model="me/base")
    again = json.loads((tmp_path / "again" / "training.json").read_text("utf-8"))
    assert again["earlier_runs"] == [earlier]


def test_a_base_is_the_nearest_that_others_can_find(hub):
    write_pin("lstm", Pin("us/lstm", "0" * 40, {"model.onnx": "0" * 64}))
    run = {"settings": {"start_from": "lstm"}}
    assert (
        base_of({"earlier_runs": [run], "settings": {"start_from": "runs/a"}}, "me/x") == "us/lstm"
    )
    assert base_of({"settings": {"start_from": "lstm"}}, "us/lstm") is None  # its own earlier state
    assert base_of({"settings": {"start_from": "runs/best"}}, "me/x") is None
    assert base_of({"started_from": {"repo": "you/y"}, "earlier_runs": [run]}, "me/x") == "you/y"


def test_a_licence_nobody_named_is_asked_for(tmp_path):
    sources = {"songs": {"licences": [""], "splits": ["train"]}}
    record = with_data(licence="", name="songs", sources=sources)
    folder = checkpoint(tmp_path / "best")
    (folder / "training.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(ValueError, match="must know the licence .*--licence"):
        build_model_repo(folder, "me/tiny", tmp_path / "out", example=False)
    build_model_repo(folder, "me/tiny", tmp_path / "out", example=False, licence="CC BY 4.0")
    assert ModelCard.load(tmp_path / "out" / "README.md").data.license == "cc-by-4.0"
    found = json.loads((tmp_path / "out" / "training.json").read_text("utf-8"))["data"]
    assert (found["licence"], found["sources"]["songs"]["licences"]) == ("CC BY 4.0", ["CC BY 4.0"])


def test_graphs_and_generation_config_go_along(tmp_path):
    folder = checkpoint(tmp_path / "best")
    for name in ("model.onnx", "step.onnx", "generation_config.json", "notes.txt"):
        (folder / name).write_text("{}")
    build_model_repo(folder, "me/tiny", tmp_path / "out", example=False)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"model.onnx", "step.onnx", "generation_config.json", "handler.py"} <= names
    assert "notes.txt" not in names
    assert "`model.onnx` is a graph" in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_licences_in_the_hubs_words():
    assert licence_id("CC BY-NC-SA 4.0") == "cc-by-nc-sa-4.0"
    assert licence_id("MIT") == "mit"
    assert licence_id("CC0 1.0") == "cc0-1.0"
    assert licence_id("CC BY 4.0, CC0 1.0") == licence_id("by arrangement") == "other"
    assert licence_id(None) == "unknown"


def test_a_fact_that_is_missing_is_an_error_and_not_a_gap():
    answer = facts()
    del answer["n_weights"]
    with pytest.raises(UndefinedError):
        render_card("model.md.jinja", answer)
    with pytest.raises(ValueError, match="must hold nothing"):
        render_card("nothing.md.jinja", answer)


def test_no_template_knows_a_model_by_its_name():
    for template in TEMPLATES.glob("*.jinja"):
        spoken = re.sub(r"```bibtex.*?```", "", template.read_text("utf-8"), flags=re.S)
        for tag in re.findall(r"{%.*?%}", spoken):
            assert not re.search("lstm|wavenet|conv1d|MAESTRO", tag, flags=re.I)


def test_the_card_of_a_folder_shows_and_sounds_what_the_model_plays(tmp_path, quick):
    out = tmp_path / "repo"
    info = build_model_repo(checkpoint(tmp_path / "best"), "me/tiny", out)
    assert (out / "continuation.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "continuation.mid").read_bytes().startswith(b"MThd")
    assert (out / "continuation.mp3").stat().st_size > 20_000
    text = (out / "README.md").read_text(encoding="utf-8")
    assert "](continuation.png)" in text
    assert "resolve/main/continuation.mp3" in text
    assert f"beginning with `{info.revision}`" in text
    assert info.revision == weights_revision(out / "model.safetensors")
    assert "| head | 88 sigmoids" in text


def test_the_same_checkpoint_gives_the_same_bytes(tmp_path, quick):
    folder = checkpoint(tmp_path / "best")
    for name in ("one", "two"):
        build_model_repo(folder, "me/tiny", tmp_path / name, sound=False)
    one, two = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("one", "two")
    )
    assert len(one) > 20
    assert one == two
    with pytest.raises(ValueError, match="must be an empty folder"):
        build_model_repo(folder, "me/tiny", tmp_path / "one")


def test_the_package_tells_code_from_weights():
    models = list_models()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == licence_expression(models)
    assert canonicalize_license_expression(project["license"]) == project["license"]
    file = "pyzzicato/pretrained/LICENSE.md"
    assert file in project["license-files"]
    assert (ROOT / file).read_text("utf-8") == bundled_licences(models)
    for info in models:
        card = ModelCard.load(info.folder / "README.md")
        assert card.data.to_dict()["pyzzicato"]["licence"] == info.as_dict()["licence"]


def test_bundled_cards_are_written_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("pyzzicato.hub.loading.BUNDLED", tmp_path)
    monkeypatch.setattr("pyzzicato.publishing.bundled.BUNDLED", tmp_path)
    checkpoint(tmp_path / "tiny")
    monkeypatch.setattr(sys, "argv", ["publish.py", "--bundled"])
    publish.main(publish.parse_args())
    assert ModelCard.load(tmp_path / "tiny" / "README.md").data.license == "cc-by-nc-sa-4.0"
    assert "| `tiny` | CC BY-NC-SA 4.0 |" in (tmp_path / "LICENSE.md").read_text("utf-8")
