"""Posted music: three ways to give it, and nothing that is not music of this server's visitors."""

import base64
import os

import pytest
from conftest import tune
from midi_builder import midi, off, on

from pyzzicato.midi import midi_bytes, read_midi
from pyzzicato.notes import Note
from pyzzicato.seeds import load_seed
from pyzzicato.space.posted import (
    OWN_FILE,
    file_data,
    midi_data,
    notes_as_json,
    notes_from_json,
    read_posted,
    refuse_outside_files,
)
from pyzzicato.space.request_limits import MAX_NOTES, MAX_UPLOAD_BYTES

MIDI = midi_bytes(tune(4))
NOTE = {"pitch": 60, "start": 0.0, "end": 1.0, "velocity": 64}


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def uploaded(folder, data=MIDI, name="mine.mid"):
    path = folder / "0123" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return {"path": str(path), "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def test_a_piece_is_the_same_in_each_of_the_ways(uploads):
    file = read_posted("extend", midi=uploaded(uploads))
    text = read_posted("extend", midi=base64.b64encode(MIDI).decode())
    address = "data:audio/midi;base64," + base64.b64encode(MIDI).decode()
    notes = read_posted("extend", notes=notes_as_json(read_midi(MIDI).notes))
    assert file.notes == text.notes == notes.notes == read_posted("extend", midi=address).notes
    assert (file.title, text.title) == ("mine", OWN_FILE)
    preset = read_posted("extend", seed="bach-prelude-c-major")
    assert preset.notes == load_seed("bach-prelude-c-major").notes
    assert "Bach" in preset.title
    assert read_posted("extend").notes == ()


def test_only_one_way_at_a_time():
    with pytest.raises(ValueError, match="one of seed, midi and notes, got seed and notes"):
        read_posted("extend", seed="bach-prelude-c-major", notes=[])


def test_remarks_say_what_was_dropped(uploads):
    drums = [on(0, 36, channel=9), off(10, 36, channel=9)]
    data = midi([on(0, 60), off(480, 60)], drums)
    piece = read_posted("extend", midi=uploaded(uploads, data))
    assert len(piece.notes) == 1
    assert any("drums" in remark for remark in piece.remarks)


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.mid", "\x1b[31m\n.mid", "...mid"])
def test_names_of_files_are_made_harmless(uploads, name):
    file = {**uploaded(uploads), "orig_name": name}
    title = read_posted("extend", midi=file).title
    assert title
    assert not set("<>&\"'\n\x1b") & set(title)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "uploads/../../../../../../../../etc/passwd",
        "http://127.0.0.1:9/x.mid",
        "HTTP://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "",
        ".",
        "/dev/zero",
        "/proc/self/environ",
        "a\x00b",
        pytest.param("x" * 100_000, id="long"),
    ],
)
def test_files_that_were_not_uploaded_are_refused_without_a_word_of_the_server(path, uploads):
    for posted in ({"path": path}, {"path": path, "meta": {"_type": "gradio.FileData"}}):
        with pytest.raises(ValueError, match="uploaded here") as raised:
            midi_data(posted)
        assert str(uploads) not in str(raised.value)
        assert "/etc" not in str(raised.value)
    with pytest.raises(ValueError, match="uploaded here"):
        refuse_outside_files([1, {"deep": [{"path": path, "meta": {}}]}])


def test_a_link_out_of_the_folder_is_no_way_out(uploads, tmp_path):
    (tmp_path / "secret.mid").write_bytes(MIDI)
    os.symlink(tmp_path / "secret.mid", uploads / "link.mid")
    with pytest.raises(ValueError, match="uploaded here"):
        midi_data({"path": str(uploads / "link.mid")})


def test_uploaded_files_and_other_values_pass(uploads):
    refuse_outside_files([uploaded(uploads), {"path": "of a note"}, "http://x", None, 3, [[{}]]])


