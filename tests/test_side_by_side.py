"""Reports of several releases in one page."""

import json
from pathlib import Path
from typing import Any

import compare_reports
import pytest

from pyzzicato.evaluation.side_by_side import merge_reports


def report(area: float | None, **rates: float) -> dict[str, Any]:
    """Returns a report of a few systems, each with a rate of pieces that have dried up."""
    spread = {
        "n": 3,
        "n_undefined": 0,
        "mean": 4.0,
        "sd": 1.0,
        "p5": 1.0,
        "median": 4.0,
        "p95": 9.0,
    }
    likelihood = {"bits_a_note": 9.0, "nats_a_second": 50.0, "nats_a_frame": 2.5}
    return {
        "description": "Three seeds.",
        "about": {name: f"what {name} is" for name in rates},
        "settings": {},
        "remarks": ["one piece was too short"],
        "ceiling": {"features": {}, "mean_kl": 0.1, "mean_oa": area},
        "systems": {
            name: {
                "n": 3,
                "rates": {"dried_up": {"n": 3, "count": 1, "share": rate, "low": 0.0, "high": 1.0}},
                "measures": {"notes_a_second": spread},
            }
            for name, rate in rates.items()
        },
        "likelihood": {"lstm": likelihood},
    }


OLD, NEW = report(0.95, real=0.01, lstm=1.0, conv1d=0.5), report(0.93, real=0.02, lstm=0.0)


def test_columns_are_ordered_by_system_then_by_report() -> None:
    merged = merge_reports({"0.1": OLD, "0.2": NEW})
    columns = ["real, 0.1", "real, 0.2", "lstm, 0.1", "lstm, 0.2", "conv1d, 0.1"]
    assert list(merged["systems"]) == list(merged["about"]) == columns
    assert merged["systems"]["lstm, 0.1"] is OLD["systems"]["lstm"]
    assert merged["systems"]["lstm, 0.2"] is NEW["systems"]["lstm"]
    assert list(merged["likelihood"]) == ["lstm, 0.1", "lstm, 0.2"]
    assert merged["remarks"] == [f"{n}: one piece was too short" for n in ("0.1", "0.2")]
    assert "halves of its real music: 0.950. 0.2: Three seeds." in merged["description"]


def test_only_the_systems_asked_for_stand_beside_real_music() -> None:
    merged = merge_reports({"old": OLD, "new": report(None, lstm=0.3)}, ["conv1d"])
    assert list(merged["systems"]) == ["real, old", "conv1d, old"]
    assert merged["likelihood"] == {}
    with pytest.raises(ValueError, match="systems must be of real, lstm, conv1d; got 'wavenet'"):
        merge_reports({"old": OLD}, ["wavenet"])


def test_folders_become_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("a", OLD), ("b", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(json.dumps(value))
    page = tmp_path / "pages" / "page.md"
    folders = [f"before={tmp_path / 'a'}", f"after={tmp_path / 'b'}"]
    monkeypatch.setattr("sys.argv", ["compare_reports.py", *folders, "--out", str(page)])
    compare_reports.main(compare_reports.parse_args())
    text = page.read_text()
    assert "| real, before | real, after | lstm, before | lstm, after | conv1d, before |" in text
    assert "| dried up | 1% (0 to 100) | 2% (0 to 100) | 100% (0 to 100) | 0% (0 to 100) |" in text

    monkeypatch.setattr("sys.argv", ["compare_reports.py", folders[0], "--systems", "lstm"])
    compare_reports.main(compare_reports.parse_args())
    assert "| real, before | lstm, before |" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["compare_reports.py", str(tmp_path / "a")])
    with pytest.raises(SystemExit):
        compare_reports.parse_args()
    assert "a folder must have a short name, NAME=FOLDER, got" in capsys.readouterr().err
    with pytest.raises(ValueError, match="must hold a report.json of evaluate.py"):
        compare_reports.read_report(tmp_path)
