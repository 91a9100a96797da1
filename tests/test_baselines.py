"""Baseline losses against hand-computed values."""

import math

import numpy as np
import pytest

from pyzzicato.training.baselines import Baselines, count_baselines


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
