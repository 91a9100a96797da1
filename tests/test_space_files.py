"""What a visitor takes along: each form, and what is refused."""

from pathlib import Path

import pytest

from pyzzicato.midi import midi_bytes, read_midi
from pyzzicato.notes import Note
from pyzzicato.space.files import FORMS, save_take

SEED = [{"pitch": 60, "start": 0.0, "end": 1.0, "velocity": 70}]
NEW = [{"pitch": 64, "start": 1.5, "end": 2.25, "velocity": 80}]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))


def save(form, **options):
    options = {"seed_notes": SEED, "new_notes": NEW, "seed_seconds": 1.0, "seconds": 2.0, **options}
    return Path(save_take(form, **options)["path"])


def test_midi_holds_seed_and_continuation():
    expected = midi_bytes([Note(60, 0.0, 1.0, 70), Note(64, 1.5, 2.25, 80)])
    assert save("midi").read_bytes() == expected


def test_the_continuation_alone_begins_where_the_seed_ends():
    notes = read_midi(save("midi-new")).notes
    assert [(n.pitch, n.start, n.end) for n in notes] == [(64, 0.5, 1.25)]


def test_picture_and_sound():
    assert save("png", title="A <b>title</b>").read_bytes().startswith(b"\x89PNG")
    assert save("wav").read_bytes()[:4] == b"RIFF"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seed_seconds": -1}, "seed_seconds must be 0 to"),
        ({"seed_seconds": 1.75}, "seed_seconds must be at most"),
        ({"seconds": float("nan")}, "seconds must be 0 to"),
        ({"new_notes": [{"pitch": 200, "start": 0, "end": 1}]}, "notes must be playable"),
        ({"new_notes": "../../etc/passwd"}, "notes must be a list"),
    ],
)
def test_bad_values_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        save("midi-new", **given)


def test_an_unknown_form_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="form must be one of midi, midi-new"):
        save("exe")
    assert set(FORMS) == {"midi", "midi-new", "wav", "mp3", "png"}
