"""Pictures of the report: who is best, what boxes show, sets without values."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from excerpt_builder import measured, playing, silent
from matplotlib.collections import PathCollection
from matplotlib.image import imread

from pyzzicato.evaluation.pictures import (
    RANKED_BY,
    choose_pieces,
    draw_measures,
    draw_rolls,
    plot_measures,
    rank_pieces,
)
from pyzzicato.evaluation.report_sections import MEASURE_TITLES

REAL = [measured(playing(i, rate=4 + i)) for i in range(7)]
QUIET = [measured(silent(i)) for i in range(3)]
SETS = {"real": REAL, "lstm": [measured(playing(30, rate=9))], "lstm, threshold": QUIET}


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # What other tests' servers left to the garbage collector is none of a picture's faults.
        warnings.simplefilter("ignore", ResourceWarning)
        yield


def with_rate(piece, notes_a_second):
    """Returns the measures with another density, and nothing else changed."""
    return replace(piece, stability=replace(piece.stability, notes_a_second=notes_a_second))


def test_pieces_are_ranked_by_their_distance_from_real_music():
    rates = sorted(piece.stability.notes_a_second for piece in REAL)
    one = REAL[3]
    pieces = [with_rate(one, rate) for rate in (rates[-1], rates[3], 100.0, rates[3] + 0.1)]
    assert rank_pieces(pieces, REAL) == [1, 3, 0, 2]
    assert choose_pieces(pieces, REAL) == {"best": 1, "median": 0, "worst": 2}


def test_silence_is_worst_and_equal_pieces_keep_their_order():
    assert rank_pieces([*QUIET, *REAL], REAL)[-3:] == [0, 1, 2]
    assert rank_pieces(QUIET, REAL) == [0, 1, 2]
    assert choose_pieces(QUIET[:1], REAL) == {"best": 0, "median": 0, "worst": 0}


def test_a_measure_no_real_piece_has_does_not_count():
    bare = [replace(p, tonality=replace(p.tonality, kinship=None)) for p in REAL]
    assert rank_pieces(REAL, bare) == rank_pieces(bare, bare)


def test_there_is_a_panel_for_each_measure_with_values():
    figure = plot_measures(SETS, {"lstm"})
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[: len(RANKED_BY)] == [MEASURE_TITLES[name] for name in RANKED_BY]
    assert MEASURE_TITLES["longest_notes"] not in titles
    assert all(len(axes.get_yticks()) == len(SETS) for axes in figure.axes)
    # The names stand at the left of each row of panels, and nowhere else.
    for i, axes in enumerate(figure.axes):
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels == ([] if i % 3 else list(SETS))


def test_a_panel_shows_all_pieces_and_the_middle_half():
    axes = plot_measures(SETS).axes[0]
    values = [piece.stability.notes_a_second for piece in REAL]
    points = [c for c in axes.collections if isinstance(c, PathCollection)][0]
    assert points.get_offsets()[:, 0].tolist() == pytest.approx(values)
    boxes = [p for p in axes.patches if p.get_height() == 0.5]
    assert len(boxes) == 3
    assert (boxes[0].get_x(), boxes[0].get_x() + boxes[0].get_width()) == pytest.approx(
        tuple(np.percentile(values, (25, 75)))
    )
    low, high = axes.get_xlim()
    assert low < 0 < max(values) < high


def test_a_set_without_values_says_so():
    drift = plot_measures(SETS).axes[RANKED_BY.index("drift")]
    assert [text.get_text() for text in drift.texts] == ["none"]
    assert len([p for p in drift.patches if p.get_height() == 0.5]) == 2


@pytest.mark.parametrize(
    "sets",
    [{"files": QUIET}, {"files": QUIET[:1]}, {"real": REAL[:1]}, {"real": QUIET, "files": REAL}],
)
def test_any_sets_can_be_drawn(sets, tmp_path):
    ((_, file),) = draw_measures(sets, tmp_path)
    assert imread(tmp_path / file).std() > 0.01


def test_rolls_show_seed_and_continuation_silent_ones_too(tmp_path):
    excerpts = {"best": playing(1), "worst": silent(1)}
    pictures = draw_rolls("a/b, threshold", excerpts, tmp_path)
    assert pictures == [
        ("a/b, threshold, best: piece 1", "roll-a-b-threshold-best.png"),
        ("a/b, threshold, worst: silence 1", "roll-a-b-threshold-worst.png"),
    ]
    music, silence = (imread(tmp_path / file)[..., :3] for _, file in pictures)

    def ink(image):
        """Returns the share of dark pixels in the last third of the roll."""
        width = image.shape[1]
        return float((image[200:-150, width * 2 // 3 : -40].min(axis=-1) < 0.5).mean())

    assert ink(music) > 0.01
    assert ink(silence) == 0.0
