"""What leads playing astray is noticed, brought back to the seed, counted and reported."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from made_graphs import made_events, made_roll, only

from pyzzicato.models.architecture import Architecture
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import Continuation, continue_seed
from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.playing.decoding.guard import (
    CIRCLE_KEYS,
    CIRCLE_STROKES,
    CIRCLING,
    DROWNED,
    HELD_KEYS,
    HELD_S,
    MAX_KEYS,
    MAX_PAUSE_S,
    MAX_STROKES,
    MIN_BETWEEN_S,
    SILENT,
    STUCK,
    Guard,
    Rescue,
    describe_rescues,
    faults_of,
)
from pyzzicato.playing.decoding.parts import Played
from pyzzicato.playing.graph import GraphRun
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations import Steps, representation_of
from pyzzicato.representations.touch import SeedTouch

SETTINGS = GenerationSettings(seconds=20.0, seed_seconds=4.0)
ROLL = representation_of(Architecture())


def is_astray(guard: Guard, seconds: float, struck: Sequence[int], n_sounding: int) -> bool:
    """Returns whether the guard wants a rescue after a step."""
    guard.listen(Played(seconds, struck, n_sounding))
    wants = guard.take_rescue()
    # It says so once.
    assert not guard.take_rescue()
    return wants


def test_a_key_struck_again_and_again_is_stuck() -> None:
    guard = Guard(ROLL)
    astray = [is_astray(guard, 0.2 * n, [40], 1) for n in range(MAX_STROKES)]
    assert astray == [False] * (MAX_STROKES - 1) + [True]
    assert guard.rescues == [Rescue(pytest.approx(0.2 * (MAX_STROKES - 1)), STUCK)]


def test_what_a_guard_would_have_heard_is_known_of_a_piece_that_was_played_without_it() -> None:
    assert not faults_of(tune(30), 15.0, ROLL)
    one_key = [Note(60, i / 4, i / 4 + 0.2, 60) for i in range(40)]
    assert {its.reason for its in faults_of(one_key, 40.0, ROLL)} == {STUCK, SILENT}
    circle = [Note((60, 64, 67)[i % 3], i / 8, i / 8 + 0.1, 60) for i in range(CIRCLE_STROKES)]
    assert [its.reason for its in faults_of(circle, 12.0, ROLL)] == [CIRCLING]


def test_another_key_between_or_in_the_same_step_is_none_the_worse() -> None:
    guard = Guard(ROLL)
    # So often that none of the two keys is stuck, and they do not circle yet.
    for n in range(3 * MAX_STROKES):
        assert not is_astray(guard, 0.1 * n, [40, 47] if n % 3 else [40], 2)
        assert not is_astray(guard, 0.1 * n + 0.05, [], 2)


def test_a_few_keys_are_struck_for_so_long_and_no_longer() -> None:
    for n_keys, is_circling in ((2, True), (CIRCLE_KEYS, True), (CIRCLE_KEYS + 1, False)):
        guard = Guard(ROLL)
        astray = [is_astray(guard, 0.1 * n, [40 + n % n_keys], 2) for n in range(CIRCLE_STROKES)]
        assert astray == [False] * (CIRCLE_STROKES - 1) + [is_circling]
        assert [rescue.reason for rescue in guard.rescues] == [CIRCLING] * is_circling
        # It begins to count anew.
        assert not is_astray(guard, 0.1 * CIRCLE_STROKES + 3, [40], 2)


def test_most_of_the_keyboard_held_and_a_long_pause_are_noticed() -> None:
    guard = Guard(ROLL)
    assert not is_astray(guard, 1.0, [1, 2], MAX_KEYS)
    assert is_astray(guard, 1.05, [3], MAX_KEYS + 1)
    assert not is_astray(guard, 1.05 + MAX_PAUSE_S, [], 0)
    assert is_astray(guard, 1.1 + MAX_PAUSE_S, [], 0)
    assert [rescue.reason for rescue in guard.rescues] == [DROWNED, SILENT]


def test_half_of_the_keyboard_may_be_held_for_a_while() -> None:
    guard = Guard(ROLL)
    # The mean over time fades as 1 - exp(-t / HELD_S): of 48 keys 36 are reached by ln 4 of it.
    drowned_s = HELD_S * 1.3863
    for step in range(1, 1000):
        seconds = 0.05 * step
        if is_astray(guard, seconds, [step % 88], 48):
            break
    assert guard.rescues == [Rescue(pytest.approx(drowned_s, abs=0.051), DROWNED)]
    # However coarse the steps, and it begins to count anew.
    assert not is_astray(guard, seconds + drowned_s - 0.1, [1], 48)
    assert is_astray(guard, seconds + drowned_s + 0.1, [2], 48)
    for step in range(1, 1000):
        assert not is_astray(guard, 100 + 0.05 * step, [step % 88], HELD_KEYS)


def test_rescues_keep_their_distance() -> None:
    guard = Guard(ROLL)
    for n in range(100):
        is_astray(guard, 0.05 * n, [], 88)
    times = [rescue.seconds for rescue in guard.rescues]
    assert times == pytest.approx([n * MIN_BETWEEN_S for n in range(round(5 / MIN_BETWEEN_S))])


def test_the_key_that_was_stuck_is_not_struck_first() -> None:
    guard = Guard(ROLL)
    seed = [Note(60, 0.0, 0.5, 40), Note(67, 0.0, 1.0, 40)]
    decoder = ROLL.decoder(seed, 1.0, SeedTouch(seed, 0))

    def bias() -> list[float]:
        draw = Draw.neutral(88, 1, 88)
        guard.steer(draw, decoder)
        return draw.bias.tolist()

    assert not any(bias())
    for n in range(MAX_STROKES):
        guard.listen(Played(0.2 * n, [40], 1))
    assert guard.take_rescue() and guard.avoided == 40
    assert bias() == ROLL.avoid(40, decoder).tolist() and any(bias())
    # Until another was struck.
    guard.listen(Played(3.0, [], 0))
    assert guard.avoided == 40
    guard.listen(Played(3.05, [41], 1))
    assert guard.avoided is None and not any(bias())
    assert guard.n_acted == 1


def one_sided(reason: str, folder: Path) -> Model:
    """Returns a model that does what the reason says, whatever was played."""
    if reason == STUCK:
        return made_events(folder, pitch=only(40, 88), onset=only(20, 57))
    return made_roll(folder, 50.0 if reason == DROWNED else -50.0)


@pytest.mark.parametrize("reason", [STUCK, DROWNED, SILENT])
def test_playing_is_brought_back_to_its_seed_and_says_so(reason: str, tmp_path: Path) -> None:
    model = one_sided(reason, tmp_path)
    piece = continue_seed(model, tune(), SETTINGS)
    assert piece.rescues and {rescue.reason for rescue in piece.rescues} == {reason}
    assert piece.remarks == describe_rescues(piece.rescues)
    # Two may follow in the step that reaches over the end.
    assert 0 <= piece.acted["guard"] - len(piece.rescues) <= 1
    left = continue_seed(model, tune(), replace(SETTINGS, without=("guard",)))
    assert (left.rescues, left.remarks) == ((), ()) and "guard" not in left.acted
    for rescue in piece.rescues:
        at = piece.seed_seconds + rescue.seconds
        # All keys are let go, and those of the seed are struck anew.
        assert not any(n.start < at - 1e-6 and n.end > at + 1e-6 for n in piece.new_notes)
    if reason == DROWNED:
        starts = {round(n.start - piece.seed_seconds, 2) for n in piece.new_notes}
        assert {round(r.seconds, 2) for r in piece.rescues if r.seconds < 20} <= starts


@pytest.mark.parametrize("seed_seconds", [4.0, 30.0])
def test_after_a_rescue_the_network_is_fed_its_seed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed_seconds: float
) -> None:
    fed: list[Steps] = []
    feed = GraphRun.feed

    def listening(run: GraphRun, steps: Steps) -> None:
        assert run._latest is None
        fed.append(steps)
        feed(run, steps)

    monkeypatch.setattr(GraphRun, "feed", listening)
    notes = tune(31)
    settings = replace(SETTINGS, seed_seconds=seed_seconds)
    piece = continue_seed(one_sided(DROWNED, tmp_path), notes, settings)
    whole, *again = fed
    assert len(whole) == 20 * seed_seconds and len(again) >= len(piece.rescues) > 0
    # Of a long seed its last 20 s.
    assert all(np.array_equal(steps, whole[-400:]) for steps in again)


@pytest.mark.parametrize("kind", ["events", "roll"])
def test_after_a_key_was_stuck_another_is_struck_first(kind: str, tmp_path: Path) -> None:
    if kind == "events":
        # Nine in ten strokes are of one key.
        pitch = [np.log(9 * 87) if key == 40 else 0.0 for key in range(88)]
        model = made_events(tmp_path, pitch=pitch)
    else:
        # Now and then a key, most often one; none is held.
        log_odds = [0.0 if key == 40 else -8.0 for key in range(88)]
        model = made_roll(tmp_path, log_odds, stay=-20.0)
    piece = continue_seed(model, tune(), replace(SETTINGS, seconds=120.0, rng=1))
    assert len(piece.rescues) > 2 and {rescue.reason for rescue in piece.rescues} == {STUCK}
    new = piece.continuation_only
    for rescue in piece.rescues:
        stuck = [n for n in new if n.start < rescue.seconds - 1e-6][-1]
        after = [n for n in new if n.start > rescue.seconds - 1e-6]
        assert stuck.pitch == 61
        # Of note events several may be struck at once.
        assert not after or {n.pitch for n in after if n.start == after[0].start} != {61}


def test_the_articles_way_is_left_as_it_is(tmp_path: Path) -> None:
    settings = replace(SETTINGS, threshold=0.5)
    piece = continue_seed(one_sided(DROWNED, tmp_path), tune(), settings)
    assert piece.rescues == () and piece.remarks == ()
    assert len({n.pitch for n in piece.notes if n.end > 20}) == 88
    assert piece.acted == {"threshold": 400}


def test_rescues_are_reported_in_words() -> None:
    assert describe_rescues([]) == ()
    (one,) = describe_rescues([Rescue(12.34, STUCK)])
    assert one == "brought back to the seed at 12 s of the new music, when one key kept repeating"
    (more,) = describe_rescues([Rescue(3.0, SILENT), Rescue(40.0, STUCK), Rescue(60.0, STUCK)])
    assert "3 times, the first at 3 s" in more
    assert "one key kept repeating or nothing was played any more" in more


def test_a_piece_as_it_should_be_has_no_rescue(tmp_path: Path) -> None:
    piece: Continuation = continue_seed(made_roll(tmp_path, -5.0, 7.0), tune(), SETTINGS)
    assert piece.rescues == () and len(piece.new_notes) > 10
