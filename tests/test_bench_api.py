"""The endpoints of the bench: a real server on 127.0.0.1, called as programs call it."""

import base64

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from midi_builder import midi, off, on
from test_api import SEED, call

from pyzzicato.midi import read_midi
from pyzzicato.playing.voices import top_voice
from pyzzicato.seeds import load_seed
from pyzzicato.space.posted import notes_as_json

TAKE = {
    "midi",
    "seed_notes",
    "notes",
    "start",
    "end",
    "seconds",
    "remarks",
    "settings",
    "composer",
    "facts",
    "wall_seconds",
}
ANSWER = {"version", "model", "seed", "remarks", "takes"}


@pytest.fixture(scope="module")
def client(page_url):
    return Client(page_url, verbose=False)


def test_a_span_is_redone_and_the_rest_stays(client):
    answer = call(client, "/redo", seed=SEED, start=4, end=6, tries=2, takes=2)
    assert set(answer) == ANSWER and len(answer["takes"]) == 2
    first, second = answer["takes"]
    assert set(first) == TAKE
    whole = notes_as_json(load_seed(SEED).notes)
    after = [note for note in whole if note["start"] >= 6]
    before = [note["start"] for note in whole if note["start"] < 4]
    assert [note for note in first["seed_notes"] if note["start"] >= 6] == after
    assert [n["start"] for n in first["seed_notes"] if n["start"] < 4] == before
    assert first["notes"] and all(4 <= note["start"] < 6 for note in first["notes"])
    assert first["notes"] != second["notes"]
    facts = {"tries", "nats_after", "nats_after_before", "nats_after_plain"}
    assert set(first["facts"]) == facts
    saved = read_midi(first["midi"]).notes
    assert len(saved) == len(first["notes"]) + len(first["seed_notes"])
    again = call(client, "/redo", seed=SEED, start=4, end=6, tries=2)
    assert again["takes"][0]["notes"] == first["notes"]


def test_the_top_voice_is_kept_by_name_and_by_its_notes(client):
    notes = load_seed("chopin-nocturne-e-flat").notes
    top = notes_as_json(top_voice(notes))
    options = {"notes": notes_as_json(notes), "end": 4, "tries": 1}
    by_name = call(client, "/keep", keep="top", **options)["takes"][0]
    named = call(client, "/keep", keep="notes", kept=top, **options)["takes"][0]
    assert set(by_name) == TAKE
    assert by_name["notes"] == named["notes"] != []
    staying = [note for note in by_name["seed_notes"] if note["start"] < 4]
    assert staying == [note for note in top if note["start"] < 4]
    assert by_name["facts"]["new"] == len(by_name["notes"])


def test_a_track_of_a_file_is_kept(client):
    tracks = [
        [event for i in range(40) for event in (on(0, low + i % 5), off(240, low + i % 5))]
        for low in (48, 72)
    ]
    file = base64.b64encode(midi(*tracks)).decode()
    take = call(client, "/keep", midi=file, keep="track:2", tries=1)["takes"][0]
    assert [n["pitch"] for n in take["seed_notes"]] == [72 + i % 5 for i in range(40)]
    assert take["facts"]["kept"] == 40


def test_odds_are_given_at_a_moment(client):
    odds = call(client, "/odds", seed=SEED, at=4)
    fields = {"version", "model", "at", "last", "keys", "onsets", "likeliest", "came"}
    assert set(odds) == fields
    assert len(odds["keys"]) == 88 and sum(odds["keys"]) == pytest.approx(1)
    assert odds["likeliest"][0]["chance"] == max(odds["keys"])
    assert odds["came"]["chance"] == pytest.approx(odds["keys"][odds["came"]["pitch"] - 21])
    cold = call(client, "/odds", seed=SEED, at=4, temperature=0.3)
    assert max(cold["keys"]) > max(odds["keys"])


def test_a_piece_is_carried_on_from_a_moment_to_a_close(client):
    options = {"seed": SEED, "from_seconds": 6, "ending": True, "seconds": 5}
    take = call(client, "/continue", **options)["takes"][0]
    seed = notes_as_json(load_seed(SEED).notes)
    assert take["seed_seconds"] == 6 and take["settings"]["ending"]
    starts = [note["start"] for note in take["seed_notes"]]
    assert starts == [note["start"] for note in seed if note["start"] < 6]
    assert all(note["start"] >= 6 and note["end"] <= 11 for note in take["notes"])
    *parts, last = client.submit(**options, api_name="/continue_stream")
    streamed = [note for part in [*parts, last] for note in part["notes"]]
    assert len(streamed) == len(take["notes"])
    assert last["result"]["takes"][0]["notes"] == take["notes"]


@pytest.mark.parametrize(
    ("endpoint", "posted", "words"),
    [
        ("/redo", {"start": 4, "end": 5}, "end - start must be 2 to 20"),
        ("/redo", {"start": 0, "end": 5}, "start must be above"),
        ("/redo", {"start": 4, "end": 500}, "end must be"),
        ("/redo", {"start": 4, "end": 8, "tries": 65}, "tries must be"),
        ("/redo", {"start": 4, "end": 8, "model": "lstm"}, "one of note events"),
        ("/keep", {"keep": "middle"}, "keep must be one of"),
        ("/keep", {"keep": 3}, "keep must be text"),
        ("/keep", {"keep": "track:1"}, "has no tracks"),
        ("/keep", {"keep": "notes"}, "kept must be given"),
        ("/keep", {"keep": "notes", "kept": []}, "got none"),
        ("/continue", {"from_seconds": 900}, "from_seconds must be"),
        ("/continue", {"ending": "yes"}, "ending must be true or false"),
        ("/odds", {"at": 900}, "at must be"),
        ("/odds", {"at": 0}, "after the first note"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(client, endpoint, posted, words):
    with pytest.raises(AppError, match=words):
        call(client, endpoint, seed=SEED, **posted)
