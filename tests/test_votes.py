"""Votes: what may be voted, and that none is lost."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest
from conftest import ROOT

from pyzzicato.space.votes import ELSEWHERE, Vote, VoteBook


def a_vote(**told):
    fields = {
        "seed": "bach-prelude-c-major",
        "systems": ("lstm", "composer"),
        "winner": 1,
        "marks": ({"musicality": 3}, {"musicality": 5, "fidelity": 1}),
        "time": 1_800_000_000,
    }
    return Vote(**{**fields, **told})


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


def test_votes_are_there_after_a_restart(tmp_path):
    first = VoteBook(tmp_path / "votes")
    assert first.votes() == []
    first.add(a_vote(time=2))
    first.add(a_vote(time=1, winner=None))
    second = VoteBook(tmp_path / "votes")
    second.add(a_vote(time=3))
    times = [vote.time for vote in VoteBook(tmp_path / "votes").votes()]
    assert times == [1, 2, 3]
    assert first.votes() == second.votes()


def test_a_line_cut_short_costs_no_other_vote(tmp_path):
    book = VoteBook(tmp_path)
    book.add(a_vote(time=1))
    (path,) = tmp_path.glob("votes-*.jsonl")
    path.write_bytes(path.read_bytes() + a_vote(time=2).as_line().encode()[:40] + b"\xff")
    again = VoteBook(tmp_path)
    again.add(a_vote(time=3))
    assert [vote.time for vote in again.votes()] == [1, 3]


def test_a_file_that_came_back_from_elsewhere_is_not_counted_twice(tmp_path):
    book = VoteBook(tmp_path)
    book.add(a_vote(time=1))
    (path,) = tmp_path.glob("votes-*.jsonl")
    (tmp_path / ELSEWHERE / "votes").mkdir(parents=True)
    (tmp_path / ELSEWHERE / "votes" / path.name).write_bytes(path.read_bytes())
    book.add(a_vote(time=2))
    (tmp_path / ELSEWHERE / "votes" / "votes-other.jsonl").write_text(a_vote(time=3).as_line())
    assert [vote.time for vote in book.votes()] == [1, 2, 3]


def _add_many(folder, n):
    book = VoteBook(folder)
    for i in range(n):
        book.add(a_vote(time=i))


def test_processes_that_vote_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add_many, args=(tmp_path, 30)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert len(VoteBook(tmp_path).votes()) == 90
    assert len(list(tmp_path.glob("votes-*.jsonl"))) == 3


def test_a_vote_survives_a_process_that_is_killed(tmp_path):
    program = (
        "import sys; from pathlib import Path; from test_votes import a_vote, VoteBook;"
        "VoteBook(Path(sys.argv[1])).add(a_vote()); print('in', flush=True); sys.stdin.read()"
    )
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"in\n"
        process.send_signal(signal.SIGKILL)
    assert VoteBook(tmp_path).votes() == [a_vote()]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="folder must be one that can be made"):
        VoteBook(tmp_path / "file" / "votes")
