"""Votes of blind listening: which of two takes of a seed was better, and marks for both.

A vote is one line of JSON. Each process appends to a file of its own and has every line on the disk
before it says that the vote is in, so that nothing is lost on a restart and two processes cannot
write over each other. Nothing personal is stored: no name, no address, no session.
"""

import json
import os
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

CRITERIA = ("musicality", "fidelity", "expressiveness")
"""What marks are given for: the article's three criteria."""
MIN_MARK, MAX_MARK = 1, 5
REAL = "composer"
"""Name, among the systems, of the continuation the composer wrote."""
FILES = "votes-*.jsonl"
"""Names of the files of votes."""
ELSEWHERE = "elsewhere"
"""Folder for what other machines have written."""
_MAX_NAME = 200

Marks = Mapping[str, int]
"""{criterion: 1 to 5}; criteria that were not marked are missing."""


@dataclass(frozen=True)
class Vote:
    """A listener's judgement of two takes of one seed.

    Attributes:
        seed: name of the preset seed.
        systems: what made the two takes: names of models, or `REAL`. Two different ones.
        winner: 0 or 1, the place in `systems` of the take the listener would rather hear on; None
            if neither.
        marks: what each take was given, in the order of `systems`; empty where nothing was marked.
        time: seconds since 1970, UTC, to the second.

    Raises:
        ValueError: if a field is of the wrong type or out of its range.
    """

    seed: str
    systems: tuple[str, str]
    winner: int | None
    marks: tuple[Marks, Marks]
    time: int

    def __post_init__(self) -> None:
        _check_name("seed", self.seed)
        _check_pair("systems", self.systems)
        for system in self.systems:
            _check_name("systems", system)
        if self.systems[0] == self.systems[1]:
            raise ValueError(
                f"systems must be two different ones, got {self.systems[0]!r} twice; a vote "
                "compares"
            )
        if isinstance(self.winner, bool) or self.winner not in (0, 1, None):
            raise ValueError(
                f"winner must be 0 (the first take), 1 (the second) or null (neither), got "
                f"{self.winner!r}"
            )
        _check_pair("marks", self.marks)
        for marks in self.marks:
            _check_marks(marks)
        if isinstance(self.time, bool) or not isinstance(self.time, int) or self.time < 0:
            raise ValueError(f"time must be whole seconds since 1970, got {self.time!r}")

    def as_line(self) -> str:
        """Returns the vote as one line of JSON; `from_line` takes it back."""
        told = asdict(self)
        told["marks"] = [dict(marks) for marks in self.marks]
        return json.dumps(told, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_line(cls, line: str) -> "Vote":
        """Returns the vote of a line that `as_line` gave.

        Raises:
            ValueError: if the line is anything else.
        """
        try:
            told = json.loads(line)
            return cls(
                seed=told["seed"],
                systems=tuple(told["systems"]),
                winner=told["winner"],
                marks=tuple(told["marks"]),
                time=told["time"],
            )
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(
                f"a vote must be a line that as_line gave, got {line[:80]!r}"
            ) from error


class VoteBook:
    """All votes of a folder: this process appends, and reads what others have written.

    Args:
        folder: where the files of votes lie, `votes-*.jsonl`; made if absent. In its folder
            `elsewhere` lie files that other machines have written (see `hub_votes`).

    Attributes:
        folder: where the files of votes lie.

    Raises:
        ValueError: if the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"folder must be one that can be made, got {folder}: {error.strerror}"
            ) from error
        self.folder = folder
        self._file = folder / f"votes-{uuid.uuid4().hex}.jsonl"
        self._lock = threading.Lock()

    def add(self, vote: Vote) -> None:
        """Appends a vote; when this returns it is on the disk.

        Raises:
            OSError: if it cannot be written.
        """
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(vote.as_line() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def votes(self) -> list[Vote]:
        """Returns all votes, by time. A line cut short by a crash is passed over."""
        # A file that is here and came back from elsewhere: the longer one has more votes.
        paths = {path.name: path for path in sorted(self.folder.rglob(FILES), key=_size)}
        found = []
        for path in paths.values():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    found.append(Vote.from_line(line))
                except ValueError:
                    continue
        return sorted(found, key=lambda vote: vote.time)


def now() -> int:
    """Returns the time a vote is given, whole seconds since 1970."""
    return int(time.time())


def _size(path: Path) -> int:
    return path.stat().st_size


def _check_name(field: str, value: object) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_NAME:
        raise ValueError(
            f"{field} must be a name of 1 to {_MAX_NAME} characters, got {str(value)[:80]!r}"
        )


def _check_pair(field: str, value: object) -> None:
    if not isinstance(value, tuple) or len(value) != 2:
        raise ValueError(f"{field} must hold two entries, one a take, got {str(value)[:80]!r}")


def _check_marks(marks: object) -> None:
    if not isinstance(marks, Mapping) or not set(marks) <= set(CRITERIA):
        raise ValueError(
            f"marks must be for {', '.join(CRITERIA)} or some of them, got {str(marks)[:80]!r}"
        )
    for criterion, mark in marks.items():
        if isinstance(mark, bool) or not isinstance(mark, int) or not MIN_MARK <= mark <= MAX_MARK:
            raise ValueError(
                f"{criterion} must be a whole number, {MIN_MARK} to {MAX_MARK}, got {mark!r}"
            )
