"""Note density: read off a model's steps, what is meant, and keeping near that."""

import math
from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from made_graphs import made_events, made_roll

from pyzzicato.hub import load_model
from pyzzicato.models.architecture import COMPOSERS, Architecture
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding.density import (
    FEWEST_STROKES,
    FURTHEST,
    KEPT,
    USUAL,
    USUAL_OF,
    VARIETY,
    DensityKeeper,
    density_to_come,
    note_density,
    seed_evidence,
)
from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.playing.decoding.parts import Played
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations import Representation, representation_of
from pyzzicato.representations.touch import SeedTouch

ROLL = representation_of(Architecture())
EVENTS = representation_of(Architecture("events"))
BOTH = {"roll": ROLL, "events": EVENTS}


def notes_every(seconds: float, n: int) -> list[Note]:
    """Returns `n` short notes at a steady pace, from 0."""
    return [Note(40 + i % 30, i * seconds, i * seconds + 0.1, 64) for i in range(n)]


def test_a_roll_and_note_events_have_the_density_of_their_notes() -> None:
    notes = notes_every(0.25, 41)
    assert note_density(ROLL.encode(notes, 10.05), ROLL) == pytest.approx(4.0)
    assert note_density(EVENTS.encode(notes), EVENTS) == pytest.approx(4.0, rel=0.05)


def test_held_notes_are_struck_once() -> None:
    frames = np.zeros((101, 88), dtype=np.uint8)
    # The keys of the first frame were struck before it.
    frames[:50, 10:20] = 1
    frames[60:, 30:40] = 1
    assert note_density(frames, ROLL) == pytest.approx(10 / 5)


def test_a_few_strokes_say_nothing() -> None:
    for representation in BOTH.values():
        for n, tells in ((1, False), (FEWEST_STROKES, False), (FEWEST_STROKES + 1, True)):
            steps = representation.encode(notes_every(0.5, n))
            assert (note_density(steps, representation) is not None) == tells
    chord = EVENTS.encode([Note(40 + i, 0.0, 1.0, 64) for i in range(20)])
    assert note_density(chord, EVENTS) is None


def test_what_follows_a_seed_is_meant_a_little_nearer_to_the_usual() -> None:
    meant = [
        density_to_come(
            EVENTS.encode(notes_every(1 / density, round(10 * density) + 1)),
            EVENTS,
            None,
            np.random.default_rng(0),
        )
        for density in (1, 2, 9.4, 20, 40)
    ]
    assert meant == pytest.approx([2.1, 3.3, 9.4, 15.6, 24.8], rel=0.05)


def test_a_density_that_a_seed_does_not_show_is_drawn_as_the_composers_pieces_vary() -> None:
    note = EVENTS.encode(notes_every(1.0, 1))

    def drawn(composer: str | None) -> np.ndarray:
        rngs = map(np.random.default_rng, range(400))
        densities = [density_to_come(note, EVENTS, composer, rng) for rng in rngs]
        again = density_to_come(note, EVENTS, composer, np.random.default_rng(7))
        assert again == densities[7]
        return np.log(densities)

    for composer, usual in ((None, USUAL), ("nobody known", USUAL), ("liszt", USUAL_OF["liszt"])):
        assert drawn(composer).mean() == pytest.approx(np.log(usual), abs=0.07)
        assert drawn(composer).std() == pytest.approx(VARIETY, rel=0.15)
    assert set(USUAL_OF) == set(COMPOSERS)


@pytest.mark.parametrize("kind", BOTH)
def test_the_shorter_a_seed_the_less_its_density_is_kept(kind: str) -> None:
    representation = BOTH[kind]

    def meant(seconds: float) -> float:
        notes = notes_every(0.05, round(seconds / 0.05) + 1)
        seed = representation.encode(notes, seconds + 0.05)
        assert note_density(seed, representation) == pytest.approx(20, rel=0.05)
        answer = seed_evidence(seed, representation)
        found = density_to_come(seed, representation, None, np.random.default_rng(0))
        assert found == pytest.approx(USUAL * (20 / USUAL) ** (KEPT * answer), rel=0.1)
        return found

    found = [meant(seconds) for seconds in (0.25, 0.5, 1.0, 2.0, 4.0, 10.0)]
    assert found == sorted(found)
    assert found[0] < 1.05 * USUAL and found[-1] == pytest.approx(15.6, rel=0.05)
    one = representation.encode(notes_every(1.0, 1))
    assert seed_evidence(one, representation) == 0


