"""Votes in a Hub dataset: copied there, fetched from there, kept here while the Hub is down."""

import subprocess
import sys

from conftest import ROOT, hub_environment
from test_votes import a_vote

from pyzzicato.space.hub_votes import open_book
from pyzzicato.space.vote_book import VoteBook
from pyzzicato.space.votes import Vote

REPO = "somebody/votes"
# A new process each time, as a Space that starts anew: gives votes and waits for the Hub.
PROGRAM = """
import sys, time
from pyzzicato.space.hub_votes import open_book
from pyzzicato.space.votes import Vote

seconds, *lines = sys.argv[1:]
book, copy = open_book()
for line in lines:
    book.add(Vote.from_line(line))
print("in", flush=True)
deadline = time.monotonic() + float(seconds)
while not copy.connected and time.monotonic() < deadline:
    time.sleep(0.05)
if copy.connected:
    copy.stop()
print([vote.time for vote in book.votes()])
"""


def line(time):
    return a_vote(time=time).as_line()


def start(hub, folder, *times, seconds=60):
    settings = {
        "PYZZICATO_VOTES": str(folder / "votes"),
        "PYZZICATO_VOTES_REPO": REPO,
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(seconds), *(line(t) for t in times)],
        env={**hub_environment(hub, folder / "cache"), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    printed, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    return printed.splitlines()[-1], errors


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
    assert finish(start(hub, tmp_path / "first", 1, 2))[0] == "[1, 2]"
    assert [Vote.from_line(text).as_line() for text in lines_in(hub)] == [line(1), line(2)]
    assert finish(start(hub, tmp_path / "second", 3))[0] == "[1, 2, 3]"
    assert len(lines_in(hub)) == 3
    # The first machine again, with its own files: none is counted or copied twice.
    assert finish(start(hub, tmp_path / "first", 4))[0] == "[1, 2, 3, 4]"
    assert len(lines_in(hub)) == 4


def test_while_the_hub_fails_votes_stay_here(hub, tmp_path):
    hub.faults.status = 500
    answer, errors = finish(start(hub, tmp_path / "down", 1, 2, seconds=5))
    assert answer == "[1, 2]"
    assert "votes stay on this disk" in errors
    hub.faults.status = None
    assert finish(start(hub, tmp_path / "down", 3))[0] == "[1, 2, 3]"
    assert len(lines_in(hub)) == 3


def test_a_machine_that_is_killed_has_its_votes_on_its_disk(hub, tmp_path):
    hub.faults.delay_s = 30
    process = start(hub, tmp_path / "killed", 1, 2)
    assert process.stdout.readline() == "in\n"
    process.kill()
    process.communicate(timeout=30)
    assert len(VoteBook(tmp_path / "killed" / "votes").votes()) == 2


def test_without_a_repo_and_a_token_nothing_goes_anywhere(tmp_path, monkeypatch):
    monkeypatch.setenv("PYZZICATO_VOTES", str(tmp_path / "votes"))
    monkeypatch.delenv("PYZZICATO_VOTES_REPO", raising=False)
    book, copy = open_book()
    assert copy is None
    book.add(a_vote())
    assert (tmp_path / "votes").is_dir()


def test_a_folder_that_cannot_be_written_leaves_votes_off(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PYZZICATO_VOTES", str(tmp_path / "file" / "votes"))
    book, copy = open_book()
    assert not book.is_open
    assert copy is None
    assert "votes are off" in caplog.text
