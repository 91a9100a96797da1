"""The shell's commands that rework a piece."""

import json
from pathlib import Path

import pytest

from pyzzicato import load_model, next_odds
from pyzzicato.__main__ import main
from pyzzicato.midi import read_midi
from pyzzicato.notes import end_of
from pyzzicato.seeds import load_seed

SEED = "bach-prelude-c-major"


def facts_of(capsys: pytest.CaptureFixture[str], *command: object) -> dict[str, object]:
    """Returns what a command prints as JSON."""
    assert main([*map(str, command), "--no-audio", "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def written(folder: Path, ending: str = "mid") -> Path:
    """Returns the file of a kind that was written."""
    (path,) = folder.glob(f"*.{ending}")
    return path


def test_a_span_is_redone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = facts_of(capsys, "redo", SEED, "--span", 4, 6, "--tries", 1, "--out", tmp_path)
    seed = load_seed(SEED).notes
    assert answer["seed_notes"] == sum(not 4 <= n.start < 6 for n in seed)
    saved = read_midi(written(tmp_path)).notes
    assert len(saved) == answer["seed_notes"] + answer["notes"]  # type: ignore[operator]
    assert end_of(saved) == pytest.approx(end_of(seed), abs=0.01)
    assert written(tmp_path, "png").exists()


def test_a_hand_or_a_track_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = facts_of(capsys, "keep", SEED, "--keep", "left", "--tries", 1, "--out", tmp_path)
    assert left["notes"] and left["facts"]["kept"] == left["seed_notes"]  # type: ignore[index]
    redone = written(tmp_path)
    n_parts = len(read_midi(redone).parts)
    first = facts_of(capsys, "keep", redone, "--keep", "track:1", "--tries", 1, "--out", tmp_path)
    assert first["facts"]["kept"] > 0  # type: ignore[index]
    assert main(["keep", str(redone), "--keep", f"track:{n_parts + 99}"]) == 2
    assert "track must be one of 1" in capsys.readouterr().err


def test_the_odds_of_a_moment_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["odds", SEED, "--at", "8", "--top", "3"]
    assert main([*asked, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    expected = next_odds(load_model(), SEED, 8.0)
    assert [(key["pitch"], key["chance"]) for key in answer["keys"]] == expected.likeliest(3)
    assert answer["came"]["pitch"] == expected.came.pitch  # type: ignore[union-attr]
    assert main(asked) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Prelude in C major" in lines[0] and len(lines) == 6
    assert f"{answer['keys'][0]['chance']:.1%}" in lines[1]
    assert main(["odds", SEED, "--at", "800"]) == 2
    assert main([*asked[:4], "--top", "0"]) == 2
    assert "top must be a whole number from 1 to 88" in capsys.readouterr().err


def test_a_piece_is_carried_on_from_a_moment_to_a_close(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how = ("--from", 6, "--ending", "--seconds", 5, "--out", tmp_path)
    answer = facts_of(capsys, "continue", SEED, *how)
    assert answer["seed_seconds"] == 6 and answer["settings"]["ending"]  # type: ignore[index]
    assert answer["seed_notes"] == sum(n.start < 6 for n in load_seed(SEED).notes)
    assert end_of(read_midi(written(tmp_path)).notes) <= 11.01


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["redo", SEED, "--span", "4", "5"], "end - start must be 2 to 20"),
        (["redo", SEED, "--span", "4", "8", "--model", "lstm"], "one of note events"),
        (["keep", SEED, "--end", "1"], "end - start must be"),
        (["continue", SEED, "--from", "99"], "from_seconds must be 1 to"),
    ],
)
def test_what_cannot_be_done_is_said(
    command: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--out", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err
