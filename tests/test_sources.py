"""What a seed can be cut from, and the sentence for what it cannot."""

import io
from pathlib import Path

import numpy as np
import pytest
from midi_builder import control, meta, midi, off, on, seconds

from pyzzicato.midi import midi_bytes, read_midi, write_midi
from pyzzicato.notes import Note
from pyzzicato.seeds import load_seed
from pyzzicato.sources import SeedPiece, read_source

NOTES = [Note(60, 0.0, 0.5, 70), Note(64, 1.0, 1.5, 80)]
SEED = "bach-prelude-c-major"


def test_a_preset_is_known_by_its_name_and_by_itself() -> None:
    by_name = read_source(SEED)
    assert by_name == read_source(load_seed(SEED))
    assert by_name.name == SEED and by_name.composer == "bach"
    assert by_name.performance is not None and by_name.performance.grid() == 4
    assert read_source(by_name) is by_name


def test_a_file_is_a_file_in_all_its_guises(tmp_path: Path) -> None:
    path = write_midi(NOTES, tmp_path / "mine.mid")
    data = path.read_bytes()
    file = read_midi(path)
    for source in (str(path), path, data, bytearray(data), io.BytesIO(data), file):
        piece = read_source(source)
        assert list(piece.notes) == NOTES, source
        assert piece.performance is not None
    assert read_source(file.to_pretty_midi()).notes == tuple(NOTES)
    assert (read_source(path).title, read_source(path).name) == ("mine", "mine")
    titled = midi([meta(0, 3, b"Waltz"), on(0, 60), off(480, 60)])
    assert read_source(titled).title == "Waltz"


def test_notes_may_be_tables_and_in_any_order() -> None:
    tables = [{"pitch": n.pitch, "start": n.start, "end": n.end, "velocity": n.velocity}
              for n in reversed(NOTES)]  # fmt: skip
    assert list(read_source(tables).notes) == list(read_source(NOTES[::-1]).notes) == NOTES
    assert read_source(tuple(NOTES)).performance is None
    assert read_source([]) == SeedPiece("Notes", (), name="notes")


@pytest.mark.parametrize("kind", ["velocities", "ones", "truth", "floats"])
def test_a_roll_is_notes(kind: str) -> None:
    roll = np.zeros((40, 88), dtype=np.uint8)
    roll[0:10, 39] = 70
    roll[20:30, 43] = 80
    found = {
        "velocities": roll,
        "ones": (roll > 0).astype(np.int64),
        "truth": roll > 0,
        "floats": (roll > 0).astype(np.float32),
    }[kind]
    piece = read_source(found)
    assert seconds(piece.notes) == [(60, 0, 0.5), (64, 1.0, 1.5)]
    assert [n.velocity for n in piece.notes] == ([70, 80] if kind == "velocities" else [64, 64])
    assert seconds(read_source(found, fs=40).notes) == [(60, 0, 0.25), (64, 0.5, 0.75)]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (7, "seed must be a preset or its name, a MIDI file .*, got int"),
        (None, "seed must be .*, got NoneType"),
        ([60, 62, 64], "got a list with int in it"),
        ([{"pitch": 60}], "a note must have pitch, start, end and velocity"),
        (b"no midi", "cannot be read"),
        ("bach-prelude-c-minor", "did you mean 'bach-prelude-c-major'"),
        ("none.mid", "there is no such file"),
        (Path("none"), "seed must be one of"),
        (np.zeros((88, 40)), r"roll must be of shape \(T, 88\), got \(88, 40\); turn it round"),
        (np.zeros((128, 40)), r"roll must be of shape .*, got \(128, 40\); rows are frames"),
        (np.full((4, 88), 128), "roll must hold velocities, 0 to 127"),
        (np.full((4, 88), np.nan), "roll must hold velocities"),
        (np.full((4, 88), "x"), "roll must hold numbers"),
    ],
)
def test_what_is_no_music_gets_a_sentence(source: object, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        read_source(source)
    assert "\n" not in str(raised.value)


def test_the_pedal_is_as_the_model_wants_it() -> None:
    down, up = control(0, 64, 127), control(0, 64, 0)
    pedalled = midi([on(0, 60), down, off(240, 60), on(720, 62), up, off(480, 62)])
    assert read_source(pedalled, "extend").notes[0].end == pytest.approx(1.0)
    assert read_source(pedalled, "ignore").notes[0].end == pytest.approx(0.25)
    assert midi_bytes(read_source(pedalled).notes)
