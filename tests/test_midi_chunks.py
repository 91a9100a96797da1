"""Header, chunks and events: what is kept of a right file, and what is made of a wrong one."""

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

from pyzzicato.midi.chunks import Chunks, read_chunks
from pyzzicato.midi.limits import MidiLimits
from pyzzicato.midi.track_events import CONTROL, NOTE_OFF, NOTE_ON

ONE_NOTE = (on(0, 60), off(480, 60))
ONE_NOTE_READ = [(0, NOTE_ON, 0, 60, 64), (480, NOTE_OFF, 0, 60, 0)]


def read(data: bytes, **limits: float) -> Chunks:
    """Returns the chunks under the default limits but for `limits`."""
    return read_chunks(data, MidiLimits(**limits))  # type: ignore[arg-type]


def messages(found: Chunks) -> list[list[tuple[int, ...]]]:
    return [list(one.messages) for one in found.tracks]


def test_it_keeps_notes_pedal_tempo_and_texts() -> None:
    found = read(
        midi(
            [tempo(0, 600_000), meta(0, 3, b"title")],
            [pedal(10, 127), on(5, 60), off(480, 60), pedal(0, 0)],
        )
    )
    assert found.resolution == 480 and found.smpte_tempo is None
    assert found.tracks[0].metas == [(0, 0x51, (600_000).to_bytes(3))]
    assert found.tracks[0].texts == [(3, b"title")]
    assert found.tracks[1].messages == [
        (10, CONTROL, 0, 64, 127),
        (15, NOTE_ON, 0, 60, 64),
        (495, NOTE_OFF, 0, 60, 0),
        (495, CONTROL, 0, 64, 0),
    ]
    assert [one.has_notes for one in found.tracks] == [False, True]
    assert found.repairs.sentences() == ()


def test_running_status_lasts_over_meta_and_system_exclusive_events() -> None:
    sysex = b"\x00\xf0\x03\x7e\x01\xf7"
    found = read(midi([on(0, 60), meta(0, 1, b"word"), sysex, event(480, 60, 0), event(0, 62, 9)]))
    assert messages(found) == [[*ONE_NOTE_READ, (480, NOTE_ON, 0, 62, 9)]]


@pytest.mark.parametrize("n_after", [1, 100])
def test_system_exclusive_events_without_their_length_are_passed_over(n_after: int) -> None:
    raw = b"\0\xf0\x7e\x7f\x09\x01\xf7"
    found = read(midi([raw, *ONE_NOTE * n_after]))
    assert found.tracks[0].messages[:2] == ONE_NOTE_READ
    assert len(found.tracks[0].messages) == 2 * n_after
    # Not so one that is sent in two pieces.
    pieces = b"\0\xf0\3\x43\x12\0" + b"\0\xf7\3\x43\x12\xf7"
    assert messages(read(midi([pieces, *ONE_NOTE]))) == [ONE_NOTE_READ]


def test_events_of_one_and_of_two_data_bytes_are_told_apart() -> None:
    one = [event(0, 0xD0, 9), event(0, 9)]
    two = [event(0, 0xA0, 60, 1), event(0, 0xE0, 0, 64), event(0, 0xB0, 7, 100)]
    assert messages(read(midi([*one, *two, *ONE_NOTE]))) == [ONE_NOTE_READ]


@pytest.mark.parametrize("data", [b"\xff\xfe\x80\x81", "Prélude".encode(), b"\x00", b""])
def test_text_and_unknown_meta_events_of_any_bytes_are_no_obstacle(data: bytes) -> None:
    texts = [meta(0, kind, data) for kind in (1, 3, 5, 0x20, 0x6E, 0x7F)]
    assert messages(read(midi([*texts, *ONE_NOTE]))) == [ONE_NOTE_READ]


def test_a_port_has_channels_of_its_own() -> None:
    found = read(midi(ONE_NOTE, [meta(0, 0x21, b"\x02"), on(0, 60, channel=3)]))
    assert messages(found)[1] == [(0, NOTE_ON, 35, 60, 64)]


# --- Lengths, chunks and bytes between them


