"""How a step is chosen: guidance, temperature, the draw and the cuts, by hand."""

import math

import numpy as np
import pytest

from pyzzicato.models import SamplingRule


class Given:
    """Stands for a generator whose next numbers are known."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = list(numbers)

    def random(self, n: int | None = None) -> np.ndarray | float:
        """Returns the next number, or the next n."""
        if n is None:
            return self.numbers.pop(0)
        taken, self.numbers = self.numbers[:n], self.numbers[n:]
        return np.array(taken)

    def logistic(self, size: int) -> np.ndarray:
        """Returns the log-odds of the next `size` numbers."""
        numbers = self.random(size)
        return np.log(numbers / (1 - numbers))


def silence(n: int) -> np.ndarray:
    """Returns a frame of n keys at rest."""
    return np.zeros(n, dtype=np.uint8)


def draws(rule: SamplingRule, logits: list[float], n: int, lowest: int = 0) -> np.ndarray:
    """Returns n choices."""
    given = np.array(logits, dtype=np.float32)
    rng = np.random.default_rng(0)
    return np.array([rule.choose(given, rng, lowest) for _ in range(n)])


def test_without_guidance_there_is_one_view_and_logits_stay_as_they_are() -> None:
    logits = np.array([3.0, -1.0], dtype=np.float32)
    assert SamplingRule().n_views == 1
    assert SamplingRule().guide([logits]) is logits


@pytest.mark.parametrize(
    ("guidance", "expected"), [(0.0, [1.0, -2.0]), (0.5, [2.0, -2.5]), (3.0, [7.0, -5.0])]
)
def test_guidance_by_hand(guidance: float, expected: list[float]) -> None:
    rule = SamplingRule(guidance=guidance)
    assert rule.n_views == 2
    # First the view with the composer, then the one without.
    given, plain = np.float32([3.0, -3.0]), np.float32([1.0, -2.0])
    guided = rule.guide([given, plain])
    assert guided.tolist() == pytest.approx(expected)
    assert guided.dtype == np.float32
    assert (given.tolist(), plain.tolist()) == ([3.0, -3.0], [1.0, -2.0])


def test_pacing_favours_longer_steps_in_proportion_and_the_longer_half_alike() -> None:
    onsets = np.float32([1.0, 2.0, 3.0, 0.0, 1.0])
    assert SamplingRule().pace(onsets) is onsets
    paced = SamplingRule(pacing=0.8).pace(onsets)
    assert paced.tolist() == pytest.approx([1.0, 2.4, 3.8, 0.8, 1.8])
    assert paced.dtype == np.float32


def test_holding_favours_longer_durations_in_proportion() -> None:
    durations = np.float32([1.0, 2.0, 3.0, 0.0, 1.0])
    assert SamplingRule(pacing=1.0).hold(durations) is durations
    held = SamplingRule(holding=0.8).hold(durations)
    assert held.tolist() == pytest.approx([1.0, 2.2, 3.4, 0.6, 1.8])
    assert held.dtype == np.float32


def test_a_choice_by_hand() -> None:
    # Chances of 1/2, 1/4 and 1/4: their sums are reached at 0.5, 0.75 and 1.
    logits = np.log(np.float32([2.0, 1.0, 1.0]))
    for number, choice in [(0.0, 0), (0.49, 0), (0.51, 1), (0.74, 1), (0.76, 2), (0.999, 2)]:
        assert SamplingRule().choose(logits, Given(number)) == choice
    # Half the temperature squares the chances: 4, 1 and 1 of 6.
    for number, choice in [(0.66, 0), (0.67, 1), (0.83, 1), (0.84, 2)]:
        assert SamplingRule(0.5).choose(logits, Given(number)) == choice
    for number, choice in [(0.66, 0), (0.67, 1), (0.83, 1), (0.84, 2)]:
        # The rule's own tempering holds where it is named.
        assert SamplingRule(tempering=0.1).choose(logits, Given(number), tempering=0.5) == choice
    # Of the last two alone each has one half.
    for number, choice in [(0.0, 1), (0.49, 1), (0.51, 2)]:
        assert SamplingRule().choose(logits, Given(number), lowest=1) == choice


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax_at_a_temperature(temperature: float) -> None:
    logits = [2.0, 0.0, -1.0, 1.0]
    drawn = draws(SamplingRule(temperature), logits, 20_000)
    weights = [math.exp(x / temperature) for x in logits]
    for choice, weight in enumerate(weights):
        # Six standard deviations are at most 6 * 0.5 / sqrt(20,000) = 0.021.
        assert np.mean(drawn == choice) == pytest.approx(weight / sum(weights), abs=0.022)


def test_choices_below_the_lowest_are_never_drawn_and_the_rest_keep_their_odds() -> None:
    logits = [9.0, 1.0, 0.0, 1.0]
    drawn = draws(SamplingRule(), logits, 20_000, lowest=2)
    assert set(drawn.tolist()) == {2, 3}
    assert np.mean(drawn == 3) == pytest.approx(1 / (1 + math.exp(-1)), abs=0.022)
    assert set(draws(SamplingRule(), logits, 50, lowest=3).tolist()) == {3}


@pytest.mark.parametrize("temperature", [0.01, 1.0, 4.0])
def test_extreme_logits_neither_overflow_nor_let_the_impossible_happen(temperature: float) -> None:
    rule = SamplingRule(temperature)
    for numbers in ([-1e4, 1e4, -1e4], [-3e38, 0.0, -3e38]):
        logits = np.array(numbers, dtype=np.float32)
        for number in (0.0, 0.5, 1 - 2**-53):
            assert rule.choose(logits, Given(number)) == 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_log_odds_pass_a_cut_where_the_number_is_below_the_chance(temperature: float) -> None:
    numbers = np.random.default_rng(1).random(500)
    cuts = SamplingRule(temperature).cuts(silence(500), Given(*numbers))
    assert cuts.shape == (500,)
    for log_odds in (-9.0, -1.5, 0.0, 0.3, 4.0):
        chance = 1 / (1 + math.exp(-log_odds / temperature))
        assert ((log_odds > cuts) == (numbers < chance)).all()


def test_cuts_by_hand() -> None:
    numbers = Given(0.5, 0.75, 0.1)
    expected = [0.0, 2 * math.log(3), -2 * math.log(9)]
    rule = SamplingRule(4.0, tempering=0.5)
    assert rule.cuts(silence(3), numbers).tolist() == pytest.approx(expected)


def test_cuts_are_drawn_anew_for_each_key() -> None:
    rng = np.random.default_rng(0)
    cuts = SamplingRule().cuts(silence(20_000), rng)
    # Those that log-odds of 1 pass, within six standard deviations of their chance.
    assert np.mean(cuts < 1) == pytest.approx(1 / (1 + math.exp(-1)), abs=0.02)
    assert not np.array_equal(cuts, SamplingRule().cuts(silence(20_000), rng))


def test_keys_at_rest_are_paced_and_sounding_ones_held() -> None:
    present = np.array([0, 1, 0], dtype=np.uint8)
    rule = SamplingRule(2.0, pacing=0.25, holding=1.5)
    expected = [0.25, 2 * math.log(3) - 1.5, -2 * math.log(9) + 0.25]
    assert rule.cuts(present, Given(0.5, 0.75, 0.1)).tolist() == pytest.approx(expected)


def test_by_a_threshold_all_cuts_are_its_log_odds_and_nothing_is_drawn() -> None:
    rule = SamplingRule(threshold=0.25, tempering=0.5, pacing=1.0, holding=1.0)
    present = np.array([0, 1, 1, 0], dtype=np.uint8)
    assert rule.cuts(present, Given()).tolist() == pytest.approx([-math.log(3)] * 4)
    assert SamplingRule(threshold=0.5).cuts(silence(1), Given()).tolist() == [0.0]
