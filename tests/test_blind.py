"""Blind listening: the server keeps to itself who plays, and knows it again when the vote comes."""

import json
import statistics
import time
from unittest import mock

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from pyzzicato.hub import list_models
from pyzzicato.seeds import load_seed
from pyzzicato.space import blind
from pyzzicato.space.blind import Pair, PairBook, play_pair
from pyzzicato.space.votes import REAL

MODELS = [info.name for info in list_models()]
SEED = load_seed("bach-prelude-c-major")


@pytest.fixture
def book():
    return PairBook(b"a secret")


def test_a_ticket_stands_for_the_same_pair_after_a_restart(book):
    for ticket in (book.draw() for _ in range(20)):
        assert PairBook(b"a secret").pair(ticket) == book.pair(ticket)


def test_every_system_comes_and_none_twice_in_a_pair(book):
    pairs = [book.pair(book.draw()) for _ in range(200)]
    assert {system for pair in pairs for system in pair.systems} == {*MODELS, REAL}
    assert all(len(set(pair.systems)) == 2 for pair in pairs)
    assert len({pair.seed.name for pair in pairs}) > 5
    for pair in pairs:
        assert pair.seed_seconds + pair.seconds <= pair.seed.seconds


def test_the_seed_and_its_length_say_nothing_of_who_plays(book):
    pairs = [book.pair(book.draw()) for _ in range(600)]
    assert {(pair.seed_seconds, pair.seconds) for pair in pairs} == {(10.0, 20.0)}
    # Two of seven systems: the composer is in two of seven pairs.
    with_composer = [REAL in pair.systems for pair in pairs]
    share = 2 / (len(MODELS) + 1)
    assert abs(sum(with_composer) / len(pairs) - share) < 0.1


def test_loudness_and_the_join_say_nothing_of_who_plays():
    pair = Pair(SEED, (REAL, "lstm-events"), 7, 6.0, 4.0)
    *_, last = play_pair("", pair)
    first, second = last["pair"]["takes"]
    assert first["seed_notes"] == second["seed_notes"]
    assert max(n["end"] for n in first["seed_notes"]) <= 6.0
    seed = [n["velocity"] for n in first["seed_notes"]]
    for take in (first, second):
        new = [n["velocity"] for n in take["notes"]]
        assert min(seed) <= min(new) <= max(new) <= max(seed)
        assert abs(statistics.mean(new) - statistics.mean(seed)) < 3


def test_a_vote_needs_the_servers_word_that_both_takes_were_played(book):
    ticket = book.draw()
    first, second = book.receipt(ticket, 0, 1000.0), book.receipt(ticket, 1, 1008.0)
    book.check_heard(ticket, [first, second], 1013.0)
    with pytest.raises(ValueError, match="listen for 3 s more"):
        book.check_heard(ticket, [first, second], 1010.0)
    other = book.receipt(book.draw(), 1, 1008.0)
    made_up = "1000.000 " + "0" * 32
    for given in (
        [first],
        [first, None],
        [first, first],
        [first, other],
        [first, made_up],
        None,
        3,
    ):
        with pytest.raises(ValueError, match="both takes must be played"):
            book.check_heard(ticket, given, 2000.0)
    with pytest.raises(ValueError, match="ticket must be one"):
        book.receipt("a.b", 0, 0.0)


@pytest.mark.parametrize("ticket", ["", "a", "a.b", ".", "é.é", None, 3, [], {}, "x" * 100_000])
def test_made_up_tickets_are_refused(book, ticket):
    with pytest.raises(ValueError, match="ticket must be one that came with a pair"):
        book.pair(ticket)


def test_tickets_of_other_servers_releases_and_models_are_refused(book):
    ticket = book.draw()
    with pytest.raises(ValueError, match="listen to another pair"):
        PairBook(b"another").pair(ticket)
    with (
        mock.patch.object(blind, "__version__", "0.0"),
        pytest.raises(ValueError, match="out of date"),
    ):
        book.pair(ticket)
    with (
        mock.patch.object(blind, "known_models", lambda: list_models()[1:]),
        pytest.raises(ValueError, match="out of date"),
    ):
        book.pair(ticket)


def test_what_is_sent_of_a_pair_names_nobody():
    pair = Pair(SEED, ("lstm", "conv1d"), 7, 6.0, 3.0)
    answer = list(play_pair("a ticket", pair))
    text = json.dumps(answer)
    assert not any(f'"{word}"' in text for word in [*MODELS, REAL, "rng", "systems", "model"])
    assert [set(part) for part in answer] == [{"made", "pair"}] * len(answer)
    assert [part["made"] for part in answer] == sorted(part["made"] for part in answer)
    assert all(part["pair"] is None for part in answer[:-1])
    last = answer[-1]["pair"]
    assert set(last) == {"ticket", "seed", "seed_seconds", "seconds", "listen_seconds", "takes"}
    assert all(set(take) == {"seed_notes", "notes"} and take["notes"] for take in last["takes"])


def test_takes_come_in_the_order_of_the_systems_and_the_composer_plays_what_is_written():
    pair = Pair(SEED, (REAL, "conv1d"), 7, 6.0, 4.0)
    turned = Pair(SEED, ("conv1d", REAL), 7, 6.0, 4.0)
    (*_, first), (*_, second) = play_pair("", pair), play_pair("", turned)
    written, played = first["pair"]["takes"]
    assert second["pair"]["takes"] == [played, written]
    expected = [n for n in SEED.notes if 6.0 <= n.start < 10.0]
    assert [(n["pitch"], n["start"]) for n in written["notes"]] == [
        (n.pitch, n.start) for n in expected
    ]
    assert max(n["end"] for n in written["notes"]) <= 10.0
    # Keys that are down where the seed ends are held on, as a model holds them.
    assert len(written["seed_notes"]) == sum(n.start < 6.0 for n in SEED.notes)


def test_both_takes_are_made_at_one_pace():
    made = []

    def stream(pair, model):
        for second in range(3):
            made.append(model)
            yield blind.Chunk((), (), float(second))

    with mock.patch.object(blind, "_stream", stream):
        pair = Pair(SEED, ("lstm", "conv1d"), 7, 6.0, 3.0)
        parts = play_pair("", pair)
        for _ in range(3):
            next(parts)
    assert made == ["lstm", "conv1d"] * 3


def test_the_page_listens_and_judges_and_only_then_learns_who_played(page_url, monkeypatch):
    client = Client(page_url, verbose=False)
    before = client.predict(api_name="/leaderboard")["votes"]
    *_, last = client.submit(api_name="/listen")
    pair = last["pair"]
    marks = [{"musicality": 4}, {}]
    ticket = pair["ticket"]
    heard = [client.predict(ticket, side, api_name="/hear") for side in (0, 1)]
    with pytest.raises(AppError, match="each take must be played"):
        client.predict(ticket, heard, 1, marks, api_name="/judge")
    monkeypatch.setattr(blind, "LISTEN_S", 0.1)
    time.sleep(0.3)
    answer = client.predict(ticket, heard, 1, marks, api_name="/judge")
    assert answer["votes"] == before + 1
    again = client.predict(ticket, heard, 0, None, api_name="/judge")
    assert again == answer
    # A vote that is posted by name is not among them.
    client.predict("bach-prelude-c-major", ["lstm", "conv1d"], 0, api_name="/vote")
    assert client.predict(api_name="/leaderboard")["votes"] == before + 1
    assert len(set(answer["systems"])) == 2
    assert set(answer["systems"]) <= {*MODELS, REAL}
    assert {row["system"] for row in answer["leaderboard"]} >= set(answer["systems"])
