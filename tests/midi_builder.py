"""Builds MIDI files byte by byte, right ones and wrong ones, for the tests of reading."""

from collections.abc import Iterable

END_OF_TRACK = b"\x00\xff\x2f\x00"


def variable(value: int) -> bytes:
    """Returns a number of variable length, 7 bits a byte."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def event(delta: int, *data: int) -> bytes:
    """Returns one event `delta` ticks after the one before."""
    return variable(delta) + bytes(data)


def on(delta: int, pitch: int, velocity: int = 64, channel: int = 0) -> bytes:
    """Returns a note-on."""
    return event(delta, 0x90 | channel, pitch, velocity)


def off(delta: int, pitch: int, channel: int = 0) -> bytes:
    """Returns a note-off."""
    return event(delta, 0x80 | channel, pitch, 64)


def control(delta: int, number: int, value: int = 0, channel: int = 0) -> bytes:
    """Returns a controller event."""
    return event(delta, 0xB0 | channel, number, value)


def pedal(delta: int, value: int, channel: int = 0) -> bytes:
    """Returns a sustain pedal event."""
    return control(delta, 64, value, channel)


def tempo(delta: int, microseconds: int) -> bytes:
    """Returns a tempo change."""
    return event(delta, 0xFF, 0x51, 3, *microseconds.to_bytes(3))


def meta(delta: int, kind: int, data: bytes) -> bytes:
    """Returns a meta event of any kind."""
    return event(delta, 0xFF, kind) + variable(len(data)) + data


def chunk(name: bytes, data: bytes, length: int | None = None) -> bytes:
    """Returns a chunk; `length` is what it claims if that is not its true one."""
    return name + (len(data) if length is None else length).to_bytes(4) + data


def header(midi_format: int = 1, n_tracks: int = 1, division: int = 480) -> bytes:
    """Returns a header; 480 ticks a quarter note at 120 a minute are 960 ticks a second."""
    return chunk(b"MThd", b"".join(n.to_bytes(2) for n in (midi_format, n_tracks, division)))


def track(*events: bytes) -> bytes:
    """Returns a track chunk with its End of Track."""
    return chunk(b"MTrk", b"".join(events) + END_OF_TRACK)


def midi(*tracks: Iterable[bytes], midi_format: int = 1, division: int = 480) -> bytes:
    """Returns a file with one track for each list of events."""
    return header(midi_format, len(tracks), division) + b"".join(track(*t) for t in tracks)


def seconds(notes: Iterable[object]) -> list[tuple[int, float, float]]:
    """Returns (pitch, onset, offset) of notes, in seconds, rounded to microseconds."""
    return [(n.pitch, round(n.start, 6), round(n.end, 6)) for n in notes]  # type: ignore[attr-defined]
