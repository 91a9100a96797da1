"""Notes -> MIDI files, and what a file keeps of the one its notes are from."""

import errno
import importlib
import io
import random
from pathlib import Path

import mido
import pretty_midi
import pytest
from midi_builder import header, meta, midi, off, on, seconds, tempo

from pyzzicato.midi import MidiLimits, Performance, midi_bytes, read_midi, write_midi
from pyzzicato.notes import Note, cut_notes, sort_notes

ONE_NOTE = (on(0, 60), off(480, 60))


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


# --- Notes alone


def test_what_is_written_is_read_within_half_a_millisecond() -> None:
    notes = random_notes(random.Random(1))
    found = read_midi(midi_bytes(notes))
    assert found.repairs == () and found.pedals == ()
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
    assert [(n.pitch, n.start, n.end, n.velocity) for n in found.notes] == [
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
    assert [(i.program, i.is_drum, i.name) for i in other.instruments] == [(0, False, "Piano")]
    assert other.instruments[0].notes[0].end == 0.5


def test_no_notes_make_a_file_without_notes() -> None:
    with pytest.raises(ValueError, match="got none"):
        read_midi(midi_bytes([]))


def test_notes_a_day_away_are_not_written() -> None:
    with pytest.raises(ValueError, match="must end within 86400 s, got 90000 s; shift"):
        midi_bytes([Note(60, 0.0, 90_000.0, 64)])


def test_silence_longer_than_a_number_of_the_file_can_be_is_written() -> None:
    like = read_midi(midi([tempo(0, 50_000), on(0, 60), off(9, 60)], division=32_767))
    notes = [Note(60, 0.0, 1.0, 64), Note(62, 80_000.0, 80_001.0, 64)]
    found = read_midi(midi_bytes(notes, like=like), MidiLimits(max_seconds=86_400))
    assert seconds(found.notes)[1] == (62, 80_000, 80_001)


# --- Like a source


def test_tempo_metre_key_title_and_resolution_are_the_sources_to_the_tick() -> None:
    signs = [
        meta(0, 3, b"F\xfcr Elise"),
        meta(0, 0x58, bytes((3, 3, 12, 8))),
        meta(0, 0x59, b"\0\1"),
    ]
    changes = [tempo(0, 625_000), tempo(333, 612_345), meta(387, 0x58, bytes((2, 2, 24, 8)))]
    music = [one for i in range(12) for one in (on(i % 3, 60 + i), off(118, 60 + i))]
    source = midi([*signs, *changes], music, division=480)
    like = read_midi(source)
    data = midi_bytes(like.music(), like=like)
    found = read_midi(data)
    assert found.timing == like.timing and found.timing.resolution == 480
    assert (found.title, found.title_data) == ("Für Elise", b"F\xfcr Elise")
    assert found.notes == like.notes
    ours, theirs = (mido.MidiFile(file=io.BytesIO(one)) for one in (data, source))
    struck = [[m.time for m in f if m.type == "note_on"] for f in (ours, theirs)]
    assert struck[0] == struck[1]


def test_a_bar_of_the_source_is_a_bar_of_the_result_wherever_the_seed_begins() -> None:
    quarters = [one for i in range(20) for one in (on(0, 60 + i), off(480, 60 + i))]
    like = read_midi(midi([tempo(0, 600_000), meta(0, 0x58, bytes((3, 2, 24, 8)))], quarters))
    # From the fifth quarter on, the second one of its bar.
    seed = cut_notes(like.music(), 2.4, 6.0)
    data = midi_bytes(
        [*seed, Note(90, 3.6, 4.2, 64)], like=like, like_start_s=2.4, seed_seconds=3.6
    )
    played = mido.MidiFile(file=io.BytesIO(data)).tracks[1]
    ticks, now = [], 0
    for message in played:
        now += message.time
        ticks += [now] if message.type == "note_on" else []
    assert ticks == [480 * i for i in range(1, 8)]
    assert read_midi(data).timing.metres[0][:3] == (0, 3, 4)
    alone = midi_bytes(seed, like=like, like_start_s=2.4, whole_bars=False)
    assert seconds(read_midi(alone).notes)[0][1] == 0


def test_changes_before_the_seed_hold_from_its_first_bar() -> None:
    changes = [tempo(0, 400_000), tempo(1920, 800_000), tempo(1920, 500_000)]
    quarters = [one for i in range(20) for one in (on(0, 60 + i), off(480, 60 + i))]
    like = read_midi(midi(changes, quarters))
    start = like.timing.seconds_at(1920 + 960)
    found = read_midi(
        midi_bytes(cut_notes(like.music(), start, 10.0), like=like, like_start_s=start)
    )
    assert found.timing.tempos[:2] == ((0, 800_000), (1920, 500_000))
    assert found.start_s == pytest.approx(1.6)


def test_a_free_performance_begins_with_its_first_note() -> None:
    rng = random.Random(1)
    like = read_midi(
        midi([one for _ in range(50) for one in (on(rng.randint(1, 400), 60), off(77, 60))])
    )
    assert read_midi(midi_bytes(like.music(), like=like)).start_s == 0


def test_ticks_too_coarse_for_new_notes_are_divided() -> None:
    like = read_midi(midi([on(0, 60), off(4, 60), on(4, 62), off(4, 62)], division=4))
    found = read_midi(midi_bytes([*like.music(), Note(64, 1.51, 1.77, 64)], like=like))
    assert found.timing.resolution == 96
    assert [n.start for n in found.notes] == pytest.approx([0, 1.0, 1.51], abs=0.003)


def test_seconds_of_smpte_files_stay_seconds() -> None:
    like = read_midi(midi([on(0, 60), off(1500, 60)], division=(256 - 25) << 8 | 40))
    found = read_midi(midi_bytes(like.music(), like=like))
    assert seconds(found.notes) == [(60, 0, 1.5)]


def test_a_marker_says_where_the_seed_ends() -> None:
    data = midi_bytes([Note(60, 0.0, 0.5, 64), Note(62, 3.0, 4.0, 64)], seed_seconds=2.0)
    first = mido.MidiFile(file=io.BytesIO(data)).tracks[0]
    (marker,) = [m for m in first if m.type == "marker"]
    assert (marker.text, marker.time) == ("the seed ends here", 2000)
    # A seed that ends in silence is as long as it is.
    late = mido.MidiFile(file=io.BytesIO(midi_bytes([Note(60, 0.0, 0.5, 64)], seed_seconds=9.0)))
    assert late.length == pytest.approx(9.0)


def test_two_hands_stay_two_tracks_and_new_notes_go_to_the_nearer_one() -> None:
    right = [meta(0, 3, b"upper staff"), on(0, 50, 71), on(0, 76), off(480, 50), off(0, 76)]
    left = [on(0, 40, 72), on(480, 64), off(240, 64), off(0, 40)]
    like = read_midi(midi([tempo(0, 500_000)], right, left))
    new = [Note(80, 2.0, 2.5, 9), Note(35, 2.0, 2.5, 9)]
    other = mido.MidiFile(file=io.BytesIO(midi_bytes([*like.music(), *new], like=like)))
    names = [track.name for track in other.tracks]
    struck = [{m.note for m in track if m.type == "note_on"} for track in other.tracks]
    # The names are those of the file, or what the pitches say.
    assert (names[1:], struck[1:]) == (["upper staff", "Left hand"], [{50, 76, 80}, {40, 64, 35}])
    channels = [{m.channel for m in t if m.type == "note_on"} for t in other.tracks[1:]]
    assert channels == [{0}, {1}]


def test_a_title_may_be_given() -> None:
    assert read_midi(midi_bytes([Note(60, 0, 1, 64)], title="月の光 ☾")).title == "月の光 ☾"
    assert read_midi(midi_bytes([Note(60, 0, 1, 64)], title="\udce9tude")).title == "?tude"


# --- Other programs


def two_handed() -> Performance:
    """Returns a score of two hands with a key and changes of tempo and metre."""
    signs = [meta(0, 3, b"Study"), meta(0, 0x58, bytes((3, 2, 24, 8))), meta(0, 0x59, b"\xfe\0")]
    changes = [tempo(0, 600_000), tempo(1440, 650_000), meta(1440, 0x58, bytes((6, 3, 36, 8)))]
    rng = random.Random(5)
    hands = []
    for low in (60, 36):
        hand = []
        for _ in range(60):
            pitch = rng.randint(low, low + 24)
            hand += [on(0, pitch, rng.randint(20, 110)), off(rng.choice((120, 160, 240)), pitch)]
        hands.append(hand)
    return read_midi(midi([*signs, *changes], *hands))


def written() -> tuple[bytes, list[tuple[int, float, float, int]]]:
    like = two_handed()
    data = midi_bytes(like.music(), like=like, seed_seconds=5.0)
    return data, sorted((n.pitch, n.start, n.end, n.velocity) for n in like.notes)


def check(found: list[tuple[int, float, float, int]]) -> None:
    """Checks that notes are those that were written, within a tick."""
    _, expected = written()
    assert [(p, v) for p, _, _, v in found] == [(p, v) for p, _, _, v in expected]
    for one, other in zip(found, expected, strict=True):
        assert one[1:3] == pytest.approx(other[1:3], abs=0.0014)


def test_pretty_midi_opens_it_without_loss() -> None:
    other = pretty_midi.PrettyMIDI(io.BytesIO(written()[0]))
    check(sorted((n.pitch, n.start, n.end, n.velocity) for i in other.instruments for n in i.notes))
    assert [s.numerator for s in other.time_signature_changes] == [3, 6]
    assert [i.name for i in other.instruments] == ["Right hand", "Left hand"]


def test_mido_opens_it_without_loss() -> None:
    file = mido.MidiFile(file=io.BytesIO(written()[0]))
    now, down, found = 0.0, {}, []
    for message in file:
        now += message.time
        if message.type == "note_on":
            down[message.channel, message.note] = now, message.velocity
        elif message.type == "note_off":
            start, velocity = down.pop((message.channel, message.note))
            found.append((message.note, start, now, velocity))
    assert not down
    check(sorted(found))
    (key,) = [m.key for m in file.tracks[0] if m.type == "key_signature"]
    assert (file.tracks[0].name, key) == ("Study", "Bb")


def test_symusic_opens_it_without_loss() -> None:
    symusic = pytest.importorskip("symusic")
    score = symusic.Score.from_midi(written()[0])
    assert [t.name for t in score.tracks] == ["Right hand", "Left hand"]
    assert [m.text for m in score.markers] == ["the seed ends here"]
    timed = score.to("second")
    check(sorted((n.pitch, n.time, n.end, n.velocity) for t in timed.tracks for n in t.notes))


def test_music21_opens_it_without_loss() -> None:
    music21 = pytest.importorskip("music21")
    score = music21.converter.parse(written()[0], format="midi", quantizePost=False)
    notes = list(score.stripTies().flatten().notes)  # Bar lines cut notes in two.
    pitches = sorted(p.midi for n in notes for p in n.pitches)
    assert pitches == [note[0] for note in written()[1]]
    assert len(score.parts) == 2
    metres = {m.ratioString for m in score.recurse().getElementsByClass("TimeSignature")}
    assert metres == {"3/4", "6/8"}


def test_partitura_opens_it_without_loss(tmp_path: Path) -> None:
    partitura = pytest.importorskip("partitura")
    path = tmp_path / "study.mid"
    path.write_bytes(written()[0])
    notes = partitura.load_performance_midi(path).note_array()
    check(
        sorted(
            (
                int(n["pitch"]),
                float(n["onset_sec"]),
                float(n["onset_sec"] + n["duration_sec"]),
                int(n["velocity"]),
            )
            for n in notes
        )
    )


# --- Writing to a disk


def test_write_midi(tmp_path: Path) -> None:
    notes = [Note(60, 0.0, 0.5, 64)]
    path = write_midi(notes, str(tmp_path / "out.mid"))
    assert path == tmp_path / "out.mid" and path.read_bytes() == midi_bytes(notes)
    for target in (tmp_path, tmp_path / "none" / "out.mid", path / "out.mid", "a\0b"):
        with pytest.raises(ValueError, match="cannot be written: .*choose an existing folder"):
            write_midi(notes, target)
    assert [p.name for p in tmp_path.iterdir()] == ["out.mid"]


def test_a_full_disk_leaves_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_midi([Note(60, 0.0, 0.5, 64)], tmp_path / "out.mid")
    before = path.read_bytes()

    def write_half(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(ValueError, match="No space left on device; choose .* with room left"):
        write_midi([Note(62, 0.0, 0.5, 64)], path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.mid"]


def test_reading_and_writing_need_no_midi_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mido", "pretty_midi"):
        monkeypatch.setitem(importlib.import_module("sys").modules, name, None)
    assert read_midi(midi_bytes([Note(60, 0.0, 0.5, 64)])).seconds == 0.5
