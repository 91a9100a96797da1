"""Baseline losses against hand-computed values."""

import math

import numpy as np
import pytest

from pyzzicato.representations.event_bins import SIZES
from pyzzicato.training.baselines import (
    Baselines,
    count_baselines,
    count_event_baselines,
)


def piece_of(*rows: tuple[int, ...]) -> np.ndarray:
    """Returns `(T, 88)` frames with these keys sounding."""
    frames = np.zeros((len(rows), 88), np.uint8)
    for t, keys in enumerate(rows):
        frames[t, list(keys)] = 1
    return frames


def test_counts_by_hand() -> None:
    pieces = [piece_of((0,), (0, 1), (1,)), piece_of((0,), ())]
    counted = count_baselines(pieces)
    # Key 0 sounds in 3 of 5 frames, key 1 in 2; each count smoothed by one.
    assert counted.key_chances[:3].tolist() == pytest.approx([4 / 7, 3 / 7, 1 / 7])
    # Of 4 sounding keys before another frame (0, 0, 1 and 0) two go on; one of 3 * 88 - 4 starts.
    assert counted.stay_chance == pytest.approx(3 / 6)
    assert counted.start_chance == pytest.approx(2 / (3 * 88 - 4 + 2))


def test_nothing_is_counted_across_the_border_of_two_pieces() -> None:
    apart = count_baselines([piece_of((0,)), piece_of((0,))])
    assert apart.stay_chance == pytest.approx(1 / 2)
    assert apart.start_chance == pytest.approx(1 / 2)


def test_losses_by_hand() -> None:
    baselines = Baselines(np.array([0.5] + [0.1] * 87), stay_chance=0.8, start_chance=0.01)
    pieces = [piece_of((0,), (0, 1)), piece_of((), (), (0,))]
    # The first frame of a piece is seen and not scored.
    silent = -math.log(0.9)
    frequency = [
        -math.log(0.5) - math.log(0.1) + 86 * silent,
        -math.log(0.5) + 87 * silent,
        -math.log(0.5) + 87 * silent,
    ]
    assert baselines.frequency_nll(pieces) == pytest.approx(sum(frequency) / 3)
    rest = -math.log(0.99)
    copy = [
        -math.log(0.8) - math.log(0.01) + 86 * rest,
        88 * rest,
        -math.log(0.01) + 87 * rest,
    ]
    assert baselines.copy_nll(pieces) == pytest.approx(sum(copy) / 3)


def test_the_copy_wins_where_notes_are_held_and_loses_where_they_never_are() -> None:
    held = [piece_of(*[(t // 20,) for t in range(200)])]
    assert count_baselines(held).copy_nll(held) < count_baselines(held).frequency_nll(held)
    # Two keys take turns: the copy is wrong each time, their shares are not.
    restless = [piece_of(*[(t % 2,) for t in range(200)])]
    counted = count_baselines(restless)
    assert counted.copy_nll(restless) > counted.frequency_nll(restless)


@pytest.mark.parametrize("pieces", [[], [piece_of((0,))]])
def test_nothing_to_measure_is_refused(pieces: list[np.ndarray]) -> None:
    baselines = count_baselines([piece_of((0,), (0,))])
    with pytest.raises(ValueError, match="at least two frames"):
        baselines.copy_nll(pieces)
    with pytest.raises(ValueError, match="at least two frames"):
        baselines.frequency_nll(pieces)


def notes_of(*rows: tuple[int, int, int, int]) -> np.ndarray:
    """Returns `(N, 4)` note events."""
    return np.array(rows, dtype=np.uint8).reshape(-1, 4)


# Of each piece all notes but the first are counted, each after the one before it.
TWO_PIECES = [
    notes_of((0, 40, 5, 8), (3, 40, 5, 8), (3, 44, 5, 8), (0, 40, 5, 8)),
    notes_of((9, 9, 9, 9), (3, 40, 5, 8)),
]


def test_event_counts_by_hand() -> None:
    counted = count_event_baselines(TWO_PIECES)
    assert [c.shape for c in counted.chances] == [(n,) for n in SIZES]
    assert [c.shape for c in counted.after] == [(n, n) for n in SIZES]
    for chances, after in zip(counted.chances, counted.after, strict=True):
        assert chances.sum() == pytest.approx(1.0)
        assert after.sum(axis=1) == pytest.approx(1.0)
    # Each pair counts one more than it was met: 88 * 88 pairs of pitches, 4 met.
    cells = 88 * 88 + 4
    assert counted.chances[1][40] == pytest.approx((88 + 3) / cells)
    assert counted.chances[1][44] == pytest.approx((88 + 1) / cells)
    assert counted.chances[1][9] == pytest.approx(88 / cells)
    # After 40 came 40 and 44, once each.
    assert counted.after[1][40, 40] == counted.after[1][40, 44] == pytest.approx(2 / 90)
    assert counted.after[1][40, 9] == pytest.approx(1 / 90)
    assert counted.after[1][9, 40] == pytest.approx(2 / 89)
    # Never met: all alike.
    assert counted.after[1][70].tolist() == pytest.approx([1 / 88] * 88)
    assert counted.after[0][3, 3] == counted.after[0][3, 0] == pytest.approx(2 / 59)


def test_event_losses_by_hand() -> None:
    counted = count_event_baselines(TWO_PIECES)
    piece = notes_of((3, 40, 5, 8), (3, 44, 5, 8), (0, 70, 5, 8))
    onset, pitch, duration, velocity = counted.chances
    # The first note of a piece is seen and not scored.
    frequency = onset[3] * pitch[44] * duration[5] * velocity[8]
    frequency *= onset[0] * pitch[70] * duration[5] * velocity[8]
    assert counted.frequency_nll([piece]) == pytest.approx(-math.log(frequency) / 2)
    onset, pitch, duration, velocity = counted.after
    markov = onset[3, 3] * pitch[40, 44] * duration[5, 5] * velocity[8, 8]
    markov *= onset[3, 0] * pitch[44, 70] * duration[5, 5] * velocity[8, 8]
    assert counted.markov_nll([piece]) == pytest.approx(-math.log(markov) / 2)
    # Each note weighs the same, in whatever piece it is.
    alone, together = (
        counted.markov_nll([TWO_PIECES[1]]),
        counted.markov_nll([piece, TWO_PIECES[1]]),
    )
    assert together == pytest.approx((-math.log(markov) + alone) / 3)


def test_nothing_is_learnt_across_the_border_of_two_pieces_of_events() -> None:
    apart = count_event_baselines([notes_of((1, 2, 3, 4)), notes_of((5, 6, 7, 8)), notes_of()])
    for chances in apart.chances:
        assert chances == pytest.approx(np.full(len(chances), 1 / len(chances)))


def test_what_came_before_predicts_more_than_shares_where_it_matters() -> None:
    figure = [notes_of(*[(t % 3, 40 + t % 4, t % 5, t % 2) for t in range(400)])]
    counted = count_event_baselines(figure)
    assert counted.markov_nll(figure) < 0.5 * counted.frequency_nll(figure)


@pytest.mark.parametrize("pieces", [[], [notes_of((0, 0, 0, 0))]])
def test_no_event_to_measure_is_refused(pieces: list[np.ndarray]) -> None:
    counted = count_event_baselines(TWO_PIECES)
    with pytest.raises(ValueError, match="at least two notes"):
        counted.frequency_nll(pieces)
    with pytest.raises(ValueError, match="at least two notes"):
        counted.markov_nll(pieces)