def test_a_long_header_an_unknown_chunk_and_bytes_behind_the_end_are_passed_over() -> None:
    long_header = chunk(b"MThd", header()[8:] + b"more")
    data = long_header + chunk(b"XFIH", b"MTrk not a track") + track(*ONE_NOTE) + b"\x00\x1a junk"
    found = read(data)
    assert messages(found) == [ONE_NOTE_READ] and found.repairs.sentences() == ()


@pytest.mark.parametrize("size", [14, 1000, 0x7FFFFFFF])
def test_a_header_that_claims_the_first_track_gives_way_to_it(size: int) -> None:
    data = chunk(b"MThd", header()[8:], size) + track(*ONE_NOTE)
    assert messages(read(data)) == [ONE_NOTE_READ]


@pytest.mark.parametrize("length", [0, 1, 5, 16, 30, 0xFFFFFFFF])
def test_a_wrong_chunk_length_gives_way_to_the_end_of_track(length: int) -> None:
    body = b"".join(ONE_NOTE) + END_OF_TRACK
    data = header(n_tracks=2) + chunk(b"MTrk", body, length) + track(*ONE_NOTE)
    assert messages(read(data)) == [ONE_NOTE_READ] * 2


@pytest.mark.parametrize("length", [0xFFFF, 20])
def test_the_next_track_ends_a_track_without_an_end(length: int) -> None:
    data = header(n_tracks=2) + chunk(b"MTrk", b"".join(ONE_NOTE), length) + track(*ONE_NOTE)
    assert messages(read(data)) == [ONE_NOTE_READ] * 2


def test_padding_after_an_end_of_track_belongs_to_its_chunk() -> None:
    body = b"".join(ONE_NOTE) + END_OF_TRACK + b"\x00padding"
    found = read(header(n_tracks=2) + chunk(b"MTrk", body) + track(*ONE_NOTE))
    assert messages(found) == [ONE_NOTE_READ] * 2 and found.repairs.sentences() == ()


@pytest.mark.parametrize(
    "junk", [b"\0\1\2\3\4", b"hello", b"words and words", b"MTr", b"\xff" * 999]
)
def test_bytes_between_tracks_are_passed_over_and_said(junk: bytes) -> None:
    found = read(header(n_tracks=2) + track(*ONE_NOTE) + junk + track(*ONE_NOTE))
    assert messages(found) == [ONE_NOTE_READ] * 2
    assert found.repairs.sentences() == (
        f"{len(junk)} bytes between the tracks belong to none: passed over.",
    )


def test_tracks_are_read_whatever_number_the_header_gives() -> None:
    assert messages(read(header(n_tracks=0) + track(*ONE_NOTE))) == [ONE_NOTE_READ]
    found = read(header(n_tracks=65_535) + track(*ONE_NOTE))
    assert "should hold 65534 more tracks" in found.repairs.sentences()[0]


def test_a_second_file_behind_the_first_is_left_out() -> None:
    found = read(midi(ONE_NOTE) + midi([on(0, 72)]))
    assert messages(found) == [ONE_NOTE_READ]
    assert "Another MIDI file follows" in found.repairs.sentences()[0]


def test_an_unknown_format_is_read_as_format_1() -> None:
    found = read(midi(ONE_NOTE, ONE_NOTE, midi_format=7))
    assert messages(found) == [ONE_NOTE_READ] * 2
    assert found.repairs.sentences() == ("The file is of no known format: read as format 1.",)


def test_patterns_of_format_2_follow_each_other() -> None:
    first = [*ONE_NOTE, meta(20, 1, b"silence")]
    found = read(midi(first, ONE_NOTE, midi_format=2))
    assert messages(found) == [
        ONE_NOTE_READ,
        [(tick + 500, *rest) for tick, *rest in ONE_NOTE_READ],
    ]
    assert "2 separate patterns" in found.repairs.sentences()[0]
    assert read(midi([tempo(0, 500_000)], ONE_NOTE, midi_format=2)).repairs.sentences() == ()


# --- Files inside others


