"""From a seed's name to files: what is written, and that nothing is lost when sound fails."""

import json

import pytest

from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.hub import load_model, model_info
from pyzzicato.midi import read_midi, write_midi
from pyzzicato.notes import Note
from pyzzicato.pieces import read_seed, write_piece

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
