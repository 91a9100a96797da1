"""The book of votes: none is lost, none counts twice, and it stays quick."""

import json
import multiprocessing
import resource
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_votes import a_vote
from voting import vote_and_be_killed

from pyzzicato.space.ratings import leaderboard
from pyzzicato.space.vote_book import DATABASE, ELSEWHERE, VoteBook, VotesOffError


def times(book):
    return [vote.time for vote in book.votes()]


def write_lines(path, *votes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{vote.as_line()}\n" for vote in votes), encoding="utf-8")


def test_votes_are_there_after_a_restart(tmp_path):
    first = VoteBook(tmp_path / "votes")
    assert first.votes() == []
    assert first.add(a_vote(time=2))
    assert first.add(a_vote(time=1, winner=None))
    second = VoteBook(tmp_path / "votes")
    second.add(a_vote(time=3))
    assert times(VoteBook(tmp_path / "votes")) == [1, 2, 3]
    assert first.votes() == second.votes()
    assert first.tally() == second.tally()


def test_the_tally_counts_what_was_voted(tmp_path):
    book = VoteBook(tmp_path)
    for winner in (1, 1, 0, None):
        book.add(a_vote(winner=winner))
    tally = book.tally()
    assert tally.n_votes == 4
    pair = ("lstm", "composer")
    assert tally.pairs == {(*pair, 1): 2, (*pair, 0): 1, (*pair, None): 1}
    assert tally.marks == {
        ("lstm", "musicality"): (4, 12),
        ("composer", "musicality"): (4, 20),
        ("composer", "fidelity"): (4, 4),
    }


def test_votes_for_an_old_name_of_a_model_count_for_the_model(tmp_path):
    book = VoteBook(tmp_path)
    book.add(a_vote(systems=("lstm-free", "composer"), winner=0))
    book.add(a_vote(systems=("lstm-events-open", "composer"), winner=0))
    tally = book.tally()
    assert tally.pairs == {("lstm-events-open", "composer", 0): 2}
    assert tally.marks["lstm-events-open", "musicality"] == (2, 6)
    assert {rating.system for rating in leaderboard(tally)} == {"lstm-events-open", "composer"}


def test_votes_for_a_model_that_was_replaced_stay_its_own(tmp_path):
    book = VoteBook(tmp_path)
    book.add(a_vote(systems=("wavenet-events", "lstm-events"), winner=0))
    assert book.tally().pairs == {("wavenet-events", "lstm-events", 0): 1}


def test_a_ticket_counts_once_after_a_restart_and_in_another_process_too(tmp_path):
    first, beside = VoteBook(tmp_path), VoteBook(tmp_path)
    assert first.add(a_vote(winner=0), "a ticket")
    assert not first.add(a_vote(winner=1), "a ticket")
    assert not beside.add(a_vote(winner=1), "a ticket")
    again = VoteBook(tmp_path)
    assert not again.add(a_vote(winner=1), "a ticket")
    assert [vote.winner for vote in again.votes()] == [0]
    assert again.tally().n_votes == 1


def test_a_ticket_that_many_send_at_once_counts_once(tmp_path):
    books = [VoteBook(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(16) as sending:
        added = list(sending.map(lambda i: books[i % 4].add(a_vote(), "a ticket"), range(32)))
    assert sum(added) == 1
    assert books[0].tally().n_votes == 1


def test_files_of_older_releases_are_taken_in_once_and_stay(tmp_path):
    old = tmp_path / "votes-1.jsonl"
    write_lines(old, a_vote(time=1), a_vote(time=2))
    before = old.read_bytes()
    assert times(VoteBook(tmp_path)) == [1, 2]
    # The same file came back from the Hub, longer; and one of another machine.
    write_lines(
        tmp_path / ELSEWHERE / old.name, a_vote(time=1), a_vote(time=2), a_vote(time=3, winner=0)
    )
    write_lines(tmp_path / ELSEWHERE / "votes-2.jsonl", a_vote(time=4))
    book = VoteBook(tmp_path)
    assert times(book) == [1, 2, 3, 4]
    assert book.count_by_origin() == {"votes-1": 3, "votes-2": 1}
    assert times(VoteBook(tmp_path)) == [1, 2, 3, 4]
    assert old.read_bytes() == before


def test_a_vote_behind_half_a_line_is_found_again(tmp_path):
    half = a_vote(time=1).as_line()[:70]
    text = f"{half}{a_vote(time=2).as_line()}\n{{}}\n\xff\n{a_vote(time=3).as_line()}\n{half}"
    (tmp_path / "votes-1.jsonl").write_text(text, encoding="utf-8")
    assert times(VoteBook(tmp_path)) == [2, 3]


def test_lines_that_are_given_out_are_taken_in_as_the_same_votes(tmp_path):
    here = VoteBook(tmp_path / "here")
    here.add(a_vote(time=1), "a ticket")
    here.add(a_vote(time=2, winner=None))
    lines = here.lines_of(here.origin)
    assert {tuple(sorted(json.loads(line))) for line in lines} == {
        ("id", "marks", "seed", "systems", "time", "winner")
    }
    for folder in ("here", "there"):
        path = tmp_path / folder / ELSEWHERE / f"{here.origin}.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(lines))
    there = VoteBook(tmp_path / "there")
    assert there.votes() == here.votes()
    assert not there.add(a_vote(), "a ticket")
    here.take_in_files()
    assert times(here) == [1, 2]


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
    book = VoteBook(tmp_path)
    assert len(book.votes()) == book.tally().n_votes == 90
    assert sorted(book.count_by_origin().values()) == [30, 30, 30]


def test_votes_that_are_in_survive_a_process_that_is_killed(tmp_path):
    n = vote_and_be_killed(tmp_path, "a ticket ")
    book = VoteBook(tmp_path)
    assert times(book)[:n] == list(range(n))
    # One may have been written that the process could not tell of any more.
    assert book.tally().n_votes == len(book.votes()) in (n, n + 1)


def test_a_vote_that_does_not_fit_on_the_disk_leaves_nothing_and_can_be_given_again(tmp_path):
    book = VoteBook(tmp_path)
    book.add(a_vote(time=1))
    kept, n_bytes = 0, 20_000 + max(path.stat().st_size for path in tmp_path.iterdir())
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.SIGXFSZ
    ignored = signal.signal(handler, signal.SIG_IGN)
    try:
        # As on a full disk: a file that would grow cannot.
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
        with pytest.raises(VotesOffError, match="its disk may be full"):
            for i in range(500):
                book.add(a_vote(time=2 + i), f"ticket {i}")
                kept = i + 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(handler, ignored)
    assert len(book.votes()) == book.tally().n_votes == 1 + kept
    assert book.add(a_vote(time=600), f"ticket {kept}")
    again = VoteBook(tmp_path)
    assert len(again.votes()) == again.tally().n_votes == 2 + kept


def test_without_a_folder_the_book_is_there_and_takes_no_vote():
    book = VoteBook(None)
    assert not book.is_open
    assert book.tally().n_votes == 0
    assert len(book.secret("a name")) == 32
    with pytest.raises(VotesOffError, match="votes are off"):
        book.add(a_vote())
    assert leaderboard(book.tally()) == []


def test_a_folder_that_cannot_be_made_or_read_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="folder must be one that votes can be kept in"):
        VoteBook(tmp_path / "file" / "votes")
    (tmp_path / DATABASE).write_bytes(b"no database" * 1000)
    with pytest.raises(ValueError, match="folder must be one that votes can be kept in"):
        VoteBook(tmp_path)


def test_the_secret_is_shared_and_nobody_elses(tmp_path):
    with ThreadPoolExecutor(8) as starting:
        books = list(starting.map(lambda _: VoteBook(tmp_path), range(8)))
    assert len({book.secret("blind") for book in books}) == 1
    assert books[0].secret("blind") != books[0].secret("another")
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_nothing_but_votes_is_stored(tmp_path):
    VoteBook(tmp_path).add(a_vote(), "a ticket")
    database = sqlite3.connect(tmp_path / DATABASE)
    (row,) = database.execute("SELECT * FROM votes").fetchall()
    assert row[0] == "a ticket"
    assert json.loads(row[3]) == json.loads(a_vote().as_line())
    assert len(row) == 4


def test_many_votes_cost_the_leaderboard_nothing(tmp_path):
    write_lines(
        tmp_path / "votes-1.jsonl",
        *(a_vote(time=i, winner=(0, 1, None)[i % 3]) for i in range(20_000)),
    )
    book = VoteBook(tmp_path)
    began = time.perf_counter()
    rows = leaderboard(book.tally())
    assert time.perf_counter() - began < 0.5
    assert [row.n_votes for row in rows] == [20_000, 20_000]
