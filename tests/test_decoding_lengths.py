"""Notes stay as long as the seed's are."""

import math
from collections.abc import Callable
from statistics import mean, median

import numpy as np
import pytest
from conftest import tune

from pyzzicato.hub import load_model
from pyzzicato.models.architecture import Architecture
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.playing.decoding.lengths import FEWEST_NOTES, LengthKeeper
from pyzzicato.playing.decoding.parts import Played
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations import representation_of
from pyzzicato.representations.event_bins import SIZES
from pyzzicato.representations.interface import Lengths
from pyzzicato.representations.touch import SeedTouch
from pyzzicato.seeds import list_seeds, load_seed

EVENTS = representation_of(Architecture("events"))
ROLL = representation_of(Architecture())
Push = Callable[[], float]


def lengths_of(seconds: float, n: int) -> Lengths:
    return EVENTS.lengths(EVENTS.encode([Note(60 + i % 5, i, i + seconds, 64) for i in range(n)]))


def seed_of(length_s: float, n: int = 20) -> list[Note]:
    return [Note(60 + i % 5, 0.4 * i, 0.4 * i + length_s, 64) for i in range(n)]


def keeper_of(length_s: float, n: int = 20) -> tuple[LengthKeeper, Push]:
    """Returns a keeper, and what gives its log-odds from the shortest to the longest length."""
    seed = seed_of(length_s, n)
    keeper = LengthKeeper(EVENTS.encode(seed), EVENTS)
    decoder = EVENTS.decoder(seed, 8.0, SeedTouch(seed, 0))

    def push() -> float:
        draw = Draw.neutral(4, 4, sum(SIZES))
        keeper.steer(draw, decoder)
        lengths = draw.bias[sum(SIZES[:2]) : sum(SIZES[:3])]
        assert (np.diff(lengths) >= 0).all() or (np.diff(lengths) <= 0).all()
        assert np.abs(draw.bias).sum() == pytest.approx(np.abs(lengths).sum())
        return float(lengths[-1] - lengths[0])

    return keeper, push


def test_short_notes_are_made_longer_and_long_ones_shorter() -> None:
    keeper, push = keeper_of(0.4)
    assert push() == 0 and keeper.n_acted == 0
    keeper.listen(Played(1.0, [60], 1, lengths_of(0.1, 12)))
    first = push()
    assert first > 1 and keeper.n_acted == 1
    keeper.listen(Played(2.0, [60], 1, lengths_of(0.1, 12)))
    assert push() > first
    keeper.begin_anew()
    assert push() == 0
    keeper.listen(Played(3.0, [60], 1, lengths_of(3.0, 12)))
    assert push() < -1


def test_what_is_far_away_is_not_pushed_beyond_measure() -> None:
    keeper, push = keeper_of(5.0)
    keeper.listen(Played(1.0, [60], 1, lengths_of(0.03, 500)))
    most = push()
    keeper.listen(Played(2.0, [60], 1, lengths_of(0.03, 500)))
    assert push() == most < 20


def test_few_notes_say_nothing() -> None:
    keeper, push = keeper_of(0.4, FEWEST_NOTES - 1)
    keeper.listen(Played(1.0, [60], 1, lengths_of(0.03, 50)))
    assert push() == 0 and keeper.n_acted == 0


def test_on_a_roll_keys_that_are_held_count_as_long_as_they_have_been() -> None:
    # Two notes of four frames and one of two that have ended; one of three that has not.
    frames = np.zeros((6, 88), dtype=np.uint8)
    frames[0:4, [10, 20]] = frames[1:3, 30] = frames[3:6, 40] = 1
    answer = ROLL.lengths(frames)
    assert answer.n_known == 3
    assert answer.e_folds == pytest.approx(math.log(4 * 4 * 2 * 3))
    # Step by step the same: the decoder has the seed's last keys.
    seed = [Note(61, 0.0, 9.0, 64)]
    decoder = ROLL.decoder(seed, 0.2, SeedTouch(seed, 0))
    assert decoder.lengths == (pytest.approx(math.log(4 / 3)), 0)
    decoder.play(decoder.present)
    assert decoder.lengths == (pytest.approx(math.log(5 / 4)), 0)
    decoder.play(np.zeros(88, dtype=np.uint8))
    assert decoder.lengths == (0, 1)


def test_on_a_roll_the_push_is_on_keys_that_sound() -> None:
    seed = tune(10)
    keeper = LengthKeeper(ROLL.encode(seed), ROLL)
    decoder = ROLL.decoder(seed, 10.0, SeedTouch(seed, 0))
    step = np.zeros(88, dtype=np.uint8)
    step[40] = 1
    decoder.play(step)
    keeper.listen(Played(1.0, [40], 1, Lengths(0.0, 12)))
    draw = Draw.neutral(88, 1, 88)
    keeper.steer(draw, decoder)
    assert draw.bias[40] > 0 and np.count_nonzero(draw.bias) == 1 and keeper.n_acted == 1


@pytest.mark.parametrize("name", ["lstm-events", "lstm"])
def test_presets_are_carried_on_with_notes_as_long_as_theirs(name: str) -> None:
    model = load_model(name)

    def away(preset: str, *without: str) -> float:
        """Returns by how many e-folds new notes are longer or shorter than the seed's."""
        answer = GenerationSettings(seconds=10, rng=1, without=without)
        piece = continue_seed(model, load_seed(preset).notes, answer)
        new, old = (
            median(math.log(note.duration) for note in notes)
            for notes in (piece.new_notes, piece.seed_notes)
        )
        return abs(new - old)

    names = [seed.name for seed in list_seeds()]
    with_it, without = (mean(away(name, *off) for name in names) for off in ((), ("lengths",)))
    assert with_it < 0.85 * without
