"""The odds of what comes next, and carrying on from a moment."""

from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from made_graphs import made_events, made_roll

from pyzzicato.notes import Note, end_of
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding.values import DecodingValues
from pyzzicato.playing.odds import next_odds
from pyzzicato.playing.onwards import continue_from
from pyzzicato.playing.settings import GenerationSettings

NOTES = [Note(60, 0.0, 1.0, 64), Note(64, 0.1, 2.0, 64), Note(67, 3.0, 4.0, 64)]


def test_the_odds_are_those_of_the_logits(tmp_path: Path) -> None:
    onset, pitch = np.full(57, -50.0), np.linspace(-1, 1, 88)
    onset[[5, 10, 40]] = np.log([0.5, 0.25, 0.25])
    model = made_events(tmp_path, onset=list(onset), pitch=list(pitch))
    odds = next_odds(model, NOTES, 0.1 + 0.07)
    chances = np.exp(pitch) / np.exp(pitch).sum()
    np.testing.assert_allclose(odds.keys, chances, rtol=1e-5)
    # What could only have come before the moment cannot come any more.
    likely = [(s, c) for s, c in odds.onsets if c > 1e-9]
    assert [c for _, c in likely] == pytest.approx([0.5, 0.5])
    assert likely[0][0] == pytest.approx(0.03) and odds.last == pytest.approx(0.1)
    assert odds.came is not None and (odds.came.pitch, odds.came.start) == (67, 3.0)
    assert odds.came.chance == pytest.approx(chances[67 - 21], rel=1e-5)


def test_temperature_and_top_a_are_as_in_playing(tmp_path: Path) -> None:
    pitch = np.zeros(88)
    pitch[[39, 40]] = 8.0, 7.0
    model = made_events(tmp_path, pitch=list(pitch))
    cold = next_odds(model, NOTES, 1.5, GenerationSettings(temperature=0.5)).keys
    assert cold[39] / cold[40] == pytest.approx(np.exp(2.0), rel=1e-4)
    model.decoding = DecodingValues(top_a={"pitch": 0.1})
    limited = next_odds(model, NOTES, 1.5).keys
    assert (limited > 0).sum() == 2 and limited[39] / limited[40] == pytest.approx(np.e, rel=1e-4)
    model.decoding = DecodingValues(top_a={"pitch": 0.6})
    assert (next_odds(model, NOTES, 1.5).keys > 0).sum() == 1
    tame = GenerationSettings(temperature=0.5)  # the second has 0.37 of the first, which has 0.72
    assert (next_odds(model, NOTES, 1.5, tame).keys > 0).sum() == 2
    free = next_odds(model, NOTES, 1.5, GenerationSettings(without=("top_a",))).keys
    assert (free > 0).all()


def test_at_the_end_nothing_came_and_a_moment_without_a_past_is_refused(tmp_path: Path) -> None:
    model = made_events(tmp_path)
    assert next_odds(model, NOTES, 3.5).came is None
    with pytest.raises(ValueError, match="after the first note"):
        next_odds(model, NOTES, 0.0)
    with pytest.raises(ValueError, match="at must be 0 to 4"):
        next_odds(model, NOTES, 5.0)
    with pytest.raises(ValueError, match="model must be one of note events"):
        next_odds(made_roll(tmp_path, 0.0), NOTES, 2.0)


@pytest.mark.parametrize("kind", ["roll", "events"])
def test_a_piece_is_carried_on_from_a_moment(kind: str, tmp_path: Path) -> None:
    model = made_roll(tmp_path, -4.0, 4.5) if kind == "roll" else made_events(tmp_path)
    piece = continue_from(model, tune(20), 7.0, GenerationSettings(seconds=3.0))
    assert piece.seed_seconds == 7.0
    assert [n.start for n in piece.seed_notes] == [n.start for n in tune(20) if n.start < 7]
    assert piece.new_notes and all(n.start >= 7 for n in piece.new_notes)
    same = continue_seed(model, tune(20), GenerationSettings(seconds=3.0, seed_seconds=7.0))
    assert piece.notes == same.notes


def test_far_into_a_piece_all_before_is_kept(tmp_path: Path) -> None:
    model = made_events(tmp_path, onset=[50.0 if i == 30 else 0.0 for i in range(57)])
    whole = tune(140)
    piece = continue_from(model, whole, 135.0, GenerationSettings(seconds=2.0))
    assert [n.start for n in piece.seed_notes] == [n.start for n in whole if n.start < 135]
    assert min(n.start for n in piece.new_notes) >= 135 and end_of(piece.notes) <= 137
    with pytest.raises(ValueError, match="from_seconds must be 1 to"):
        continue_from(model, whole, 500.0)
