"""Processes that vote, to be killed while they do."""

import os
import subprocess
import sys
from pathlib import Path

from served_app import ROOT

PROGRAM = """
import sys
from pathlib import Path
from pyzzicato.space.vote_book import VoteBook
from pyzzicato.space.votes import Vote

book = VoteBook(Path(sys.argv[1]))
for i in range(int(sys.argv[2])):
    vote = Vote("a-seed", ("lstm", "composer"), i % 2, ({"musicality": 3}, {}), i)
    book.add(vote, f"{sys.argv[3]}{i}")
    print(i, flush=True)
"""


def voting(folder: Path, n: int, name: str = "") -> "subprocess.Popen[str]":
    """Starts a process that adds so many votes, timed 0, 1, 2, and prints the time of each.

    Args:
        folder: of the book.
        n: how many votes.
        name: the votes' tickets begin with it.
    """
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), str(n), name],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def vote_and_be_killed(folder: Path, name: str, after: int = 20) -> int:
    """Has a process vote until it is killed; returns how many votes it said were in."""
    with voting(folder, 100_000, name) as process:
        assert process.stdout is not None
        n = sum(1 for _ in zip(range(after), process.stdout, strict=False))
        process.kill()
        return n + len(process.stdout.read().split())
