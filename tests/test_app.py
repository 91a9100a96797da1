"""The page and its API: a real server on 127.0.0.1, called by gradio's own client."""

import json
import os
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import app
from pyzzicato.__main__ import main as command_line
from pyzzicato.midi import read_midi, write_midi
from pyzzicato.notes import Note

SEED = "bach-prelude-c-major"


@pytest.fixture(scope="module")
def client(page_url):
    return Client(page_url, verbose=False)


def call(client, **told):
    told = {"preset": SEED, "seconds": 5, **told}
    return client.predict(**told, api_name="/continue")


def test_the_api_plays_what_the_command_line_plays(client, tmp_path):
    roll, sound, midi, facts = call(client, rng=3)
    assert facts["notes"] > 0
    assert Path(roll).read_bytes().startswith(b"\x89PNG")
    assert Path(sound).stat().st_size > 44_100
    told = ["--seconds", "5", "--rng", "3", "--no-audio", "--out", str(tmp_path)]
    assert command_line(["continue", SEED, *told]) == 0
    assert Path(midi).read_bytes() == (tmp_path / "continuation.mid").read_bytes()


def test_an_uploaded_file_is_carried_on(client, tmp_path):
    write_midi([Note(60 + i % 5, i / 4, i / 4 + 0.2, 80) for i in range(20)], tmp_path / "mine.mid")
    _, _, midi, facts = call(client, midi_file=handle_file(tmp_path / "mine.mid"))
    assert facts["seed_notes"] == 20
    assert read_midi(midi).notes[0].pitch == 60


def test_the_articles_way_can_be_asked_for(client):
    facts = call(client, way="threshold", threshold=0.4)[3]
    assert facts["settings"]["threshold"] == 0.4


@pytest.mark.parametrize(
    ("told", "said"),
    [
        # The first five are refused by the page's controls, whose words are gradio's.
        ({"seconds": 0}, "0 is less than minimum value 1"),
        ({"seconds": 1e9}, "greater than maximum value 180"),
        ({"preset": "/etc/passwd"}, "not in the list of choices: .*bach-prelude-c-major"),
        ({"model": "../lstm"}, "not in the list of choices: .*wavenet"),
        ({"way": "magic"}, "not in the list of choices|must be temperature or threshold"),
        ({"rng": -1}, "rng must be 0 to"),
        ({"seed_start": 99}, "seed_start must be below"),
        ({"seed_start": -1}, "seed_start must be 0 to"),
        ({"seed_seconds": 0.5}, "seed_seconds must be 1 to 120"),
    ],
)
def test_bad_values_come_back_as_one_clear_sentence(client, told, said):
    with pytest.raises((AppError, ValueError), match=said) as raised:
        call(client, **told)
    assert "Traceback" not in str(raised.value)


def test_a_file_that_is_not_midi_is_refused(client, tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    with pytest.raises(AppError):
        call(client, midi_file=handle_file(tmp_path / "bad.mid"))


def test_the_summary_is_a_sentence(client):
    facts = json.loads(json.dumps(call(client)[3]))
    assert "notes a second" in app.summary(facts)
    assert facts["revision"] in app.summary(facts)


def test_old_folders_are_removed_and_new_ones_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(app, "FOLDER", tmp_path / "served")
    old, new = app.new_folder(), app.new_folder()
    os.utime(old, (0, 0))
    newest = app.new_folder()
    assert len({old, new, newest}) == 3
    assert not old.exists()
    assert new.exists()
    assert newest.exists()
