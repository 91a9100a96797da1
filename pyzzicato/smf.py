"""Standard MIDI Files, byte by byte: a bounded look at a file before a library takes it in.

Parsing libraries trust what a file says of itself and allocate by it; a hundred bytes can ask for
gigabytes. `scan_midi` walks the chunks and events once, keeps only what a piano needs (notes, the
sustain pedal, tempo), and stops at the first thing out of bounds. No library is involved.

Source: The Complete MIDI 1.0 Detailed Specification, "Standard MIDI Files 1.0" (MIDI Association).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .notes import HIGHEST_PITCH, LOWEST_PITCH

SUSTAIN_CONTROL = 64
"""The controller number of the sustain pedal."""
DEFAULT_TEMPO_US = 500_000
"""Microseconds a quarter note until a file says otherwise: 120 a minute."""
NoteEvent = tuple[int, int, int, int]
"""(tick, channel, pitch, velocity); velocity 0 is a note-off."""
_MAX_VARIABLE_BYTES = 4
_NOTE_OFF, _NOTE_ON, _CONTROL, _META = 0x80, 0x90, 0xB0, 0xFF
_SET_TEMPO, _END_OF_TRACK = 0x51, 0x2F
_DRUM_CHANNEL = 9  # Counted from 0.
# Frames a second -> (frames a "beat", microseconds a "beat"), exact also for 29.97 (drop frame).
_SMPTE_RATES = {24: (24, 1_000_000), 25: (25, 1_000_000), 29: (30, 1_001_000), 30: (30, 1_000_000)}


@dataclass(frozen=True, slots=True)
class MidiLimits:
    """What a MIDI file may hold. The defaults keep reading within 2 seconds and 500 MB.

    Attributes:
        max_bytes: size of the file.
        max_tracks: tracks, empty ones too.
        max_events: events of all kinds in all tracks.
        max_notes: note-ons.
        max_tempos: tempo changes.
        max_seconds: length of the music.
        max_ticks: length of the music in the file's own ticks; pretty_midi allocates by it, and
            itself takes at most ten million.
        min_tempo_us: shortest quarter note in microseconds (20,000 is 3,000 a minute).
    """

    max_bytes: int = 2_000_000
    max_tracks: int = 1_000
    max_events: int = 200_000
    max_notes: int = 40_000
    max_tempos: int = 15_000
    max_seconds: float = 7200.0
    max_ticks: int = 8_000_000
    min_tempo_us: int = 20_000

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(
                    f"{name} must be above 0, got {value}; leave it out for the default"
                )


@dataclass(slots=True)
class MidiScan:
    """What `scan_midi` keeps of a file. All times are ticks from the beginning.

    Attributes:
        resolution: ticks a quarter note (for SMPTE time division: ticks a second, about).
        tempos: (tick, microseconds a quarter note), in order of time, first entry at tick 0.
        tracks: the note events of each track that strikes a key of the piano.
        pedal: (tick, channel, value) of each sustain pedal event, in order of time.
        n_events: events of all kinds.
        n_note_ons: note-ons with a velocity above 0, drums and all.
        n_drums: those on the drum channel (10, counted from 1).
        n_out_of_range: those of other channels outside the piano's keys.
        n_tracks_missing: tracks the header announces and the file does not hold.
    """

    resolution: int
    tempos: list[tuple[int, int]] = field(default_factory=list)
    tracks: list[list[NoteEvent]] = field(default_factory=list)
    pedal: list[tuple[int, int, int]] = field(default_factory=list)
    n_events: int = 0
    n_note_ons: int = 0
    n_drums: int = 0
    n_out_of_range: int = 0
    n_tracks_missing: int = 0

    @property
    def last_tick(self) -> int:
        """Returns the tick of the last note or pedal event; 0 without any."""
        ticks = [track[-1][0] for track in self.tracks if track]
        return max(ticks + [event[0] for event in self.pedal[-1:]], default=0)

    def seconds_at(self, tick: int) -> float:
        """Returns the time of `tick` in seconds under the tempo changes of the file."""
        microseconds = 0
        for i, (start, tempo) in enumerate(self.tempos):
            end = self.tempos[i + 1][0] if i + 1 < len(self.tempos) else tick
            microseconds += max(0, min(end, tick) - start) * tempo
        return microseconds / self.resolution / 1e6


def scan_midi(data: bytes, limits: MidiLimits) -> MidiScan:
    """Returns the notes, pedal events and tempo changes of a Standard MIDI File.

    Formats 0, 1 and 2 and both time divisions are read. Tempo changes count in whichever track
    they stand; with SMPTE time division they mean nothing and are left out. Wrong chunk lengths
    are put right where an End of Track event shows the real end; unknown chunks and bytes after the
    last track are passed over.

    Args:
        data: the whole file.
        limits: what the file may hold.

    Raises:
        ValueError: if `data` is not a MIDI file, is cut short, is damaged or passes a limit.
    """
    if len(data) > limits.max_bytes:
        raise ValueError(
            f"the file must have at most {limits.max_bytes} bytes, got {len(data)}; "
            "export a shorter passage"
        )
    midi_format, n_announced, division, pos = _read_header(data)
    scan, smpte_tempo = _start_scan(division)
    n_tracks = 0
    while data[pos : pos + 4].isalpha() and len(data) >= pos + 8:
        end = pos + 8 + int.from_bytes(data[pos + 4 : pos + 8])
        if data[pos : pos + 4] == b"MTrk":
            n_tracks += 1
            if n_tracks > limits.max_tracks:
                raise ValueError(
                    f"the file must have at most {limits.max_tracks} tracks, got more; export "
                    "the piano's alone"
                )
            pos = _scan_track(data, pos + 8, end, n_tracks, scan, limits)
        else:
            pos = end
    scan.n_tracks_missing = max(0, n_announced - n_tracks)
    if midi_format == 2 and len(scan.tracks) > 1:
        raise ValueError(
            f"a file of format 2 must have notes in one track only, got {len(scan.tracks)} "
            "independent patterns; export each one as a file of its own"
        )
    scan.tempos = [(0, smpte_tempo)] if smpte_tempo else _tidy_tempos(scan.tempos)
    scan.pedal.sort(key=lambda event: event[0])
    _check_length(scan, limits)
    return scan


def _read_header(data: bytes) -> tuple[int, int, int, int]:
    """Returns format, announced tracks, time division and the position of the first chunk."""
    if not data:
        raise ValueError("the file is empty (0 bytes); choose a .mid file")
    if data[:4] != b"MThd":
        raise ValueError(
            f"a MIDI file must begin with 'MThd', got {data[:4]!r}; this is another kind of file, "
            "choose a .mid file"
        )
    size = int.from_bytes(data[4:8])
    if len(data) < 14 or size < 6:
        raise ValueError("the MIDI header is cut short; the file is incomplete, fetch it again")
    midi_format = int.from_bytes(data[8:10])
    if midi_format > 2:
        raise ValueError(
            f"the MIDI format must be 0, 1 or 2, got {midi_format}; the file is damaged, "
            "export it again"
        )
    return midi_format, int.from_bytes(data[10:12]), int.from_bytes(data[12:14]), 8 + size


def _start_scan(division: int) -> tuple[MidiScan, int | None]:
    """Returns an empty scan and, for SMPTE time division, the one tempo that gives its seconds."""
    if division < 0x8000:
        if division == 0:
            raise ValueError(
                "the time division must be 1 to 32767 ticks a quarter note, got 0; "
                "the file is damaged, export it again"
            )
        return MidiScan(division), None
    rate, ticks_a_frame = 256 - (division >> 8), division & 0xFF
    if rate not in _SMPTE_RATES or ticks_a_frame == 0:
        raise ValueError(
            f"SMPTE time division must be 24, 25, 29 or 30 frames a second of 1 to 255 ticks, got "
            f"{rate} of {ticks_a_frame}; export the file with ticks a quarter note"
        )
    frames, tempo = _SMPTE_RATES[rate]
    return MidiScan(frames * ticks_a_frame), tempo


def _scan_track(
    data: bytes, pos: int, end: int, number: int, scan: MidiScan, limits: MidiLimits
) -> int:
    """Adds track `number`, at `data[pos:end]`, to `scan`; returns the next chunk's position."""
    notes: list[NoteEvent] = []
    for tick, status, first, second, after in _track_events(data, pos, end, number):
        pos = after
        scan.n_events += 1
        if scan.n_events > limits.max_events:
            raise ValueError(
                f"the file must have at most {limits.max_events} events, got more; "
                "cut it into shorter ones"
            )
        kind, channel = status & 0xF0, status & 0x0F
        if kind == _NOTE_ON:
            _add_note(notes, (tick, channel, first, second), scan, limits)
        elif kind == _NOTE_OFF:
            _add_note(notes, (tick, channel, first, 0), scan, limits)
        elif kind == _CONTROL and first == SUSTAIN_CONTROL and channel != _DRUM_CHANNEL:
            scan.pedal.append((tick, channel, second))
        elif status == _META and first == _SET_TEMPO:
            _add_tempo(tick, second, scan, limits)
    if any(velocity for *_, velocity in notes):
        scan.tracks.append(notes)
    # Padding may follow the End of Track, but a length that covers the next track is wrong.
    padded = pos < end <= len(data) and not data.startswith(b"MTrk", pos)
    return end if padded else pos


