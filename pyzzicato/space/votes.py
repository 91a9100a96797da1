"""Votes of blind listening: which of two takes of a seed was better, and marks for both.

A vote can be written as one line of JSON and read back. Nothing personal is in it: no name, no
address, no session. `vote_book` keeps votes.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ..checks import show_value

CRITERIA = ("musicality", "fidelity", "expressiveness")
"""What marks are given for: the article's three criteria."""
MIN_MARK, MAX_MARK = 1, 5
REAL = "composer"
"""Name, among the systems, of the continuation the composer wrote."""
_MAX_NAME = 200

Marks = Mapping[str, int]
"""{criterion: 1 to 5}; criteria that were not marked are missing."""


@dataclass(frozen=True)
class Vote:
    """A listener's judgement of two takes of one seed.

    Attributes:
        seed: name of the preset seed.
        systems: what made the two takes: names of models, or `REAL`. Two different ones.
        winner: 0 or 1, the place in `systems` of the take the listener liked better; None
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
                f"systems must be two different ones, got {show_value(self.systems[0])} twice; a "
                "vote compares"
            )
        if isinstance(self.winner, bool) or self.winner not in (0, 1, None):
            raise ValueError(
                f"winner must be 0 (the first take), 1 (the second) or null (neither), got "
                f"{show_value(self.winner)}"
            )
        _check_pair("marks", self.marks)
        for marks in self.marks:
            _check_marks(marks)
        if isinstance(self.time, bool) or not isinstance(self.time, int) or self.time < 0:
            raise ValueError(f"time must be whole seconds since 1970, got {show_value(self.time)}")

    def as_line(self) -> str:
        """Returns the vote as one line of JSON; `from_line` takes it back."""
        record = asdict(self)
        record["marks"] = [dict(marks) for marks in self.marks]
        return json.dumps(record, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_line(cls, line: str) -> "Vote":
        """Returns the vote of a line that `as_line` gave.

        Raises:
            ValueError: if the line is anything else.
        """
        try:
            record = json.loads(line)
            return cls(
                seed=record["seed"],
                systems=tuple(record["systems"]),
                winner=record["winner"],
                marks=tuple(record["marks"]),
                time=record["time"],
            )
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(
                f"a vote must be a line that as_line gave, got {show_value(line)}"
            ) from error


def now() -> int:
    """Returns the time a vote is given, whole seconds since 1970."""
    return int(time.time())


def _check_name(field: str, value: object) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_NAME:
        raise ValueError(
            f"{field} must be a name of 1 to {_MAX_NAME} characters, got {show_value(value)}"
        )


def _check_pair(field: str, value: object) -> None:
    if not isinstance(value, tuple) or len(value) != 2:
        raise ValueError(f"{field} must hold two entries, one a take, got {show_value(value)}")


def _check_marks(marks: object) -> None:
    if not isinstance(marks, Mapping) or not set(marks) <= set(CRITERIA):
        raise ValueError(
            f"marks must be for {', '.join(CRITERIA)} or some of them, got {show_value(marks)}"
        )
    for criterion, mark in marks.items():
        if isinstance(mark, bool) or not isinstance(mark, int) or not MIN_MARK <= mark <= MAX_MARK:
            raise ValueError(
                f"{criterion} must be a whole number, {MIN_MARK} to {MAX_MARK}, got "
                f"{show_value(mark)}"
            )
