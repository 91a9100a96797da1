"""A part is kept and the rest played around it; and which part a name stands for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from made_graphs import made_events, made_roll

import pyzzicato
from pyzzicato.notes import Note, separate_strokes
from pyzzicato.playing.keep import keep_part, stream_keep
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.playing.voices import bottom_voice, left_hand, right_hand, top_voice

PIECE = separate_strokes(pyzzicato.load_seed("chopin-nocturne-e-flat").notes)[0]


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """Returns a model that plays all keys alike, from 0.01 s to 0.5 s after each other."""
    onset = np.full(57, -50.0)
    onset[1:32] = 0.0
    return made_events(tmp_path, onset=list(onset))


def test_the_kept_notes_stay_and_the_rest_is_new(model: Model) -> None:
    kept = top_voice(PIECE)
    piece = keep_part(model, PIECE, kept, tries=2)
    assert list(piece.seed_notes) == kept
    assert piece.facts == {"tries": 2, "kept": len(kept), "new": len(piece.new_notes)}
    assert separate_strokes(piece.notes)[1] == 0
    sounding = [
        n
        for n in piece.new_notes
        for k in kept
        if n.pitch == k.pitch and k.start <= n.start < k.end
    ]
    assert sounding == []


def test_before_and_after_the_span_all_stays(model: Model) -> None:
    piece = keep_part(model, PIECE, bottom_voice(PIECE), 4.0, 8.0, tries=2)
    outside = [(n.pitch, n.start) for n in PIECE if not 4 <= n.start < 8]
    staying = [(n.pitch, n.start) for n in piece.seed_notes if not 4 <= n.start < 8]
    assert staying == outside
    assert piece.new_notes and all(4 <= n.start < 8 for n in piece.new_notes)
    assert all(n in PIECE for n in piece.seed_notes if n.start >= 8)


def test_the_new_part_is_as_dense_as_the_old_one_or_as_asked(model: Model) -> None:
    piece = tune(20)
    kept = [n for n in piece if n.pitch < 48]
    usual = keep_part(model, piece, kept, tries=1)
    thin = keep_part(model, piece, kept, settings=GenerationSettings(density=0.5), tries=1)
    gone = len(piece) - len(kept)
    assert 0.8 < len(usual.new_notes) / gone < 1.25
    assert len(thin.new_notes) < 0.75 * len(usual.new_notes)


def test_a_melody_alone_gets_something_around_it(model: Model) -> None:
    melody = [Note(72 + i % 5, i * 0.5, i * 0.5 + 0.5, 70) for i in range(12)]
    assert keep_part(model, melody, melody, tries=1).new_notes


def test_pieces_that_made_the_kept_notes_unlikely_give_way() -> None:
    # One that has learnt: its best of eight pieces fits the kept notes no worse than its only one.
    learnt = pyzzicato.load_model()
    kept = left_hand(PIECE)
    pieces = list(stream_keep(learnt, PIECE, kept, 0.0, 6.0, tries=8))
    assert len(pieces) > len([n for n in kept if n.start < 6]) and not any(pieces[:-1])
    again = keep_part(learnt, PIECE, kept, 0.0, 6.0, tries=8)
    last = pieces[-1]
    assert last is not None and last.new_notes == again.new_notes
    other = keep_part(learnt, PIECE, kept, 0.0, 6.0, GenerationSettings(rng=1), tries=8)
    assert other.new_notes != again.new_notes


def test_what_cannot_be_done_is_said(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="kept must have notes of the piece"):
        keep_part(model, PIECE, [])
    with pytest.raises(ValueError, match="kept must have notes of the piece"):
        keep_part(model, PIECE, [replace(PIECE[0], velocity=1)])
    with pytest.raises(ValueError, match="end - start must be 2 to 120"):
        keep_part(model, PIECE, PIECE[:5], 0.0, 1.0)
    with pytest.raises(ValueError, match="tries must be a whole number from 1 to 16"):
        keep_part(model, PIECE, PIECE[:5], tries=17)
    with pytest.raises(ValueError, match="model must be one of note events"):
        keep_part(made_roll(tmp_path, 0.0), PIECE, PIECE[:5])


def test_the_outer_voices_of_a_chorale() -> None:
    voices = [(72, 71, 72), (67, 67, 67), (64, 62, 64), (48, 43, 48)]
    chords = [
        Note(line[i], i + 0.01 * v, i + 1.0, 64) for v, line in enumerate(voices) for i in range(3)
    ]
    assert [n.pitch for n in top_voice(chords)] == [72, 71, 72]
    assert [n.pitch for n in bottom_voice(chords)] == [48, 43, 48]
    assert {n.pitch for n in right_hand(chords)} == {72, 71, 67, 64, 62}
    assert {n.pitch for n in left_hand(chords)} == {48, 43}


def test_a_held_melody_hides_what_is_played_under_it_for_a_second() -> None:
    melody = Note(80, 0.0, 3.0, 70)
    under = [Note(60, 0.5 * i, 0.5 * i + 0.4, 50) for i in range(1, 6)]
    assert top_voice([melody, *under]) == [melody, *under[1:]]
    assert top_voice([]) == bottom_voice([]) == left_hand([]) == []
