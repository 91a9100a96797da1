"""Cards: facts from the model's own files and nothing else, in metadata that the Hub takes."""

import json
import re

import pytest
from conftest import ROOT
from huggingface_hub import ModelCard
from jinja2 import UndefinedError
from test_publish import RECORD, checkpoint

from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.hub.checkpoints import weights_revision
from pyzzicato.publishing import model_repo
from pyzzicato.publishing.cards import TEMPLATES, model_card, render_card
from pyzzicato.publishing.facts import licence_id, model_facts
from pyzzicato.publishing.model_repo import build_model_repo

REPORT = json.loads((ROOT / "reports/v0.2/report.json").read_text(encoding="utf-8"))
# The report is about these weights, whatever is bundled by now.
REPORTED = dict(REPORT["settings"]["model"])
CONFIG = {"backbone": "lstm", "representation": "roll", "head": "independent", "fs": 20}
PARTS = {
    "backbone": {"about": "Layers.", "weights": 1_000_000},
    "head": {"about": "Keys.", "weights": 500_000},
}


def facts(name: str = "lstm", report=REPORT, record=RECORD, **told):
    return model_facts(
        CONFIG,
        record,
        report,
        repo=f"me/{name}",
        revision=REPORTED.get(name, "0" * 12),
        parts=PARTS,
        size_bytes=6_000_000,
        **told,
    )


@pytest.fixture
def quick(monkeypatch) -> None:
    """Shortens the continuation on the card."""
    monkeypatch.setattr(model_repo, "EXAMPLE_SETTINGS", GenerationSettings(seconds=2))


def test_a_card_tells_of_earlier_runs():
    run = {"command": "python train/train.py first.toml", "steps_seen": 12, "wall_seconds": 3}
    text = model_card(facts(record={**RECORD, "earlier_runs": [run]}))
    assert "| earlier run | python train/train.py first.toml: 12 steps seen |" in text
    assert "earlier run" not in model_card(facts())


@pytest.mark.parametrize("name", REPORTED)
def test_a_card_tells_what_the_files_tell(hub, name):
    card = ModelCard(model_card(facts(name)))
    card.validate("model")
    assert card.data.license == "cc-by-nc-sa-4.0"
    assert card.data.library_name == "transformers"
    assert {"pyzzicato", "lstm", "roll", "midi"} <= set(card.data.tags)
    assert card.data.datasets == ["maestro"]
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
    assert name in columns
    assert not any(other in columns for other in others)


def test_limits_are_what_lies_outside_real_music():
    told = facts("lstm")["evaluation"]["limits"]
    measures = {n: REPORT["systems"][n]["measures"] for n in ("lstm", "real")}
    assert measures["lstm"]["polyphony"]["median"] > measures["real"]["polyphony"]["p95"]
    assert any(sentence.startswith("polyphony: 9.27") for sentence in told)
    kinship = measures["lstm"]["kinship"]["median"]
    assert measures["real"]["kinship"]["p5"] <= kinship <= measures["real"]["kinship"]["p95"]
    assert not any(sentence.startswith("kinship") for sentence in told)


def test_without_report_record_or_continuation_the_card_says_so():
    card = model_card(facts(report=None, record={}))
    assert "No evaluation report was at hand" in card
    assert "Not recorded." in card
    assert "Not measured." in card
    assert "![" not in card
    assert ModelCard(card).data.eval_results is None


def test_a_report_about_other_weights_tells_nothing():
    assert facts("unknown")["evaluation"] is None


def test_small_shares_of_hours_are_one_row():
    hours = {f"Composer {i}": float(i) for i in range(1, 21)}
    record = {**RECORD, "data": {**RECORD["data"], "train_hours": hours}}
    rows = facts(record=record)["composers"]
    assert len(rows) == 16
    assert rows[0] == ("Composer 20", 20.0)
    assert rows[-1] == ("5 others", 15.0)
    assert facts(record=record)["hours"] == sum(hours.values())


def test_licences_in_the_hubs_words():
    assert licence_id("CC BY-NC-SA 4.0") == "cc-by-nc-sa-4.0"
    assert licence_id("MIT") == "mit"
    assert licence_id("CC0 1.0") == "cc0-1.0"
    assert licence_id("CC BY 4.0, CC0 1.0") == licence_id("by arrangement") == "other"
    assert licence_id(None) == "unknown"


def test_a_fact_that_is_missing_is_an_error_and_not_a_gap():
    told = facts()
    del told["n_weights"]
    with pytest.raises(UndefinedError):
        render_card("model.md.jinja", told)
    with pytest.raises(ValueError, match="must hold nothing"):
        render_card("nothing.md.jinja", told)


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
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert one == two
    with pytest.raises(ValueError, match="must be an empty folder"):
        build_model_repo(folder, "me/tiny", tmp_path / "one")
