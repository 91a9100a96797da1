"""The measures of the scripts that check grid, join and temperature."""

import math
import random
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from midi_builder import midi, off, on, tempo

from pyzzicato.midi import Timing
from pyzzicato.midi.timing import Tempo
from pyzzicato.notes import Note


def script(name: str) -> dict[str, Any]:
    """Returns what a script defines."""
    return runpy.run_path(str(ROOT / "train" / f"{name}.py"))


def struck(*times: float) -> list[Note]:
    return [Note(60 + i % 12, at, at + 0.1, 64) for i, at in enumerate(times)]


def test_a_steady_beat_is_a_pulse_and_chance_is_none() -> None:
    pulse = script("check_grid")["pulse"]
    timing = Timing(480, (Tempo(0, 500_000),))
    assert pulse(struck(*[0.5 * i for i in range(40)]), timing) == pytest.approx(1.0, abs=0.01)
    # Off the beat, and steady all the same.
    assert pulse(struck(*[0.5 * i + 0.2 for i in range(40)]), timing) > 0.95
    # A quarter note more each time: none follows another at one quarter note.
    assert pulse(struck(*[0.75 * i for i in range(40)]), timing) < 0.05
    rng = random.Random(1)
    assert abs(pulse(struck(*[rng.uniform(0, 60) for _ in range(300)]), timing)) < 0.15
    assert pulse([], timing) == pulse(struck(0.0), timing) == 0.0


def test_the_pulse_follows_the_tempo_map() -> None:
    pulse = script("check_grid")["pulse"]
    tempos = tuple(Tempo(480 * i, 500_000 + 10_000 * i) for i in range(40))
    timing = Timing(480, tempos)
    beats = [timing.seconds_at(480 * i) for i in range(40)]
    assert pulse(struck(*beats), timing) == pytest.approx(1.0, abs=0.01)
    assert pulse(struck(*beats), Timing(480, (Tempo(0, 500_000),))) < 0.3


def test_changes_over_a_join_are_those_of_two_and_ten_seconds() -> None:
    changes = script("check_join")["changes"]
    seed = [Note(60, 0.5 * i, 0.5 * i + 0.2, 50 if i < 16 else 60) for i in range(20)]
    after = [Note(60, 0.25 * i, 0.25 * i + 0.1, 75) for i in range(60)]
    loudness, density, lengths = changes(seed, after)
    assert loudness == 15
    assert density == pytest.approx(math.log(41 / 21))
    assert lengths == pytest.approx(math.log(0.5))
    assert changes(seed, seed) == (pytest.approx(-10), 0.0, 0.0)
    assert changes(seed, []) == (None, pytest.approx(math.log(1 / 21)), None)


def run(name: str, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
    runpy.run_path(str(ROOT / "train" / f"{name}.py"), run_name="__main__")


def test_joins_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("check_join", "--draw", str(tmp_path), monkeypatch=monkeypatch)
    drawn = sorted(tmp_path.iterdir())
    assert [str(path) for path in drawn] == sorted(capsys.readouterr().out.splitlines())
    assert len(drawn) == 3 and all(path.read_bytes()[1:4] == b"PNG" for path in drawn)
    for both in ([], [str(tmp_path), "--draw", str(tmp_path)]):
        with pytest.raises(SystemExit):
            run("check_join", *both, monkeypatch=monkeypatch)


def test_numbers_of_notes_are_compared_take_by_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    describe = script("check_temperature")["_describe"]
    assert describe([0.5, 0.81, 1.0, 1.24, 2.0]) == "1.00, 60 %"
    arguments = ["--models", "lstm", "--temperatures", "1", "--takes", "1", "--seconds", "2"]
    run("check_temperature", *arguments, "--presets", "2", monkeypatch=monkeypatch)
    head, _, row = capsys.readouterr().out.splitlines()
    assert head == "|  | 1 (another draw) | 1 |"
    # The same temperature and number are the same notes.
    assert row.startswith("| `lstm` | ") and row.endswith(" | 1.00, 100 % |")
    with pytest.raises(SystemExit, match="temperature must be"):
        run("check_temperature", "--temperatures", "9", monkeypatch=monkeypatch)


def test_the_table_of_the_grid_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = [one for i in range(90) for one in (on(0, 60 + i % 12), off(240, 60 + i % 12))]
    (tmp_path / "score.mid").write_bytes(midi([tempo(0, 600_000)], notes))
    (tmp_path / "none.mid").write_bytes(b"no music")
    arguments = ["check_grid.py", str(tmp_path), "--seconds", "6", "--models", "lstm-events"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--quantise", "1"])
    runpy.run_path(str(ROOT / "train" / "check_grid.py"), run_name="__main__")
    first, scores, model = capsys.readouterr().out.splitlines()
    assert first.startswith("1 scores of ")
    assert "on the grid 1.000, pulse 0.9" in scores or "pulse 1.0" in scores
    assert "lstm-events, quantise 1" in model and "on the grid 1.000" in model
