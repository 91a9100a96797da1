"""Playing along by the API: a session on a real server on 127.0.0.1."""

import time

import pytest
from conftest import tune
from gradio_client import Client
from gradio_client.exceptions import AppError
from test_api import call

from pyzzicato.space.posted import notes_as_json

PHRASE = notes_as_json(tune(4))


@pytest.fixture(scope="module")
def client(page_url):
    return Client(page_url, verbose=False)


@pytest.fixture
def session(client):
    return call(client, "/along_begin")["session"]


def answer_of(client, session, **options):
    """Returns the parts of an answer, and the seconds until the first came."""
    began = time.monotonic()
    job = client.submit(session=session, api_name="/along_answer", **options)
    parts, first_s = [], None
    for part in job:
        first_s = time.monotonic() - began if first_s is None else first_s
        parts.append(part)
    return parts, first_s


def test_a_phrase_is_heard_answered_and_the_answer_cut_short(client, session):
    early = [note for note in PHRASE if note["start"] < 2]
    late = [note for note in PHRASE if note["start"] >= 2]
    heard = call(client, "/along_hear", session=session, notes=early, until=1.0)
    assert heard["heard"] == sum(note["start"] < 1 for note in early)
    # The last note has not been let go.
    late[-1] = {**late[-1], "end": None}
    parts, _ = answer_of(client, session, now=4.5, notes=late, seconds=3)
    assert set(parts[0]) == {"version", "notes", "seconds", "done"}
    assert [part["done"] for part in parts] == [False] * (len(parts) - 1) + [True]
    notes = [note for part in parts for note in part["notes"]]
    assert notes[0]["start"] <= 0.2 and notes[-1]["start"] > 1
    assert all(note["start"] < note["end"] <= 3 * 1.25 + 2 for note in notes)
    settled = 0.0
    for part in parts:
        assert all(note["start"] >= settled for note in part["notes"])
        settled = part["seconds"]
    kept = call(client, "/along_stop", session=session, at=5.5)["kept"]
    assert kept == sum(note["start"] < 1 for note in notes)


@pytest.mark.parametrize(
    ("endpoint", "posted", "words"),
    [
        ("/along_hear", {"session": "other"}, "session must be one"),
        ("/along_stop", {"session": "other"}, "session must be one"),
        ("/along_answer", {"session": "other", "now": 1}, "session must be one"),
        ("/along_answer", {"now": 1}, "notes must be played"),
        ("/along_answer", {"now": 1, "notes": PHRASE}, "now must be"),
        ("/along_answer", {"now": 9, "notes": PHRASE, "seconds": 30}, "seconds must be"),
        ("/along_hear", {"notes": [{"pitch": 60}]}, "notes must be given"),
        ("/along_begin", {"model": "lstm"}, "one of note events"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(client, session, endpoint, posted, words):
    posted = posted if endpoint == "/along_begin" else {"session": session, **posted}
    with pytest.raises(AppError, match=words):
        call(client, endpoint, **posted)
