"""All measures of a piece: to JSON and back, and as columns over pieces."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from excerpt_builder import CHOPIN, measured, playing, silent, small_classifier, small_index

from pyzzicato.evaluation.distribution import Features
from pyzzicato.evaluation.measures import PieceMeasures, scalar_columns
from pyzzicato.evaluation.originality import Originality
from pyzzicato.evaluation.recurrence import Recurrence
from pyzzicato.evaluation.stability import Stability
from pyzzicato.evaluation.tonality import Tonality
from pyzzicato.notes import Note

FAMILIES = (Stability, Recurrence, Tonality, Features, Originality)
ONE_NOTE = replace(playing(), notes=(Note(60, 1.0, 2.0, 64),))
LOUD = {"classifier": small_classifier(), "index": small_index(), "composer": CHOPIN}


@pytest.mark.parametrize("excerpt", [playing(), silent(), ONE_NOTE], ids=["music", "none", "one"])
@pytest.mark.parametrize("judges", [{}, LOUD], ids=["alone", "judged"])
def test_json_and_back_loses_nothing(excerpt, judges):
    piece = measured(excerpt, **judges)
    text = json.dumps(piece.as_dict(), allow_nan=False)
    back = PieceMeasures.from_dict(json.loads(text))
    assert json.dumps(back.as_dict()) == text
    assert (back.stability, back.tonality) == (piece.stability, piece.tonality)
    assert back.recurrence == piece.recurrence
    assert (back.style, back.originality) == (piece.style, piece.originality)
    assert (back.style is None) == (judges == {})
    for field in fields(Features):
        before, after = getattr(piece.features, field.name), getattr(back.features, field.name)
        assert type(before) is type(after)
        np.testing.assert_array_equal(before, after)


def test_only_kinship_asks_for_the_seed():
    excerpt = playing()
    with_seed, without = measured(excerpt), measured(replace(excerpt, seed=()))
    assert with_seed.stability == without.stability
    assert with_seed.tonality.kinship > 0.5
    assert without.tonality.kinship is None
    assert replace(with_seed.tonality, kinship=None) == without.tonality


def test_all_families_measure_the_excerpts_notes():
    piece = measured(playing(), **LOUD)
    n_notes = len(playing().notes)
    assert piece.stability.n_notes == piece.features.note_count == n_notes
    repeated = 1 - piece.stability.distinct_8grams
    assert piece.recurrence.exact_recurrence_8 == pytest.approx(repeated)
    assert piece.stability.seconds == playing().seconds
    assert piece.originality.copied
    assert piece.style.composer in small_classifier().composers
    assert piece.composer == CHOPIN


def test_columns_have_one_value_a_piece():
    pieces = [measured(e, **LOUD) for e in (playing(), silent(), ONE_NOTE)]
    columns = scalar_columns(pieces)
    assert all(len(values) == 3 for values in columns.values())
    assert columns["notes_a_second"] == [p.stability.notes_a_second for p in pieces]
    assert columns["kinship"] == [p.tonality.kinship for p in pieces]
    assert columns["polyphony"] == [pieces[0].features.polyphony, None, 1.0]
    assert columns["longest_notes"][1:] == [0, 0]


def test_columns_hold_numbers_only():
    columns = scalar_columns([measured(e, **LOUD) for e in (playing(), silent())])
    assert not columns.keys() & {"dried_up", "mostly_silent", "copied"}
    assert not columns.keys() & {"nearest_at_s", "longest_at_s", "nearest_title"}
    for values in columns.values():
        assert all(value is None or type(value) in (int, float) for value in values)


@pytest.mark.parametrize("excerpts", [[silent()], [silent(), playing()], [playing()]])
def test_a_histogram_is_no_column_even_where_all_pieces_lack_it(excerpts):
    columns = scalar_columns([measured(excerpt) for excerpt in excerpts])
    assert "pitch_class_histogram" not in columns
    assert "note_length_transitions" not in columns
    assert "scale_consistency" in columns


def test_a_piece_without_a_family_has_none_and_a_family_no_piece_has_is_left_out():
    judged, plain = measured(playing(), **LOUD), measured(playing(2))
    assert scalar_columns([plain, judged])["longest_notes"][0] is None
    assert scalar_columns([plain, judged])["longest_notes"][1] > 0
    assert "longest_notes" not in scalar_columns([plain])
    assert scalar_columns([]) == {}


def test_no_two_families_give_a_measure_one_name():
    names = [f.name for kind in FAMILIES for f in fields(kind)]
    assert len(set(names)) == len(names)
