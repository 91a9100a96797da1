"""A continuation is brought to a close: which chord ends it, and that it is not cut."""

from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from made_graphs import architecture, events_text, made_events, made_roll, only, write_made

import pyzzicato
from pyzzicato.keys import find_key
from pyzzicato.notes import Note, end_of
from pyzzicato.playing.continuation import continue_seed, stream_continuation
from pyzzicato.playing.ending import NO_CLOSE, chords_of, last_chord, opening_seconds
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings

C_MAJOR = 0, False


def chord(pitches: tuple[int, ...], start: float, seconds: float = 1.0) -> list[Note]:
    """Returns a chord that is broken a little."""
    return [Note(p, start + 0.02 * i, start + seconds, 64) for i, p in enumerate(pitches)]


def test_a_chord_is_what_is_struck_together_and_what_rings_on() -> None:
    bass = Note(36, 0.0, 5.0, 64)
    notes = [bass, *chord((60, 64, 67), 1.0), *chord((59, 62), 2.0)]
    first, second, third = chords_of(notes)
    assert [len(c.struck) for c in (first, second, third)] == [1, 3, 2]
    assert bass in second.sounding and bass not in third.sounding
    assert second.is_tonic(C_MAJOR) and second.is_tonic((0, True)) and not third.is_tonic(C_MAJOR)
    assert not last_chord(chord((64, 67, 72), 0.0)).is_tonic(C_MAJOR)  # first inversion


def test_both_thirds_at_once_are_no_tonic() -> None:
    assert last_chord(chord((48, 60, 63, 64), 0.0)).share_of_triad(C_MAJOR) == pytest.approx(1 / 3)


def test_keys_are_found() -> None:
    scale = [Note(60 + p, i, i + 1, 64) for i, p in enumerate((0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0))]
    assert find_key(scale) == (0, False)
    minor = [Note(57 + p, i, i + 1, 64) for i, p in enumerate((0, 2, 3, 5, 7, 8, 11, 12, 7, 3, 0))]
    assert find_key(minor) == (9, True)
    assert find_key([]) is None


@pytest.mark.parametrize("seconds", [5.0, 9.0])
def test_a_learnt_model_ends_within_its_time_by_a_long_chord(seconds: float) -> None:
    seed = pyzzicato.load_seed("bach-prelude-c-major").notes
    settings = GenerationSettings(seconds=seconds, ending=True)
    piece = continue_seed(pyzzicato.load_model(), seed, settings)
    assert end_of(piece.notes) <= piece.seed_seconds + seconds + 1e-9
    last = last_chord(piece.notes)
    assert max(n.duration for n in last.struck) >= 0.9
    assert last.start > piece.seed_seconds + opening_seconds(seconds) - 1
    tonic = last.is_tonic(find_key(piece.notes) or C_MAJOR)
    assert piece.facts["tonic"] == tonic and (NO_CLOSE in piece.remarks) == (not tonic)
    again = continue_seed(pyzzicato.load_model(), seed, settings)
    assert again.notes == piece.notes


@pytest.mark.parametrize("kind", ["roll", "events"])
def test_all_chunks_together_are_the_piece(kind: str, tmp_path: Path) -> None:
    if kind == "roll":
        model = made_roll(tmp_path, -4.0, stay=4.5)
    else:
        model = made_events(tmp_path, onset=list(np.linspace(1, -3, 57)))
    settings = GenerationSettings(seconds=8.0, seed_seconds=4.0, ending=True)
    chunks = list(stream_continuation(model, tune(), settings))
    piece = chunks[-1].piece
    assert piece is not None and piece.facts["tries"] in (8, 16, 24)
    given = sorted((round(n.start + 4.0, 6), n.pitch) for chunk in chunks for n in chunk.notes)
    assert given == sorted((round(n.start, 6), n.pitch) for n in piece.new_notes)
    # What rings on at the end rings out, or is let go with the last chord.
    assert end_of(piece.new_notes) <= 12.0


def test_a_model_that_knows_endings_is_given_what_is_left(tmp_path: Path) -> None:
    # It strikes a note every half second, as hard as the number it is given.
    text = (
        events_text(onset=only(27, 57))
        .replace("float[views] view_weights)", "float[views] view_weights, int64[views] ending_0)")
        .replace("number_2, number_3)", "number_2, ending_0)")
    )
    config = architecture(representation="events", head="notes", endings=[2.0, 8.0, 32.0])
    model = Model(config, write_made(text, tmp_path / "endings.onnx"), name="made")
    answer = continue_seed(model, tune(), GenerationSettings(seconds=20.0, ending=True))
    numbers = [note.velocity // 8 for note in answer.new_notes]
    assert set(numbers) == {1, 2, 3} and numbers == sorted(numbers, reverse=True)
    last_three = [n for n in answer.new_notes if n.velocity // 8 == 3][-1].start
    assert 10 + 20 - 8 - 4 < last_three < 10 + 20 - 8 + 1
    plain = continue_seed(model, tune(), GenerationSettings(seconds=20.0))
    assert {note.velocity // 8 for note in plain.new_notes} == {0}


def test_a_close_takes_time_and_a_draw() -> None:
    with pytest.raises(ValueError, match="seconds must be 5 to 600"):
        GenerationSettings(seconds=4, ending=True)
    with pytest.raises(ValueError, match="threshold and ending exclude each other"):
        GenerationSettings(threshold=0.3, ending=True)
