"""Places in the score to seconds, dynamics to velocities, pedalling."""

from fractions import Fraction

import pytest

from pyzzicato.scores.playing import Curve, Playing, StruckNote, play

QUARTER = Fraction(1, 4)


def steady(pedals: list[tuple[Fraction, Fraction]] | None = None) -> Playing:
    """Returns a whole note at 60 quarters a minute, velocity 60."""
    playing = Playing(beat=QUARTER, pedals=pedals or [])
    playing.tempo.append(Fraction(1), 60, 60)
    playing.dynamics.append(Fraction(1), 60, 60)
    return playing


def test_curve_moves_evenly_and_a_new_ramp_counts_from_its_first_place() -> None:
    curve = Curve()
    curve.append(Fraction(1), 10, 20)
    curve.append(Fraction(1), 50, 50)
    assert [curve.at(Fraction(n, 2)) for n in range(4)] == [10, 15, 50, 50]


def test_curve_refuses_a_place_outside() -> None:
    with pytest.raises(ValueError, match="place must be within"):
        Curve().at(Fraction(0))


def test_seconds_add_up_over_ramps() -> None:
    playing = Playing(beat=QUARTER)
    playing.tempo.append(Fraction(1), 60, 60)  # 4 s
    playing.tempo.append(Fraction(1), 120, 120)  # 2 s
    assert playing.seconds(Fraction(3, 2)) == pytest.approx(5.0)
    assert playing.seconds(Fraction(0)) == 0.0


def test_slowing_down_equals_speeding_up_backwards() -> None:
    slower, faster = Playing(beat=QUARTER), Playing(beat=QUARTER)
    slower.tempo.append(Fraction(1), 90, 60)
    faster.tempo.append(Fraction(1), 60, 90)
    assert slower.seconds(Fraction(1)) == pytest.approx(faster.seconds(Fraction(1)))
    assert slower.seconds(Fraction(1, 2)) < faster.seconds(Fraction(1, 2))


def test_velocity_stays_within_midi() -> None:
    struck = [
        StruckNote(60, Fraction(0), QUARTER, emphasis=100),
        StruckNote(62, QUARTER, 2 * QUARTER, emphasis=-100),
    ]
    assert [n.velocity for n in play(struck, steady())] == [127, 1]


def test_pedal_change_does_not_catch_what_is_let_go_on_the_beat() -> None:
    struck = [
        StruckNote(60, Fraction(0), QUARTER),
        StruckNote(62, QUARTER, 2 * QUARTER),
        StruckNote(64, 2 * QUARTER, 3 * QUARTER),
    ]
    playing = steady([(QUARTER, Fraction(1))])
    assert [n.end for n in play(struck, playing)] == [1.0, 4.0, 4.0]


def test_pedal_before_the_first_note_starts_with_the_music() -> None:
    struck = [StruckNote(60, 2 * QUARTER, 3 * QUARTER)]
    playing = steady([(Fraction(0), Fraction(1))])
    assert [(n.start, n.end) for n in play(struck, playing)] == [(0.0, 2.0)]


def test_a_key_is_let_go_when_it_is_struck_again() -> None:
    struck = [
        StruckNote(60, Fraction(0), Fraction(1)),
        StruckNote(60, 2 * QUARTER, 3 * QUARTER),
    ]
    assert [(n.start, n.end) for n in play(struck, steady())] == [(0.0, 2.0), (2.0, 3.0)]


def test_a_key_struck_by_two_voices_is_one_note() -> None:
    struck = [
        StruckNote(60, Fraction(0), QUARTER, emphasis=5),
        StruckNote(60, Fraction(0), Fraction(1)),
    ]
    assert [(n.start, n.end, n.velocity) for n in play(struck, steady())] == [(0.0, 4.0, 65)]
