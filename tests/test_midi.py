"""MIDI files -> performances. Pairing, pedals, chunks and writing have tests of their own."""

import io
import os
import random
from pathlib import Path

import pretty_midi
import pytest
from midi_builder import control, event, header, meta, midi, off, on, pedal, seconds, tempo, track

from pyzzicato.midi import KeySignature, Metre, MidiLimits, Performance, Tempo, read_midi
from pyzzicato.notes import Note

ONE_NOTE = (on(0, 60), off(480, 60))


def times(performance: Performance) -> list[tuple[int, float, float, int]]:
    """Returns (pitch, onset, offset, velocity) of each note, rounded to microseconds."""
    return [(n.pitch, round(n.start, 6), round(n.end, 6), n.velocity) for n in performance.notes]


# --- Time


def test_times_follow_the_tempo_changes_of_every_track() -> None:
    notes = [on(480, 60, 70), off(480, 60), on(0, 62, 80), off(480, 62)]
    found = read_midi(midi([tempo(0, 400_000)], notes, [tempo(960, 1_000_000)]))
    assert times(found) == [(60, 0.4, 0.8, 70), (62, 0.8, 1.8, 80)]
    assert found.seconds == pytest.approx(1.8)
    assert found.remarks() == []
    assert found.timing.tempos == (Tempo(0, 400_000), Tempo(960, 1_000_000))


def test_the_last_tempo_of_a_tick_wins_and_an_impossible_one_never() -> None:
    late = [tempo(960, 250_000), tempo(0, 1_000_000), tempo(0, 0)]
    found = read_midi(midi([*ONE_NOTE, on(1440, 60), off(480, 60)], late))
    assert times(found)[1][1:3] == (3.0, 4.0)
    assert len(found.remarks()) == 1


@pytest.mark.parametrize(
    ("rate", "ticks_a_second"),
    [(24, 24 * 40), (25, 25 * 40), (29, 30_000 / 1001 * 40), (30, 30 * 40)],
)
def test_smpte_ticks_are_parts_of_a_second_whatever_the_tempo(
    rate: int, ticks_a_second: float
) -> None:
    division = (256 - rate) << 8 | 40
    found = read_midi(midi([tempo(0, 250_000), *ONE_NOTE], division=division))
    assert found.notes[0].end == pytest.approx(480 / ticks_a_second, rel=1e-12)
    assert not found.timing.metrical and not found.on_grid()


@pytest.mark.parametrize("midi_format", [0, 1, 2])
def test_each_format_and_running_status(midi_format: int) -> None:
    data = midi(
        [on(0, 60), event(480, 60, 0), event(0, 62, 30), event(480, 62, 0)], midi_format=midi_format
    )
    assert times(read_midi(data)) == [(60, 0.0, 0.5, 64), (62, 0.5, 1.0, 30)]


def test_metre_and_key_are_kept_and_impossible_ones_said() -> None:
    signs = [
        meta(0, 0x58, bytes((6, 3, 36, 8))),
        meta(0, 0x59, b"\xfd\1"),
        meta(1440, 0x58, b"\3\2"),
    ]
    wrong = [meta(0, 0x59, b"\x7f\5"), meta(0, 0x58, b""), meta(0, 0x58, b"\0\2\0\0")]
    found = read_midi(midi([*signs, *wrong], ONE_NOTE))
    assert found.timing.metres == (Metre(0, 6, 8, 36, 8), Metre(1440, 3, 4))
    assert found.timing.keys == (KeySignature(0, -3, True),)
    assert found.remarks() == ["3 metres or key signatures that do not exist: passed over."]


def test_a_long_silence_before_the_music_is_skipped_and_said() -> None:
    found = read_midi(midi([pedal(0, 127), on(10_080, 60), off(480, 60), on(0, 62), off(480, 62)]))
    assert found.start_s == 10.5
    assert found.remarks() == [
        "The first note comes after 10.5 s of silence: the music begins there."
    ]
    assert seconds(found.sounding()) == [(60, 10.5, 11.5), (62, 11.0, 11.5)]
    assert seconds(found.music()) == [(60, 0, 1.0), (62, 0.5, 1.0)]
    assert seconds(found.music("ignore")) == [(60, 0, 0.5), (62, 0.5, 1.0)]


def test_limits_on_length_count_the_music_and_not_the_silence_around_it() -> None:
    late = midi([on(2**27, 60), off(480, 60), meta(2**27, 1, b"later still"), pedal(2**27, 0)])
    assert len(read_midi(late).notes) == 1
    long = midi([on(0, 60), off(960 * 7300, 60)])
    with pytest.raises(ValueError, match="at most 7200 s, got 7300 s"):
        read_midi(long)
    assert read_midi(long, MidiLimits(max_seconds=7300)).seconds == 7300
    with pytest.raises(ValueError, match="first note must come within 1000000 s"):
        read_midi(midi([meta(0x0FFFFFFF, 1, b"")] * 8 + list(ONE_NOTE)))


