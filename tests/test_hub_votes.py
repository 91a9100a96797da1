"""Votes in a Hub dataset: copied there, fetched from there, kept here while the Hub is down."""

import os
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from hub_double import HubDouble
from test_votes import a_vote

from pyzzicato.space.hub_votes import open_book
from pyzzicato.space.votes import VoteBook

REPO = "somebody/votes"
# A new process each time, as a Space that starts anew: gives votes and waits for the Hub.
PROGRAM = """
import sys, time
from test_votes import a_vote
from pyzzicato.space import hub_votes

times, seconds = sys.argv[1].split(","), float(sys.argv[2])
book, copy = hub_votes.open_book()
for told in times:
    book.add(a_vote(time=int(told)))
print("in", flush=True)
deadline = time.monotonic() + seconds
while not copy.connected and time.monotonic() < deadline:
    time.sleep(0.05)
if copy.connected:
    copy.stop()
print([vote.time for vote in book.votes()])
"""


def start(folder, endpoint, times, seconds=30):
    settings = {
        "HF_ENDPOINT": endpoint,
        "HF_TOKEN": "hf_for_the_double",
        "HF_HOME": str(folder / "cache"),
        "HF_HUB_DISABLE_XET": "1",
        "PYZZICATO_VOTES": str(folder / "votes"),
        "PYZZICATO_VOTES_REPO": REPO,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, times, str(seconds)],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    printed, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors
    return printed.splitlines()[-1], errors


@pytest.fixture
def hub(tmp_path):
    with HubDouble(tmp_path / "hub") as double:
        yield double


def lines_in(hub):
    repo = hub.repos["datasets", REPO]
    files = repo.at("main")["files"]
    return [
        line
        for path in files
        if path.startswith("votes/")
        for line in hub.read(REPO, path, kind="datasets").decode().splitlines()
    ]


def test_votes_go_to_the_dataset_and_come_back_to_an_empty_machine(hub, tmp_path):
    assert finish(start(tmp_path / "first", hub.url, "1,2"))[0] == "[1, 2]"
    assert sorted(lines_in(hub)) == [a_vote(time=1).as_line(), a_vote(time=2).as_line()]
    assert finish(start(tmp_path / "second", hub.url, "3"))[0] == "[1, 2, 3]"
    assert len(lines_in(hub)) == 3
    # The first machine again, with its own files: none is counted or copied twice.
    assert finish(start(tmp_path / "first", hub.url, "4"))[0] == "[1, 2, 3, 4]"
    assert len(lines_in(hub)) == 4


def test_while_the_hub_fails_votes_stay_here(hub, tmp_path):
    hub.faults.status = 500
    told, errors = finish(start(tmp_path / "down", hub.url, "1,2", seconds=4))
    assert told == "[1, 2]"
    assert "votes stay on this disk" in errors
    hub.faults.status = None
    assert finish(start(tmp_path / "down", hub.url, "3"))[0] == "[1, 2, 3]"
    assert len(lines_in(hub)) == 3


def test_a_machine_that_is_killed_has_its_votes_on_its_disk(hub, tmp_path):
    hub.faults.delay_s = 30
    process = start(tmp_path / "killed", hub.url, "1,2")
    assert process.stdout.readline() == "in\n"
    process.kill()
    process.communicate(timeout=30)
    assert len(VoteBook(tmp_path / "killed" / "votes").votes()) == 2


def test_without_a_repo_and_a_token_nothing_goes_anywhere(tmp_path, monkeypatch):
    monkeypatch.setenv("PYZZICATO_VOTES", str(tmp_path / "votes"))
    monkeypatch.delenv("PYZZICATO_VOTES_REPO", raising=False)
    book, copy = open_book()
    assert copy is None
    began = time.monotonic()
    book.add(a_vote())
    assert time.monotonic() - began < 2
    assert (tmp_path / "votes").is_dir()
