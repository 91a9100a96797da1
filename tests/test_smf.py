"""The byte scan: what it keeps of a right file and what it says of a wrong one."""

import pytest
from midi_builder import (
    END_OF_TRACK,
    chunk,
    event,
    header,
    meta,
    midi,
    off,
    on,
    pedal,
    tempo,
    track,
    variable,
)

from pyzzicato.smf import MidiLimits, MidiScan, scan_midi

ONE_NOTE = (on(0, 60), off(480, 60))
ONE_NOTE_EVENTS = [(0, 0, 60, 64), (480, 0, 60, 0)]


def scan(data: bytes, **limits: float) -> MidiScan:
    """Returns the scan under the default limits but for `limits`."""
    return scan_midi(data, MidiLimits(**limits))


def test_it_keeps_notes_pedal_and_tempo() -> None:
    found = scan(midi([tempo(0, 600_000)], [pedal(10, 127), on(5, 60), off(480, 60), pedal(0, 0)]))
    assert found.resolution == 480
    assert found.tempos == [(0, 600_000)]
    assert found.tracks == [[(15, 0, 60, 64), (495, 0, 60, 0)]]
    assert found.pedal == [(10, 0, 127), (495, 0, 0)]
    assert (found.n_events, found.n_note_ons, found.last_tick) == (7, 1, 495)


def test_drums_and_other_keys_are_counted_and_left_out() -> None:
    found = scan(midi([on(0, 20), on(0, 109), off(9, 109), *ONE_NOTE, on(0, 38, channel=9)]))
    assert (found.n_note_ons, found.n_drums, found.n_out_of_range) == (4, 1, 2)
    assert [[e[2] for e in events] for events in found.tracks] == [[60, 60]]


def test_the_drum_channel_has_no_pedal_and_silent_tracks_are_left_out() -> None:
    found = scan(midi([pedal(0, 127, channel=9), off(0, 60)], ONE_NOTE))
    assert found.pedal == [] and found.tracks == [ONE_NOTE_EVENTS]


def test_running_status_lasts_over_meta_and_system_exclusive_events() -> None:
    sysex = b"\x00\xf0\x03\x7e\x01\xf7"
    found = scan(midi([on(0, 60), meta(0, 1, b"word"), sysex, event(480, 60, 0), event(0, 62, 9)]))
    assert found.tracks == [[(0, 0, 60, 64), (480, 0, 60, 0), (480, 0, 62, 9)]]


def test_events_of_one_and_of_two_data_bytes_are_told_apart() -> None:
    one = [event(0, 0xC0, 5), event(0, 6), event(0, 0xD0, 9)]
    two = [event(0, 0xA0, 60, 1), event(0, 0xE0, 0, 64), event(0, 0xB0, 7, 100)]
    assert scan(midi([*one, *two, *ONE_NOTE])).tracks == [ONE_NOTE_EVENTS]


@pytest.mark.parametrize("data", [b"\xff\xfe\x80\x81", "Prélude".encode(), b"\x00", b""])
def test_text_and_unknown_meta_events_of_any_bytes_are_passed_over(data: bytes) -> None:
    texts = [meta(0, kind, data) for kind in (1, 3, 5, 0x20, 0x59, 0x6E, 0x7F)]
    assert scan(midi([*texts, *ONE_NOTE])).tracks == [ONE_NOTE_EVENTS]


def test_tempo_counts_in_any_track_and_the_last_of_a_tick_wins() -> None:
    late = [tempo(960, 250_000), tempo(0, 1_000_000)]
    found = scan(midi([*ONE_NOTE, on(1440, 60), off(480, 60)], late))
    assert found.tempos == [(0, 500_000), (960, 1_000_000)]
    assert found.seconds_at(2400) == pytest.approx(1.0 + 3.0)
    assert found.seconds_at(480) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("rate", "ticks_a_second"),
    [(24, 24 * 40), (25, 25 * 40), (29, 30_000 / 1001 * 40), (30, 30 * 40)],
)
def test_smpte_ticks_are_parts_of_a_second_whatever_the_tempo(
    rate: int, ticks_a_second: float
) -> None:
    division = (256 - rate) << 8 | 40
    found = scan(midi([tempo(0, 250_000), *ONE_NOTE], division=division))
    assert found.seconds_at(480) == pytest.approx(480 / ticks_a_second, rel=1e-12)


def test_a_long_header_an_unknown_chunk_and_bytes_behind_the_end_are_passed_over() -> None:
    long_header = chunk(b"MThd", header()[8:] + b"more")
    data = long_header + chunk(b"XFIH", b"MTrk not a track") + track(*ONE_NOTE) + b"\x00\x1a junk"
    found = scan(data)
    assert found.tracks == [ONE_NOTE_EVENTS] and found.n_tracks_missing == 0


@pytest.mark.parametrize("length", [0, 1, 5, 16, 30, 0xFFFFFFFF])
def test_a_wrong_chunk_length_gives_way_to_the_end_of_track(length: int) -> None:
    body = b"".join(ONE_NOTE) + END_OF_TRACK
    data = header(n_tracks=2) + chunk(b"MTrk", body, length) + track(on(0, 72), off(9, 72))
    assert scan(data).tracks == [ONE_NOTE_EVENTS, [(0, 0, 72, 64), (9, 0, 72, 0)]]


