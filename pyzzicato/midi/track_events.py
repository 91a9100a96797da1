"""The events of one track: bytes -> ticks and messages, with what a file may get wrong.

Tolerated are values above 127 (some programs write 255 for "none"), system events that belong on a
cable and not in a file (a clock, active sensing), and damage: a track counts up to the first byte
that cannot be understood.
"""

from dataclasses import dataclass, field

from .limits import MidiLimits
from .repairs import Repairs

NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
BANK, DATA_ENTRY, SUSTAIN, SOSTENUTO = 0, 6, 64, 66
PARAMETER_LOW, PARAMETER_HIGH = 100, 101
ALL_SOUND_OFF, RESET_CONTROLLERS, ALL_NOTES_OFF = 120, 121, 123
TEXT, COPYRIGHT, TRACK_NAME, INSTRUMENT_NAME = 1, 2, 3, 4
SET_TEMPO, METRE, KEY = 0x51, 0x58, 0x59
TRACK_CHUNK = b"MTrk"
_PORT, _END_OF_TRACK = 0x21, 0x2F
_KEPT_CONTROLS = {
    *(BANK, DATA_ENTRY, SUSTAIN, SOSTENUTO, PARAMETER_LOW, PARAMETER_HIGH),
    *(ALL_SOUND_OFF, RESET_CONTROLLERS),
    *range(ALL_NOTES_OFF, 128),  # 124 to 127 change modes, and let all keys go as 123 does.
}
_TEXTS = (TEXT, COPYRIGHT, TRACK_NAME, INSTRUMENT_NAME)
_SYSEX, _ESCAPE, _META = 0xF0, 0xF7, 0xFF
_SONG_POSITION, _ONE_BYTE_LIVE = 0xF2, (0xF1, 0xF3)
_LONGEST_TEXT = 200
_MOST_TEXTS = 50
_LONGEST_RAW = 1000
_LARGEST_NUMBER = 2**28
_LONGEST_NUMBER = 8

Message = tuple[int, int, int, int, int]
"""(tick, kind, channel, first data byte, second data byte or 0).

The kind is the status byte without its channel; channels are counted over all ports, 16 each. A
note-on of velocity 0 is a note-off.
"""


@dataclass(slots=True)
class Track:
    """What is kept of a track. Ticks are from the beginning of the file.

    Attributes:
        number: of the track, from 0.
        start_tick: where it begins; above 0 for later patterns of a file of format 2.
        end_tick: its End of Track, or its last message.
        messages: note-ons, note-offs, program changes and the controllers a piano needs.
        metas: (tick, kind, data) of tempo changes, metres and key signatures.
        texts: (kind, data) of names and other texts.
        sysex: system exclusive messages without their first byte, short ones alone.
        has_notes: whether a key is struck.
    """

    number: int
    start_tick: int = 0
    end_tick: int = 0
    messages: list[Message] = field(default_factory=list)
    metas: list[tuple[int, int, bytes]] = field(default_factory=list)
    texts: list[tuple[int, bytes]] = field(default_factory=list)
    sysex: list[bytes] = field(default_factory=list)
    has_notes: bool = False


class _DamageError(Exception):
    """Raised where a track cannot be understood."""


