"""Adversaries: AUC by hand, no learning from tested pieces, what tells and what does not."""

from dataclasses import replace

import numpy as np
import pytest
from random_music import random_music

from pyzzicato.evaluation import adversary_features as features
from pyzzicato.evaluation.adversary import (
    MIN_PIECES,
    NETWORK,
    VIEWS,
    Verdict,
    cross_validated_scores,
    judge_features,
    read_verdicts,
    verdict,
    write_verdicts,
)
from pyzzicato.evaluation.passage_folders import Passage
from pyzzicato.notes import Note, cut_notes, transpose_notes

SECONDS = 15.0


def passage(number: int, of: str = "piece") -> Passage:
    """Returns some music; the same number gives the same."""
    notes = cut_notes(random_music(number, 80), 0.0, SECONDS)
    return Passage(f"{of} {number}@0", tuple(notes), SECONDS)


def louder(given: Passage) -> Passage:
    return replace(given, notes=tuple(replace(n, velocity=100) for n in given.notes))


REAL = [passage(i) for i in range(30)]
OTHERS = [passage(i) for i in range(30, 60)]
LOUD = [louder(p) for p in OTHERS]


def test_auc_is_the_share_of_pairs_told_apart():
    is_made = np.array([True, True, False, False])
    pieces = np.arange(4)
    assert verdict(np.array([2.0, 3.0, 0.0, 1.0]), is_made, pieces).auc == 1.0
    assert verdict(np.array([0.0, 1.0, 2.0, 3.0]), is_made, pieces).auc == 0.0
    assert verdict(np.array([0.0, 3.0, 1.0, 2.0]), is_made, pieces).auc == 0.5
    assert verdict(np.ones(4), is_made, pieces).auc == 0.5
    found = verdict(np.array([1.0, 3.0, 1.0, 2.0]), is_made, pieces, n_learnt=9)
    assert found.auc == pytest.approx(2.5 / 4)
    assert (found.n_real, found.n_made, found.n_pieces, found.n_learnt) == (2, 2, 4, 9)


