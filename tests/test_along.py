"""Playing along: what is heard moves the state on once, and an answer that is cut is forgotten."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from made_graphs import made_roll

import pyzzicato
from pyzzicato.notes import Note
from pyzzicato.playing.along import AnswerPart, Companion
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings

PHRASE = tune(4)


@pytest.fixture(scope="module")
def model() -> Model:
    """Returns the default model."""
    return pyzzicato.load_model()


def whole(parts: list[AnswerPart]) -> list[Note]:
    """Returns the notes of an answer."""
    return [note for part in parts for note in part.notes]


def test_hearing_note_by_note_is_hearing_all_at_once(model: Model) -> None:
    at_once, in_turn = Companion(model), Companion(model)
    assert at_once.hear(PHRASE) == len(PHRASE)
    # Held notes are given late: those struck after them wait.
    late = [n for n in PHRASE if n.pitch < 48]
    early = [n for n in PHRASE if n.pitch >= 48]
    assert in_turn.hear(early, until=0.0) == 0
    assert in_turn.hear(late, until=2.0) == sum(n.start < 2 for n in PHRASE)
    assert in_turn.hear([]) == sum(n.start >= 2 for n in PHRASE)
    assert list(at_once.answer(4.5)) == list(in_turn.answer(4.5))


def test_an_answer_is_soon_there_and_about_as_long_and_loud(model: Model) -> None:
    soft = [replace(n, velocity=30) for n in PHRASE]
    loud = [replace(n, velocity=100) for n in PHRASE]
    means = []
    for phrase in (soft, loud):
        companion = Companion(model)
        companion.hear(phrase)
        began = time.perf_counter()
        parts = companion.answer(4.5)
        first = next(parts)
        assert time.perf_counter() - began < 0.3 and first.notes[0].start <= 0.2
        notes = [*first.notes, *whole(list(parts))]
        assert 1.0 < notes[-1].start < 4 * 1.25 + 0.1
        assert all(n.end <= 4 * 1.25 + 2.0 for n in notes)
        means.append(np.mean([n.velocity for n in notes]))
    assert means[0] < 50 and means[1] > 75


def test_parts_come_in_order_and_the_last_says_so(model: Model) -> None:
    companion = Companion(model)
    companion.hear(PHRASE)
    parts = list(companion.answer(4.5, seconds=6))
    assert [part.is_last for part in parts] == [False] * (len(parts) - 1) + [True]
    settled = 0.0
    for part in parts:
        assert all(note.start >= settled for note in part.notes)
        settled = part.seconds


@pytest.mark.parametrize("kept_s", [0.0, 1.0])
def test_what_was_cut_off_is_forgotten(model: Model, kept_s: float) -> None:
    """Whatever would have come later, playing goes on as if it had never been made."""
    begun, short, long = (Companion(model) for _ in range(3))
    for companion in (begun, short, long):
        companion.hear(PHRASE)
    answer = begun.answer(4.5, seconds=20)
    while next(answer).seconds < kept_s:
        pass
    list(short.answer(4.5, seconds=4))
    list(long.answer(4.5, seconds=20))
    kept = [companion.stop(4.5 + kept_s) for companion in (begun, short, long)]
    assert kept[0] == kept[1] == kept[2] and (kept[0] > 0) == (kept_s > 0)
    assert list(answer) == []
    more = [replace(n, start=n.start + 6, end=n.end + 6) for n in PHRASE]
    for companion in (begun, short, long):
        companion.hear(more)
    after = [list(companion.answer(11)) for companion in (begun, short, long)]
    assert after[0] == after[1] == after[2]


def test_a_new_note_stops_an_answer_by_itself(model: Model) -> None:
    by_hand, by_note = Companion(model), Companion(model)
    struck = [Note(60, 6.0, 6.4, 64), Note(64, 6.5, 7.0, 64)]
    for companion in (by_hand, by_note):
        companion.hear(PHRASE)
        list(companion.answer(4.5))
    by_hand.stop(6.0)
    for companion in (by_hand, by_note):
        companion.hear(struck)
    assert list(by_hand.answer(8.0)) == list(by_note.answer(8.0))


def test_what_cannot_be_done_is_said(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="notes must be played"):
        Companion(model).answer(1.0)
    companion = Companion(model, GenerationSettings(composer="chopin"))
    companion.hear(PHRASE)
    with pytest.raises(ValueError, match="now must be"):
        companion.answer(1.0)
    with pytest.raises(ValueError, match="seconds must be 2 to 20"):
        companion.answer(5.0, seconds=60)
    with pytest.raises(ValueError, match="composer must be one of"):
        Companion(model, GenerationSettings(composer="satie"))
    with pytest.raises(ValueError, match="model must be one of note events"):
        Companion(made_roll(tmp_path, 0.0))
