"""A minute of each model to hear, small enough to keep beside a report."""

from pathlib import Path

import pytest
import soundfile
import write_sounds


def test_each_model_is_heard_after_the_same_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--models", "lstm", "lstm-events", "--seconds", "4", "--out", str(tmp_path / "made")]
    monkeypatch.setattr("sys.argv", ["write_sounds.py", *words])
    write_sounds.main(write_sounds.parse_args())
    for name in ("lstm", "lstm-events"):
        samples, rate = soundfile.read(tmp_path / "made" / f"{name}.mp3")
        assert samples.ndim == 1 and len(samples) / rate > 13
        assert abs(samples[int(10 * rate) :]).max() > 0.01
        size = (tmp_path / "made" / f"{name}.mp3").stat().st_size
        assert size * 8 / (len(samples) / rate) < 60_000
    assert capsys.readouterr().out.count(" new notes, ") == 2


def test_all_bundled_models_are_played_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["write_sounds.py", "--out", str(tmp_path)])
    asked = write_sounds.parse_args().models
    assert "attention-events" in asked and "wavenet" in asked