def test_four_notes_of_no_length_do_not_set_the_density() -> None:
    """Without the keeper they do at times: 29 notes a second in one of these draws."""
    model = load_model("lstm-events")
    seed = [Note(p, at, at + 0.03, 64) for p, at in ((60, 0), (62, 0), (66, 0.5), (67, 0.5))]

    def notes_in_all(*without: str) -> int:
        draws = [GenerationSettings(10.0, rng=rng, without=without) for rng in range(1, 9)]
        return sum(len(continue_seed(model, seed, draw).new_notes) for draw in draws)

    assert notes_in_all() < 0.75 * notes_in_all("density")


# ---- Keeping near it ----------------------------------------------------------------------------


def after(density: float, seconds: float, representation: Representation = EVENTS) -> DensityKeeper:
    """Returns a keeper of 8 notes a second that has counted so many, ten times a second."""
    keeper = DensityKeeper(8.0, representation)
    for step in range(1, round(10 * seconds) + 1):
        n_struck = round(density / 10 * step) - round(density / 10 * (step - 1))
        keeper.listen(Played(step / 10, [40] * n_struck, 1))
    return keeper


def test_near_the_target_playing_is_left_alone() -> None:
    assert DensityKeeper(8.0, ROLL).push == 0
    for density in (7.0, 8.0, 9.5):  # Of note events.
        assert after(density, 100).push == 0


@pytest.mark.parametrize("kind", BOTH)
def test_beyond_it_playing_is_pushed_back_the_more_the_further(kind: str) -> None:
    push, free, _, most = BOTH[kind].density_hold
    free = math.log(free)
    for density in (2.0, 5.0, 7.0, 9.0, 11.0, 16.0, 32.0):
        away = math.log(density / 8)
        beyond = math.copysign(max(0.0, abs(away) - free), away)
        expected = max(-most, min(most, push * beyond))
        assert after(density, 200, BOTH[kind]).push == pytest.approx(expected, rel=0.08)
    bound = min(most, push * (FURTHEST - free))
    assert after(800, 200, BOTH[kind]).push == pytest.approx(bound)
    assert after(0, 500, BOTH[kind]).push == pytest.approx(-bound)


def test_the_less_a_seed_shows_the_sooner_playing_is_pushed() -> None:
    def push(given: float) -> float:
        keeper = DensityKeeper(8.0, EVENTS, given)
        for step in range(1, 31):
            keeper.listen(Played(step / 10, [40, 41], 2))
        return keeper.push

    assert push(0.0) > push(0.5) > push(1.0) > 0


def test_what_is_asked_for_is_kept_more_firmly() -> None:
    def push(asked: float) -> float:
        keeper = DensityKeeper(8.0, EVENTS, asked=asked)
        for step in range(1, 201):
            keeper.listen(Played(step / 10, [40], 1))  # Ten a second.
        return keeper.push

    assert push(1.0) == 0 < push(1.1) < push(1.25) == push(2.0)
    assert push(1 / 1.1) == pytest.approx(push(1.1)) and push(0.5) == push(2.0)


def test_what_was_counted_fades() -> None:
    # From 8 to nothing: a fifth less after the logarithm of 1.25 times 15 s.
    _, free, counted_s, _ = EVENTS.density_hold
    free_s = counted_s * math.log(free)
    assert after(0, free_s - 0.2).push == 0 > after(0, free_s + 0.2).push
    # However coarse the steps.
    coarse = DensityKeeper(8.0, EVENTS)
    coarse.listen(Played(20.0, [40], 1))
    assert coarse.push == pytest.approx(after(0, 20.0).push, rel=0.1)


@pytest.mark.parametrize("kind", BOTH)
def test_the_push_goes_into_the_bias_and_is_counted(kind: str) -> None:
    representation = BOTH[kind]
    decoder = representation.decoder(tune(2), 2.0, SeedTouch(tune(2), 0))
    n_logits = sum(representation.numbers.values())
    for keeper, acts in ((after(8, 100, representation), 0), (after(32, 100, representation), 1)):
        draw = Draw.neutral(1, 1, n_logits)
        keeper.steer(draw, decoder)
        assert draw.bias.tolist() == representation.sparser(keeper.push, decoder).tolist()
        assert bool(draw.bias.any()) == bool(acts) and keeper.n_acted == acts
    keeper.begin_anew()
    assert keeper.push == 0


@pytest.mark.parametrize("kind", BOTH)
def test_every_model_plays_more_notes_or_fewer_when_asked(kind: str, tmp_path: Path) -> None:
    """Also one that knows of no densities; and none is kept where the keeper is off."""
    model = made_roll(tmp_path, -5.0, 7.0) if kind == "roll" else made_events(tmp_path)

    def n_notes(density: float, *without: str) -> int:
        settings = GenerationSettings(60.0, density=density, without=without)
        return len(continue_seed(model, tune(), settings).new_notes)

    few, some, many = (n_notes(density) for density in (0.5, 1.0, 2.0))
    assert few < some < many and many > 2 * few
    assert n_notes(0.5, "density") == n_notes(2.0, "density")
