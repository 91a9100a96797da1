"""Velocities for new notes, taken from the seed."""

import numpy as np
import pytest

from pyzzicato.notes import Note
from pyzzicato.representations.touch import SeedTouch


def seed_of(*strokes: tuple[int, int], every_s: float = 0.25) -> list[Note]:
    """Returns notes of (pitch, velocity), one after the other."""
    return [Note(p, i * every_s, (i + 0.9) * every_s, v) for i, (p, v) in enumerate(strokes)]


def chords(*pairs: tuple[tuple[int, int], ...], every_s: float = 0.5) -> list[Note]:
    """Returns chords of (pitch, velocity), one after the other."""
    return [
        Note(p, i * every_s, (i + 0.9) * every_s, v)
        for i, chord in enumerate(pairs)
        for p, v in chord
    ]


def test_velocities_stay_within_the_seeds_own() -> None:
    seed = seed_of(*[(40 + i % 30, 30 + i % 40) for i in range(60)])
    touch = SeedTouch(seed, rng=0)
    pitches = np.random.default_rng(0).integers(21, 109, size=300)
    velocities = [touch.strike([int(p)], 0.1 * i)[0] for i, p in enumerate(pitches)]
    assert 30 <= min(velocities) < max(velocities) <= 69
    assert len(set(velocities)) > 10


@pytest.mark.parametrize("velocity", [1, 64, 127])
def test_who_plays_evenly_goes_on_evenly(velocity: int) -> None:
    touch = SeedTouch(seed_of(*[(60, velocity), (72, velocity)] * 10), rng=0)
    made = [v for i in range(60) for v in touch.strike([40, 60, 80][: 1 + i % 3], 0.05 * i)]
    assert set(made) == {velocity}


def test_a_melody_stands_out_from_the_chord_below_it() -> None:
    seed = chords(*[((48, 40), (55, 40), (64, 42), (76, 80))] * 12)
    touch = SeedTouch(seed, rng=0)
    made = np.array([touch.strike([48, 55, 64, 76], 0.5 * i) for i in range(20)])
    assert made[:, 3].mean() - made[:, :3].mean() > 30
    # It is the place in the chord that counts: the same key below another is accompaniment.
    below = [touch.strike([69, 81], 10 + 0.5 * i)[0] for i in range(20)]
    above = [touch.strike([57, 69], 20 + 0.5 * i)[1] for i in range(20)]
    assert np.mean(above) - np.mean(below) > 25
    # And so is one struck below a key that sounds on.
    held = [touch.strike([69], 30 + 0.5 * i, sounding=81)[0] for i in range(20)]
    assert np.mean(above) - np.mean(held) > 25


def test_the_level_begins_where_the_seed_ends_and_returns_to_its_mean() -> None:
    seed = seed_of(*[(60, 50 + (i % 5)) for i in range(40)], *[(60, 90)] * 12)
    first = [SeedTouch(seed, rng=k).strike([60], 0.1)[0] for k in range(40)]
    later = [SeedTouch(seed, rng=k).strike([60], 40.0)[0] for k in range(40)]
    mean = np.mean([note.velocity for note in seed])
    assert np.mean(first) > 80
    assert abs(np.mean(later) - mean) < 12 < np.mean(first) - np.mean(later)


def test_more_notes_are_louder_where_the_seed_has_dynamics() -> None:
    seed = seed_of(*[(60 + i % 5, 40 + 2 * (i % 30)) for i in range(60)])

    def played(every_s: float) -> float:
        touch = SeedTouch(seed, rng=3)
        times = np.arange(0, 20, every_s)
        return float(np.mean([touch.strike([60], float(at))[0] for at in times]))

    assert played(0.1) > played(0.5) + 5


def test_same_number_same_touch() -> None:
    seed = seed_of(*[(60, 10 + 10 * i) for i in range(10)])
    first, again, other = (
        [touch.strike([60], 0.2 * i)[0] for i in range(20)]
        for touch in (SeedTouch(seed, 1), SeedTouch(seed, 1), SeedTouch(seed, 2))
    )
    assert first == again
    assert first != other


def test_without_a_seed_every_note_is_struck_alike() -> None:
    assert SeedTouch([], rng=0).strike([21, 60, 108], 1.0) == [64, 64, 64]
