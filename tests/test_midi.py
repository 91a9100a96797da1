"""MIDI files <-> notes. What a bad file may cost is in `test_midi_cost.py`."""

import io
import os
import random
from pathlib import Path

import pretty_midi
import pytest
from midi_builder import event, header, meta, midi, off, on, pedal, tempo, track

from pyzzicato.midi import MidiLimits, Performance, midi_bytes, read_midi, write_midi
from pyzzicato.notes import Note, PedalSpan, sort_notes

ONE_NOTE = (on(0, 60), off(480, 60))


def times(performance: Performance) -> list[tuple[int, float, float, int]]:
    """Returns (pitch, onset, offset, velocity) of each note, rounded to microseconds."""
    return [(n.pitch, round(n.start, 6), round(n.end, 6), n.velocity) for n in performance.notes]


# --- Reading what is well


def test_times_follow_the_tempo_changes_of_every_track() -> None:
    notes = [on(480, 60, 70), off(480, 60), on(0, 62, 80), off(480, 62)]
    found = read_midi(midi([tempo(0, 400_000)], notes, [tempo(960, 1_000_000)]))
    assert times(found) == [(60, 0.4, 0.8, 70), (62, 0.8, 1.8, 80)]
    assert found.seconds == pytest.approx(1.8)
    assert found.remarks() == []


@pytest.mark.parametrize("midi_format", [0, 1, 2])
def test_each_format_and_running_status(midi_format: int) -> None:
    data = midi(
        [on(0, 60), event(480, 60, 0), event(0, 62, 30), event(480, 62, 0)], midi_format=midi_format
    )
    assert times(read_midi(data)) == [(60, 0.0, 0.5, 64), (62, 0.5, 1.0, 30)]


def test_smpte_time_division() -> None:
    division = (256 - 25) << 8 | 40
    data = midi([tempo(0, 250_000), on(1000, 60), off(500, 60)], division=division)
    assert times(read_midi(data)) == [(60, 1.0, 1.5, 64)]


def test_all_instruments_but_drums_become_one_piano() -> None:
    organ = [event(0, 0xC3, 19), on(0, 67, channel=3), off(480, 67, channel=3)]
    drums = [on(0, 38, channel=9), off(0, 38, channel=9), on(0, 40, channel=9)]
    found = read_midi(midi([on(240, 60), off(480, 60)], organ, drums))
    assert times(found) == [(67, 0.0, 0.5, 64), (60, 0.25, 0.75, 64)]
    assert (found.n_drums, found.n_unended) == (2, 0)
    assert found.remarks() == ["2 notes for drums: left out."]


def test_notes_no_piano_has_are_dropped_and_counted() -> None:
    found = read_midi(midi([*ONE_NOTE, on(0, 20), off(9, 20), on(0, 109), off(9, 109)]))
    assert [n.pitch for n in found.notes] == [60] and found.n_out_of_range == 2
    assert found.remarks() == ["2 notes outside the piano's 88 keys: left out."]
    edges = read_midi(midi([on(0, 21), on(0, 108), off(9, 21), off(0, 108)]))
    assert [n.pitch for n in edges.notes] == [21, 108] and edges.n_out_of_range == 0


def test_notes_without_a_length_are_dropped_and_counted() -> None:
    at_once = [on(0, 62), off(0, 62)]
    found = read_midi(midi([*ONE_NOTE, *at_once, on(0, 64), on(0, 64), off(5, 70)]))
    assert [n.pitch for n in found.notes] == [60] and found.n_unended == 3
    assert found.remarks() == ["3 notes without a length (never let go, or at once): left out."]


def test_a_missing_track_is_remarked() -> None:
    found = read_midi(header(n_tracks=3) + track(*ONE_NOTE))
    assert found.n_tracks_missing == 2
    assert "2 more of its tracks" in found.remarks()[0]


def test_text_in_any_encoding_is_no_obstacle() -> None:
    words = [meta(0, kind, b"\xff\xfe\x00\x81 caf\xc3\xa9") for kind in range(1, 10)]
    odd = [meta(0, 0x59, b"\x7f\x05"), meta(0, 0x58, b""), b"\x00\xf0\x02\xff\xf7"]
    assert times(read_midi(midi([*words, *odd, *ONE_NOTE]))) == [(60, 0.0, 0.5, 64)]


# --- One key, struck more than once