class TrackReader:
    """Reads the tracks of a file one after the other, and counts what is in them.

    Args:
        data: the whole file.
        limits: what the file may hold.
        repairs: counts what is passed over.
    """

    def __init__(self, data: bytes, limits: MidiLimits, repairs: Repairs) -> None:
        self._data = data
        self._limits = limits
        self._repairs = repairs
        self._n_events = self._n_notes = self._n_tempos = 0
        self._pos = self._tick = self._running = self._first_channel = 0

    def read(self, start: int, track: Track) -> int:
        """Reads the track chunk that begins at `start` into `track`; returns where it ends.

        Raises:
            ValueError: if the file passes a limit.
        """
        end = start + 8 + int.from_bytes(self._data[start + 4 : start + 8])
        self._pos, self._tick = start + 8, track.start_tick
        self._running = self._first_channel = 0
        try:
            while not self._at_end(end) and self._read_event(track):
                pass
        except IndexError:
            self._repairs["cut_short"] = 1
            self._pos = len(self._data)
        except _DamageError:
            self._repairs["damaged"] += 1
            following = self._data.find(TRACK_CHUNK, self._pos)
            self._pos = following if following >= 0 else len(self._data)
        # Nothing but End of Track and what is kept makes a track longer.
        last = track.messages[-1][0] if track.messages else track.start_tick
        track.end_tick = max(track.end_tick, last)
        # Padding may follow the End of Track, but a length that covers the next track is wrong.
        padded = self._pos < end <= len(self._data)
        return end if padded and self._data.find(TRACK_CHUNK, self._pos, end + 3) < 0 else self._pos

    def _at_end(self, end: int) -> bool:
        """Returns whether the track ends here, without an End of Track."""
        data, pos = self._data, self._pos
        if pos == end and (pos == len(data) or data[pos : pos + 4].isalpha()):
            return True
        return data[pos : pos + 1] == b"M" and data.startswith(TRACK_CHUNK, pos)

    def _read_event(self, track: Track) -> bool:
        """Reads one event; returns False for the End of Track."""
        self._n_events += 1
        if self._n_events > self._limits.max_events:
            raise ValueError(
                f"the file must have at most {self._limits.max_events} events, got more; "
                "cut it into shorter ones"
            )
        data = self._data
        delta = self._number()
        status = data[self._pos]
        self._tick += delta
        if status >= _SYSEX:
            return self._read_system_event(status, track)
        if status >= 0x80:
            self._running = status
            self._pos += 1
        elif not self._running:
            raise _DamageError
        kind = self._running & 0xF0
        two = kind not in (PROGRAM, 0xD0)  # Program and channel pressure have one byte.
        first, second = data[self._pos], data[self._pos + 1] if two else 0
        self._pos += 1 + two
        channel = self._first_channel + (self._running & 0x0F)
        if first > 127 or second > 127:
            self._repairs["values"] += 1
            second = min(second, 127)
        if kind in (NOTE_ON, NOTE_OFF):
            self._keep_note(track, kind, channel, first, second)
        elif kind == PROGRAM or (kind == CONTROL and first in _KEPT_CONTROLS):
            track.messages.append((self._tick, kind, channel, first, second))
        return True

    def _keep_note(self, track: Track, kind: int, channel: int, pitch: int, velocity: int) -> None:
        if pitch > 127:
            return
        if kind == NOTE_OFF or velocity == 0:
            track.messages.append((self._tick, NOTE_OFF, channel, pitch, 0))
            return
        self._n_notes += 1
        if self._n_notes > self._limits.max_notes:
            raise ValueError(
                f"the file must have at most {self._limits.max_notes} notes, got more; "
                "cut it into shorter ones"
            )
        track.has_notes = True
        track.messages.append((self._tick, NOTE_ON, channel, pitch, velocity))

    def _read_system_event(self, status: int, track: Track) -> bool:
        """Reads a meta, system exclusive or live event; returns False for the End of Track."""
        if status == _META:
            kind = self._data[self._pos + 1]
            self._pos += 2
            payload = self._payload()
            if kind == _END_OF_TRACK:
                track.end_tick = self._tick
                return False
            self._keep_meta(track, kind, payload)
        elif status in (_SYSEX, _ESCAPE):
            self._pos += 1
            payload = self._sysex_payload()
            if len(payload) < _LONGEST_TEXT and len(track.sysex) < _MOST_TEXTS:
                track.sysex.append(payload)
        else:
            self._repairs["live"] += 1
            self._pos += 1
            n_data = 2 if status == _SONG_POSITION else int(status in _ONE_BYTE_LIVE)
            while n_data and self._data[self._pos] < 0x80:
                self._pos += 1
                n_data -= 1
        return True

    def _keep_meta(self, track: Track, kind: int, payload: bytes) -> None:
        if kind == SET_TEMPO:
            tempo = int.from_bytes(payload[:3]) if len(payload) >= 3 else 0
            if tempo < self._limits.min_tempo_us:
                self._repairs["tempos"] += 1
                return
            self._n_tempos += 1
            if self._n_tempos > self._limits.max_tempos:
                raise ValueError(
                    f"the file must have at most {self._limits.max_tempos} tempo changes, got "
                    "more; export it with fewer"
                )
            track.metas.append((self._tick, kind, payload[:3]))
        elif kind in (METRE, KEY):
            track.metas.append((self._tick, kind, payload[:4]))
        elif kind in _TEXTS and len(track.texts) < _MOST_TEXTS:
            track.texts.append((kind, payload[:_LONGEST_TEXT]))
        elif kind == _PORT and payload:
            self._first_channel = 16 * payload[0]

    def _payload(self) -> bytes:
        """Returns the data of a meta or system exclusive event."""
        size = self._number()
        start, self._pos = self._pos, self._pos + size
        if self._pos > len(self._data):
            raise IndexError("an event longer than the file")
        return self._data[start : self._pos]

    def _sysex_payload(self) -> bytes:
        """Returns the data of a system exclusive event, also of one written without its length."""
        start = self._pos
        end = self._data.find(_ESCAPE, start, start + _LONGEST_RAW)
        raw = self._data[start : end + 1]
        try:
            payload = self._payload()
        except IndexError:
            payload = b""
        # Nothing but the end of such an event is 0xF7.
        whole = payload and payload.find(_ESCAPE, 0, -1) < 0
        if not whole and end > start and max(raw[:-1]) < 0x80:
            self._pos = end + 1
            return raw
        if self._pos > len(self._data):
            raise IndexError("an event longer than the file")
        return payload

    def _number(self) -> int:
        """Returns a number of variable length; padded ones may have more than four bytes."""
        byte = self._data[self._pos]
        self._pos += 1
        if byte < 0x80:
            return byte
        value = byte & 0x7F
        for _ in range(_LONGEST_NUMBER):
            byte = self._data[self._pos]
            self._pos += 1
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                break
        if byte >= 0x80 or value >= _LARGEST_NUMBER:
            raise _DamageError
        return value
