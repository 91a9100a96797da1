"""All measures of one piece: they survive JSON, and undefined is None, never NaN."""

import json

import numpy as np
from conftest import tune

from pyzzicato.evaluation.excerpts import Excerpt
from pyzzicato.evaluation.measures import PieceMeasures, measure_excerpt, scalar_columns
from pyzzicato.evaluation.originality import TrainingIndex
from pyzzicato.evaluation.style import StyleClassifier


def excerpt(notes, seed=()):
    return Excerpt("tune", tuple(seed), 10.0 if seed else 0.0, tuple(notes), 10.0)


def measured(notes, seed=()):
    index = TrainingIndex.build([("Nobody", "Nothing", tune(10, 3))])
    told = {"classifier": StyleClassifier.load(), "index": index, "composer": "Nobody"}
    return measure_excerpt(excerpt(notes, seed), **told)


def test_measures_come_back_from_json_as_they_were():
    before = measured(tune(9), tune(10))
    after = PieceMeasures.from_dict(json.loads(json.dumps(before.as_dict(), allow_nan=False)))
    assert after.as_dict() == before.as_dict()
    histogram = after.features.pitch_class_histogram
    assert isinstance(histogram, np.ndarray)
    assert after.stability.n_notes == len(tune(9))


def test_silence_has_measures_too_and_none_of_them_is_nan():
    silence = measured([])
    text = json.dumps(silence.as_dict(), allow_nan=False)
    assert PieceMeasures.from_dict(json.loads(text)).stability.silent_share == 1.0
    assert silence.tonality.window_entropy is None
    assert silence.originality is not None
    assert silence.originality.longest_notes == 0


def test_columns_hold_one_value_a_piece_and_no_verdicts_or_histograms():
    columns = scalar_columns([measured(tune(9)), measured([])])
    assert all(len(values) == 2 for values in columns.values())
    assert columns["notes_a_second"] == [len(tune(9)) / 10, 0.0]
    assert columns["window_entropy"][1] is None
    assert not {"dried_up", "copied", "pitch_class_histogram", "nearest_at_s"} & columns.keys()
    assert scalar_columns([]) == {}


def test_without_classifier_and_index_style_and_originality_are_left_out():
    plain = measure_excerpt(excerpt(tune(9)))
    assert plain.style is None
    assert plain.originality is None
    assert "longest_notes" not in scalar_columns([plain])