@pytest.mark.parametrize(
    ("events", "expected", "n_overlapping"),
    [
        # Let go and struck again at one time, in either order of the two events.
        ([on(0, 60, 1), off(480, 60), on(0, 60, 2), off(480, 60)], [(0, 0.5, 1), (0.5, 1, 2)], 0),
        ([on(0, 60, 1), on(480, 60, 2), off(0, 60), off(480, 60)], [(0, 0.5, 1), (0.5, 1, 2)], 0),
        # Two voices on one key: the last note-off ends it.
        ([on(0, 60, 1), on(480, 60, 2), off(240, 60), off(240, 60)], [(0, 0.5, 1), (0.5, 1, 2)], 1),
        ([on(0, 60, 3), on(0, 60, 2), off(480, 60), off(480, 60)], [(0, 1, 3)], 1),
        # Struck again with no note-off between: the only one there is ends it.
        ([on(0, 60, 1), on(480, 60, 2), off(480, 60)], [(0, 0.5, 1), (0.5, 1, 2)], 1),
        # A note-off too many ends nothing.
        ([*ONE_NOTE, off(240, 60), on(240, 60), off(480, 60)], [(0, 0.5, 64), (1, 1.5, 64)], 0),
    ],
)
def test_one_key_struck_again(
    events: list[bytes], expected: list[tuple[float, float, int]], n_overlapping: int
) -> None:
    found = read_midi(midi(events))
    assert [(n.start, n.end, n.velocity) for n in found.notes] == expected
    assert (found.n_overlapping, found.n_unended) == (n_overlapping, 0)
    assert len(found.remarks()) == bool(n_overlapping)


def test_a_late_note_off_ends_the_stroke_that_is_down() -> None:
    # Struck at 480 while down, the first one's note-off at that tick: 480 must stay down.
    events = [on(0, 60), on(480, 60), off(0, 60), on(480, 60), off(480, 60), off(480, 60)]
    assert [(n.start, n.end) for n in read_midi(midi(events)).notes] == [
        (0, 0.5),
        (0.5, 1.0),
        (1.0, 2.0),
    ]


def test_tracks_that_share_a_key_make_one_stroke_at_a_time() -> None:
    found = read_midi(midi([on(0, 60), off(960, 60)], [on(480, 60), off(240, 60)]))
    assert times(found) == [(60, 0.0, 0.5, 64), (60, 0.5, 0.75, 64)]
    assert found.remarks() == ["1 note on a key already held down: the earlier note ends there."]


# --- The pedal


def test_pedal_spans_and_what_sounds() -> None:
    found = read_midi(midi([pedal(0, 64), *ONE_NOTE, pedal(480, 63), pedal(480, 127)]))
    assert found.pedals == (PedalSpan(0.0, 1.0),)
    assert found.sounding() == [Note(60, 0.0, 1.0, 64)]
    assert found.sounding("ignore") == list(found.notes) == [Note(60, 0.0, 0.5, 64)]
    with pytest.raises(ValueError, match="sustain must be 'extend' or 'ignore', got 'half'"):
        found.sounding("half")  # type: ignore[arg-type]


def test_a_pedal_never_let_go_holds_to_the_last_offset() -> None:
    found = read_midi(midi([pedal(0, 100), *ONE_NOTE, on(480, 72), off(480, 72)]))
    assert found.pedals == (PedalSpan(0.0, 1.5),)
    assert found.sounding()[0].end == 1.5


def test_pedals_of_several_channels_and_tracks_are_merged() -> None:
    first = [pedal(480, 127, channel=1), pedal(480, 0, channel=1), pedal(960, 127, channel=1)]
    second = [pedal(720, 127, channel=2), pedal(720, 0, channel=2), pedal(0, 0, channel=5)]
    found = read_midi(midi([on(0, 60), off(2400, 60)], first, second))
    assert found.pedals == (PedalSpan(0.5, 1.5), PedalSpan(2.0, 2.5))


def test_half_pedal_and_a_pedal_of_no_time_make_no_span() -> None:
    found = read_midi(midi([pedal(0, 40), pedal(10, 127), pedal(0, 0), *ONE_NOTE]))
    assert found.pedals == ()


