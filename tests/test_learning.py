"""`pyzzicato learn`: a folder of MIDI files in, a model of one's own out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import tiny_config
from model_cases import livened
from random_music import random_music

from pyzzicato.__main__ import main
from pyzzicato.hub import load_model
from pyzzicato.hub.checkpoints import read_config, read_record
from pyzzicato.midi import read_midi, write_midi
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.training import learning, learning_plan
from pyzzicato.training.before_after import as_markdown, as_text, draw_excerpts
from pyzzicato.training.growth import grow_weights
from pyzzicato.training.learning_plan import choose_settings, styles_with, validation_share
from pyzzicato.training.loop import composer_numbers
from pyzzicato.training.preparation import prepare_folder
from pyzzicato.training.store import NoteStore

CHOICES = {"representation": "events", "head": "notes", "composers": ["bach", "chopin"]}


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "My Band"
    for i in range(6):
        path = folder / ("live" if i % 2 else "") / f"Song {i}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_midi(random_music(i, 60), path)
    write_midi(random_music(0, 60), folder / "again.mid")
    (folder / "broken.mid").write_bytes(b"MThd and no more")
    return folder


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a tiny model to start from; runs are of seconds."""
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "kept"))
    monkeypatch.setattr(learning_plan, "_UPDATES", (6, 6))
    monkeypatch.setattr(learning_plan, "_CROP_STEPS", {"note": 32, "frame": 32})
    monkeypatch.setattr(learning_plan, "LOOK_SECONDS", 1e-6)
    monkeypatch.setattr(learning, "_CALIBRATION_SEEDS", 2)
    monkeypatch.setattr(learning, "_CALIBRATION_LOOKS", 2)
    livened(PyzzicatoModel(tiny_config(**CHOICES))).save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def test_a_folder_becomes_a_model_that_plays(
    music: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    asked = ["learn", str(music), "--out", str(out), "--start-from", str(base)]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "Skipped broken.mid" in said
    assert "a double of" in said
    assert "Update 1: held-out loss" in said and "the best so far" in said
    assert "--model my-band --composer my-band" in said
    for title in ("Held-out loss, nats a note", "Notes a second", "Kinship with the seed"):
        assert title in said
    assert {path.name for path in (out / "listen").iterdir()} == {
        "piece.mid",
        *(f"{when}-{take}.mid" for when in ("before", "after") for take in (1, 2, 3)),
    }
    assert read_midi(out / "listen" / "after-3.mid").sounding("extend")
    assert read_config(out / "best").composers == ["bach", "chopin", "my-band"]
    assert load_model("my-band").decoding.top_a.keys() == {"pitch", "duration", "velocity"}
    record = read_record(out / "best")
    assert record["data"]["train_hours"].keys() == {"my-band"}
    assert record["command"] == "pyzzicato learn FOLDER --out RUN --name my-band"
    assert record["data"]["sources"].keys() == {"my-band"}
    lines = [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]
    # A look every so many seconds, and in the end.
    looks = [line["update"] for line in lines if "held_out" in line]
    assert looks == sorted({*looks}) and looks[0] == 0 and looks[-1] == 6
    assert lines[-1]["done"] is True
    # Asked for again it is done at once, and keeps what it has.
    weights = (out / "best" / "model.safetensors").read_bytes()
    assert main(asked) == 0
    assert (out / "best" / "model.safetensors").read_bytes() == weights
    # Another run may not take its name.
    assert main([*asked[:3], str(tmp_path / "other"), *asked[4:]]) == 2
    assert "another model is kept as 'my-band'" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--name", "lstm"], "another than the bundled models'"),
        (["--name", "My Band"], "name must be 1 to 40 small letters"),
        (["--start-from", "lstn"], "did you mean lstm"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(
    music: Path,
    base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    asked: list[str],
    words: str,
) -> None:
    assert main(["learn", str(music), "--out", str(tmp_path / "run"), *asked]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_folder_without_music_is_said(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["learn", str(tmp_path / "empty"), "--out", str(tmp_path / "run")]) == 2
    assert "must hold MIDI files" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_plan_follows_how_much_music_there_is(music: Path, tmp_path: Path) -> None:
    prepare_folder(music, tmp_path / "data", composer="my-band")
    store = NoteStore(tmp_path / "data")
    settings = choose_settings(store, "lstm-events", "my-band")
    assert settings.max_steps == 100 and settings.eval_composer == "my-band"
    assert settings.model["composers"][-2:] == ["scriabin", "my-band"]
    assert settings.model["hears_ends"]
    store.pieces = tuple(replace(piece, length=10_000) for piece in store.pieces)
    more = choose_settings(store, "lstm-events", "my-band")
    assert 1000 < more.max_steps < 4000
    # A composer whom the model knows stays one, a model that knows none has no styles.
    assert choose_settings(store, "lstm-events", "chopin").eval_composer == "chopin"
    assert styles_with(tiny_config(), "my-band") == []
    on_rolls = choose_settings(store, "lstm", "my-band")
    assert on_rolls.crop_steps == 512 and on_rolls.model_config("extend").head == "joint"
    assert "hears_ends" not in on_rolls.model
    assert validation_share(20) == 0.15 and validation_share(1000) == 0.1


def test_a_new_style_is_nobody_in_particular_at_first() -> None:
    known = PyzzicatoModel(tiny_config(**CHOICES))
    more = PyzzicatoModel(tiny_config(**{**CHOICES, "composers": ["bach", "chopin", "my-band"]}))
    grown = grow_weights(known.state_dict(), more)
    more.load_state_dict(grown)
    table = grown["composers.weight"]
    assert table.shape[0] == 4 and table[:3].equal(known.state_dict()["composers.weight"])
    assert table[3].equal(table[0])


def test_own_styles_are_known_and_misspelt_ones_are_not() -> None:
    config = tiny_config(composers=["bach", "my-band"])
    assert composer_numbers(config, {"my-band"}) == {"Johann Sebastian Bach": 1, "my-band": 2}
    with pytest.raises(ValueError, match="got 'my-band'"):
        composer_numbers(config, {"mi-band"})


def test_excerpts_are_as_long_as_there_is_music_for() -> None:
    pieces = {"long": random_music(1, 200), "short": random_music(2, 10)}
    excerpts = draw_excerpts(pieces, 4)
    assert {excerpt.seed_seconds for excerpt in excerpts} == {10.0}
    assert all(excerpt.name.startswith("long") for excerpt in excerpts)
    brief = draw_excerpts({"brief": random_music(3, 30)}, 2)
    assert all(2 < its.seconds < 10 and its.notes for its in brief)
    assert draw_excerpts({"none": []}) == []


def test_tables_are_aligned() -> None:
    rows = [("", "before"), ("Loss", "1.0")]
    assert as_text(rows) == ["      before", "Loss     1.0"]
    assert as_markdown(rows) == "|  | before |\n|---|---:|\n| Loss | 1.0 |\n"
