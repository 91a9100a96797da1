"""Notes: their checks, and the functions that move, cut and lengthen them."""

import math
import random

import pytest

from pyzzicato.notes import (
    Note,
    PedalSpan,
    cut_notes,
    end_of,
    pitch_name,
    separate_strokes,
    shift_notes,
    sort_notes,
    stretch_notes,
    sustain_notes,
    transpose_notes,
)

CHORD = [Note(60, 1.0, 2.0, 64), Note(64, 1.0, 3.0, 70), Note(48, 0.5, 2.5, 80)]


@pytest.mark.parametrize("field", ["pitch", "velocity", "start", "end"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1])
def test_no_field_of_a_note_may_be_nan_infinite_or_negative(field: str, value: float) -> None:
    fields = {"pitch": 60, "start": 0.0, "end": 1.0, "velocity": 64} | {field: value}
    with pytest.raises(ValueError, match=f"{field}.* must"):
        Note(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((20, 0.0, 1.0, 64), "pitch must be a whole number, 21 to 108 .*got 20; drop or transpose"),
        ((109, 0.0, 1.0, 64), "got 109"),
        ((60.5, 0.0, 1.0, 64), "got 60.5"),
        ((60, 0.0, 1.0, 0), "velocity must be a whole number, 1 to 127, got 0"),
        ((60, 0.0, 1.0, 128), "got 128"),
        ((60, 0.0, 1.0, 64.5), "got 64.5"),
        ((60, 1.0, 1.0, 64), "0 <= start < end .seconds., got 1.0 and 1.0"),
        ((60, 1.0, 0.5, 64), "got 1.0 and 0.5"),
    ],
)
def test_a_note_out_of_range_names_the_value(
    fields: tuple[int, float, float, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Note(*fields)


def test_the_ends_of_every_range_are_notes() -> None:
    assert Note(21, 0.0, 1e-9, 1).pitch == 21
    assert Note(108, 1e6, 1e6 + 2.5, 127).duration == 2.5


def test_sorting_is_by_onset_pitch_offset_velocity() -> None:
    expected = [
        Note(90, 0.0, 1.0, 9),
        Note(60, 1.0, 2.0, 1),
        Note(60, 1.0, 2.0, 2),
        Note(60, 1.0, 3.0, 1),
        Note(61, 1.0, 1.5, 1),
    ]
    assert sort_notes(random.Random(0).sample(expected, 5)) == expected
    assert sort_notes([]) == []


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (21, "A0"), (108, "C8"), (70, "Bb4")])
def test_the_name_of_a_key(pitch: int, name: str) -> None:
    assert pitch_name(pitch) == name


def test_end_of() -> None:
    assert end_of(CHORD) == 3.0
    assert end_of([]) == 0.0


def test_shift() -> None:
    assert [(n.start, n.end) for n in shift_notes(CHORD, -0.5)] == [(0, 2), (0.5, 1.5), (0.5, 2.5)]
    with pytest.raises(ValueError, match="start"):
        shift_notes(CHORD, -0.6)


def test_transpose_drops_what_leaves_the_keyboard() -> None:
    assert [n.pitch for n in transpose_notes(CHORD, 12)] == [60, 72, 76]
    assert [n.pitch for n in transpose_notes(CHORD, 45)] == [93, 105]
    assert transpose_notes(CHORD, -60) == []


def test_stretch() -> None:
    assert [(n.start, n.end) for n in stretch_notes(CHORD, 2.0)] == [(1, 5), (2, 4), (2, 6)]
    assert stretch_notes(CHORD, 1.0) == sort_notes(CHORD)


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf])
def test_stretch_refuses(factor: float) -> None:
    with pytest.raises(ValueError, match=f"factor must be above 0, got {factor}"):
        stretch_notes(CHORD, factor)


def test_cut_keeps_what_is_struck_inside_and_ends_it_there() -> None:
    cut = cut_notes(CHORD, 1.0, 2.5)
    assert cut == [Note(60, 0.0, 1.0, 64), Note(64, 0.0, 1.5, 70)]
    assert cut_notes(CHORD, 0.5, 1.0) == [Note(48, 0.0, 0.5, 80)]
    assert cut_notes(CHORD, 3.0, 9.0) == []
    assert cut_notes(CHORD, 0.0, math.inf) == sort_notes(CHORD)


def test_microseconds_of_a_note_at_an_edge_are_no_note() -> None:
    early = Note(60, 1.999996, 3.0, 64)
    over = Note(62, 1.0, 2.000004, 64)
    assert cut_notes([early, over], 0.0, 2.0) == [Note(62, 1.0, 2.0, 64)]
    (cut,) = cut_notes([early, over], 2.0, 4.0)
    assert (cut.pitch, cut.start, round(cut.end, 9)) == (60, 0.0, 1.0)
    within = Note(64, 1.9997, 1.9999, 64)
    assert cut_notes([within], 0.0, 2.0) == cut_notes([within], 2.0, 4.0) == []


