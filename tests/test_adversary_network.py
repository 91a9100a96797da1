"""The network that tells made from real: what it sees, and that it learns and tests apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from random_music import random_music

from pyzzicato.evaluation.adversary_network import (
    NetworkSettings,
    NoteJudge,
    judge_network,
    passage_rows,
)
from pyzzicato.evaluation.passage_folders import Passage
from pyzzicato.notes import Note, cut_notes

QUICK = NetworkSettings(crop_notes=32, updates=60, batch_size=16, check_every=20, patience=3)


def passages(numbers: range, velocity: int = 64) -> list[Passage]:
    found = []
    for i in numbers:
        notes = [replace(n, velocity=velocity) for n in cut_notes(random_music(i, 40), 0.0, 20.0)]
        found.append(Passage(f"{i}@0", tuple(notes), 20.0))
    return found


def test_rows_are_notes_in_reading_order():
    notes = (Note(108, 1.0, 2.0, 32), Note(21, 1.01, 1.11, 64), Note(60, 2.0, 2.5, 96))
    rows = passage_rows(Passage("a", notes, 3.0))
    assert rows[:, 0].tolist() == [0, 87, 39]
    assert rows[:, 1] == pytest.approx([0.0, 0.0, np.log1p(1 / 0.05)])
    assert rows[:, 2] == pytest.approx(np.log([0.1, 1.0, 0.5]), abs=1e-6)
    assert rows[:, 3].tolist() == [0.0, -1.0, 1.0]
    assert (rows[:, 4] == 1).all()


def test_it_learns_what_differs_and_is_tested_on_other_pieces():
    seen = []
    learnt = passages(range(20)), passages(range(20), velocity=100)
    tested = passages(range(20, 30)), passages(range(20, 30), velocity=100)
    found = judge_network(learnt, tested, QUICK, lambda update, auc: seen.append((update, auc)))
    assert found.auc > 0.95
    assert (found.n_real, found.n_made, found.n_pieces) == (10, 10, 10)
    lengths = [len(p.notes) for p in (*learnt[0], *learnt[1])]
    # A tenth of the pieces, two of the twenty, only tell when to stop.
    assert sum(n // 32 for n in lengths) * 0.7 < found.n_learnt < sum(n // 32 for n in lengths)
    assert [update for update, _ in seen] == [20, 40, 60]


def test_a_piece_must_not_be_learned_and_tested():
    learnt = passages(range(4)), passages(range(4))
    with pytest.raises(ValueError, match="must not be learned from, got 3 in both"):
        judge_network(learnt, (passages(range(3, 6)), passages(range(3, 6))), QUICK)
    with pytest.raises(ValueError, match="none of a kind"):
        judge_network(learnt, (passages(range(4, 6)), []), QUICK)


def test_what_is_not_shown_does_not_tell():
    learnt = passages(range(20)), passages(range(20), velocity=100)
    tested = passages(range(20, 30)), passages(range(20, 30), velocity=100)
    found = {
        shown: judge_network(learnt, tested, replace(QUICK, shown=shown)).auc
        for shown in ("keys", "loudness")
    }
    assert found["loudness"] > 0.95 and found["keys"] == 0.5
    rows = passage_rows(tested[0][0], ["waits"])
    assert (rows[:, [0, 2, 3, 4]] == [44, 0, 0, 1]).all() and np.ptp(rows[:, 1]) > 0
    with pytest.raises(ValueError, match=r"shown must be of keys, .*; got \['tempo'\]"):
        NetworkSettings(shown=("tempo",))


def test_padding_is_not_seen():
    judge = NoteJudge().eval()
    crop = torch.zeros(2, 64, 5)
    crop[:, :40] = torch.from_numpy(passage_rows(passages(range(1))[0])[:40])
    crop[1, 40:, 0], crop[1, 40:, 1:4] = 50, 3.0
    with torch.inference_mode():
        first, second = judge(crop)
    assert first == pytest.approx(float(second), abs=1e-5)


def test_recurrence_is_seen_across_the_crop():
    judge = NoteJudge().eval()
    notes = torch.from_numpy(passage_rows(passages(range(1))[0])[:48])
    once, twice = notes.clone(), notes.clone()
    twice[24:] = notes[:24]
    once[24:, 1:] = notes[:24, 1:]
    calls = []
    judge.across.register_forward_hook(lambda _, given, out: calls.append(given[0]))
    judge(torch.stack([once, twice]))
    (pictures,) = calls
    assert pictures.shape == (2, 2, 48, 48)
    # Each step but the first is the one of 24 notes before: a diagonal.
    diagonal = pictures[1, 1].diagonal(-24)
    assert diagonal[1:].sum() == 23
    assert pictures[0, 1].diagonal(-24).sum() < 12


@pytest.mark.parametrize("wrong", ["crop_notes", "updates", "batch_size", "patience"])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{wrong} must be"):
        NetworkSettings(**{wrong: 0})
