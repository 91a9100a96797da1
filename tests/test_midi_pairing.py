"""Which note-off ends which note, over channels, tracks and controllers."""

import pytest
from midi_builder import control, event, meta, midi, off, on, seconds, tempo

from pyzzicato.midi import read_midi

ONE_NOTE = (on(0, 60), off(480, 60))
OVERLAP = "1 note on a key already held down: the earlier note ends there."


def keys(*tracks: list[bytes]) -> list[tuple[float, float, int]]:
    """Returns onset, offset and velocity of the notes."""
    return [(n.start, n.end, n.velocity) for n in read_midi(midi(*tracks)).notes]


# --- One key, struck more than once (480 ticks are half a second)


@pytest.mark.parametrize(
    ("events", "expected", "n_overlapping"),
    [
        # Let go and struck again at one time, in either order of the two events.
        ([on(0, 60, 1), off(480, 60), on(0, 60, 2), off(480, 60)], [(0, 0.5, 1), (0.5, 1, 2)], 0),
        ([on(0, 60, 1), on(480, 60, 2), off(0, 60), off(480, 60)], [(0, 0.5, 1), (0.5, 1, 2)], 0),
        # Two voices on one key: the last note-off ends it.
        ([on(0, 60, 1), on(480, 60, 2), off(240, 60), off(240, 60)], [(0, 0.5, 1), (0.5, 1, 2)], 1),
        ([on(0, 60, 3), on(0, 60, 2), off(480, 60), off(480, 60)], [(0, 1, 3)], 1),
        # A long voice under two short ones.
        (
            [
                on(0, 60, 1),
                on(480, 60, 2),
                off(240, 60),
                on(240, 60, 3),
                off(240, 60),
                off(240, 60),
            ],
            [(0, 0.5, 1), (0.5, 1.0, 2), (1.0, 1.5, 3)],
            2,
        ),
        # Struck again with no note-off between: the only one there is ends it.
        ([on(0, 60, 1), on(480, 60, 2), off(480, 60)], [(0, 0.5, 1), (0.5, 1, 2)], 1),
        # A note-off too many ends nothing.
        ([*ONE_NOTE, off(240, 60), on(240, 60), off(480, 60)], [(0, 0.5, 64), (1, 1.5, 64)], 0),
        ([off(0, 60), *ONE_NOTE], [(0, 0.5, 64)], 0),
    ],
)
def test_one_key_struck_again(
    events: list[bytes], expected: list[tuple[float, float, int]], n_overlapping: int
) -> None:
    assert keys(events) == expected
    said = read_midi(midi(events)).remarks()
    assert len(said) == bool(n_overlapping)
    assert all(line.startswith(f"{n_overlapping} note") for line in said)


@pytest.mark.parametrize(
    ("tracks", "last"),
    [
        (([on(0, 60), on(480, 60), off(240, 60), off(720, 60)],), 1.5),
        (([on(0, 60), off(1440, 60)], [on(480, 60), off(240, 60)]), 1.5),
        (([on(480, 60), off(240, 60)], [on(0, 60), off(1440, 60)]), 1.5),
        (([on(0, 60), off(720, 60)], [on(480, 60), off(960, 60)]), 1.5),
        (([on(0, 60, channel=1), on(480, 60, channel=2), off(480, 60, 2), off(480, 60, 1)],), 1.5),
        (([on(0, 60, channel=1), on(480, 60, channel=2), off(480, 60, 1), off(480, 60, 2)],), 1.5),
        (([on(0, 60), off(1440, 60)], [on(480, 60, channel=1), off(240, 60, 1)]), 1.5),
    ],
)
def test_two_voices_on_a_key_are_let_go_by_the_last_note_off(
    tracks: tuple[list[bytes], ...], last: float
) -> None:
    assert keys(*tracks) == [(0, 0.5, 64), (0.5, last, 64)]
    assert read_midi(midi(*tracks)).remarks() == [OVERLAP]


def test_a_key_that_lost_a_note_off_does_not_stay_down_for_the_rest_of_the_piece() -> None:
    again = [on(480, 60), off(480, 60)] * 40
    found = keys([on(0, 60), *again])
    assert found[1:] == [(0.5 + i, 1.0 + i, 64) for i in range(40)]
    # Nor where a program lets all keys go at the end of the file.
    assert keys([on(0, 60), *again, off(480, 60)])[1:] == found[1:]


def test_a_late_note_off_ends_the_stroke_that_is_down() -> None:
    events = [on(0, 60), on(480, 60), off(0, 60), on(480, 60), off(480, 60), off(480, 60)]
    assert [times[:2] for times in keys(events)] == [(0, 0.5), (0.5, 1.0), (1.0, 2.0)]