def _add_note(notes: list[NoteEvent], event: NoteEvent, scan: MidiScan, limits: MidiLimits) -> None:
    """Adds a note event to `notes`, or counts it as one that no piano plays."""
    _, channel, pitch, velocity = event
    if velocity:
        scan.n_note_ons += 1
        if scan.n_note_ons > limits.max_notes:
            raise ValueError(
                f"the file must have at most {limits.max_notes} notes, got more; "
                "cut it into shorter ones"
            )
    if channel == _DRUM_CHANNEL:
        scan.n_drums += velocity > 0
    elif not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
        scan.n_out_of_range += velocity > 0
    else:
        notes.append(event)


def _add_tempo(tick: int, tempo: int, scan: MidiScan, limits: MidiLimits) -> None:
    """Adds a tempo change to `scan`."""
    if tempo < limits.min_tempo_us:
        raise ValueError(
            f"the tempo must be at least {limits.min_tempo_us} microseconds a quarter note "
            f"(at most {60e6 / limits.min_tempo_us:.0f} a minute), got {tempo}; set a usual tempo "
            "and export the file again"
        )
    if len(scan.tempos) >= limits.max_tempos:
        raise ValueError(
            f"the file must have at most {limits.max_tempos} tempo changes, got more; export it "
            "with fewer"
        )
    scan.tempos.append((tick, tempo))


