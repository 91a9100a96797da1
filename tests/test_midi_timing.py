"""Ticks, seconds, bars and grids of a tempo map, against values found by hand."""

import random

import pytest

from pyzzicato.midi import KeySignature, Metre, Tempo, Timing

# 120 a minute, from tick 960 (1 s) on 60, from tick 1440 (2 s) on 240.
TIMING = Timing(
    480,
    (Tempo(0, 500_000), Tempo(960, 1_000_000), Tempo(1440, 250_000)),
    (Metre(0, 3, 4), Metre(2880, 6, 8)),
    (KeySignature(0, 2, False), KeySignature(1440, -1, True)),
)


@pytest.mark.parametrize(
    ("tick", "seconds"), [(0, 0), (480, 0.5), (960, 1), (1200, 1.5), (1440, 2), (2400, 2.5)]
)
def test_seconds_and_ticks(tick: int, seconds: float) -> None:
    assert TIMING.seconds_at(tick) == seconds
    assert TIMING.tick_at(seconds) == pytest.approx(tick, abs=1e-9)


def test_each_tick_comes_back_whatever_the_tempos() -> None:
    rng = random.Random(0)
    ticks = sorted(rng.sample(range(1, 10**6), 50))
    tempos = [Tempo(0, 500_000), *(Tempo(t, rng.randint(20_000, 2**24 - 1)) for t in ticks)]
    timing = Timing(rng.randint(1, 32_767), tuple(tempos))
    for _ in range(500):
        tick = rng.randrange(2 * 10**6)
        assert round(timing.tick_at(timing.seconds_at(tick))) == tick


@pytest.mark.parametrize(
    ("tick", "bar", "after"),
    [(0, 0, 1440), (1439, 0, 1440), (1440, 1440, 2880), (2879, 1440, 2880), (2880, 2880, 4320)],
)
def test_bars(tick: int, bar: int, after: int) -> None:
    assert (TIMING.bar_at(tick), TIMING.bar_after(tick)) == (bar, after)


def test_bars_are_of_four_quarters_until_a_metre_says_otherwise() -> None:
    timing = Timing(100, metres=(Metre(600, 2, 4),))
    assert [timing.bar_at(tick) for tick in (399, 400, 599, 600, 801)] == [0, 400, 400, 600, 800]
    assert timing.bar_after(500) == 600


def test_what_holds_at_a_tick_holds_from_the_beginning_of_what_begins_there() -> None:
    later = TIMING.begun_at(1200)
    assert later.tempos == ((0, 1_000_000), (240, 250_000))
    assert [metre[:3] for metre in later.metres] == [(0, 3, 4), (1680, 6, 8)]
    assert later.keys == ((0, 2, False), (240, -1, True))
    assert later.seconds_at(240) == TIMING.seconds_at(1440) - TIMING.seconds_at(1200)
    assert TIMING.begun_at(0) == TIMING


def test_finer_ticks_change_no_time() -> None:
    finer = TIMING.finer(3)
    assert finer.resolution == 1440
    assert [finer.seconds_at(3 * t) for t in (700, 2000)] == [
        TIMING.seconds_at(t) for t in (700, 2000)
    ]
    assert finer.bar_at(3 * 2879) == 3 * 1440


@pytest.mark.parametrize(
    ("seconds", "division", "place"),
    [(0.1, 1, 0.0), (0.3, 1, 0.5), (0.3, 4, 0.25), (0.3, 3, 1 / 3), (1.6, 2, 1.5), (1.8, 2, 2.0)],
)
def test_the_nearest_place_of_a_grid(seconds: float, division: int, place: float) -> None:
    assert TIMING.nearest_place(seconds, division) == pytest.approx(place, abs=1e-9)
