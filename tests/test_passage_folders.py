"""Folders of passages: kept and read back, MIDI too, put through a representation, and refused."""

import numpy as np
import pytest
from random_music import random_music

from pyzzicato.evaluation.passage_folders import (
    Passage,
    passage_name,
    read_passages,
    write_passage,
)
from pyzzicato.evaluation.round_trips import FORMS, put_through
from pyzzicato.midi import write_midi
from pyzzicato.notes import Note


def test_what_is_kept_is_read_back(tmp_path):
    write_passage(random_music(1), tmp_path / "new" / "b@00001.npz")
    write_passage([], tmp_path / "new" / "a@00000.npz")
    nothing, music = read_passages(tmp_path, 100.0)
    assert (nothing.name, nothing.notes) == ("a@00000", ())
    assert (music.name, music.piece, music.seconds) == ("b@00001", "b", 100.0)
    assert list(music.notes) == random_music(1)
    assert not list(tmp_path.rglob("*.part"))


def test_midi_is_read_too(tmp_path):
    write_midi(random_music(2), tmp_path / "some piece.mid")
    (passage,) = read_passages(tmp_path, 100.0)
    assert (passage.name, passage.piece) == ("some piece", "some piece")
    assert sorted(n.pitch for n in passage.notes) == sorted(n.pitch for n in random_music(2))


def test_passages_are_cut_to_their_length(tmp_path):
    notes = [Note(60, 0.5, 3.0, 64), Note(61, 2.0, 2.5, 64)]
    write_passage(notes, tmp_path / "a.npz")
    (passage,) = read_passages(tmp_path, 2.0)
    assert passage.notes == (Note(60, 0.5, 2.0, 64),)


def test_passages_of_one_piece_share_its_name():
    names = [passage_name(piece, 7) for piece in ("a", "a@b", "2004/x.midi")]
    assert [Passage(name, (), 1.0).piece for name in names] == ["a", "a@b", "2004/x.midi"]


def test_what_is_no_passage_is_refused(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        read_passages(tmp_path / "nowhere")
    np.savez(tmp_path / "a.npz", other=np.zeros(3))
    with pytest.raises(ValueError, match="a.npz must hold an array 'notes'"):
        read_passages(tmp_path)
    (tmp_path / "a.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="a.npz must hold an array 'notes'"):
        read_passages(tmp_path)


@pytest.mark.parametrize("form", FORMS)
def test_a_round_trip_changes_nothing_the_second_time(form):
    passage = Passage("a", tuple(random_music(3)), 100.0)
    once = put_through(passage, form)
    assert (once == passage) == (form == "none")
    assert abs(len(once.notes) - len(passage.notes)) <= 2
    assert put_through(once, form) == once


def test_a_roll_knows_no_velocities():
    passage = Passage("a", (Note(60, 0.0, 1.0, 100), Note(64, 1.0, 2.0, 30)), 3.0)
    assert len({n.velocity for n in put_through(passage, "roll").notes}) == 1
    assert len({n.velocity for n in put_through(passage, "events").notes}) == 2


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="must be of events, ringing, roll, none; got 'score'"):
        put_through(Passage("a", (), 1.0), "score")
