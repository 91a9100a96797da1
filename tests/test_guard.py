"""What leads playing astray is noticed, brought back to the seed, counted and told."""

from dataclasses import replace

import pytest
import torch
from conftest import tiny_config, tune

from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.playing.continuation import Continuation, continue_seed
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
)
from pyzzicato.playing.settings import GenerationSettings

SETTINGS = GenerationSettings(seconds=20.0, seed_seconds=4.0)


def test_a_key_struck_again_and_again_is_stuck() -> None:
    guard = Guard()
    astray = [guard.is_astray(0.2 * n, [40], 1) for n in range(MAX_STROKES)]
    assert astray == [False] * (MAX_STROKES - 1) + [True]
    assert guard.rescues == [Rescue(pytest.approx(0.2 * (MAX_STROKES - 1)), STUCK)]


def test_another_key_between_or_in_the_same_step_is_none_the_worse() -> None:
    guard = Guard()
    for n in range(5 * MAX_STROKES):
        assert not guard.is_astray(0.1 * n, [40, 47] if n % 3 else [40], 2)
        assert not guard.is_astray(0.1 * n + 0.05, [], 2)


def test_a_few_keys_are_struck_for_so_long_and_no_longer() -> None:
    for n_keys, is_circling in ((2, True), (CIRCLE_KEYS, True), (CIRCLE_KEYS + 1, False)):
        guard = Guard()
        astray = [guard.is_astray(0.1 * n, [40 + n % n_keys], 2) for n in range(CIRCLE_STROKES)]
        assert astray == [False] * (CIRCLE_STROKES - 1) + [is_circling]
        assert [rescue.reason for rescue in guard.rescues] == [CIRCLING] * is_circling
        # It begins to count anew.
        assert not guard.is_astray(0.1 * CIRCLE_STROKES + 3, [40], 2)


def test_most_of_the_keyboard_held_and_a_long_pause_are_noticed() -> None:
    guard = Guard()
    assert not guard.is_astray(1.0, [1, 2], MAX_KEYS)
    assert guard.is_astray(1.05, [3], MAX_KEYS + 1)
    assert not guard.is_astray(1.05 + MAX_PAUSE_S, [], 0)
    assert guard.is_astray(1.1 + MAX_PAUSE_S, [], 0)
    assert [rescue.reason for rescue in guard.rescues] == [DROWNED, SILENT]


def test_half_of_the_keyboard_may_be_held_for_a_while() -> None:
    guard = Guard()
    # The mean over time fades as 1 - exp(-t / HELD_S): of 48 keys 36 are reached by ln 4 of it.
    drowned_s = HELD_S * 1.3863
    for step in range(1, 1000):
        seconds = 0.05 * step
        if guard.is_astray(seconds, [step % 88], 48):
            break
    assert guard.rescues == [Rescue(pytest.approx(drowned_s, abs=0.051), DROWNED)]
    # However coarse the steps, and it begins to count anew.
    assert not guard.is_astray(seconds + drowned_s - 0.1, [1], 48)
    assert guard.is_astray(seconds + drowned_s + 0.1, [2], 48)
    for step in range(1, 1000):
        assert not guard.is_astray(100 + 0.05 * step, [step % 88], HELD_KEYS)


def test_rescues_keep_their_distance() -> None:
    guard = Guard()
    for n in range(100):
        guard.is_astray(0.05 * n, [], 88)
    times = [rescue.seconds for rescue in guard.rescues]
    assert times == pytest.approx([n * MIN_BETWEEN_S for n in range(round(5 / MIN_BETWEEN_S))])


def one_sided(reason: str) -> PyzzicatoModel:
    """Returns a debug model that does what the reason says, whatever it hears."""
    if reason == STUCK:
        model = PyzzicatoModel(tiny_config(representation="events", head="notes"))
        bias = model.head.own.bias
    else:
        model = PyzzicatoModel(tiny_config(backbone="lstm"))
        bias = model.head.out.bias
    with torch.no_grad():
        if reason == STUCK:
            bias[40] = 1000
            model.head.onset.bias.fill_(0)
            model.head.onset.bias[20] = 1000
        else:
            bias.fill_(1000 if reason == DROWNED else -1000)
    return model.eval()


