"""From a seed's name to files: what is written, and that nothing is lost when sound fails."""

import errno
import io
import json
import os
from pathlib import Path

import mido
import pytest
from midi_builder import meta, midi, off, on, seconds, tempo

from pyzzicato.hub import load_model, model_info
from pyzzicato.midi import read_midi, write_midi
from pyzzicato.notes import Note
from pyzzicato.pieces import file_title, read_seed, write_piece
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings

SEED = "bach-prelude-c-major"


@pytest.fixture(scope="module")
def piece():
    seed = read_seed(SEED, "extend")
    return continue_seed(load_model(), seed.notes, GenerationSettings(seconds=3))


def write(piece, folder, **told):
    seed = read_seed(SEED, "extend")
    return write_piece(piece, folder, seed=seed, model=model_info("lstm"), **told)


def test_a_preset_and_a_file_are_both_seeds(tmp_path):
    notes = [Note(60, 0.0, 0.5, 70), Note(64, 1.0, 1.5, 80)]
    path = write_midi(notes, tmp_path / "mine.mid")
    assert list(read_seed(str(path), "ignore").notes) == notes
    assert read_seed(SEED, "extend").title.startswith("Johann Sebastian Bach")


def test_an_unknown_seed_names_the_presets_and_a_missing_file_the_file():
    with pytest.raises(ValueError, match=SEED):
        read_seed("bach-prelude", "extend")
    with pytest.raises(ValueError, match=r"gone\.mid"):
        read_seed("gone.mid", "extend")


def test_midi_picture_and_figures_survive_a_failing_sound(piece, tmp_path, monkeypatch):
    monkeypatch.setenv("PYZZICATO_SOUNDFONT", str(tmp_path / "missing.sf2"))
    with pytest.raises(ValueError, match="missing.sf2"):
        write(piece, tmp_path / "out")
    assert len(read_midi(tmp_path / "out" / "continuation.mid").notes) == len(piece.notes)
    assert (tmp_path / "out" / "pianoroll.png").exists()
    assert "sound" not in json.loads((tmp_path / "out" / "result.json").read_text())
    assert not (tmp_path / "out" / "continuation.wav").exists()


def test_a_folder_that_cannot_be_made_is_said(piece, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match="cannot be made"):
        write(piece, tmp_path / "file" / "out")


def test_figures_are_plain_json(piece, tmp_path):
    files = write(piece, tmp_path, audio=False)
    facts = json.loads(files.result.read_text())
    assert facts == files.facts
    assert facts["notes"] == len(piece.new_notes)
    assert facts["settings"]["seconds"] == 3
    assert files.wav is None


def test_a_file_begins_with_its_first_note_and_says_so(tmp_path):
    path = write_midi([Note(60, 10.5, 11.0, 70), Note(64, 11.5, 12.0, 80)], tmp_path / "late.mid")
    seed = read_seed(str(path), "ignore")
    assert seconds(seed.notes) == [(60, 0, 0.5), (64, 1.0, 1.5)]
    assert seed.remarks == (
        "The first note comes after 10.5 s of silence: the music begins there.",
    )


def test_presets_and_files_may_name_their_composer(tmp_path):
    assert read_seed(SEED, "extend").composer == "bach"
    path = tmp_path / "waltz.mid"
    path.write_bytes(midi([meta(0, 1, b"F. Chopin")], [on(0, 60), off(480, 60)]))
    assert read_seed(str(path), "extend").composer == "chopin"
    path.write_bytes(midi([on(0, 60), off(480, 60)]))
    assert read_seed(str(path), "extend").composer is None


def test_the_midi_file_keeps_tempo_metre_and_title_and_marks_where_the_seed_ends(tmp_path):
    signs = [meta(0, 3, b"Waltz"), tempo(0, 625_000), meta(0, 0x58, bytes((3, 2, 24, 8)))]
    quarters = [one for i in range(8) for one in (on(0, 60 + i), off(480, 60 + i))]
    (tmp_path / "waltz.mid").write_bytes(midi(signs, quarters))
    seed = read_seed(str(tmp_path / "waltz.mid"), "extend")
    piece = continue_seed(load_model(), seed.notes, GenerationSettings(seconds=2))
    files = write_piece(piece, tmp_path, seed=seed, model=model_info("lstm"), audio=False)
    found = read_midi(files.midi)
    assert found.timing.tempos == ((0, 625_000),) and found.timing.metres[0][:3] == (0, 3, 4)
    assert (found.title, found.timing.resolution) == ("Waltz", 480)
    now, markers = 0, {}
    for message in mido.MidiFile(file=io.BytesIO(files.midi.read_bytes())).tracks[0]:
        now += message.time
        if message.type == "marker":
            markers[message.text] = now
    assert markers == {"the seed ends here": 8 * 480}


@pytest.mark.parametrize("lost", ["pianoroll.png", "result.json"])
def test_a_full_disk_costs_only_what_does_not_fit(piece, tmp_path, monkeypatch, lost):
    (tmp_path / "out").mkdir()

    def refuse(path):
        if lost.split(".")[0] in Path(path).name:
            raise OSError(errno.ENOSPC, "No space left on device")

    write_bytes = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda p, data: refuse(p) or write_bytes(p, data))
    from matplotlib.figure import Figure

    savefig = Figure.savefig
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda figure, path, **told: refuse(path) or savefig(figure, path, **told),
    )
    files = write(piece, tmp_path / "out", audio=False)
    assert len(read_midi(files.midi).notes) == len(piece.notes)
    assert len(files.remarks) == 1 and "No space left" in files.remarks[0]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        {"continuation.mid", "pianoroll.png", "result.json"} - {lost}
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(piece, tmp_path, monkeypatch):
    def refuse(path, data):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(ValueError, match="continuation.mid' cannot be written: Permission denied"):
        write(piece, tmp_path, audio=False)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (b"\xe9tude n\xb0 1.mid", "étude n° 1"),
        ("Étude n° 1.mid".encode(), "Étude n° 1"),
        ("月の光.mid".encode(), "月の光"),
        (b" .mid", "MIDI file"),
        (b"two\nlines.mid", "two lines"),
    ],
)
def test_names_of_any_bytes_become_titles_that_can_be_shown(piece, tmp_path, name, title):
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
    write_midi([Note(60, 0.0, 0.5, 70)], path)
    seed = read_seed(path, "extend")
    assert seed.title == file_title(path) == title
    files = write_piece(piece, tmp_path, seed=seed, model=model_info("lstm"), audio=False)
    assert json.loads(files.result.read_text(encoding="utf-8"))["seed"] == title
    assert files.remarks == ()
