"""The short form of the load check, and that it can find something."""

import contextlib
import time

import httpx
import pytest
from floods import DENSE, SEED, post, wait_politely
from load_check import Served, ask_at_once, find_faults, slowest_at_once
from served_app import ServedApp


@pytest.fixture
def app(page_url):
    return ServedApp(page_url.rstrip("/"))


def test_models_seeds_and_votes_are_answered_at_once_while_forty_wait(app):
    assert slowest_at_once(app, 40) < 10


def test_work_that_nobody_listens_to_makes_nobody_wait(app):
    alone = wait_politely(app)
    events = [post(app, 0, "/continue", {**DENSE, "rng": i}) for i in range(60)]
    assert wait_politely(app) < 20 + 10 * alone
    time.sleep(31)
    event = next(event for event in events if event is not None)
    found = ""
    # Gradio breaks a stream off that belongs to no call any more.
    with (
        contextlib.suppress(httpx.RemoteProtocolError),
        httpx.stream("GET", f"{app.url}/gradio_api/call/v2/continue/{event}", timeout=60) as stream,
    ):
        for part in stream.iter_text():
            found += part
    assert "event: error" in found
    assert "event: complete" not in found


def test_a_listener_who_is_slow_to_come_still_gets_the_answer(app):
    event = post(app, 0, "/continue", {"seed": SEED, "seconds": 2})
    time.sleep(8)
    found = httpx.get(f"{app.url}/gradio_api/call/v2/continue/{event}", timeout=120).text
    assert "event: complete" in found


def test_more_clients_than_workers_all_get_what_they_asked_for(page_url):
    url = page_url.rstrip("/")
    crowd = ask_at_once(url, range(8), 4, 8)
    assert all(served.notes for served in crowd)
    assert find_faults(crowd, ask_at_once(url, range(8), 4, 1)) == []
    assert len({str(served.notes) for served in crowd}) == 8


def test_wrong_and_lost_answers_are_found():
    right = [Served(0, 1.0, ["a"]), Served(1, 1.0, ["b"])]
    assert find_faults(right, right) == []
    assert find_faults([Served(0, 1.0, None)], right) == []
    assert "other notes" in find_faults([Served(0, 1.0, ["b"])], right)[0]
    assert find_faults([Served(1, 1.0, None, "gone")], right) == ["rng 1: gone"]
