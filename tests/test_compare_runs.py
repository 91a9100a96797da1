"""Losses of training runs side by side, from their records."""

import json
from pathlib import Path
from typing import Any

import compare_runs
import pytest


def run_folder(folder: Path, unit: str = "nats a note", **changes: Any) -> Path:
    """Writes the record of a run of two looks; returns the run's folder."""
    record = {
        "steps": 20,
        "steps_seen": 4_000_000,
        "losses": {"unit": unit},
        "curve": [
            {"step": 10, "seconds": 60.0, "training": 9.1, "validation": 9.0},
            {"step": 20, "seconds": 120.0, "training": 8.1, "validation": 8.0},
        ],
        **changes,
    }
    (folder / "best").mkdir(parents=True)
    (folder / "best" / "training.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def asked(monkeypatch: pytest.MonkeyPatch, *words: object) -> compare_runs.CompareConfig:
    """Returns the configuration of a command line."""
    monkeypatch.setattr("sys.argv", ["compare_runs.py", *map(str, words)])
    return compare_runs.parse_args()


def test_a_picture_and_where_each_run_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (run_folder(tmp_path / name) for name in ("a", "b"))
    out = tmp_path / "made" / "losses.png"
    # A model's own folder will do as well.
    compare_runs.main(asked(monkeypatch, f"a={first}", f"b={second / 'best'}", "--out", out))
    assert out.read_bytes().startswith(b"\x89PNG")
    ended = "8.000 after 4.00 million steps and 2.0 minutes"
    assert capsys.readouterr().out.splitlines() == [f"a: {ended}", f"b: {ended}"]
    assert compare_runs.read_looks(first, 0) == ([(2, 1, 9.0), (4, 2, 8.0)], "nats a note")
    assert compare_runs.read_looks(first, 3) == ([(4, 2, 8.0)], "nats a note")


def test_what_cannot_be_compared_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = run_folder(tmp_path / "a")
    frames = run_folder(tmp_path / "b", "nats a frame")
    config = asked(monkeypatch, f"a={notes}", f"b={frames}", "--out", tmp_path / "c.png")
    with pytest.raises(ValueError, match="one unit, got nats a frame, nats a note"):
        compare_runs.main(config)
    old = run_folder(tmp_path / "old", curve=[{"step": 10, "validation": 9.0}])
    for folder, missing in ((old, "seconds"), (tmp_path, "steps_seen")):
        with pytest.raises(ValueError, match=f"must be a run of train.py .*missing: .{missing}"):
            compare_runs.read_looks(folder, 0)
    with pytest.raises(SystemExit):
        asked(monkeypatch, str(notes), "--out", "c.png")
