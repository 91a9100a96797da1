"""A Standard MIDI File as chunks: header and tracks, found even where lengths are wrong.

`read_chunks` walks over a file once, keeps only what a piano needs, and stops at the first thing
out of bounds. No library is involved: parsing libraries trust what a file says of itself and
allocate by it, so that a hundred bytes can ask for gigabytes.

Source: The Complete MIDI 1.0 Detailed Specification, "Standard MIDI Files 1.0" (MIDI Association).
"""

from dataclasses import dataclass, field

from .containers import HEADER, find_midi
from .limits import MidiLimits
from .repairs import Repairs
from .track_events import TRACK_CHUNK, Track, TrackReader

# Frames a second -> (frames a "beat", microseconds a "beat"), exact also for 29.97 (drop frame).
_SMPTE_RATES = {24: (24, 1_000_000), 25: (25, 1_000_000), 29: (30, 1_001_000), 30: (30, 1_000_000)}
_PATTERNS = 2


@dataclass(slots=True)
class Chunks:
    """What `read_chunks` keeps of a file.

    Attributes:
        resolution: ticks a quarter note (for SMPTE time division: ticks a second, about).
        smpte_tempo: microseconds a `resolution` of ticks for SMPTE time division; None for a file
            that counts quarter notes.
        tracks: in the order of the file, those without notes too.
        repairs: what was done to the file so far.
    """

    resolution: int
    smpte_tempo: int | None
    tracks: list[Track] = field(default_factory=list)
    repairs: Repairs = field(default_factory=Repairs)


def read_chunks(data: bytes, limits: MidiLimits) -> Chunks:
    """Returns the tracks of a Standard MIDI File.

    Formats 0, 1 and 2 and both time divisions are read; patterns of a file of format 2 follow each
    other. Wrong chunk lengths are put right where an End of Track event shows the real end. Unknown
    chunks, bytes between the tracks and bytes after the last one are passed over. A track that is
    damaged or cut short counts up to there.

    Args:
        data: the whole file.
        limits: what the file may hold.

    Raises:
        ValueError: if `data` is not a MIDI file, has no usable header or passes a limit.
    """
    begin = find_midi(data)  # What is no MIDI is named before it is found too long.
    if len(data) > limits.max_bytes:
        raise ValueError(
            f"the file must have at most {limits.max_bytes} bytes, got more; export a shorter "
            "passage"
        )
    midi_format, n_announced, division, pos = _read_header(data, begin)
    found = _start(division)
    found.repairs["container"] = int(begin > 0)
    found.repairs["format"] = int(midi_format > _PATTERNS)
    reader = TrackReader(data, limits, found.repairs)
    while (start := _next_track(data, pos, found.repairs)) >= 0:
        if len(found.tracks) == limits.max_tracks:
            raise ValueError(
                f"the file must have at most {limits.max_tracks} tracks, got more; export "
                "the piano's alone"
            )
        track = Track(len(found.tracks))
        if midi_format == _PATTERNS and found.tracks:
            track.start_tick = track.end_tick = found.tracks[-1].end_tick
        found.tracks.append(track)
        pos = reader.read(start, track)
    found.repairs["missing"] = max(0, n_announced - len(found.tracks))
    patterns = sum(track.has_notes for track in found.tracks)
    if midi_format == _PATTERNS and patterns > 1:
        found.repairs["patterns"] = patterns
    return found


def _read_header(data: bytes, begin: int) -> tuple[int, int, int, int]:
    """Returns format, announced tracks, time division and the position after the header."""
    size = int.from_bytes(data[begin + 4 : begin + 8])
    if len(data) < begin + 14 or size < 6:
        raise ValueError("the MIDI header is cut short; the file is incomplete, fetch it again")
    midi_format, n_tracks, division = (
        int.from_bytes(data[i : i + 2]) for i in range(begin + 8, begin + 14, 2)
    )
    after = begin + 8 + size
    # A header may be longer than it was in 1988, but not so long that it covers the first track.
    first = data.find(TRACK_CHUNK, begin + 14)
    return midi_format, n_tracks, division, after if first < 0 or after <= first else begin + 14


def _start(division: int) -> Chunks:
    """Returns a file without tracks yet."""
    if division < 0x8000:
        if division == 0:
            raise ValueError(
                "the time division must be 1 to 32767 ticks a quarter note, got 0; "
                "the file is damaged, export it again"
            )
        return Chunks(division, None)
    rate, ticks_a_frame = 256 - (division >> 8), division & 0xFF
    if rate not in _SMPTE_RATES or ticks_a_frame == 0:
        raise ValueError(
            f"SMPTE time division must be 24, 25, 29 or 30 frames a second of 1 to 255 ticks, got "
            f"{rate} of {ticks_a_frame}; export the file with ticks a quarter note"
        )
    frames, tempo = _SMPTE_RATES[rate]
    return Chunks(frames * ticks_a_frame, tempo)


def _next_track(data: bytes, pos: int, repairs: Repairs) -> int:
    """Returns where the next track chunk begins, at or after `pos`; -1 if there is none."""
    while not data.startswith(TRACK_CHUNK, pos):
        if data.startswith(HEADER, pos):
            repairs["second_file"] = 1
            return -1
        after = pos + 8 + int.from_bytes(data[pos + 4 : pos + 8])
        # An unknown chunk is believed if it ends where another one begins.
        if data[pos : pos + 4].isalpha() and _is_border(data, after):
            pos = after
            continue
        start = data.find(TRACK_CHUNK, pos)
        if start >= 0:
            repairs["junk"] += start - pos
        return start
    return pos if pos + 8 <= len(data) else -1


def _is_border(data: bytes, pos: int) -> bool:
    """Returns whether a chunk may begin at `pos`, or the file end there."""
    return pos == len(data) or (pos + 8 <= len(data) and data[pos : pos + 4].isalpha())