# --- What is kept of the rest


def test_all_instruments_but_drums_become_one_piano() -> None:
    organ = [event(0, 0xC3, 19), on(0, 67, channel=3), off(480, 67, channel=3)]
    drums = [on(0, 38, channel=9), off(0, 38, channel=9), on(0, 40, channel=9)]
    found = read_midi(midi([on(240, 60), off(480, 60)], organ, drums))
    assert times(found) == [(67, 0.0, 0.5, 64), (60, 0.25, 0.75, 64)]
    assert found.remarks() == ["2 notes for drums: left out."]


def test_notes_no_piano_has_are_dropped_and_counted() -> None:
    found = read_midi(midi([*ONE_NOTE, on(0, 20), off(9, 20), on(0, 109), off(9, 109)]))
    assert [n.pitch for n in found.notes] == [60]
    assert found.remarks() == ["2 notes outside the piano's 88 keys: left out."]
    edges = read_midi(midi([on(0, 21), on(0, 108), off(9, 21), off(0, 108)]))
    assert [n.pitch for n in edges.notes] == [21, 108] and edges.remarks() == []


def test_parts_are_the_tracks_that_play_or_the_channels_of_one() -> None:
    right, left = [meta(0, 3, b"upper"), on(0, 72), off(9, 72)], [on(0, 40), off(9, 40)]
    found = read_midi(midi([tempo(0, 500_000)], right, left))
    assert [(part.name, part.n_notes, part.mean_pitch) for part in found.parts] == [
        ("upper", 1, 72),
        ("", 1, 40),
    ]
    assert found.part_of == (1, 0)  # In the order of the notes, the lower first.
    both = read_midi(
        midi([on(0, 72, channel=2), on(0, 40, channel=1), off(9, 72, 2), off(0, 40, 1)])
    )
    assert [part.mean_pitch for part in both.parts] == [40, 72] and both.part_of == (0, 1)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (b"F\xc3\xbcr Elise", "Für Elise"),
        (b"F\xfcr Elise", "Für Elise"),
        ("月の光".encode(), "月の光"),
        (b"  two\nlines\0 ", "two lines"),
        (b"Piano", ""),
        (b"Steinway Grand Piano (right hand) 2", ""),
        (b"", ""),
        (b"piano " * 30, ""),
        (b"1" * 200, ""),
    ],
)
def test_the_title_is_the_first_tracks_name_unless_that_is_an_instruments(
    name: bytes, title: str
) -> None:
    found = read_midi(midi([meta(0, 3, name)], ONE_NOTE))
    assert found.title == title
    assert found.title_data == (name if title else b"")


@pytest.mark.parametrize(
    ("texts", "composer"),
    [
        ([b"Johann Sebastian BACH: Praeludium"], "bach"),
        (["Frédéric Chopin, Ballade".encode()], "chopin"),
        ([b"S. Rachmaninov"], "rachmaninoff"),
        (["Скрябин / Scriabine".encode()], "scriabin"),
        ([b"Skrjabin"], "scriabin"),
        ([b"waltz", b"by_F._Schubert"], "schubert"),
        ([b"Bach / Liszt"], None),
        ([b"C. P. E. Bach: Solfeggietto"], None),
        ([b"Clara Schumann"], None),
        ([b"Clara Schumann plays Robert Schumann"], "schumann"),
        ([b"Bacharach"], None),
        ([b"a waltz"], None),
    ],
)
def test_the_composer_is_whom_the_texts_name(texts: list[bytes], composer: str | None) -> None:
    found = read_midi(midi([meta(0, 1, text) for text in texts], ONE_NOTE))
    assert found.composer == composer


def test_the_composers_are_those_that_models_know() -> None:
    from pyzzicato.midi.texts import _SURNAMES, composers_in
    from pyzzicato.models.architecture import COMPOSERS

    assert list(_SURNAMES) == list(COMPOSERS)
    assert {name: composers_in(full) for name, full in COMPOSERS.items()} == {
        name: {name} for name in COMPOSERS
    }


def test_a_score_is_on_a_grid_and_a_free_performance_is_not() -> None:
    rng = random.Random(0)
    beats = [(480,), (240, 240), (160, 160, 160), (360, 120), (120, 60, 60, 240), (160, 320)]
    lengths = [n for _ in range(60) for n in rng.choice(beats)]
    score = [one for n in lengths for one in (on(0, 60), off(n, 60))]
    assert read_midi(midi([tempo(0, 700_000)], score)).on_grid()
    late = [one for n in lengths for one in (on(rng.randint(0, 60), 60), off(n, 60))]
    assert not read_midi(midi([tempo(0, 700_000)], late)).on_grid()


