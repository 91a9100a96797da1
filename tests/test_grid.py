"""Notes moved to the grid of a tempo map."""

import random

import pytest
from midi_builder import midi, off, on, seconds, tempo

from pyzzicato.grid import Grid, Quantiser, find_grid, quantise, share_on_grid
from pyzzicato.midi import Performance, read_midi
from pyzzicato.notes import Note, separate_strokes, sort_notes


def score(*lengths: int, beat_us: int = 600_000) -> Performance:
    """Returns a melody of the lengths given, in ticks of which a quarter note has 480."""
    events = [
        one for i, n in enumerate(lengths) for one in (on(0, 60 + i % 12), off(n, 60 + i % 12))
    ]
    return read_midi(midi([tempo(0, beat_us)], events))


@pytest.mark.parametrize(
    ("lengths", "division"),
    [
        ((480, 480, 960, 480), 1),
        ((480, 240, 240, 480), 2),
        ((480, 360, 120, 480), 4),
        ((160, 160, 160, 480), 3),
        ((80, 80, 320, 480), 6),
        ((160, 160, 160, 120, 360), 12),
        ((60, 60, 360, 480), 8),
    ],
)
def test_the_grid_is_the_simplest_on_which_the_notes_lie(
    lengths: tuple[int, ...], division: int
) -> None:
    assert score(*lengths * 4).grid() == division


def test_a_grid_so_fine_that_chance_hits_it_is_none() -> None:
    lengths = (60, 100, 80, 240) * 8
    assert score(*lengths, beat_us=900_000).grid() == 24
    assert score(*lengths, beat_us=300_000).grid() is None


def test_notes_move_to_the_grid_by_as_much_as_the_strength_says() -> None:
    like = score(480, 240, 240)  # Quarters of 0.6 s.
    late = [Note(70, 1.29, 1.5, 64), Note(72, 1.45, 1.7, 64)]
    assert seconds(quantise(late, like)) == [(70, 1.2, 1.41), (72, 1.5, 1.75)]
    assert seconds(quantise(late, like, strength=0.5)) == [(70, 1.245, 1.455), (72, 1.475, 1.725)]
    assert quantise(late, like, strength=0) == late


def test_the_grid_follows_changes_of_tempo() -> None:
    quarters = [one for i in range(6) for one in (on(0, 60 + i), off(480, 60 + i))]
    like = read_midi(midi([tempo(0, 500_000), tempo(960, 800_000)], quarters))
    found = quantise([Note(80, 1.75, 2.0, 64), Note(82, 2.62, 2.9, 64)], like)
    assert [round(note.start, 6) for note in found] == [1.8, 2.6]


def test_the_clock_of_the_notes_may_begin_anywhere_in_the_piece() -> None:
    silence = [on(480, 60), off(240, 60), on(0, 62), off(240, 62), on(0, 64), off(480, 64)]
    like = read_midi(midi([tempo(0, 600_000)], silence))
    found = quantise([Note(70, 0.29, 0.5, 64)], like, like_start_s=0.1)
    # Places are at 0.2, 0.5, ... of that clock.
    assert [round(note.start, 6) for note in found] == [0.2]


def test_the_seed_is_left_alone_and_nothing_moves_into_it() -> None:
    like = score(480, 480)
    notes = [Note(60, 0.05, 0.3, 64), Note(70, 1.31, 1.5, 64), Note(72, 1.9, 2.0, 64)]
    found = quantise(notes, like, begins_s=1.3)
    assert found[0] == notes[0]
    assert [round(note.start, 6) for note in found[1:]] == [1.3, 1.8]


def test_notes_of_a_key_that_meet_become_one_and_end_where_it_is_struck_again() -> None:
    like = score(480, 480)
    notes = [Note(70, 1.1, 1.2, 9), Note(70, 1.25, 2.0, 5), Note(70, 1.75, 1.9, 7)]
    found = quantise(notes, like)
    assert [(round(n.start, 6), round(n.end, 6), n.velocity) for n in found] == [
        (1.2, 1.8, 9),
        (1.8, 1.95, 7),
    ]


def test_where_there_is_no_grid_nothing_moves_unless_a_division_is_given() -> None:
    rng = random.Random(3)
    free = score(*(rng.randint(90, 700) for _ in range(50)))
    notes = [Note(70, 1.29, 1.5, 64)]
    assert free.grid() is None and quantise(notes, free) == notes
    assert quantise(notes, free, division=1)[0].start == pytest.approx(1.2)
    assert quantise(notes, Performance(())) == notes