def test_values_nested_without_end_are_refused():
    deep = 1
    for _ in range(900):
        deep = {"a": [deep]}
    with pytest.raises(ValueError, match="nested at most 20 deep"):
        refuse_outside_files([deep])


def test_a_file_of_the_largest_size_is_read_and_one_more_byte_is_not(uploads):
    padding = MAX_UPLOAD_BYTES - len(MIDI)
    assert len(midi_data(uploaded(uploads, MIDI + bytes(padding)))) == MAX_UPLOAD_BYTES
    with pytest.raises(ValueError, match="at most 1 MB"):
        midi_data(uploaded(uploads, MIDI + bytes(padding + 1)))
    with pytest.raises(ValueError, match="at most 1 MB"):
        midi_data(base64.b64encode(bytes(2 * MAX_UPLOAD_BYTES)).decode())


@pytest.mark.parametrize(
    "posted", [3, True, None, [], {}, {"path": 3}, {"path": None}, "not base64!", "AAA", "é" * 9]
)
def test_what_is_no_file_is_refused(posted):
    with pytest.raises(ValueError, match="midi must be"):
        midi_data(posted)


@pytest.mark.parametrize("data", [b"", b"MThd", b"RIFFxxxx", b"\x89PNG\r\n", b"<svg onload=x>"])
def test_bytes_that_are_no_midi_are_refused_in_a_sentence(data):
    with pytest.raises(ValueError, match="^MIDI data cannot be read: "):
        read_posted("extend", midi=base64.b64encode(data).decode())


def test_notes_come_back_from_json_exactly():
    notes = tune(3)
    assert notes_from_json(notes_as_json(notes)) == notes
    assert notes_from_json([{"pitch": 60.0, "start": 0, "end": 1}]) == [Note(60, 0.0, 1.0, 64)]
    assert notes_from_json([]) == []


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ("notes", "notes must be a list"),
        ({"pitch": 60}, "notes must be a list"),
        (3, "notes must be a list"),
        ([3], "for number 0"),
        ([NOTE, None], "for number 1"),
        ([{"pitch": 60}], "pitch, start, end and velocity"),
        ([{**NOTE, "title": "<script>"}], "pitch, start, end and velocity"),
        ([{**NOTE, "pitch": "60"}], "in numbers"),
        ([{**NOTE, "pitch": True}], "in numbers"),
        ([{**NOTE, "pitch": 20}], "pitch must be a whole number, 21 to 108"),
        ([{**NOTE, "pitch": 60.5}], "pitch must be a whole number"),
        ([{**NOTE, "pitch": float("nan")}], "playable"),
        ([{**NOTE, "pitch": float("inf")}], "playable"),
        ([{**NOTE, "velocity": 0}], "velocity must be"),
        pytest.param([{**NOTE, "velocity": 10**400}], "playable", id="huge"),
        ([{**NOTE, "start": -1}], "start and end"),
        ([{**NOTE, "end": 0.0}], "start and end"),
        ([{**NOTE, "end": float("inf")}], "finite"),
        ([{**NOTE, "end": 1e300}], "must end within 1800 s"),
        ([{**NOTE, "end": 1801.0}], "must end within 1800 s"),
        pytest.param([NOTE] * (MAX_NOTES + 1), "at most 20000, got 20001", id="many"),
    ],
)
def test_what_is_no_list_of_notes_is_refused(posted, said):
    with pytest.raises(ValueError, match=said) as raised:
        notes_from_json(posted)
    assert "<" not in str(raised.value).replace("0 <= start < end", "")
    assert len(str(raised.value)) < 250


def test_a_file_is_described_as_gradio_serves_it(uploads):
    path = uploads / "x.mid"
    path.write_bytes(MIDI)
    answer = file_data(path, "audio/midi")
    assert answer["meta"] == {"_type": "gradio.FileData"}
    assert (answer["path"], answer["size"], answer["orig_name"]) == (str(path), len(MIDI), "x.mid")