@pytest.mark.parametrize(("start", "end"), [(-1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (math.nan, 2.0)])
def test_cut_refuses(start: float, end: float) -> None:
    with pytest.raises(ValueError, match=f"got {start} to {end} s"):
        cut_notes(CHORD, start, end)


# --- One keyboard


def test_a_key_struck_while_down_ends_the_stroke_before_and_is_held_as_long_as_both() -> None:
    strokes = [Note(60, 0.0, 4.0, 1), Note(60, 1.0, 2.0, 2), Note(60, 1.5, 1.8, 3)]
    expected = [Note(60, 0.0, 1.0, 1), Note(60, 1.0, 1.5, 2), Note(60, 1.5, 4.0, 3)]
    assert separate_strokes(reversed(strokes)) == (expected, 2)


def test_strokes_at_one_time_become_the_longest_and_loudest() -> None:
    strokes = [Note(60, 0.0, 1.0, 90), Note(60, 0.0, 2.0, 30), Note(60, 0.0, 1.5, 50)]
    assert separate_strokes(strokes) == ([Note(60, 0.0, 2.0, 90)], 2)


def test_strokes_that_touch_and_other_keys_are_left_alone() -> None:
    notes = [*CHORD, Note(60, 2.0, 3.0, 64)]
    assert separate_strokes(notes) == (sort_notes(notes), 0)
    assert separate_strokes([]) == ([], 0)


# --- The sustain pedal


@pytest.mark.parametrize(
    ("end", "sounds_until"),
    [
        (0.5, 0.5),  # Let go before the pedal goes down.
        (1.0, 3.0),  # Let go as it goes down.
        (2.0, 3.0),  # Let go while it is down.
        (3.0, 3.0),  # Let go as it comes up.
        (3.5, 3.5),  # Held longer than the pedal.
        (5.0, 6.0),  # Let go in the next span.
    ],
)
def test_a_note_sounds_until_the_pedal_it_is_let_go_in_comes_up(
    end: float, sounds_until: float
) -> None:
    pedals = [PedalSpan(1.0, 3.0), PedalSpan(4.0, 6.0)]
    assert sustain_notes([Note(60, 0.0, end, 64)], pedals) == [Note(60, 0.0, sounds_until, 64)]


def test_spans_that_touch_are_two_pedals() -> None:
    pedals = [PedalSpan(0.0, 1.0), PedalSpan(1.0, 2.0)]
    assert sustain_notes([Note(60, 0.0, 0.5, 64)], pedals)[0].end == 1.0
    assert sustain_notes([Note(60, 0.0, 1.0, 64)], pedals)[0].end == 2.0


def test_a_key_struck_again_ends_the_sound_and_other_keys_do_not() -> None:
    notes = [Note(60, 0.0, 0.5, 1), Note(62, 0.2, 0.5, 2), Note(60, 1.0, 1.5, 3)]
    found = sustain_notes(notes, [PedalSpan(0.0, 4.0)])
    assert [(n.pitch, n.end) for n in found] == [(60, 1.0), (62, 4.0), (60, 4.0)]


def test_without_a_pedal_nothing_changes_and_no_note_gets_shorter() -> None:
    overlapping = [Note(60, 0.0, 2.0, 1), Note(60, 1.0, 3.0, 2), Note(60, 1.0, 1.5, 2)]
    assert sustain_notes(overlapping, []) == sort_notes(overlapping)
    found = sustain_notes(overlapping, [PedalSpan(1.2, 2.5)])
    assert [(n.start, n.end) for n in found] == [(0.0, 2.0), (1.0, 1.5), (1.0, 3.0)]
    assert sustain_notes([], [PedalSpan(0.0, 1.0)]) == []


def sustain_slowly(notes: list[Note], pedals: list[PedalSpan]) -> list[Note]:
    """Returns what `sustain_notes` should, by looking every span and note up for every note."""
    found = []
    for note in notes:
        up = [span.end for span in pedals if span.start <= note.end < span.end]
        again = [n.start for n in notes if n.pitch == note.pitch and n.start > note.start]
        end = min([up[0] if up else note.end, *again])
        found.append(Note(note.pitch, note.start, max(note.end, end), note.velocity))
    return sort_notes(found)


@pytest.mark.parametrize("seed", range(5))
def test_it_equals_the_slow_and_obvious_way(seed: int) -> None:
    rng = random.Random(seed)
    notes = []
    for pitch in range(60, 66):
        time = 0.0
        for _ in range(20):
            start = time + rng.choice((0.0, 0.25, 1.0))
            time = start + rng.choice((0.25, 0.5, 2.0))
            notes.append(Note(pitch, start, time, rng.randint(1, 127)))
    edges = sorted(rng.sample(range(0, 120), 24))
    pedals = [PedalSpan(a / 4, b / 4) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    found = sustain_notes(notes, pedals)
    assert found == sustain_slowly(notes, pedals)
    assert found != sort_notes(notes)
    assert separate_strokes(found)[1] == 0
