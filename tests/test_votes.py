"""Votes: what may be voted, and how a vote is written."""

import json

import pytest

from pyzzicato.space.votes import Vote


def a_vote(**options):
    fields = {
        "seed": "bach-prelude-c-major",
        "systems": ("lstm", "composer"),
        "winner": 1,
        "marks": ({"musicality": 3}, {"musicality": 5, "fidelity": 1}),
        "time": 1_800_000_000,
    }
    return Vote(**{**fields, **options})


def test_a_vote_comes_back_from_its_line():
    for winner in (0, 1, None):
        vote = a_vote(winner=winner)
        assert "\n" not in vote.as_line()
        assert Vote.from_line(vote.as_line()) == vote


def test_a_line_holds_nothing_but_the_vote():
    assert set(json.loads(a_vote().as_line())) == {"seed", "systems", "winner", "marks", "time"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("seed", "", "seed must be a name"),
        ("seed", 3, "seed must be a name"),
        ("seed", "x" * 201, "1 to 200 characters"),
        ("systems", ("lstm",), "systems must hold two"),
        ("systems", ["lstm", "composer"], "systems must hold two"),
        ("systems", ("lstm", "lstm"), "two different ones"),
        ("systems", ("lstm", None), "systems must be a name"),
        ("winner", 2, "winner must be 0"),
        ("winner", True, "winner must be 0"),
        ("winner", "lstm", "winner must be 0"),
        ("winner", float("nan"), "winner must be 0"),
        ("marks", ({},), "marks must hold two"),
        ("marks", ({}, None), "marks must be for musicality"),
        ("marks", ({}, {"beauty": 3}), "marks must be for musicality"),
        ("marks", ({}, {"fidelity": 0}), "fidelity must be a whole number, 1 to 5, got 0"),
        ("marks", ({}, {"fidelity": 6}), "1 to 5, got 6"),
        ("marks", ({}, {"fidelity": 3.5}), "1 to 5, got 3.5"),
        ("marks", ({"musicality": True}, {}), "1 to 5, got True"),
        ("time", -1, "time must be"),
        ("time", 1.5, "time must be"),
    ],
)
def test_a_wrong_vote_is_refused(field, value, said):
    with pytest.raises(ValueError, match=said):
        a_vote(**{field: value})


@pytest.mark.parametrize("line", ["", "null", "[]", '{"seed": 1}', "{", "[" * 100_000])
def test_a_line_that_is_no_vote_is_refused(line):
    with pytest.raises(ValueError):
        Vote.from_line(line)