def test_the_interval_holds_the_auc_and_narrows_with_more_pieces():
    random = np.random.default_rng(0)

    def of(n: int, per_piece: int = 1) -> Verdict:
        scores = np.r_[random.normal(0, 1, n), random.normal(1, 1, n)]
        return verdict(scores, np.arange(2 * n) >= n, np.tile(np.arange(n) // per_piece, 2))

    few, many = of(30), of(480)
    assert few.low < few.auc < few.high
    # Normals one deviation apart: Phi(1 / sqrt 2).
    assert many.low < 0.760 < many.high
    assert (many.high - many.low) < 0.5 * (few.high - few.low)


def test_passages_of_one_piece_are_resampled_together():
    rng = np.random.default_rng(1)
    # Each piece is heard ten times over: no more is known than from one passage of each.
    scores = np.r_[np.repeat(rng.normal(0, 1, 20), 10), np.repeat(rng.normal(1, 1, 20), 10)]
    is_made = np.arange(400) >= 200
    together = verdict(scores, is_made, np.tile(np.arange(20).repeat(10), 2))
    alone = verdict(scores, is_made, np.arange(400))
    assert together.auc == alone.auc
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_one_kind_cannot_be_told_apart():
    with pytest.raises(ValueError, match="one kind alone"):
        verdict(np.zeros(3), np.ones(3, dtype=bool), np.arange(3))


def test_nothing_is_learned_from_the_piece_that_is_tested():
    # Each piece has a figure of its own, and its passages are all made or all real: whoever has
    # learned from the piece knows the answer, and nobody else can.
    random = np.random.default_rng(0)
    pieces = np.repeat(np.arange(60), 4)
    is_made = np.repeat(random.permutation(60) < 30, 4)
    table = random.normal(size=(60, 5))[pieces]
    assert 0.3 < verdict(cross_validated_scores(table, is_made, pieces), is_made, pieces).auc < 0.7
    known = cross_validated_scores(table, is_made, random.permutation(240))
    assert verdict(known, is_made, pieces).auc > 0.9


def test_a_figure_that_no_passage_has_is_passed_over():
    rng = np.random.default_rng(0)
    is_made = np.arange(80) % 2 == 1
    table = rng.normal(size=(80, 4)) + 3 * is_made[:, None]
    pieces = np.arange(80) // 4
    scores = cross_validated_scores(np.c_[table, np.full(80, np.nan)], is_made, pieces)
    assert np.median(scores[is_made]) > 1 > -1 > np.median(scores[~is_made])


def test_music_of_one_kind_cannot_be_told_apart():
    found = judge_features(REAL, OTHERS, ["all figures"])["all figures"]
    assert found.low < 0.5 < found.high
    assert (found.n_real, found.n_made, found.n_pieces) == (30, 30, 60)


def test_what_differs_is_found_and_only_where_it_is_shown():
    found = judge_features(REAL, LOUD)
    assert list(found) == list(VIEWS)
    assert found["all figures"].auc == 1.0
    assert found["timing, length and loudness alone"].auc == 1.0
    assert found["recurrence alone"].low < 0.5 < found["recurrence alone"].high


def test_recurrence_alone_is_enough():
    def said_twice(given: Passage) -> Passage:
        half = cut_notes(given.notes, 0.0, SECONDS / 2)
        moved = [replace(n, start=n.start + 7.5, end=n.end + 7.5) for n in half]
        return replace(given, notes=(*half, *transpose_notes(moved, 2)))

    made = [said_twice(p) for p in OTHERS]
    assert judge_features(REAL, made, ["recurrence alone"])["recurrence alone"].auc == 1.0


def test_too_few_pieces_have_no_verdict():
    silent = [replace(p, notes=()) for p in OTHERS]
    assert judge_features(REAL[: MIN_PIECES - 1], OTHERS) == {}
    assert judge_features(REAL, [replace(p, name=f"one@{i}") for i, p in enumerate(OTHERS)]) == {}
    assert judge_features(REAL, silent) == {}


def test_unlike_lengths_and_unknown_views_are_refused():
    with pytest.raises(ValueError, match="one length"):
        judge_features(REAL, [replace(p, seconds=30.0) for p in OTHERS])
    with pytest.raises(ValueError, match="views must be of all figures"):
        judge_features(REAL, OTHERS, ["everything"])


@pytest.mark.parametrize("notes", [(), (Note(60, 1.0, 2.0, 64),)], ids=["none", "one"])
def test_any_passage_has_all_figures(notes):
    rows = features.passage_features(notes, SECONDS)
    full = features.passage_features(REAL[0].notes, SECONDS)
    assert {n: len(r) for n, r in rows.items()} == {n: len(r) for n, r in full.items()}
    assert all(np.isfinite(part).all() for part in full.values())
    assert rows[features.DENSITY][0] == pytest.approx(len(notes) / SECONDS)


def test_figures_are_those_of_the_notes():
    notes = [Note(60 + i % 2, i * 0.5, i * 0.5 + 0.5, 64) for i in range(30)]
    rows = features.passage_features(notes, SECONDS)
    assert rows[features.DENSITY][0] == pytest.approx(2.0)
    assert rows[features.RECURRENCE][0] == pytest.approx(1 - 2 / 27)
    assert np.nansum(rows[features.CHORDS]) == 0
    top, bottom = np.split(rows[features.VOICES], 2)
    np.testing.assert_array_equal(top, bottom)
    # Up and down by a semitone: half the steps each, and a turn at every one.
    assert np.flatnonzero(top[:-2]).tolist() == [12, 14]
    assert top[-2:] == pytest.approx([1.0, 1.0])


def test_groups_can_be_left_out():
    assert features.feature_columns(features.GROUPS).all()
    some = features.feature_columns([features.CHORDS, features.RECURRENCE])
    assert some.sum() == features.SIZES[features.CHORDS] + features.SIZES[features.RECURRENCE]
    with pytest.raises(ValueError, match="groups must be of density"):
        features.feature_columns(["colours"])


def test_verdicts_are_kept_by_system(tmp_path):
    path, found = tmp_path / "new" / "a.json", Verdict(0.9, 0.8, 0.95, 10, 10, 20)
    write_verdicts({"a": {"all figures": found}}, path)
    write_verdicts({"b": {NETWORK: replace(found, n_learnt=5)}, "a": {NETWORK: found}}, path)
    assert read_verdicts(path) == {
        "a": {"all figures": found, NETWORK: found},
        "b": {NETWORK: replace(found, n_learnt=5)},
    }
    path.write_text('{"a": {"b": {"c": 1}}}')
    with pytest.raises(ValueError, match="must hold verdicts"):
        read_verdicts(path)