def test_padding_after_an_end_of_track_belongs_to_its_chunk() -> None:
    body = b"".join(ONE_NOTE) + END_OF_TRACK + b"\x00padding"
    assert scan(header(n_tracks=2) + chunk(b"MTrk", body) + track(*ONE_NOTE)).tracks == [
        ONE_NOTE_EVENTS,
        ONE_NOTE_EVENTS,
    ]


def test_a_track_without_end_of_track_ends_with_its_chunk() -> None:
    bare = chunk(b"MTrk", b"".join(ONE_NOTE))
    assert scan(header(n_tracks=2) + bare + bare).tracks == [ONE_NOTE_EVENTS] * 2


def test_tracks_are_read_whatever_number_the_header_gives() -> None:
    assert scan(header(n_tracks=0) + track(*ONE_NOTE)).tracks == [ONE_NOTE_EVENTS]
    assert scan(header(n_tracks=65_535) + track(*ONE_NOTE)).n_tracks_missing == 65_534


def test_every_cut_is_refused_or_tells_of_the_missing_track() -> None:
    whole = midi([tempo(0, 500_000), meta(0, 1, b"a title")], [*ONE_NOTE, pedal(300, 9)])
    first_track_ends = whole.rindex(b"MTrk")
    for n in range(len(whole)):
        if first_track_ends <= n < first_track_ends + 8:
            assert scan(whole[:n]).n_tracks_missing == 1
        elif 14 <= n < 22:
            assert scan(whole[:n]).n_tracks_missing == 2
        else:
            with pytest.raises(ValueError, match="empty|must begin|cut short"):
                scan(whole[:n])
    assert scan(whole).n_tracks_missing == 0


BAD_FILES = {
    "empty": (b"", "empty"),
    "not MIDI": (b"RIFF....WAVEfmt ", "must begin with 'MThd', got b'RIFF'"),
    "text": (b"MThd and no more", "must be 0, 1 or 2"),
    "short header": (header()[:9], "header is cut short"),
    "header size": (chunk(b"MThd", b"\0\1\0\1\1\xe0", 2) + track(*ONE_NOTE), "cut short"),
    "format": (midi(ONE_NOTE, midi_format=3), "must be 0, 1 or 2, got 3"),
    "division": (midi(ONE_NOTE, division=0), "1 to 32767 ticks a quarter note, got 0"),
    "SMPTE rate": (midi(ONE_NOTE, division=(256 - 77) << 8 | 40), "got 77 of 40"),
    "SMPTE ticks": (midi(ONE_NOTE, division=(256 - 25) << 8), "got 25 of 0"),
    "patterns": (midi(ONE_NOTE, ONE_NOTE, midi_format=2), "got 2 independent patterns"),
    "no status": (midi([event(0, 60, 64)]), "data before the first event at byte 23"),
    "data byte": (midi([event(0, 0x90, 60, 0x90)]), "a value above 127 at byte 24"),
    "realtime": (midi([event(0, 0xF8)]), "the unknown event 0xF8"),
    "empty tempo": (midi([meta(0, 0x51, b"")]), "a tempo change without a tempo"),
    "no tempo": (midi([tempo(0, 0)]), "at least 20000 microseconds.*got 0"),
    "fast": (midi([tempo(0, 1)]), "at most 3000 a minute.*got 1"),
    "long number": (midi([b"\xff\xff\xff\xff\x7f\x90\x40\x40"]), "at most 4 bytes"),
    "long text": (midi([event(0, 0xFF, 1) + variable(10**6)]), "cut short"),
    "hours": (midi([on(0, 60), off(960 * 7300, 60)]), "at most 7200 s, got 7300 s"),
    "late pedal": (midi([*ONE_NOTE, pedal(2**27, 0)]), "at most 7200 s, got 139811 s"),
    "ticks": (
        midi([on(0, 60), off(9_000_000, 60)], division=9_000),
        "at most 8000000 ticks, got 9000000",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_gives_one_clear_error(name: str) -> None:
    data, message = BAD_FILES[name]
    with pytest.raises(ValueError, match=message):
        scan(data)


def test_silence_behind_the_last_note_is_no_length() -> None:
    data = midi([*ONE_NOTE, tempo(2**27, 500_000), meta(2**27, 1, b"late")])
    assert scan(data).last_tick == 480


@pytest.mark.parametrize(
    ("limit", "at", "message"),
    [
        ("max_bytes", len(midi(ONE_NOTE, ONE_NOTE)), "bytes, got 5"),
        ("max_tracks", 2, "at most 1 tracks"),
        ("max_events", 6, "at most 5 events"),
        ("max_notes", 2, "at most 1 notes"),
        ("max_seconds", 0.5, "at most 0.25 s"),
        ("max_ticks", 480, "at most 479 ticks, got 480"),
    ],
)
def test_a_limit_is_reached_but_not_passed(limit: str, at: float, message: str) -> None:
    data = midi(ONE_NOTE, ONE_NOTE)
    assert scan(data, **{limit: at}).n_note_ons == 2
    with pytest.raises(ValueError, match=message):
        scan(data, **{limit: at / 2 if limit == "max_seconds" else at - 1})


def test_the_number_of_tempo_changes_is_limited() -> None:
    data = midi([tempo(1, 500_000 + i) for i in range(3)], ONE_NOTE)
    assert len(scan(data, max_tempos=3).tempos) == 4
    with pytest.raises(ValueError, match="at most 2 tempo changes"):
        scan(data, max_tempos=2)


@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limits_must_be_above_0(value: float) -> None:
    with pytest.raises(ValueError, match=f"max_seconds must be above 0, got {value}"):
        MidiLimits(max_seconds=value)