@pytest.mark.parametrize(
    "before",
    [
        b"RIFF\xff\0\0\0RMIDdata\xaa\0\0\0",
        b"RIFF\xff\0\0\0RMIDLIST\x06\0\0\0INFO\0\0data\xaa\0\0\0",
        bytes(128),  # As MacBinary puts it before.
        b"\xef\xbb\xbf",
        b"From: a mail\n\n",
    ],
)
def test_a_file_inside_another_is_found_and_said(before: bytes) -> None:
    found = read(before + midi(ONE_NOTE) + b"DISP\4\0\0\0word")
    assert messages(found) == [ONE_NOTE_READ]
    assert "lies inside another file" in found.repairs.sentences()[0]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"MTh", "header is cut short"),
        (b"ID3\x04", "MP3"),
        (b"\xff\xfb\x90\x64" + bytes(400), "MP3"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "WAV"),
        (b"RIFF\x24\0\0\0RMIDdata", "no MIDI inside"),
        (b"RIFF\x24\0\0\0AVI ", "RIFF file, and there is no MIDI inside"),
        (b"FORM\0\0\0\x24AIFF", "AIFF"),
        (b"\0\0\0\x20ftypM4A ", "MP4"),
        (b"OggS", "Ogg"),
        (b"PK\x03\x04\x14", "ZIP"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"\n<!DOCTYPE html><p>404", "web page"),
        (b"<?xml version='1.0'?><score-partwise>", "MusicXML"),
        ("X:1\nK:C\nCDE ♪".encode(), "this is text .'X:1 K:C CDE ♪'., there is no MIDI inside"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (bytes(100), "100 zeros"),
        (b"\x91\x92\x93\x94\x95\x96", "no MIDI inside .it begins with 91 92 93 94 95 96"),
        (b"SMF2CLIP", "MIDI 2.0"),
    ],
)
def test_what_is_no_midi_is_called_by_its_name(data: bytes, kind: str) -> None:
    with pytest.raises(ValueError, match=kind):
        read(data)


# --- Stray bytes and damage


@pytest.mark.parametrize(
    "stray",
    [
        [event(0, 0xB0, 7, 255)],
        [event(0, 0xB0, 200, 1)],
        [event(0, 0xC0, 255)],
        [event(0, 0xE0, 255, 255)],
        [event(0, 0xA0, 60, 129)],
        [event(0, 0xD0, 129)],
    ],
)
def test_values_out_of_range_in_events_of_no_use_are_passed_over(stray: list[bytes]) -> None:
    found = read(midi([*stray, *ONE_NOTE]))
    assert [m for m in found.tracks[0].messages if m[1] in (NOTE_ON, NOTE_OFF)] == ONE_NOTE_READ
    assert found.repairs.sentences() == (
        "1 value above 127, which MIDI does not have: taken as 127, or passed over.",
    )


def test_values_out_of_range_in_notes_and_pedals_count_as_127() -> None:
    found = read(midi([event(0, 0xB0, 64, 255), on(0, 60, 200), on(0, 200, 64), off(480, 60)]))
    assert messages(found) == [
        [(0, CONTROL, 0, 64, 127), (0, NOTE_ON, 0, 60, 127), (480, NOTE_OFF, 0, 60, 0)]
    ]


@pytest.mark.parametrize(
    ("live", "n"),
    [
        ([0xF8], 1),
        ([0xFE], 1),
        ([0xF6], 1),
        ([0xF1, 9], 1),
        ([0xF2, 9, 9], 1),
        ([0xF3, 9], 1),
        ([0xF8, 0, 0xFA, 0, 0xFC], 3),
    ],
)
def test_events_of_a_cable_are_passed_over_and_keep_the_running_status(
    live: list[int], n: int
) -> None:
    found = read(midi([on(0, 60), event(240, *live), event(240, 60, 0)]))
    assert messages(found) == [ONE_NOTE_READ]
    (said,) = found.repairs.sentences()
    assert said.startswith(f"{n} event")


@pytest.mark.parametrize("data", [b"\0\0\0", b"\0\0\1", b"\x01", b"", b"\x00\x4e\x1f"])
def test_impossible_tempos_are_passed_over(data: bytes) -> None:
    found = read(midi([meta(0, 0x51, data), tempo(0, 400_000), *ONE_NOTE]))
    assert found.tracks[0].metas == [(0, 0x51, (400_000).to_bytes(3))]
    assert found.repairs.sentences()[0].startswith("1 tempo change that no music has")


