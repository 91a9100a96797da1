"""Excerpts: borders, draws, places in pieces."""

import numpy as np
import pytest
from conftest import ABSENT, tune

from pyzzicato.evaluation.excerpts import (
    cut_excerpt,
    draw_places,
    excerpt_at,
    present,
    read_piece,
)
from pyzzicato.midi import write_midi
from pyzzicato.notes import Note, end_of, shift_notes
from pyzzicato.training.catalogue import Piece, read_catalogue

PIECES = [Piece("Bach", f"No. {i}", "validation", 2004, f"{i}.midi", 100.0) for i in range(5)]
TICKS = 768


def test_seed_and_notes_are_the_piece_cut_in_two():
    notes = tune(12)
    excerpt = cut_excerpt("tune", notes, 2.0, 4.0, 5.0)
    struck = [n.start for n in notes]
    assert [n.start + 2 for n in excerpt.seed] == pytest.approx([s for s in struck if 2 <= s < 6])
    assert [n.start + 6 for n in excerpt.notes] == pytest.approx([s for s in struck if 6 <= s < 11])
    assert (excerpt.seed_seconds, excerpt.seconds) == (4.0, 5.0)


def test_a_note_on_a_border_belongs_to_what_follows():
    notes = [Note(60 + i, s, s + 0.5, 64) for i, s in enumerate((0.0, 2.0, 5.0))]
    excerpt = cut_excerpt("borders", notes, 0.0, 2.0, 3.0)
    assert [n.pitch for n in excerpt.seed] == [60]
    assert [n.pitch for n in excerpt.notes] == [61]
    assert excerpt.notes[0].start == pytest.approx(0.0, abs=1e-5)


def test_notes_a_tick_around_a_border_never_change_sides():
    """Sums of floats are off by a hair; with bare borders some of these notes were lost."""
    for first in range(0, 40_000, 131):
        borders = (first, first + 10 * TICKS, first + 70 * TICKS)
        ticks = [t + d for t in borders for d in (-1, 0, 1) if t + d >= 0]
        notes = [Note(60, t / TICKS, (t + 0.5) / TICKS, 64) for t in ticks]
        excerpt = cut_excerpt("ticks", notes, first / TICKS, 10.0, 60.0)
        assert (len(excerpt.seed), len(excerpt.notes)) == (3, 3), first
        assert all(0 <= n.start < 10.0 for n in excerpt.seed)
        assert all(0 <= n.start < 60.0 for n in excerpt.notes)


def test_what_rings_over_a_border_is_cut_there_and_not_struck_again():
    notes = [Note(60, 1.0, 9.0, 64), Note(64, 3.0, 9.0, 64)]
    excerpt = cut_excerpt("ringing", notes, 0.0, 2.0, 4.0)
    assert [(n.pitch, round(n.end, 3)) for n in excerpt.seed] == [(60, 2.0)]
    assert [(n.pitch, round(n.end, 3)) for n in excerpt.notes] == [(64, 4.0)]


def test_joined_is_the_music_as_it_was():
    notes = tune(10)
    joined = cut_excerpt("tune", notes, 0.0, 4.0, 6.0).joined
    assert [n.pitch for n in joined] == [n.pitch for n in notes]
    assert [n.start for n in joined] == pytest.approx([n.start for n in notes], abs=1e-5)


def test_there_may_be_no_seed():
    excerpt = cut_excerpt("whole", tune(5), 0.0, 0.0, 5.0)
    assert excerpt.seed == ()
    assert list(excerpt.notes) == excerpt.joined == tune(5)


def test_a_piece_that_ends_early_leaves_the_rest_silent():
    excerpt = cut_excerpt("short", tune(3), 0.0, 5.0, 10.0)
    assert len(excerpt.seed) == len(tune(3))
    assert excerpt.notes == ()
    assert excerpt.seconds == 10.0


@pytest.mark.parametrize("lengths", [(-1, 5, 5), (0, -1, 5), (0, 5, 0), (0, 5, np.nan)])
def test_lengths_out_of_range_are_refused(lengths):
    with pytest.raises(ValueError, match="seconds above 0, got"):
        cut_excerpt("bad", tune(5), *lengths)


def test_the_draw_depends_on_its_number_alone():
    assert draw_places(PIECES, 12, 3) == draw_places(PIECES, 12, 3)
    assert draw_places(PIECES, 12, 3) != draw_places(PIECES, 12, 4)


def test_every_piece_is_drawn_once_before_any_is_drawn_again():
    drawn = [piece.path for piece, _ in draw_places(PIECES, 12, 0)]
    assert len(drawn) == 12
    assert sorted(drawn[:5]) == sorted(drawn[5:10]) == sorted(p.path for p in PIECES)
    assert len(set(drawn[10:])) == 2
    places = [place for _, place in draw_places(PIECES, 200, 0)]
    assert min(places) >= 0
    assert max(places) < 1
    assert np.mean(places) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("pieces", "n", "rng", "said"),
    [
        ([], 3, 0, "at least one piece, got none"),
        (PIECES, 0, 0, "n must be 1 or more"),
        (PIECES, 3, -1, "rng 0 or more, got 3 and -1"),
    ],
)
def test_draws_of_nothing_are_refused(pieces, n, rng, said):
    with pytest.raises(ValueError, match=said):
        draw_places(pieces, n, rng)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.77, 1.0])
def test_an_excerpt_begins_with_a_note_and_lies_within_its_piece(place):
    notes = tune(20)
    excerpt = excerpt_at("tune", notes, place, 4.0, 6.0)
    start = float(excerpt.name.split("from ")[1].removesuffix(" s"))
    assert 0 <= start <= place * (end_of(notes) - 10.0) + 0.05
    assert start >= place * (end_of(notes) - 10.0) - 0.3
    assert excerpt.seed[0].start == pytest.approx(0.0, abs=1e-5)
    assert end_of(excerpt.notes) == pytest.approx(6.0, abs=0.3)


def test_an_excerpt_may_be_the_whole_piece_and_no_more():
    notes = tune(10)
    length = end_of(notes)
    assert excerpt_at("tune", notes, 0.9, 4.0, length - 4.0).name.endswith("from 0.0 s")
    with pytest.raises(ValueError, match="tune must last 10.5 s"):
        excerpt_at("tune", notes, 0.0, 4.0, 6.5)


def test_pieces_whose_files_are_absent_are_not_present(maestro):
    listed = read_catalogue(maestro)
    there = present(listed, maestro)
    assert {p.path for p in listed} - {p.path for p in there} == {ABSENT}


def test_a_piece_read_begins_with_its_first_note(tmp_path):
    path = write_midi(shift_notes(tune(3), 2.5), tmp_path / "late.mid")
    read = read_piece(path)
    assert read[0].start == 0.0
    assert [n.pitch for n in read] == [n.pitch for n in tune(3)]
    assert [n.start for n in read] == pytest.approx([n.start for n in tune(3)], abs=2e-3)
