"""The book of votes: one SQLite database in a folder, shared by all processes that vote there.

A vote is in when `VoteBook.add` returns: whole, on the disk, and counted, or not at all. What the
leaderboard needs is counted in the same transaction, so that it costs the same however many votes
there are. Votes also travel as lines of JSON, in files `votes-*.jsonl`: older releases kept them
so, and the Hub's copy is made of them (see `hub_votes`).
"""

import json
import os
import secrets
import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..hub.registry import current_name
from .votes import Vote

DATABASE = "votes.sqlite3"
"""Name of the database in its folder."""
FILES = "votes-*.jsonl"
"""Names of files of votes, a line each."""
ELSEWHERE = "elsewhere"
"""Folder for files that came from the Hub."""

# A process waits so long for another one that writes.
_PATIENCE_S = 10.0
_NEITHER = -1
_KEY_BYTES = 32
_TABLES = """
CREATE TABLE IF NOT EXISTS votes (
    id TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    time INTEGER NOT NULL,
    line TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS votes_by_origin ON votes (origin);
CREATE INDEX IF NOT EXISTS votes_by_time ON votes (time);
CREATE TABLE IF NOT EXISTS pairs (
    first TEXT, second TEXT, winner INTEGER, n INTEGER NOT NULL,
    PRIMARY KEY (first, second, winner)
);
CREATE TABLE IF NOT EXISTS marks (
    system TEXT, criterion TEXT, n INTEGER NOT NULL, total INTEGER NOT NULL,
    PRIMARY KEY (system, criterion)
);
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""


class VotesOffError(ValueError):
    """A vote cannot be kept; the message says so to whoever gave it."""


@dataclass(frozen=True)
class Tally:
    """All votes, counted.

    Attributes:
        pairs: `{(first system, second system, winner): n}`; winner as in `Vote`.
        marks: `{(system, criterion): (n, sum of the marks)}`.
    """

    pairs: Mapping[tuple[str, str, int | None], int]
    marks: Mapping[tuple[str, str], tuple[int, int]]

    @property
    def n_votes(self) -> int:
        """Returns how many votes were counted."""
        return sum(self.pairs.values())


class VoteBook:
    """All votes of a folder.

    Votes in files of lines, from older releases or from the Hub, are taken in when the book is
    opened; the files stay as they are.

    Args:
        folder: where the database lies; made if absent. None keeps the book in memory, and no vote
            is taken.

    Attributes:
        folder: where the database lies, or None.
        origin: name of what this process adds.

    Raises:
        ValueError: if the folder cannot be made or written to, or holds a broken database.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.origin = f"votes-{uuid.uuid4().hex}"
        self._lock = threading.Lock()
        try:
            self._database = _open(folder)
            self.take_in_files()
        except (OSError, sqlite3.Error) as error:
            raise ValueError(
                f"folder must be one that votes can be kept in, got {folder}: {error}"
            ) from error

    @property
    def is_open(self) -> bool:
        """Returns whether votes are taken."""
        return self.folder is not None

    def add(self, vote: Vote, ticket: str | None = None) -> bool:
        """Adds a vote; when this returns it is on the disk.

        Args:
            vote: what was judged.
            ticket: of the pair that was judged, if it had one; each ticket counts once, whichever
                process it comes to.

        Returns:
            Whether the vote is new; False if the ticket has been judged before.

        Raises:
            VotesOffError: if the vote cannot be kept; nothing of it is.
        """
        if not self.is_open:
            raise VotesOffError("votes are off: this server has no folder to keep them in")
        try:
            with self._transaction():
                return self._insert(ticket or uuid.uuid4().hex, self.origin, vote)
        except sqlite3.Error as error:
            raise VotesOffError(
                "the vote was not kept, for the server cannot write it (its disk may be full); "
                "please try again later"
            ) from error

    def tally(self) -> Tally:
        """Returns all votes, counted; those for an old name of a model count for the model."""
        pairs: Counter[tuple[str, str, int | None]] = Counter()
        for first, second, w, n in self._ask("SELECT first, second, winner, n FROM pairs"):
            pairs[current_name(first), current_name(second), None if w == _NEITHER else w] += n
        marks: dict[tuple[str, str], tuple[int, int]] = {}
        for system, criterion, n, total in self._ask("SELECT * FROM marks"):
            key = (current_name(system), criterion)
            n_before, total_before = marks.get(key, (0, 0))
            marks[key] = (n_before + n, total_before + total)
        return Tally(pairs, marks)

    def votes(self) -> list[Vote]:
        """Returns all votes, by time."""
        return [
            Vote.from_line(line)
            for (line,) in self._ask("SELECT line FROM votes ORDER BY time, rowid")
        ]

    def count_by_origin(self) -> dict[str, int]:
        """Returns how many votes each process has added, of this and of other machines."""
        return dict(self._ask("SELECT origin, count(*) FROM votes GROUP BY origin"))

    def lines_of(self, origin: str) -> list[str]:
        """Returns the votes of one process as lines of JSON that `take_in_files` reads."""
        rows = self._ask("SELECT id, line FROM votes WHERE origin = ? ORDER BY rowid", origin)
        return [json.dumps({"id": name, **json.loads(line)}) for name, line in rows]

    def take_in_files(self) -> None:
        """Adds what is new in the folder's files of lines."""
        known: dict[str, int] = dict(self._ask("SELECT name, size FROM files"))
        paths = [] if self.folder is None else self.folder.rglob(FILES)
        for path in sorted(paths, key=lambda path: path.stat().st_size):
            size = path.stat().st_size
            if known.get(path.name, -1) < size:
                text = path.read_text(encoding="utf-8", errors="replace")
                with self._transaction():
                    for name, vote in _read_lines(path.stem, text.splitlines()):
                        self._insert(name, path.stem, vote)
                    row = (path.name, size)
                    self._database.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", row)

    def secret(self, name: str) -> bytes:
        """Returns a secret that all processes of this folder share, made at the first call."""
        with self._transaction():
            row = (name, secrets.token_bytes(_KEY_BYTES))
            self._database.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", row)
            asked = self._database.execute("SELECT value FROM secrets WHERE name = ?", (name,))
            return bytes(asked.fetchone()[0])

    def close(self) -> None:
        """Closes the database; the book cannot be used afterwards."""
        with self._lock:
            self._database.close()

    def _ask(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Writes all or nothing; other processes wait for their turn."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                # SQLite may have rolled back by itself, on a full disk for one.
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise

    def _insert(self, name: str, origin: str, vote: Vote) -> bool:
        execute = self._database.execute
        row = (name, origin, vote.time, vote.as_line())
        if execute("INSERT OR IGNORE INTO votes VALUES (?, ?, ?, ?)", row).rowcount == 0:
            return False
        winner = _NEITHER if vote.winner is None else vote.winner
        execute(
            "INSERT INTO pairs VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
            (*vote.systems, winner),
        )
        for system, marks in zip(vote.systems, vote.marks, strict=True):
            for criterion, mark in marks.items():
                execute(
                    "INSERT INTO marks VALUES (?, ?, 1, ?) ON CONFLICT DO UPDATE "
                    "SET n = n + 1, total = total + excluded.total",
                    (system, criterion, mark),
                )
        return True


def _open(folder: Path | None) -> sqlite3.Connection:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    place = ":memory:" if folder is None else folder / DATABASE
    if isinstance(place, Path):
        # It holds a secret: nobody else on this machine is to read it.
        os.close(os.open(place, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(
        place, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
    )
    # Readers never wait for a writer; where the file system has no shared memory SQLite keeps to
    # its older way by itself. FULL: on the disk before a vote is said to be in.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
    return database


def _read_lines(stem: str, lines: Iterable[str]) -> Iterator[tuple[str, Vote]]:
    """Yields the name and vote of each line; a line that is no vote is passed over.

    Older releases could leave half a line on a full disk, and wrote the next vote behind it.
    """
    for i, line in enumerate(lines):
        for part in (line, line[max(line.rfind('{"marks": ['), 0) :]):
            try:
                vote = Vote.from_line(part)
            except ValueError:
                continue
            name = json.loads(part).get("id")
            yield (name if isinstance(name, str) and name else f"{stem}:{i}"), vote
            break
