"""Both evaluations as a user runs them: files beside a folder, models on held-out seeds."""

import json
import runpy
import sys

import pytest
from conftest import ROOT, tiny_config, tune

from pyzzicato.__main__ import main as command_line
from pyzzicato.midi import write_midi
from pyzzicato.models import PyzzicatoModel
from pyzzicato.training.catalogue import read_catalogue

SCRIPT = str(ROOT / "train" / "evaluate.py")


def evaluate(monkeypatch, *told):
    monkeypatch.setattr(sys, "argv", [SCRIPT, *map(str, told)])
    runpy.run_path(SCRIPT, run_name="__main__")


@pytest.fixture
def music(tmp_path):
    """Returns a folder in MAESTRO's layout whose pieces are long enough to cut seeds from."""
    folder = tmp_path / "maestro"
    (folder / "2004").mkdir(parents=True)
    rows = ["canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"]
    for i in range(7):
        split = "train" if i < 3 else "validation"
        write_midi(tune(24, i), folder / f"2004/{i}.midi")
        rows.append(f"Frédéric Chopin,Tune {i},{split},2004,2004/{i}.midi,,24")
    (folder / "maestro-v3.0.0.csv").write_text("\n".join(rows), encoding="utf-8")
    assert len(read_catalogue(folder)) == 7
    return folder


def test_models_stand_beside_real_music_and_the_run_resumes(music, tmp_path, monkeypatch, capsys):
    PyzzicatoModel(tiny_config(backbone="lstm")).save_pretrained(tmp_path / "tiny")
    out = tmp_path / "report"
    told = ["--model", tmp_path / "tiny", "--data-dir", music, "--out", out]
    told += ["--seeds", 7, "--seconds", 8, "--seed-seconds", 4, "--markov-pieces", 2]
    evaluate(monkeypatch, *told)
    report = json.loads((out / "report.json").read_text())
    systems = report["systems"]
    assert list(systems)[0] == "real"
    assert len(systems) == 5
    assert {system["n"] for system in systems.values()} == {7}
    assert report["ceiling"]["mean_oa"] > 0
    assert report["likelihood"].keys() >= {"markov", "copy", "frequency"}
    assert (out / "report.md").read_text().count("|") > 100
    assert list(out.glob("*.png"))

    record = out / "pieces" / "0002" / "measures.json"
    kept = (out / "pieces" / "0001" / "measures.json").stat().st_mtime_ns
    before = record.read_bytes()
    record.unlink()
    evaluate(monkeypatch, *told)
    assert record.read_bytes() == before
    assert (out / "pieces" / "0001" / "measures.json").stat().st_mtime_ns == kept
    assert json.loads((out / "report.json").read_text()) == report

    with pytest.raises(SystemExit, match="other settings"):
        evaluate(monkeypatch, *told, "--rng", 5)


def test_too_long_continuations_are_refused_at_once(music, tmp_path, monkeypatch):
    PyzzicatoModel(tiny_config(backbone="lstm")).save_pretrained(tmp_path / "tiny")
    told = ["--model", tmp_path / "tiny", "--data-dir", music, "--out", tmp_path / "report"]
    with pytest.raises(SystemExit, match="lasts .* s"):
        evaluate(monkeypatch, *told, "--seconds", 60)


def test_files_of_any_maker_are_measured_beside_a_folder(tmp_path, capsys):
    for folder, n, seconds in (("mine", 3, 14), ("real", 7, 30)):
        (tmp_path / folder).mkdir()
        for i in range(n):
            write_midi(tune(seconds, i), tmp_path / folder / f"{i}.mid")
    write_midi(tune(3), tmp_path / "mine" / "short.mid")
    told = ["evaluate", tmp_path / "mine", "--reference", tmp_path / "real", "--skip", 4]
    assert command_line([*map(str, told), "--out", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["systems"]["files"]["n"] == 3
    assert report["systems"]["real"]["n"] == 7
    assert any("short.mid" in remark for remark in report["remarks"])
    said = capsys.readouterr()
    assert "report.md" in said.out
    assert "short.mid" in said.err


def test_a_missing_folder_is_one_clear_line(tmp_path, capsys):
    told = ["evaluate", str(tmp_path / "gone"), "--reference", str(tmp_path)]
    assert command_line([*told, "--out", str(tmp_path / "out")]) == 2
    assert "does not exist" in capsys.readouterr().err