def test_all_onsets_lie_on_the_grid_at_full_strength() -> None:
    rng = random.Random(4)
    like = score(*(120, 360, 240, 240) * 10)
    notes = [
        Note(rng.randint(40, 90), t, t + 0.2, 64) for t in (rng.uniform(0, 20) for _ in range(99))
    ]
    assert share_on_grid(notes, like.timing, 4) < 0.5
    assert share_on_grid(quantise(notes, like), like.timing, 4) == 1.0
    assert share_on_grid([], like.timing, 4) == 0.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strength": 1.1}, "strength must be 0 to 1, got 1.1"),
        ({"strength": float("nan")}, "strength must be 0 to 1, got nan"),
        ({"division": 0}, "division must be a whole number from 1 to 2147483647, got 0"),
    ],
)
def test_bad_settings_name_value_and_range(given: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quantise([], score(480), **given)  # type: ignore[arg-type]


# ---- The grid of a seed -------------------------------------------------------------------------


def test_the_seeds_habits_are_its_grid() -> None:
    # Eighths, and few 16ths: what is new is played in eighths.
    like = score(*(240, 240, 240, 240, 240, 240, 240, 120, 120) * 4)
    seed = [note for note in like.music() if note.start < 10]
    grid = find_grid(like, seed, 0.0, 10.0, None)
    assert grid is not None
    assert (grid.division, grid.parts, grid.strength) == (4, (0, 2), 1.0)
    assert like.grid() == 4
    # Places are at 0.3, 0.6, ... of the piece, and the continuation begins at 10 s.
    assert grid.onset(0.0) == pytest.approx(0.2)
    assert grid.onset(0.36) == pytest.approx(0.5) and grid.onset(0.34) == pytest.approx(0.2)


def test_a_part_of_a_piece_may_be_free() -> None:
    rng = random.Random(5)
    like = score(*(240,) * 40, *(rng.randint(90, 700) for _ in range(80)))
    assert like.grid() is None and like.grid(0.0, 10.0) == 2 and like.grid(13.0, 10.0) is None
    seed = [note for note in like.music() if note.start < 10]
    assert find_grid(like, seed, 0.0, 10.0, None) is not None
    assert find_grid(like, seed, 13.0, 10.0, None) is None
    assert find_grid(like, seed, 0.0, 10.0, 0.0) is None
    assert find_grid(like, [], 0.0, 10.0, 1.0) is None
    assert find_grid(None, seed, 0.0, 10.0, None) is None


def test_notes_are_handed_over_when_nothing_can_shorten_them() -> None:
    grid = Grid(score(480, 480), 1)  # Quarters of 0.6 s.
    quantiser = Quantiser(grid)
    first, second = Note(70, 0.35, 0.75, 64), Note(70, 0.95, 1.1, 64)
    # Moved, the first one ends at 1.0 s; its key may be struck again at 0.6 s by then.
    assert quantiser.take([first], [], 0.8) == []
    assert seconds(quantiser.sounding([])) == [(70, 0.6, 1.0)]
    assert quantiser.take([], [second], 0.96) == []
    assert seconds(quantiser.take([], [second], 1.0)) == [(70, 0.6, 1.0)]
    assert seconds(quantiser.rest([second])) == [(70, 1.2, 1.35)]


def test_streamed_notes_are_those_of_the_whole() -> None:
    rng = random.Random(6)
    grid = Grid(score(*(240,) * 20), 2)
    notes, now = [], 0.0
    while now < 30:
        now += rng.expovariate(8)
        notes.append(Note(rng.randint(60, 66), now, now + rng.uniform(0.05, 0.6), 64))
    notes = separate_strokes(notes)[0]
    quantiser, made = Quantiser(grid), []
    for second in range(1, 31):
        ended = [n for n in notes if second - 1 < n.end <= second]
        held = [n for n in notes if n.start <= second < n.end]
        made += quantiser.take(ended, held, float(second))
    made += quantiser.rest([n for n in notes if n.end > 30])
    assert seconds(sort_notes(made)) == seconds(separate_strokes([*map(grid.moved, notes)])[0])
    assert len(made) > 100
