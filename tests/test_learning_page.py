"""Learning on the page of the local app: files in, how it goes, and where it is off."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from random_music import random_music
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pyzzicato.midi import midi_bytes, write_midi
from pyzzicato.space import own_music
from pyzzicato.space.own_music import OwnMusic, learning_routes
from pyzzicato.space.page import page_data
from pyzzicato.space.page_models import forget_models

SONG = midi_bytes(random_music(1, 40))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "kept"))
    monkeypatch.delenv("SPACE_ID", raising=False)
    yield tmp_path / "kept" / ".learning"
    forget_models()


def client(host: str = "127.0.0.1") -> TestClient:
    return TestClient(Starlette(routes=learning_routes()), client=(host, 4000))


def test_files_are_kept_counted_and_forgotten(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = client()
    assert page.get("/own-music").json()["files"] == 0
    for title in ("My song.mid", "../../etc/a.mid", "C:\\music\\b.mid"):
        assert page.post("/own-music/add", params={"title": title}, content=SONG).is_success
    names = sorted(path.name for path in (place / "music").iterdir())
    assert names == ["My song (1).mid", "a (2).mid", "b (3).mid"]
    assert page.get("/own-music").json()["files"] == 3
    monkeypatch.setattr(own_music, "MAX_FILES", 3)
    refused = page.post("/own-music/add", params={"title": "c"}, content=SONG)
    assert refused.status_code == 400 and "at most 3 files" in refused.json()["error"]
    monkeypatch.setattr(own_music, "MAX_UPLOAD_BYTES", 10**6)
    refused = page.post("/own-music/add", params={"title": "d"}, content=bytes(10**6 + 1))
    assert "at most 1 MB; leave 'd' out" in refused.json()["error"]
    assert page.post("/own-music/clear").json()["files"] == 0


def test_a_run_that_fails_says_why_in_a_sentence(place: Path) -> None:
    page = client()
    nothing = page.post("/own-music/start", params={"name": "my band"})
    assert "there must be MIDI files" in nothing.json()["error"]
    refused = page.post("/own-music/add", params={"title": "a.mid"}, content=b"no music")
    assert refused.json()["error"].startswith("a.mid is left out: ")
    assert page.get("/own-music").json()["files"] == 0
    page.post("/own-music/add", params={"title": "a.mid"}, content=SONG)
    (place / "music" / "a (1).mid").write_bytes(b"no music any more")
    assert page.post("/own-music/start", params={"name": "My band"}).json()["running"]
    again = page.post("/own-music/add", params={"title": "b.mid"}, content=SONG)
    assert again.json()["error"] == "it is learning; stop it first"
    until = time.monotonic() + 120
    while (state := page.get("/own-music").json())["running"] and time.monotonic() < until:
        time.sleep(0.2)
    assert "none of the 1 MIDI files" in state["error"]
    assert state["lines"][0]["words"].startswith("Reading 1 MIDI files")
    assert str(place) not in str(state)
    page.post("/own-music/start", params={"name": "my band"})
    assert page.post("/own-music/stop").json()["running"] is False


def ended(own: OwnMusic) -> str:
    """Returns what is said of a run when it has ended."""
    until = time.monotonic() + 120
    while own.is_running and time.monotonic() < until:
        time.sleep(0.2)
    return str(own.describe()["error"])


def test_no_path_of_the_machine_is_shown(place: Path) -> None:
    own = OwnMusic(place)
    own.add("a.mid", SONG)
    (place / "run").write_text("no folder")
    own.start("my-band")
    said = ended(own)
    assert "a file of the run cannot be read or written (File exists)" in said
    assert str(place) not in said
    # Where the system ends it, the log has no sentence of ours.
    own.start("my-band")
    assert own._process is not None
    own._process.kill()
    assert "ended without a word" in ended(own)
    page = client()
    (place / "music" / "a (1).mid").unlink()
    (place / "music").rmdir()
    (place / "music").write_text("no folder")
    refused = page.post("/own-music/add", params={"title": "a.mid"}, content=SONG)
    assert refused.status_code == 400 and str(place) not in refused.text


def test_a_run_goes_on_under_the_name_it_was_begun_under(place: Path) -> None:
    own = OwnMusic(place)
    own.add("a.mid", SONG)
    (place / "run").mkdir()
    (place / "run" / "settings.json").write_text('{"eval_composer": "my-band"}')
    journal = f'{{"words": "It lies in {place / "run"}.", "update": 1}}'
    (place / "run" / "progress.jsonl").write_text(journal)
    with pytest.raises(ValueError, match="name must be 'my-band'.* got 'other'; begin anew"):
        own.start("other")
    assert own.describe()["lines"] == [{"words": "It lies in a file of the server", "update": 1}]


def test_what_was_played_is_heard_and_nothing_else(place: Path) -> None:
    (place / "run" / "listen").mkdir(parents=True)
    write_midi(random_music(2, 20), place / "run" / "listen" / "after-1.mid")
    write_midi(random_music(2, 20), place / "run" / "secret.mid")
    page = client()
    notes = page.get("/own-music/take/after-1.mid").json()
    assert len(notes) == len(random_music(2, 20))
    assert notes[0].keys() == {"pitch", "start", "end", "velocity"}
    for name in ("after-2.mid", "..%2Fsecret.mid", "secret.mid"):
        assert not page.get(f"/own-music/take/{name}").is_success


def test_it_is_off_on_a_space_and_for_other_machines(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert page_data()["own_music"] is True
    assert client("192.168.0.7").get("/own-music").status_code == 404
    assert client("192.168.0.7").post("/own-music/start").status_code == 404
    assert not place.exists()
    monkeypatch.setenv("SPACE_ID", "me/pyzzicato")
    assert learning_routes() == []
    assert page_data()["own_music"] is False


def test_one_run_at_a_time_is_not_disturbed_by_looking(place: Path) -> None:
    own = OwnMusic(place)
    assert own.describe() == {
        "files": 0,
        "running": False,
        "lines": [],
        "error": None,
        "models": [],
    }
    assert not place.exists()