@pytest.mark.parametrize(
    "broken", [event(0, 0xFF, 1) + variable(10**6), b"\xff" * 12, b"\0\xf0\x7f", b"\0\x90\x40"]
)
def test_a_broken_track_counts_up_to_there(broken: bytes) -> None:
    whole = chunk(b"MTrk", b"".join(ONE_NOTE) + broken)
    (said,) = read(header() + whole).repairs.sentences()
    assert "damaged" in said or "middle of a track" in said
    found = read(header(n_tracks=2) + whole + track(*ONE_NOTE))
    assert messages(found)[0][:2] == ONE_NOTE_READ


def test_damage_in_one_track_leaves_the_next_one_whole() -> None:
    body = b"".join(ONE_NOTE) + b"\xff" * 12
    found = read(header(n_tracks=2) + chunk(b"MTrk", body) + track(*ONE_NOTE))
    assert messages(found) == [ONE_NOTE_READ] * 2
    assert found.repairs.sentences() == ("A track is damaged: what follows in it is left out.",)


def test_a_track_that_begins_without_a_status_is_damaged() -> None:
    found = read(midi([event(0, 60, 64)], ONE_NOTE))
    assert messages(found) == [[], ONE_NOTE_READ]
    assert found.repairs["damaged"] == 1


def test_padded_numbers_are_numbers() -> None:
    found = read(midi([b"\x80\x80\x80\x80\x00" + on(0, 60)[1:], off(480, 60)]))
    assert messages(found) == [ONE_NOTE_READ]


def test_every_cut_is_refused_or_said() -> None:
    whole = midi([tempo(0, 500_000), meta(0, 1, b"a title")], [*ONE_NOTE, pedal(300, 9)])
    for n in range(len(whole)):
        if n < 14:
            with pytest.raises(ValueError, match="empty|no MIDI|header is cut short"):
                read(whole[:n])
        else:
            assert read(whole[:n]).repairs.sentences(), n
    assert read(whole).repairs.sentences() == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (header()[:9], "header is cut short"),
        (chunk(b"MThd", b"\0\1\0\1\1\xe0", 2) + track(*ONE_NOTE), "cut short"),
        (midi(ONE_NOTE, division=0), "1 to 32767 ticks a quarter note, got 0"),
        (midi(ONE_NOTE, division=(256 - 77) << 8 | 40), "got 77 of 40"),
        (midi(ONE_NOTE, division=(256 - 25) << 8), "got 25 of 0"),
    ],
)
def test_a_header_without_a_meaning_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(data)


@pytest.mark.parametrize(
    ("limit", "at", "message"),
    [
        ("max_bytes", len(midi(ONE_NOTE, ONE_NOTE)), "bytes, got more"),
        ("max_tracks", 2, "at most 1 tracks"),
        ("max_events", 6, "at most 5 events"),
        ("max_notes", 2, "at most 1 notes"),
    ],
)
def test_a_limit_is_reached_but_not_passed(limit: str, at: int, message: str) -> None:
    data = midi(ONE_NOTE, ONE_NOTE)
    assert messages(read(data, **{limit: at})) == [ONE_NOTE_READ] * 2
    with pytest.raises(ValueError, match=message):
        read(data, **{limit: at - 1})


def test_a_long_file_that_is_no_midi_is_named_for_what_it_is() -> None:
    sound = b"RIFF\0\0\0\0WAVE" + bytes(100)
    with pytest.raises(ValueError, match="this is a WAV sound recording"):
        read(sound, max_bytes=50)


def test_the_number_of_tempo_changes_is_limited() -> None:
    data = midi([tempo(1, 500_000 + i) for i in range(3)], ONE_NOTE)
    assert len(read(data, max_tempos=3).tracks[0].metas) == 3
    with pytest.raises(ValueError, match="at most 2 tempo changes"):
        read(data, max_tempos=2)


@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limits_must_be_above_0(value: float) -> None:
    with pytest.raises(ValueError, match=f"max_seconds must be above 0, got {value}"):
        MidiLimits(max_seconds=value)