# --- Where files come from


def test_a_path_bytes_an_open_file_and_a_pretty_midi_give_the_same(tmp_path: Path) -> None:
    data = midi([meta(0, 3, b"tune"), tempo(0, 400_000)], [*ONE_NOTE, *ONE_NOTE])
    path = tmp_path / "tune.mid"
    path.write_bytes(data)
    whole = read_midi(path)
    assert whole == read_midi(str(path)) == read_midi(data) == read_midi(bytearray(data))
    assert whole == read_midi(os.fsencode(path).decode()) == read_midi(io.BytesIO(data))
    with path.open("rb") as file:
        assert read_midi(file) == whole
    other = read_midi(pretty_midi.PrettyMIDI(str(path)))
    assert times(other) == times(whole)
    for source in (path, data, io.BytesIO(data)):
        with pytest.raises(ValueError, match="at most 20 bytes"):
            read_midi(source, MidiLimits(max_bytes=20))


@pytest.mark.parametrize(
    ("source", "kind"),
    [(None, "NoneType"), (3, "int"), ([60], "list"), (io.StringIO("MThd"), "open for bytes")],
)
def test_another_kind_of_thing_gets_one_sentence(source: object, kind: str) -> None:
    with pytest.raises(ValueError, match=kind):
        read_midi(source)


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"\xe9tude n\xb0 1.mid")
    Path(os.fsdecode(path)).write_bytes(midi(ONE_NOTE))
    assert len(read_midi(os.fsdecode(path)).notes) == 1
    with pytest.raises(ValueError, match="no such file") as caught:
        read_midi(os.fsdecode(path + b"x"))
    assert str(caught.value).isprintable()


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


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "MIDI data cannot be read: the file is empty"),
        (b"<html>", "web page"),
        (midi(ONE_NOTE)[:24], "got none .The file ends in the middle of a track"),
        (midi([]), "got none; choose a file with a piano part"),
        (midi([on(0, 5), off(9, 5)]), "1 note outside the piano's 88 keys"),
        (header(n_tracks=65_535), "65535 more tracks"),
    ],
)
def test_a_file_without_music_gives_one_chained_error(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_midi(data)
    assert str(caught.value).startswith("MIDI data cannot be read: ")
    assert isinstance(caught.value.__cause__, ValueError)


def test_what_is_there_of_a_file_cut_short_is_read_and_said() -> None:
    found = read_midi(midi([*ONE_NOTE, on(0, 62), off(480, 62), on(0, 64), off(480, 64)])[:-9])
    assert [n.pitch for n in found.notes] == [60, 62, 64]
    assert any("ends in the middle of a track" in line for line in found.remarks())


def test_every_remark_is_one_sentence() -> None:
    stray = [control(0, 7, 0), event(0, 0xF8), event(0, 0xB0, 7, 255), tempo(0, 0)]
    odd = [on(0, 20), off(9, 20), on(0, 38, channel=9), on(0, 60), off(0, 60), on(0, 60), on(0, 64)]
    data = header(n_tracks=4) + track(*stray, *odd) + b"junk!" + track(*ONE_NOTE)
    said = read_midi(b"mail: " + data).remarks()
    assert len(said) == 10
    assert all(line.endswith(".") and "\n" not in line and "{" not in line for line in said)


# --- To pretty_midi


def test_a_performance_becomes_a_pretty_midi() -> None:
    signs = [meta(0, 3, b"Aria"), meta(0, 0x58, bytes((3, 2, 24, 8))), meta(0, 0x59, b"\1\0")]
    data = midi(
        [*signs, tempo(0, 400_000), tempo(960, 500_000)],
        [pedal(0, 127), on(960, 60, 70), off(480, 60), pedal(480, 0)],
    )
    found = read_midi(data)
    other = found.to_pretty_midi()
    (piano,) = other.instruments
    assert [(n.pitch, n.velocity) for n in piano.notes] == [(60, 70)]
    assert [piano.notes[0].start, piano.notes[0].end] == pytest.approx([0.8, 1.3])
    assert [(c.value, round(c.time, 9)) for c in piano.control_changes] == [(127, 0), (0, 1.8)]
    assert [list(one) for one in other.get_tempo_changes()] == [[0, 0.8], [150, 120]]
    assert [(s.numerator, s.denominator) for s in other.time_signature_changes] == [(3, 4)]
    assert [k.key_number for k in other.key_signature_changes] == [7]
    again = read_midi(other)
    assert seconds(again.sounding()) == seconds(found.sounding())
    assert (
        Performance((Note(60, 0.0, 0.5, 64),)).to_pretty_midi().instruments[0].notes[0].end == 0.5
    )
