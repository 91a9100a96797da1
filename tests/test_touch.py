"""Velocities for new notes, taken from the seed."""

import numpy as np
import pytest

from pyzzicato.notes import Note
from pyzzicato.representations.touch import SeedTouch


def seed_of(*strokes: tuple[int, int]) -> list[Note]:
    """Returns notes of (pitch, velocity), one after the other."""
    return [Note(p, float(i), i + 0.5, v) for i, (p, v) in enumerate(strokes)]


def test_velocities_stay_within_the_seeds_own() -> None:
    seed = seed_of(*[(40 + i % 30, 30 + i % 40) for i in range(60)])
    touch = SeedTouch(seed, rng=0)
    pitches = np.random.default_rng(0).integers(21, 109, size=300)
    velocities = [touch.velocity(int(pitch)) for pitch in pitches]
    assert 30 <= min(velocities) < max(velocities) <= 69
    assert len(set(velocities)) > 10


@pytest.mark.parametrize("velocity", [1, 127])
def test_the_ends_of_the_range_are_kept(velocity: int) -> None:
    touch = SeedTouch(seed_of((60, velocity)), rng=0)
    assert [touch.velocity(pitch) for pitch in (21, 60, 108)] == [velocity] * 3


def test_a_loud_melody_over_a_soft_bass_goes_on_so() -> None:
    seed = seed_of(*[(40, 20) if i % 2 else (80, 100) for i in range(40)])
    high, low = SeedTouch(seed, rng=0), SeedTouch(seed, rng=0)
    assert [high.velocity(84) for _ in range(8)][-1] == pytest.approx(100, abs=1)
    assert [low.velocity(36) for _ in range(8)][-1] == pytest.approx(20, abs=1)


def test_loudness_moves_half_way_at_each_note() -> None:
    # The last eight notes are all soft: the touch starts at 20 and finds 100 near pitch 80.
    seed = seed_of(*[(80, 100)] * 8, *[(40, 20)] * 8)
    touch = SeedTouch(seed, rng=0)
    assert [touch.velocity(80) for _ in range(3)] == [60, 80, 90]


def test_same_number_same_touch() -> None:
    seed = seed_of(*[(60, 10 + 10 * i) for i in range(10)])
    first, again, other = (
        [touch.velocity(60) for _ in range(20)]
        for touch in (SeedTouch(seed, 1), SeedTouch(seed, 1), SeedTouch(seed, 2))
    )
    assert first == again
    assert first != other


def test_without_a_seed_every_note_is_struck_alike() -> None:
    touch = SeedTouch([], rng=0)
    assert [touch.velocity(pitch) for pitch in (21, 60, 108)] == [64, 64, 64]
