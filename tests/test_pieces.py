"""From a seed's name to files: what is written, and that nothing is lost when sound fails."""

import errno
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import mido
import pytest
from midi_builder import meta, midi, off, on, seconds, tempo

from pyzzicato.hub import load_model, model_info
from pyzzicato.midi import read_midi, write_midi
from pyzzicato.notes import Note
from pyzzicato.pieces import Wanted, file_name, make_folder, write_piece
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.sources import SeedPiece, file_title, read_seed
from pyzzicato.takes import continue_seed

SEED = "bach-prelude-c-major"
NAME = f"{SEED}-rng-0"


@pytest.fixture(scope="module")
def piece():
    return continue_seed(load_model(), SEED, GenerationSettings(seconds=3))


SILENT = Wanted(wav=False)


def write(piece, folder, wanted=None, **options):
    return write_piece(piece, folder, model=model_info("lstm"), wanted=wanted, **options)


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
    assert len(read_midi(tmp_path / "out" / f"{NAME}.mid").notes) == len(piece.notes)
    assert (tmp_path / "out" / f"{NAME}.png").exists()
    assert "sound" not in json.loads((tmp_path / "out" / "result.json").read_text())
    assert not (tmp_path / "out" / f"{NAME}.wav").exists()


def test_a_folder_that_cannot_be_made_is_said(piece, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match="cannot be made"):
        write(piece, tmp_path / "file" / "out")


def test_figures_are_plain_json(piece, tmp_path):
    files = write(piece, tmp_path, SILENT)
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
    piece = continue_seed(load_model(), tmp_path / "waltz.mid", GenerationSettings(seconds=2))
    files = write(piece, tmp_path, SILENT)
    found = read_midi(files.midi)
    assert found.timing.tempos == ((0, 625_000),) and found.timing.metres[0][:3] == (0, 3, 4)
    assert (found.title, found.timing.resolution) == ("Waltz", 480)
    now, markers = 0, {}
    for message in mido.MidiFile(file=io.BytesIO(files.midi.read_bytes())).tracks[0]:
        now += message.time
        if message.type == "marker":
            markers[message.text] = now
    assert markers == {"the seed ends here": 8 * 480}


@pytest.mark.parametrize("lost", [f"{NAME}.png", "result.json"])
def test_a_full_disk_costs_only_what_does_not_fit(piece, tmp_path, monkeypatch, lost):
    (tmp_path / "out").mkdir()

    def refuse(path):
        if lost.removesuffix(".json") in Path(path).name and Path(path).suffix != ".mid":
            raise OSError(errno.ENOSPC, "No space left on device")

    write_bytes = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda p, data: refuse(p) or write_bytes(p, data))
    from matplotlib.figure import Figure

    savefig = Figure.savefig
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda figure, path, **how: refuse(path) or savefig(figure, path, **how),
    )
    files = write(piece, tmp_path / "out", SILENT)
    assert len(read_midi(files.midi).notes) == len(piece.notes)
    assert len(files.remarks) == 1 and "No space left" in files.remarks[0]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        {f"{NAME}.mid", f"{NAME}.png", "result.json"} - {lost}
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(piece, tmp_path, monkeypatch):
    def refuse(path, data):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(ValueError, match=f"{NAME}.mid' cannot be written: Permission denied"):
        write(piece, tmp_path, SILENT)


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
    files = write(replace(piece, source=seed), tmp_path, SILENT)
    assert json.loads(files.result.read_text(encoding="utf-8"))["seed"] == title
    assert files.remarks == ()
    assert files.midi.stem.endswith("-rng-0") and files.midi.name.isprintable()


def test_names_of_files_hold_piece_and_take(piece):
    def name(title, rng):
        options = replace(piece.settings, rng=rng)
        return file_name(replace(piece, source=SeedPiece("", (), name=title), settings=options))

    assert name("Étude n° 1 (op. 10_3)", 7) == "étude-n-1-op-10-3-rng-7"
    assert name("月の光", 8) == "月の光-rng-8"
    assert name("../../etc/passwd", 1) == "etc-passwd-rng-1"
    assert name("", 2) == name("...", 2) == "piece-rng-2"
    assert len(name("x" * 500, 3)) < 80


def test_several_takes_share_one_result(tmp_path):
    first, second = continue_seed(load_model(), SEED, GenerationSettings(seconds=2), n=2).takes
    one = write(first, tmp_path, SILENT)
    assert "takes" not in json.loads(one.result.read_text())
    two = write(second, tmp_path, SILENT, earlier=[one.facts])
    answer = json.loads(two.result.read_text())
    assert [take["settings"]["rng"] for take in answer["takes"]] == [0, 1]
    assert [take["files"]["midi"] for take in answer["takes"]] == [
        f"{SEED}-rng-0.mid",
        f"{SEED}-rng-1.mid",
    ]
    assert answer["notes"] == len(first.new_notes)


def test_mp3_and_score_are_written_where_they_are_wanted(piece, tmp_path):
    files = write(piece, tmp_path, Wanted(mp3=True, score=True))
    assert [path.suffix for path in files.paths] == [
        ".mid", ".musicxml", ".wav", ".mp3", ".png", ".json"
    ]  # fmt: skip
    assert files.facts["files"]["score"] == f"{NAME}.musicxml"
    assert files.remarks == ()


def test_a_free_performance_is_no_score_and_the_rest_is_written(tmp_path):
    notes = [Note(60 + i % 7, 0.371 * i, 0.371 * i + 0.2, 64) for i in range(30)]
    free = continue_seed(load_model(), notes, GenerationSettings(seconds=2))
    files = write(free, tmp_path, Wanted(wav=False, score=True))
    assert files.score is None and files.midi.exists()
    assert len(files.remarks) == 1 and files.remarks[0].startswith("No score: a score needs notes")
    assert json.loads(files.result.read_text())["remarks"] == list(files.remarks)


def test_what_was_played_is_kept_where_the_folder_is_full(piece, tmp_path, monkeypatch):
    write_bytes = Path.write_bytes

    def refuse(path, data):
        if path.parent == tmp_path:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(ValueError, match="No space left on device.*is kept as (.*)$") as raised:
        write(piece, tmp_path, SILENT)
    kept = Path(str(raised.value).rpartition(" kept as ")[2])
    assert len(read_midi(kept).notes) == len(piece.notes)
    kept.unlink()
    kept.parent.rmdir()


def test_a_folder_that_cannot_be_written_to_is_said_before_playing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ValueError, match="cannot be written to; choose another with --out"):
        make_folder(tmp_path)


def test_sound_that_does_not_fit_is_said_and_the_rest_stays(piece, tmp_path, monkeypatch):
    from pyzzicato import audio

    def refuse(sound, path):
        raise ValueError(f"path must be a file in a folder with room left, got {path}")

    monkeypatch.setattr(audio, "write_wav", refuse)
    files = write(piece, tmp_path, Wanted(mp3=True))
    assert files.wav is None and files.mp3 is not None and files.mp3.exists()
    assert len(files.remarks) == 1 and files.remarks[0].startswith("No WAV: path must be")
    assert "wav" not in json.loads(files.result.read_text())["files"]