# --- Reading what is not


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "MIDI data cannot be read: the file is empty"),
        (b"<html>", "must begin with 'MThd'"),
        (midi(ONE_NOTE)[:-9], "cut short"),
        (midi([]), "got none .0 drum notes, 0 out of range, 0 without a length, 0 tracks missing"),
        (midi([on(0, 38, channel=9), off(9, 38, channel=9)]), "1 drum notes"),
        (midi([on(0, 5), off(9, 5)]), "1 out of range"),
        (midi([on(0, 60)]), "1 without a length"),
        (header(n_tracks=65_535), "65535 tracks missing"),
        (midi([on(0x0FFFFFFF, 60), off(9, 60)]), "at most 7200 s"),
    ],
)
def test_a_bad_file_gives_one_chained_error(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_midi(data)
    assert str(caught.value).startswith("MIDI data cannot be read: ")


def test_an_error_of_the_scan_is_chained_and_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tune.mid"
    path.write_bytes(midi(ONE_NOTE)[:-9])
    with pytest.raises(ValueError, match="tune.mid' cannot be read: track 1 is cut") as caught:
        read_midi(path)
    assert isinstance(caught.value.__cause__, ValueError)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.mid", str(tmp_path / "none.mid")):
        with pytest.raises(ValueError, match="none.mid' cannot be read: there is no such file"):
            read_midi(path)
    for path in (tmp_path, os.devnull):
        with pytest.raises(ValueError, match="a folder or a device"):
            read_midi(path)
    for name in ("n" * 5000, "a\0b"):
        with pytest.raises(ValueError, match="cannot be read"):
            read_midi(name)


def test_a_path_gives_what_its_bytes_give_and_limits_hold_for_both(tmp_path: Path) -> None:
    data = midi(ONE_NOTE)
    path = tmp_path / "tune.mid"
    path.write_bytes(data)
    assert read_midi(path) == read_midi(str(path)) == read_midi(data)
    for source in (path, data):
        with pytest.raises(ValueError, match="at most 20 bytes"):
            read_midi(source, MidiLimits(max_bytes=20))


def test_damaged_bytes_give_music_or_a_value_error() -> None:
    rng = random.Random(2)
    good = midi(
        [tempo(0, 400_000), meta(0, 3, b"title")],
        [pedal(0, 90), *ONE_NOTE * 4, event(9, 0xC0, 1), pedal(9, 0), *ONE_NOTE * 4],
    )
    n_read = 0
    for _ in range(400):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.choice((0, 0xFF, 0x80, 0x90, rng.randrange(256)))
        try:
            n_read += bool(read_midi(bytes(data)).notes)
        except ValueError as error:
            assert "cannot be read" in str(error)
    assert 0 < n_read < 400


# --- Writing


def random_notes(rng: random.Random) -> list[Note]:
    """Returns notes with times on no grid; strokes of one key do not overlap."""
    notes = []
    for pitch in rng.sample(range(21, 109), 20):
        time = rng.uniform(0, 3)
        for _ in range(10):
            end = time + rng.uniform(0.002, 2)
            notes.append(Note(pitch, time, end, rng.randint(1, 127)))
            time = end + rng.choice((0.0, rng.uniform(0.002, 1)))
    return sort_notes(notes)


def test_what_is_written_is_read_within_half_a_millisecond() -> None:
    notes = random_notes(random.Random(1))
    found = read_midi(midi_bytes(notes))
    assert found.remarks() == [] and found.pedals == ()
    by_key = sorted(found.notes, key=lambda n: (n.pitch, n.start))
    for note, copy in zip(sorted(notes, key=lambda n: (n.pitch, n.start)), by_key, strict=True):
        assert (note.pitch, note.velocity) == (copy.pitch, copy.velocity)
        assert abs(note.start - copy.start) <= 0.000501
        assert abs(note.end - copy.end) <= 0.000501


def test_writing_what_was_read_changes_nothing_more() -> None:
    once = read_midi(midi_bytes(random_notes(random.Random(3))))
    assert midi_bytes(once.notes) == midi_bytes(reversed(once.notes))
    assert read_midi(midi_bytes(once.notes)) == once


def test_a_key_struck_again_at_its_offset_stays_two_notes() -> None:
    notes = [Note(60, 0.0, 0.5, 10), Note(60, 0.5, 1.0, 90), Note(60, 1.0, 1.5, 20)]
    assert read_midi(midi_bytes(notes)).notes == tuple(notes)


def test_very_short_and_overlapping_notes_are_written_as_a_keyboard_plays_them() -> None:
    notes = [
        Note(60, 0.0, 0.0001, 10),  # Becomes one tick long.
        Note(62, 0.0, 1.0, 20),
        Note(62, 0.5, 2.0, 30),  # The first ends at 0.5.
        Note(64, 0.0, 1.0, 40),
        Note(64, 0.0001, 2.0, 30),  # The same tick: one stroke.
    ]
    found = read_midi(midi_bytes(notes))
    assert times(found) == [
        (60, 0.0, 0.001, 10),
        (62, 0.0, 0.5, 20),
        (64, 0.0, 2.0, 40),
        (62, 0.5, 2.0, 30),
    ]
    assert found.remarks() == []


def test_the_file_is_format_1_with_500_ticks_a_quarter_note_at_120() -> None:
    data = midi_bytes([Note(60, 0.0, 0.5, 64)])
    assert data[:14] == header(1, 2, 500)
    assert b"\xff\x51\x03" + (500_000).to_bytes(3) in data
    other = pretty_midi.PrettyMIDI(io.BytesIO(data))
    assert [(i.program, i.is_drum, len(i.notes)) for i in other.instruments] == [(0, False, 1)]
    assert other.instruments[0].notes[0].end == 0.5


def test_no_notes_make_a_file_without_notes() -> None:
    with pytest.raises(ValueError, match="got none"):
        read_midi(midi_bytes([]))


def test_notes_a_day_away_are_not_written() -> None:
    with pytest.raises(ValueError, match="must end within 86400 s, got 90000 s; shift"):
        midi_bytes([Note(60, 0.0, 90_000.0, 64)])


def test_write_midi(tmp_path: Path) -> None:
    notes = [Note(60, 0.0, 0.5, 64)]
    path = write_midi(notes, str(tmp_path / "out.mid"))
    assert path == tmp_path / "out.mid" and path.read_bytes() == midi_bytes(notes)
    for target in (tmp_path, tmp_path / "none" / "out.mid", path / "out.mid"):
        with pytest.raises(ValueError, match="cannot be written: .*choose an existing folder"):
            write_midi(notes, target)
