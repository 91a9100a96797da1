"""Pedals: whose they are, and how long notes sound by them (480 ticks are half a second)."""

import pytest
from midi_builder import chunk, control, event, header, meta, midi, off, on, pedal, seconds, track

from pyzzicato.midi import Performance, read_midi
from pyzzicato.notes import Note, PedalSpan

ONE_NOTE = (on(0, 60), off(480, 60))
MPE_LOWER = (control(0, 101, 0), control(0, 100, 6), control(0, 6, 15))


def sounds(*tracks: list[bytes]) -> list[tuple[int, float, float]]:
    return seconds(read_midi(midi(*tracks)).sounding())


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


def test_a_pedal_lifted_hours_later_holds_half_a_minute_at_most() -> None:
    found = read_midi(midi([pedal(0, 127), *ONE_NOTE, pedal(2**27, 0)]))
    assert found.sounding()[0].end == 30.5 and found.pedals == (PedalSpan(0.0, 30.5),)


def test_half_pedal_and_a_pedal_of_no_time_make_no_span() -> None:
    found = read_midi(midi([pedal(0, 40), pedal(10, 127), pedal(0, 0), *ONE_NOTE]))
    assert found.pedals == ()


def test_a_key_struck_again_ends_what_sounds() -> None:
    again = [on(480, 60, 9), off(240, 60), pedal(240, 0)]
    assert sounds([pedal(0, 127), *ONE_NOTE, *again]) == [(60, 0, 1.0), (60, 1.0, 1.5)]


# --- Other controllers


def test_reset_all_controllers_lifts_the_pedals_of_its_channel() -> None:
    events = [pedal(0, 127), pedal(0, 127, 1), *ONE_NOTE, on(0, 62, channel=1), off(1, 62, 1)]
    found = sounds([*events, control(479, 121), pedal(480, 0), pedal(0, 0, 1)])
    assert found == [(60, 0, 1.0), (62, 0.5, 1.5)]


def test_all_sound_off_silences_what_the_pedal_holds() -> None:
    found = sounds([pedal(0, 127), *ONE_NOTE, on(0, 62), control(480, 120), pedal(960, 0)])
    assert found == [(60, 0, 1.0), (62, 0.5, 1.0)]


def test_all_notes_off_lets_keys_go_and_leaves_them_to_the_pedal() -> None:
    assert sounds([pedal(0, 127), on(0, 60), control(480, 123), pedal(480, 0)]) == [(60, 0, 1.0)]


def test_the_sostenuto_pedal_holds_the_keys_that_are_down_when_it_comes() -> None:
    before = [on(0, 48), control(10, 66, 127), off(230, 48)]
    after = [on(0, 60), off(240, 60), control(480, 66), on(0, 62), off(240, 62)]
    found = read_midi(midi([*before, *after]))
    assert seconds(found.sounding()) == [(48, 0, 1.0), (60, 0.25, 0.5), (62, 1.0, 1.25)]
    assert seconds(found.notes)[0] == (48, 0, 0.25)


def test_the_sustain_pedal_takes_over_from_the_sostenuto_pedal() -> None:
    events = [on(0, 48), control(240, 66, 127), off(240, 48), pedal(240, 127), control(240, 66)]
    assert sounds([*events, pedal(480, 0)]) == [(48, 0, 1.5)]


def test_a_sostenuto_pedal_of_another_channel_holds_nothing() -> None:
    other = [on(0, 72, channel=1), control(10, 66, 127, 1), control(950, 66, 0, 1), off(0, 72, 1)]
    assert sounds([*ONE_NOTE], other) == [(60, 0, 0.5), (72, 0, 1.0)]


# --- Whose pedal it is


def test_a_pedal_is_its_channels_own() -> None:
    left = [pedal(0, 127, 1), on(0, 36, channel=1), off(480, 36, 1), pedal(480, 0, 1)]
    assert sounds([*ONE_NOTE], left) == [(36, 0, 1.0), (60, 0, 0.5)]


def test_the_only_pedal_on_a_channel_without_notes_is_the_pianos() -> None:
    right, left = [*ONE_NOTE], [on(0, 36, channel=1), off(480, 36, 1)]
    foot = [pedal(0, 127, 2), pedal(960, 0, 2)]
    assert sounds(right, left, foot) == [(36, 0, 1.0), (60, 0, 1.0)]
    # But of its port alone, and a channel with a pedal of its own keeps that.
    assert sounds(right, [meta(0, 0x21, b"\1"), *foot]) == [(60, 0, 0.5)]
    own = [pedal(0, 127, 1), pedal(720, 0, 1)]
    assert sounds(right, left, foot, own) == [(36, 0, 0.75), (60, 0, 1.0)]


