"""More of the unlikely is left out until themes come back, and no more than variety allows."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import tiny_config
from graph_store import save_playable
from model_cases import livened

from pyzzicato.evaluation.excerpts import Excerpt
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note
from pyzzicato.training import themes
from pyzzicato.training.themes import Themes

LIMITS = {"pitch": 0.1, "duration": 0.02}
SECONDS = 16.0


def music(copied: float, n_classes: int = 12, number: int = 0) -> list[Note]:
    """Returns notes at random of which a share is a figure that comes back."""
    dice = random.Random(number)
    pitches: list[int] = []
    while len(pitches) < 96:
        figure = [60, 67, 62, 71, 64, 69, 61, 66]
        if dice.random() < copied:
            pitches += [p for p in figure if (p - 60) < n_classes] or [60]
        else:
            pitches += [60 + dice.randrange(n_classes) for _ in range(8)]
    step = SECONDS / 96
    return [Note(p, i * step, (i + 0.9) * step, 64) for i, p in enumerate(pitches[:96])]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[Path]:
    """Returns the folder of a lively model on note events."""
    network = livened(PyzzicatoModel(tiny_config(representation="events", head="notes"))).eval()
    themes.loaded.cache_clear()
    yield save_playable(network, tmp_path / "model")
    themes.loaded.cache_clear()


def excerpts(copied: float) -> list[Excerpt]:
    """Returns seeds and what the composer has after them."""
    seed = tuple(music(0.5)[:20])
    return [
        Excerpt(f"piece {i}", seed, 4.0, tuple(music(copied, number=i)), SECONDS) for i in range(9)
    ]


def found(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, real: float, tame_from: float = 1.0
) -> tuple[dict[str, float], list[str]]:
    """Returns limits and lines for a model that copies as much as twice its limit says.

    Above `tame_from` it plays three pitch classes only.
    """

    def own(job: tuple[int, Excerpt], top_a: dict[str, float], **_: object) -> list[Note]:
        limit = top_a["pitch"]
        return music(2 * limit, 3 if limit > tame_from else 12, number=job[0])

    monkeypatch.setattr(themes, "own_notes", own)
    lines: list[str] = []
    limits = themes.raise_limit(checkpoint, excerpts(real), LIMITS, looks=8, report=lines.append)
    return limits, lines


def test_the_limit_of_pitches_rises_until_figures_come_back(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits, lines = found(checkpoint, monkeypatch, real=0.6)
    assert limits["pitch"] == pytest.approx(0.3, rel=0.35)
    assert limits["duration"] == LIMITS["duration"]
    assert lines[0].startswith("real music: figures that come back 0.")
    assert lines[1].startswith("look 1 of at most 8: ") and lines[1].endswith("with pitch 0.1")


def test_what_comes_back_as_often_already_stays(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits, lines = found(checkpoint, monkeypatch, real=0.0)
    assert limits == LIMITS and len(lines) == 2


def test_it_ends_before_the_music_gets_tame(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits, _ = found(checkpoint, monkeypatch, real=0.9, tame_from=0.2)
    assert 0.15 < limits["pitch"] < 0.2  # Three classes have far less than a tenth of a bit less.
    # Tame at the first look: nothing more is left out.
    assert found(checkpoint, monkeypatch, real=0.9, tame_from=0.0)[0] == LIMITS


def test_where_themes_never_come_the_highest_limit_is_the_end(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(themes, "own_notes", lambda job, **_: music(0.0, number=job[0]))
    limits = themes.raise_limit(checkpoint, excerpts(0.9), LIMITS, looks=8, report=lambda _: None)
    assert limits["pitch"] == 0.5
    # What surprise asked for stays, however high.
    high = {**LIMITS, "pitch": 0.8}
    assert themes.raise_limit(checkpoint, excerpts(0.9), high, looks=8, report=len) == high


def test_between_two_looks_the_limit_is_where_real_music_lies() -> None:
    real, below, above = Themes(0.2, 3.0), Themes(0.1, 3.0), Themes(0.3, 3.0)
    assert themes.between((0.1, below), (0.4, above), real) == pytest.approx(0.2)
    assert themes.between(None, (0.4, above), real) == 0.4
    # Where the music gets tame first: a tenth of a bit is lost half way.
    tame = Themes(0.3, 2.8)
    assert themes.between((0.1, below), (0.4, tame), real) == pytest.approx(0.2)
    tamer = Themes(0.15, 2.6)
    assert themes.between((0.1, below), (0.4, tamer), real) == pytest.approx(0.14)
    # Two looks that say the opposite of what was expected.
    assert themes.between((0.1, above), (0.4, below), real) == 0.4


def test_a_model_plays_without_the_guard_as_it_is_told(checkpoint: Path) -> None:
    excerpt = replace(excerpts(0.5)[0], seconds=60.0)
    calm, wild = (
        themes.own_notes((0, excerpt), checkpoint, {"pitch": limit}) for limit in (1.0, 0.0)
    )
    assert calm and wild and calm != wild
    assert all(0 <= note.start < 60 for note in calm)
    assert themes.sum_up([([], 4.0)]) == Themes(0.0, 0.0)