def _track_events(
    data: bytes, pos: int, end: int, number: int
) -> Iterator[tuple[int, int, int, int, int]]:
    """Yields each event of a track as (tick, status, first, second, position after it).

    `first` and `second` are the data bytes; for a meta event its type and its data as a number (0
    but for tempo). The track ends with End of Track, or at `end` where a chunk or nothing follows.
    """
    tick = running = 0
    try:
        while not (pos == end and (pos == len(data) or data[pos : pos + 4].isalpha())):
            delta, pos = _variable(data, pos) if data[pos] > 0x7F else (data[pos], pos + 1)
            tick += delta
            status = data[pos]
            if status >= 0xF0:
                meta, value, pos = _system_event(data, pos, number)
                yield tick, status, meta, value, pos
                if meta == _END_OF_TRACK:
                    return
                continue
            if status >= 0x80:
                running = status
                pos += 1
            elif not running:
                raise _damaged("data before the first event", number, pos)
            two = not 0xC0 <= running < 0xE0  # Program changes and channel pressure have one byte.
            first, second = data[pos], data[pos + 1] if two else 0
            if first > 127 or second > 127:
                raise _damaged("a value above 127", number, pos)
            pos += 1 + two
            yield tick, running, first, second, pos
    except IndexError as error:
        raise ValueError(
            f"track {number} is cut short after {len(data)} bytes; the file is incomplete, fetch "
            "or export it again"
        ) from error


def _system_event(data: bytes, pos: int, number: int) -> tuple[int, int, int]:
    """Passes over a meta or system exclusive event.

    Returns:
        Its meta type (0 for none), a tempo's microseconds (else 0) and the position after it.
    """
    status = data[pos]
    if status not in (0xF0, 0xF7, _META):
        raise _damaged(f"the unknown event 0x{status:02X}", number, pos)
    meta = data[pos + 1] if status == _META else 0
    size, start = _variable(data, pos + (2 if status == _META else 1))
    if start + size > len(data):
        raise IndexError("event longer than the file")
    tempo = data[start : start + 3] if meta == _SET_TEMPO and size >= 3 else b""
    if meta == _SET_TEMPO and not tempo:
        raise _damaged("a tempo change without a tempo", number, pos)
    return meta, int.from_bytes(tempo), start + size


def _variable(data: bytes, pos: int) -> tuple[int, int]:
    """Returns a number of variable length and the position after it."""
    value = 0
    for after in range(pos + 1, pos + 1 + _MAX_VARIABLE_BYTES):
        byte = data[after - 1]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, after
    raise ValueError(
        f"a number in the file must have at most {_MAX_VARIABLE_BYTES} bytes, got more at byte "
        f"{pos}; the file is damaged, export it again"
    )


def _damaged(what: str, number: int, pos: int) -> ValueError:
    """Returns the error for a track that cannot be understood."""
    return ValueError(
        f"track {number} must hold MIDI events only, got {what} at byte {pos}; the file is "
        "damaged, fetch or export it again"
    )


def _tidy_tempos(tempos: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns tempo changes in order of time, the last one of a tick alone, from tick 0 on."""
    last = {0: DEFAULT_TEMPO_US}
    for tick, tempo in sorted(tempos, key=lambda change: change[0]):
        last[tick] = tempo
    return list(last.items())


def _check_length(scan: MidiScan, limits: MidiLimits) -> None:
    """Refuses music that is too long, in seconds or in ticks."""
    seconds = scan.seconds_at(scan.last_tick)
    if seconds > limits.max_seconds:
        raise ValueError(
            f"the music must last at most {limits.max_seconds:g} s, got {seconds:.0f} s; cut the "
            "file, or look for a stray note far behind the end"
        )
    if scan.last_tick > limits.max_ticks:
        raise ValueError(
            f"the music must last at most {limits.max_ticks} ticks, got {scan.last_tick}; export "
            "the file with fewer ticks a quarter note, 480 for example"
        )
