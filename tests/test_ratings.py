"""Ratings: values worked out by hand, known strengths found again, intervals that hold."""

import math
import random
from collections import Counter

import pytest
from scipy.optimize import brentq

from pyzzicato.space import ratings
from pyzzicato.space.ratings import PRIOR_SD
from pyzzicato.space.vote_book import Tally
from pyzzicato.space.votes import Vote


def vote(first, second, winner, marks=({}, {})):
    return Vote("seed", (first, second), winner, marks, 0)


def leaderboard(votes):
    pairs, marks = Counter(), {}
    for one in votes:
        pairs[(*one.systems, one.winner)] += 1
        for system, given in zip(one.systems, one.marks, strict=True):
            for criterion, mark in given.items():
                n, total = marks.get((system, criterion), (0, 0))
                marks[system, criterion] = (n + 1, total + mark)
    return ratings.leaderboard(Tally(pairs, marks))


def by_name(votes):
    return {row.system: row for row in leaderboard(votes)}


def test_no_votes_make_no_leaderboard():
    assert leaderboard([]) == []


def test_two_systems_as_worked_out_by_hand():
    # Strengths a and -a: 8 wins of 10. The posterior's slope at its top is 0:
    # 8 (1 - p) - 2 p = a / sd^2, p = 1 / (1 + exp(-2 a)).
    votes = [vote("a", "b", 0)] * 8 + [vote("a", "b", 1)] * 2

    def slope(a):
        p = 1 / (1 + math.exp(-2 * a))
        return 8 * (1 - p) - 2 * p - a / PRIOR_SD**2

    a = brentq(slope, 0, 5)
    rows = by_name(votes)
    assert rows["a"].strength == pytest.approx(1 / (1 + math.exp(-a)), abs=1e-4)
    assert rows["b"].strength == pytest.approx(1 / (1 + math.exp(a)), abs=1e-4)
    # Curvature along (1, -1) / sqrt 2: 2 * 10 p (1 - p) + 1 / sd^2; each has half of that variance.
    p = 1 / (1 + math.exp(-2 * a))
    sd = math.sqrt(0.5 / (20 * p * (1 - p) + 1 / PRIOR_SD**2))
    assert rows["a"].low == pytest.approx(1 / (1 + math.exp(-(a - 1.96 * sd))), abs=1e-3)
    assert rows["a"].high == pytest.approx(1 / (1 + math.exp(-(a + 1.96 * sd))), abs=1e-3)


def test_neither_and_the_order_of_the_pair_make_no_difference():
    ties = leaderboard([vote("a", "b", None)] * 5)
    assert [row.strength for row in ties] == pytest.approx([0.5, 0.5])
    one_way = by_name([vote("a", "b", 0), vote("c", "a", None)])
    other_way = by_name([vote("b", "a", 1), vote("a", "c", None)])
    for name in "abc":
        assert one_way[name].strength == pytest.approx(other_way[name].strength, abs=1e-6)


def test_more_votes_make_narrower_intervals_and_all_won_stays_finite():
    few, many = (by_name([vote("a", "b", 0)] * n)["a"] for n in (2, 200))
    assert few.high - few.low > 2 * (many.high - many.low)
    assert 0.5 < few.strength < many.strength < 1
    assert (few.n_votes, many.n_votes) == (2, 200)


def draw_votes(strengths, n, rng):
    random_ = random.Random(rng)
    votes = []
    for _ in range(n):
        a, b = random_.sample(sorted(strengths), 2)
        chance = 1 / (1 + math.exp(strengths[b] - strengths[a]))
        votes.append(vote(a, b, 0 if random_.random() < chance else 1))
    return votes


def test_known_strengths_are_found_again_and_intervals_hold_them():
    truth = {"a": 0.9, "b": 0.2, "c": -0.3, "d": -0.8}
    chance = {name: 1 / (1 + math.exp(-value)) for name, value in truth.items()}
    inside = 0
    for rng in range(40):
        rows = leaderboard(draw_votes(truth, 120, rng))
        inside += sum(row.low <= chance[row.system] <= row.high for row in rows)
    # Of 160 intervals of 95 %: 152 expected, with a standard deviation of about 3.
    assert 142 <= inside <= 160
    assert [row.system for row in leaderboard(draw_votes(truth, 3000, 0))] == list("abcd")


def test_marks_are_averaged_for_each_system():
    votes = [
        vote("a", "b", 0, ({"musicality": 5, "fidelity": 2}, {"musicality": 1})),
        vote("b", "a", 0, ({"musicality": 2}, {"musicality": 4})),
    ]
    rows = by_name(votes)
    assert rows["a"].marks == {"musicality": 4.5, "fidelity": 2.0, "expressiveness": None}
    assert rows["b"].marks == {"musicality": 1.5, "fidelity": None, "expressiveness": None}


def test_systems_that_never_met_stay_apart_with_wide_intervals():
    rows = leaderboard([vote("a", "b", 0)] * 50 + [vote("c", "d", 0)] * 50)
    assert {row.system for row in rows} == set("abcd")
    assert all(row.high - row.low > 0.3 for row in rows)