@pytest.mark.parametrize("reason", [STUCK, DROWNED, SILENT])
def test_playing_is_brought_back_to_its_seed_and_says_so(reason: str) -> None:
    piece = continue_seed(one_sided(reason), tune(), SETTINGS)
    assert piece.rescues and {rescue.reason for rescue in piece.rescues} == {reason}
    assert piece.remarks == describe_rescues(piece.rescues)
    for rescue in piece.rescues:
        at = piece.seed_seconds + rescue.seconds
        # All keys are let go, and those of the seed are struck anew.
        assert not any(n.start < at - 1e-6 and n.end > at + 1e-6 for n in piece.new_notes)
    if reason == DROWNED:
        starts = {round(n.start - piece.seed_seconds, 2) for n in piece.new_notes}
        assert {round(r.seconds, 2) for r in piece.rescues if r.seconds < 20} <= starts


def test_after_a_rescue_the_model_has_heard_its_seed_and_nothing_else() -> None:
    """A model that plays what it remembers of the seed plays it again after each rescue."""
    model = one_sided(DROWNED)
    heard: list[int] = []
    stepper = model.stepper

    def listening(*told):  # type: ignore[no-untyped-def]
        made = stepper(*told)
        hear = made.hear
        made.hear = lambda steps: (heard.append(len(steps)), hear(steps))[1]
        return made

    model.stepper = listening  # type: ignore[method-assign]
    piece = continue_seed(model, tune(), SETTINGS)
    assert heard == [80] * (1 + len(piece.rescues))


@pytest.mark.parametrize("kind", ["events", "roll"])
def test_after_a_key_was_stuck_another_is_struck_first(kind: str) -> None:
    model = one_sided(STUCK)
    bias = model.head.own.bias
    if kind == "roll":
        model = PyzzicatoModel(tiny_config(head="joint", backbone="conv1d")).eval()
        bias = model.head.own.bias
    with torch.no_grad():
        if kind == "roll":
            # Now and then a key, most often one; none is held.
            model.head.stay.fill_(-20)
            bias.fill_(-8.0)
            bias[40] = 0.0
        else:
            # Three in four strokes, whatever was heard.
            model.head.own.weight.zero_()
            model.head.key.weight.zero_()
            bias.zero_()
            bias[40] = 5.5
    piece = continue_seed(model, tune(), replace(SETTINGS, seconds=120.0, rng=1))
    assert len(piece.rescues) > 2 and {rescue.reason for rescue in piece.rescues} == {STUCK}
    new = piece.continuation_only
    for rescue in piece.rescues:
        stuck = [n for n in new if n.start < rescue.seconds - 1e-6][-1]
        after = [n for n in new if n.start > rescue.seconds - 1e-6]
        assert stuck.pitch == 61 and (not after or after[0].pitch != 61)


def test_the_articles_way_is_left_as_it_is() -> None:
    piece = continue_seed(one_sided(DROWNED), tune(), replace(SETTINGS, threshold=0.5))
    assert piece.rescues == () and piece.remarks == ()
    assert len({n.pitch for n in piece.notes if n.end > 20}) == 88


def test_rescues_are_told_in_words() -> None:
    assert describe_rescues([]) == ()
    (one,) = describe_rescues([Rescue(12.34, STUCK)])
    assert one == "brought back to the seed at 12 s of the new music, when one key kept repeating"
    (more,) = describe_rescues([Rescue(3.0, SILENT), Rescue(40.0, STUCK), Rescue(60.0, STUCK)])
    assert "3 times, the first at 3 s" in more
    assert "one key kept repeating or nothing was played any more" in more


def test_a_piece_as_it_should_be_has_no_rescue() -> None:
    piece: Continuation = continue_seed(
        PyzzicatoModel(tiny_config(backbone="lstm")).eval(), tune(), SETTINGS
    )
    assert piece.rescues == ()
