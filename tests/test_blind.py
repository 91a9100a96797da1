"""Blind listening: the server keeps to itself who plays, and knows it again when the vote comes."""

import json
from unittest import mock

import pytest
from gradio_client import Client

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
        if REAL in pair.systems:
            assert pair.seed_seconds + pair.seconds <= pair.seed.seconds
            assert pair.seconds >= 4


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


def test_what_is_told_of_a_pair_names_nobody():
    pair = Pair(SEED, ("lstm", "conv1d"), 7, 6.0, 3.0)
    told = list(play_pair("a ticket", pair))
    text = json.dumps(told)
    assert not any(f'"{word}"' in text for word in [*MODELS, REAL, "rng", "systems", "model"])
    assert [set(part) for part in told] == [{"made", "pair"}] * len(told)
    assert [part["made"] for part in told] == sorted(part["made"] for part in told)
    assert all(part["pair"] is None for part in told[:-1])
    last = told[-1]["pair"]
    assert set(last) == {"ticket", "seed", "seed_seconds", "seconds", "takes"}
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


def test_the_page_listens_and_judges_and_only_then_learns_who_played(page_url):
    client = Client(page_url, verbose=False)
    before = client.predict(api_name="/leaderboard")["votes"]
    *_, last = client.submit(api_name="/listen")
    pair = last["pair"]
    marks = [{"musicality": 4}, {}]
    told = client.predict(pair["ticket"], 1, marks, api_name="/judge")
    assert told["votes"] == before + 1
    again = client.predict(pair["ticket"], 0, None, api_name="/judge")
    assert again == told
    assert len(set(told["systems"])) == 2
    assert set(told["systems"]) <= {*MODELS, REAL}
    assert {row["system"] for row in told["leaderboard"]} >= set(told["systems"])
