"""Notes -> MIDI files that keep the tempo map, metre, key, title and hands of their source.

The file is of format 1: a first track for title, tempo, metre, key and the marker where the seed
ends, then one track of notes, or one for each hand where the source has two.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..checks import show_path
from ..notes import Note, end_of
from .file_clock import FileClock, Stroke, split_hands
from .performance import Part, Performance
from .timing import Timing
from .track_events import KEY, METRE, NOTE_OFF, NOTE_ON, PROGRAM, SET_TEMPO, TRACK_NAME

SEED_ENDS = "the seed ends here"
"""The text of the marker."""
_MARKER, _TEXT, _END_OF_TRACK = 0x06, 0x01, 0x2F
_MAX_WRITTEN_S = 86_400.0
_LARGEST_DELTA = 0x0FFFFFFF
_PIANO = "Piano"
_HANDS = ("Right hand", "Left hand")
_Event = tuple[int, int, bytes]  # (tick, rank among those of one tick, data)
_NAMES, _ENDS, _SETTINGS, _STARTS = range(4)


def midi_bytes(
    notes: Iterable[Note],
    *,
    like: Performance | None = None,
    like_start_s: float = 0.0,
    seed_seconds: float | None = None,
    title: str | None = None,
    whole_bars: bool = True,
) -> bytes:
    """Returns a MIDI file of the notes.

    The same arguments give the same bytes. A note shorter than a tick is written one tick long.
    Notes that overlap on one key are written as one keyboard plays them: the earlier one ends where
    the key is struck again. No notes give a file without notes, which `read_midi` refuses.

    Without `like` a tick is a millisecond: 500 ticks a quarter note at 120 a minute. With `like`
    the file has its ticks a quarter note (a multiple of them below 96), tempo map, metre, key and
    title; a bar of the source is a bar of the result, so where notes begin within a bar, the rest
    of that bar comes first. Only where bars mean nothing (a free performance in a file with the
    default tempo) the file begins with the first note. Where the source has two hands there are two
    tracks: a note of the source keeps its hand, and a new one goes to the hand whose mean pitch is
    nearer.

    Args:
        notes: the notes, in any order, in seconds.
        like: the performance the notes are from, or carry on.
        like_start_s: where in `like`, in seconds after its first note, time 0 of the notes is.
        seed_seconds: where the seed ends and a marker is written; None for no marker.
        title: of the piece; that of `like` if None.
        whole_bars: whether the file begins with the bar in which the notes begin; else it begins
            with time 0 of the notes, and bars are counted from there.

    Raises:
        ValueError: if a note ends after 24 hours.
    """
    listed = list(notes)
    if end_of(listed) > _MAX_WRITTEN_S:
        raise ValueError(
            f"notes must end within {_MAX_WRITTEN_S:.0f} s, got {end_of(listed):.0f} s; "
            "shift or cut them"
        )
    clock = FileClock(like, like_start_s, whole_bars)
    strokes = clock.strokes(listed)
    last = max((end for _, _, end, _ in strokes), default=0)
    if seed_seconds is not None:
        last = max(last, clock.tick(seed_seconds))
    conductor = _conductor_events(clock.timing, last)
    if title is not None:
        conductor.append((0, _NAMES, _meta(TRACK_NAME, title.encode("utf-8", "replace"))))
    elif like is not None and like.title_data:
        conductor.append((0, _NAMES, _meta(TRACK_NAME, like.title_data)))
    if seed_seconds is not None:
        marker = _meta(_MARKER, SEED_ENDS.encode())
        conductor.append((clock.tick(seed_seconds), _SETTINGS, marker))
    tracks = [_track(conductor, last)]
    hands = _named_hands(strokes, like, clock)
    for channel, (name, played) in enumerate(hands):
        events = [
            (0, _NAMES, _meta(TRACK_NAME, name)),
            (0, _SETTINGS, bytes((PROGRAM | channel, 0))),
        ]
        for pitch, start, end, velocity in played:
            events.append((start, _STARTS, bytes((NOTE_ON | channel, pitch, velocity))))
            events.append((end, _ENDS, bytes((NOTE_OFF | channel, pitch, 64))))
        tracks.append(_track(events, last))
    words = (1, len(tracks), clock.timing.resolution)
    return _chunk(b"MThd", b"".join(word.to_bytes(2) for word in words)) + b"".join(tracks)


def _named_hands(
    strokes: Sequence[Stroke], like: Performance | None, clock: FileClock
) -> list[tuple[bytes, Sequence[Stroke]]]:
    """Returns name and strokes of each track of notes: two where `like` has two hands, else one."""
    if like is None or len(like.parts) != 2:
        return [(_PIANO.encode(), strokes)]
    return [
        (_hand_name(part, like.parts).encode("utf-8", "replace"), own)
        for part, own in zip(like.parts, split_hands(strokes, like, clock), strict=True)
    ]


def _hand_name(part: Part, parts: Sequence[Part]) -> str:
    higher = max(parts, key=lambda other: other.mean_pitch)
    return part.name or _HANDS[part is not higher]


def _conductor_events(timing: Timing, last: int) -> list[_Event]:
    """Returns tempo, metre and key of the file up to its last tick."""
    events = [
        (tempo.tick, _meta(SET_TEMPO, tempo.us_per_quarter.to_bytes(3))) for tempo in timing.tempos
    ]
    for metre in timing.metres:
        power = metre.denominator.bit_length() - 1
        data = bytes((metre.numerator, power, metre.clocks, metre.thirty_seconds))
        events.append((metre.tick, _meta(METRE, data)))
    for key in timing.keys:
        events.append((key.tick, _meta(KEY, bytes((key.sharps % 256, key.minor)))))
    return [(tick, _SETTINGS, data) for tick, data in events if tick <= last]


def _track(events: Sequence[_Event], last: int) -> bytes:
    """Returns a track chunk of events; it ends at tick `last`, or with its last event."""
    body = bytearray()
    now = 0
    ordered = sorted(events)
    end = max(last, ordered[-1][0] if ordered else 0)
    for tick, _, data in [*ordered, (end, _STARTS, _meta(_END_OF_TRACK, b""))]:
        while tick - now > _LARGEST_DELTA:
            body += _variable(_LARGEST_DELTA) + _meta(_TEXT, b"")
            now += _LARGEST_DELTA
        body += _variable(tick - now) + data
        now = tick
    return _chunk(b"MTrk", bytes(body))


def _meta(kind: int, data: bytes) -> bytes:
    return bytes((0xFF, kind)) + _variable(len(data)) + data


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4) + data


def _variable(value: int) -> bytes:
    """Returns a number of variable length, 7 bits a byte."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def write_midi(
    notes: Iterable[Note],
    path: str | os.PathLike[str],
    *,
    like: Performance | None = None,
    like_start_s: float = 0.0,
    seed_seconds: float | None = None,
    title: str | None = None,
    whole_bars: bool = True,
) -> Path:
    """Writes `midi_bytes` of the same arguments to a file and returns its path.

    A file that was there before stays whole if the new one cannot be written.

    Raises:
        ValueError: if the file cannot be written, or a note ends after 24 hours.
    """
    target = Path(path)
    data = midi_bytes(
        notes,
        like=like,
        like_start_s=like_start_s,
        seed_seconds=seed_seconds,
        title=title,
        whole_bars=whole_bars,
    )
    try:
        replace_file(target, data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(
            f"MIDI file {show_path(target)} cannot be written: {reason}; choose an existing "
            "folder you "
            "may write to, with room left"
        ) from error
    return target


def replace_file(target: Path, data: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    part = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