def test_note_offs_of_a_channel_count_from_any_track() -> None:
    ons = [on(0, 60), on(480, 64), on(0, 67, channel=3)]
    offs = [off(480, 60), off(480, 64), off(480, 67, channel=3)]
    assert seconds(read_midi(midi(ons, offs)).notes) == [(60, 0, 0.5), (64, 0.5, 1), (67, 0.5, 1.5)]
    assert read_midi(midi(offs, ons)).notes == read_midi(midi(ons, offs)).notes


def test_note_offs_of_another_channel_or_port_end_nothing() -> None:
    for other in ([off(480, 60, channel=1)], [meta(0, 0x21, b"\1"), off(480, 60)]):
        found = read_midi(midi([on(0, 60), meta(960, 0x2F, b"")], other))
        assert seconds(found.notes) == [(60, 0, 1.0)]


# --- All notes off


@pytest.mark.parametrize("number", [120, 123, 124, 125, 126, 127])
def test_all_notes_off_ends_what_a_channel_holds(number: int) -> None:
    events = [on(0, 60), on(0, 64), on(0, 67, channel=1), control(480, number), on(0, 62)]
    found = read_midi(midi([*events, off(480, 62), off(0, 67, channel=1)]))
    assert seconds(found.notes) == [(60, 0, 0.5), (64, 0, 0.5), (67, 0, 1.0), (62, 0.5, 1.0)]
    assert found.remarks() == []


def test_all_notes_off_counts_from_another_track_and_spares_strokes_of_its_own_tick() -> None:
    found = read_midi(midi([on(0, 60), on(480, 62), off(480, 62)], [control(480, 123)]))
    assert seconds(found.notes) == [(60, 0, 0.5), (62, 0.5, 1.0)]


def test_a_note_off_behind_all_notes_off_ends_nothing_more() -> None:
    found = read_midi(midi([on(0, 60), control(480, 123), off(240, 60), on(240, 60), off(480, 60)]))
    assert seconds(found.notes) == [(60, 0, 0.5), (60, 1.0, 1.5)]


# --- Never let go, or at once


def test_keys_never_let_go_are_held_to_the_end_of_their_track() -> None:
    held = [on(0, 60), on(240, 64), meta(720, 0x2F, b"")]
    found = read_midi(midi(held, [on(0, 72), off(480, 72)]))
    assert seconds(found.notes) == [(60, 0, 1.0), (72, 0, 0.5), (64, 0.25, 1.0)]
    assert found.remarks() == ["2 notes never let go: held to the end of their tracks."]


def test_a_chord_struck_as_the_recorder_stops_is_short() -> None:
    found = read_midi(midi([*ONE_NOTE, on(0, 60), on(0, 64)]))
    assert seconds(found.notes) == [(60, 0, 0.5), (60, 0.5, 0.53), (64, 0.5, 0.53)]
    assert found.remarks() == ["2 notes never let go: held to the end of their tracks."]


def test_an_end_of_track_hours_behind_the_music_holds_no_key_for_hours() -> None:
    found = read_midi(midi([on(0, 60), *[on(0, 62), off(480, 62)], meta(2**27, 0x2F, b"")]))
    assert seconds(found.notes) == [(60, 0, 30.5), (62, 0, 0.5)]


def test_grace_notes_of_no_length_are_short_notes() -> None:
    data = midi([on(0, 62), off(0, 62), on(0, 60), off(480, 60), on(0, 66), event(0, 66, 0)])
    found = read_midi(data)
    assert seconds(found.notes) == [(60, 0, 0.5), (62, 0, 0.03), (66, 0.5, 0.53)]
    assert found.remarks() == ["2 notes let go at once (grace notes): made short."]


def test_a_grace_note_ends_where_its_key_is_struck_again() -> None:
    found = read_midi(midi([on(0, 60), off(0, 60), on(12, 60), off(480, 60)]))
    assert seconds(found.notes) == [(60, 0, 0.0125), (60, 0.0125, 0.5125)]


def test_a_grace_note_in_another_voice_leaves_the_key_held() -> None:
    found = read_midi(midi([on(0, 60), off(960, 60)], [on(480, 60, channel=1), off(0, 60, 1)]))
    assert seconds(found.notes) == [(60, 0, 0.5), (60, 0.5, 1.0)]


def test_a_note_off_before_the_note_on_of_its_tick_ends_nothing() -> None:
    found = read_midi(midi([on(0, 62), off(480, 62), off(0, 60), on(0, 60), off(480, 60)]))
    assert seconds(found.notes) == [(62, 0, 0.5), (60, 0.5, 1.0)]


def test_times_are_right_across_a_change_of_tempo() -> None:
    found = read_midi(midi([on(0, 60), off(960, 60)], [tempo(480, 1_000_000)]))
    assert seconds(found.notes) == [(60, 0, 1.5)]
