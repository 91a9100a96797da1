import json
import sys
from pathlib import Path

import build_index
import check_originality
import numpy as np
import pytest
from conftest import ROOT, run_script
from random_music import random_music

from pyzzicato.evaluation.originality import TrainingIndex, measure_originality
from pyzzicato.midi import write_midi
from pyzzicato.training.catalogue import read_catalogue


@pytest.fixture(scope="module")
def unlike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder in MAESTRO's layout whose pieces of a minute have nothing in common."""
    folder = tmp_path_factory.mktemp("unlike")
    rows = ["canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"]
    for i, split in enumerate(["train", "train", "train", "validation", "validation"]):
        write_midi(random_music(i, 220), folder / f"{i}.midi")
        rows.append(f"Composer {i},Piece {i},{split},2004,{i}.midi,,60.0")
    rows.append("Composer 9,Absent,train,2004,9.midi,,60.0")
    (folder / "maestro-v3.0.0.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


def test_an_index_holds_the_readable_training_pieces(maestro: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "index.npz"
    script = ROOT / "train" / "build_index.py"
    ran = run_script(sys.executable, script, "--data-dir", maestro, "--out", out, "--processes", 1)
    assert ran.returncode == 0, ran.stderr
    assert "4 pieces" in ran.stdout
    assert "skipped: 1 absent, 1 broken" in ran.stdout
    titles = [title for _, title in TrainingIndex.load(out).labels]
    assert titles == [
        "Prelude in C",
        "Prelude in C",
        "Mazurka in A",
        "Barcarolle in F-sharp Major, Op. 60",
    ]


def test_an_index_of_nothing_is_an_error_in_words(unlike: Path, tmp_path: Path) -> None:
    script = ROOT / "train" / "build_index.py"
    arguments = ("--data-dir", unlike, "--out", tmp_path / "index.npz", "--composers", "composer 9")
    ran = run_script(sys.executable, script, *arguments)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("error: data folder must hold training pieces")


def test_the_check_finds_copies_and_nothing_else(
    unlike: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index, report = tmp_path / "index.npz", tmp_path / "report.json"
    build_index.main(build_index.IndexConfig(unlike, index, None, None, 1))
    check_originality.main(check_originality.CheckConfig(unlike, index, None, report, 0))
    printed = capsys.readouterr().out
    assert printed.count("| held-out") == 5
    figures = json.loads(report.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert all(row["copied"] == 0 and row["named"] is None for row in figures["false_alarms"])
    assert all(row["copied"] == 1 and row["named"] == 1 for row in figures["detection"])
    assert {row["n"] for row in figures["detection"]} == {3}
    assert figures["index_bytes"] == index.stat().st_size


def test_a_hidden_excerpt_is_in_the_midst_of_the_music(unlike: Path) -> None:
    piece = read_catalogue(unlike)[0]
    part, music = random_music(0, 40)[:30], random_music(3, 180)
    hidden = check_originality.hide(check_originality.Excerpt(piece, part), music)
    assert len(hidden.notes) == len(part) + len(music)
    found = measure_originality(hidden.notes, TrainingIndex.build([("A", "a", part)]))
    assert found.longest_at_s == pytest.approx(20 + part[0].start)


def test_alterations_keep_the_notes() -> None:
    notes = random_music(0)
    for alterations in check_originality.ALTERATIONS.values():
        altered = check_originality.alter(notes, alterations, np.random.default_rng(0))
        assert len(altered) == len(notes)
        assert (altered == notes) == (not alterations)
