"""The adversary's script: passages made, resumed, judged by figures and by a network, refused."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import adversary as script
import pytest
from conftest import tiny_config, tune

from pyzzicato.evaluation.adversary import NETWORK, read_verdicts
from pyzzicato.evaluation.passage_folders import read_passages
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.training.store import StoreWriter, pack_notes

SECONDS = 6.0


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Returns a prepared store: twelve works to learn from, twelve held out, one of them twice."""
    folder = tmp_path_factory.mktemp("store")
    writer = StoreWriter(folder, "extend", "tunes", "CC0")
    for split, first in (("train", 0), ("validation", 12)):
        for i in (*range(first, first + 12), first):
            notes = pack_notes(tune(10, i - 12))
            writer.add(notes, composer="A", title=f"Tune {i}", split=split, path=f"{i}.mid")
    writer.close()
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Returns the folder of an untrained debug model on note events."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    config = tiny_config(backbone="lstm", representation="events", head="notes")
    PyzzicatoModel(config).save_pretrained(folder)
    return folder


def generating(store: Path, tiny: Path, out: Path, **choices) -> script.GenerateConfig:
    given = {"split": "validation", "seeds": 13, "rng": 0, "processes": 1} | choices
    lengths = {"seconds": SECONDS, "seed_seconds": 2.0}
    return script.GenerateConfig(model=(str(tiny),), data=store, out=out, **lengths, **given)


@pytest.fixture(scope="module")
def made(store, tiny, tmp_path_factory):
    """Returns a folder of passages to test on, and one to learn from."""
    out = tmp_path_factory.mktemp("passages")
    script.generate(generating(store, tiny, out / "tested"))
    script.generate(generating(store, tiny, out / "learnt", split="train", seeds=12))
    return out


def judging(made: Path, **choices) -> script.JudgeConfig:
    given = {"real": made / "tested/real", "form": "events", "seconds": SECONDS, "learn": None}
    given |= {"learn_real": None, "crop_notes": 32, "updates": 2, "rng": 0, "json": None}
    given |= {"shown": ("keys", "waits")} | choices
    return script.JudgeConfig(made=made / "tested/tiny", **given)


def test_each_seed_is_carried_on_by_composer_and_model(made):
    real, tiny = (read_passages(made / "tested" / who, SECONDS) for who in ("real", "tiny"))
    assert [p.name for p in real] == [p.name for p in tiny]
    assert len(real) == 13
    # Two performances of one work are one piece.
    assert len({p.piece for p in real}) == 12
    assert all(p.piece.startswith("validation-") for p in real)
    assert any(len(p.notes) > 1 for p in tiny)
    assert all(len(p.notes) > 8 for p in real)


def test_a_stopped_run_makes_what_is_missing(made, store, tiny):
    tested = made / "tested"
    stamps = {path: path.stat().st_mtime_ns for path in tested.rglob("*.npz")}
    gone = sorted(stamps)[3]
    before = read_passages(tested / "tiny", SECONDS), read_passages(tested / "real", SECONDS)
    gone.unlink()
    script.generate(generating(store, tiny, tested))
    after = {path: path.stat().st_mtime_ns for path in tested.rglob("*.npz")}
    assert {path for path in after if after[path] != stamps[path]} == {gone}
    assert (
        read_passages(tested / "tiny", SECONDS),
        read_passages(tested / "real", SECONDS),
    ) == before


def test_a_new_model_is_added_to_the_same_seeds(made, store, tiny, tmp_path):
    other = tmp_path / "other"
    PyzzicatoModel.from_pretrained(tiny).save_pretrained(other)
    jobs = script.draw_jobs(generating(store, other, made / "tested"))
    assert {who for job in jobs for who in job.missing()} == {str(other)}


def test_verdicts_are_printed_and_kept(made, tmp_path, capsys):
    kept = tmp_path / "verdicts.json"
    script.judge(judging(made, json=kept))
    script.judge(judging(made, json=kept, learn=made / "learnt/tiny"))
    verdicts = read_verdicts(kept)["tiny"]
    printed = capsys.readouterr().out
    assert "tiny: 13 real, 13 made passages" in printed
    assert f"all figures: AUC {verdicts['all figures'].auc:.3f}" in printed
    # An untrained model plays nothing like a tune.
    assert verdicts["all figures"].auc > 0.8
    assert verdicts[NETWORK].n_learnt >= 20
    json.loads(kept.read_text(encoding="utf-8"), parse_constant=pytest.fail)


def test_what_cannot_be_made_is_refused(store, tiny, tmp_path):
    with pytest.raises(ValueError, match="no validation piece of .* lasts 32 s"):
        given = generating(store, tiny, tmp_path)
        script.draw_jobs(replace(given, seconds=30.0))
    with pytest.raises(ValueError, match="seeds must be 1 or more"):
        generating(store, tiny, tmp_path, seeds=0)
    with pytest.raises(ValueError, match="holds no prepared data"):
        script.draw_jobs(generating(tmp_path, tiny, tmp_path))


def test_the_options_of_a_shell_are_those_of_the_configs(monkeypatch, tmp_path):
    arguments = ["generate", "--model", "lstm", "wavenet", "--data", "d", "--out", "o"]
    monkeypatch.setattr(sys, "argv", ["adversary.py", *arguments])
    making = script.parse_args()
    assert (making.model, making.seconds, making.split) == (("lstm", "wavenet"), 60.0, "validation")
    arguments = ["judge", "--made", str(tmp_path / "lstm"), "--form", "roll", "--updates", "7"]
    monkeypatch.setattr(sys, "argv", ["adversary.py", *arguments])
    judged = script.parse_args()
    assert judged.real == tmp_path / "real"
    assert (judged.form, judged.updates, judged.learn) == ("roll", 7, None)