def test_pedals_of_channels_without_notes_add_up() -> None:
    first = [pedal(480, 127, channel=1), pedal(480, 0, channel=1), pedal(960, 127, channel=1)]
    second = [pedal(720, 127, channel=2), pedal(720, 0, channel=2), pedal(0, 0, channel=5)]
    found = read_midi(midi([on(0, 60), off(2400, 60)], first, second))
    assert found.pedals == (PedalSpan(0.5, 1.5), PedalSpan(2.0, 2.5))


def test_the_master_channels_pedal_is_that_of_its_mpe_zone() -> None:
    played = [on(0, 60, channel=3), off(480, 60, 3), on(0, 64, channel=9), off(480, 64, 9)]
    found = sounds([*MPE_LOWER, pedal(0, 127), *played, pedal(480, 0)])
    assert found == [(60, 0, 1.5), (64, 0.5, 1.5)]
    # Also where the master channel plays itself.
    found = sounds([*MPE_LOWER, pedal(0, 127), on(0, 72), off(0, 72), *played, pedal(480, 0)])
    assert found == [(60, 0, 1.5), (72, 0, 1.5), (64, 0.5, 1.5)]


# --- Drums, or not


def rounds(channels: list[int], program: int | None = None) -> list[bytes]:
    """Returns notes handed round the channels, all with one program."""
    programs = [event(0, 0xC0 | c, program) for c in channels if program is not None]
    played = [(on(0, 60 + c, channel=c), off(240, 60 + c, c)) for c in channels]
    return [*programs, *(one for pair in played for one in pair)]


def drums(performance: Performance) -> int:
    said = [line for line in performance.remarks() if "drums" in line]
    return int(said[0].split()[0]) if said else 0


def test_channel_10_is_drums_and_has_no_pedal() -> None:
    found = read_midi(midi([*ONE_NOTE, on(0, 38, channel=9), pedal(0, 127, 9), off(9, 38, 9)]))
    assert seconds(found.sounding()) == [(60, 0, 0.5)]
    assert found.remarks() == ["1 note for drums: left out."]


def test_channel_10_of_an_mpe_zone_is_no_drums() -> None:
    lower = midi([*MPE_LOWER, *rounds(list(range(1, 16)))])
    assert (len(read_midi(lower).notes), drums(read_midi(lower))) == (15, 0)
    upper = [control(0, 101, 0, 15), control(0, 100, 6, 15), control(0, 6, 7, 15)]
    assert len(read_midi(midi([*upper, *rounds([8, 9, 14])])).notes) == 3
    # A zone of four channels does not reach it.
    small = [*MPE_LOWER[:2], control(0, 6, 4)]
    assert drums(read_midi(midi([*small, *rounds([1, 2, 9])]))) == 1


@pytest.mark.parametrize("program", [None, 0, 24])
def test_channel_10_is_no_drums_where_one_instrument_is_handed_round(program: int | None) -> None:
    assert len(read_midi(midi(rounds(list(range(16)), program))).notes) == 16


def test_channel_10_is_drums_in_a_band() -> None:
    band = [event(0, 0xC0 | c, c) for c in range(16)]
    assert drums(read_midi(midi([*band, *rounds(list(range(16)))]))) == 1
    tracks = [[on(0, 60, channel=c), off(480, 60, c)] for c in range(16)]
    assert drums(read_midi(midi(*tracks))) == 1


def test_a_file_may_say_which_channels_are_drums() -> None:
    played = rounds([0, 9, 10])
    melodic, rhythm = [control(0, 0, 121, 9)], [control(0, 0, 120, 10)]
    assert drums(read_midi(midi([*melodic, *played]))) == 0
    assert drums(read_midi(midi([*rhythm, *played]))) == 2
    for block, value, n in ((0x10, 0, 0), (0x1A, 1, 2), (0x10, 1, 1)):
        gs = bytes((0x41, 0x10, 0x42, 0x12, 0x40, block, 0x15, value, 0, 0xF7))
        sysex = b"\0\xf0" + bytes([len(gs)]) + gs
        assert drums(read_midi(midi([sysex, *played]))) == n


@pytest.mark.parametrize("name", ["Piano", "Right Hand", "Klavier 2", "grand", "R.H."])
def test_a_track_called_piano_is_none_of_drums(name: str) -> None:
    played = [meta(0, 3, name.encode()), on(0, 60, channel=9), off(480, 60, 9)]
    assert len(read_midi(midi(played)).notes) == 1
    # But a piece may be called so, with drums on one of its channels.
    assert drums(read_midi(midi([*played, *ONE_NOTE], midi_format=0))) == 1


def test_a_file_of_drums_alone_is_refused() -> None:
    data = header() + chunk(b"MTrk", b"") + track(on(0, 38, channel=9), off(9, 38, 9))
    with pytest.raises(ValueError, match="got none .1 note for drums: left out"):
        read_midi(data)
