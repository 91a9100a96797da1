"""MIDI files -> performances: bytes are parsed once, paired once, and become notes."""

import math
import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from ..checks import show_path
from ..notes import HIGHEST_PITCH, LOWEST_PITCH, Note, PedalSpan
from .channels import Channels, read_channels
from .chunks import Chunks, read_chunks
from .limits import MidiLimits
from .pedalling import Pedals
from .performance import Part, Performance
from .repairs import Repairs
from .strokes import Stroke, merge_messages, pair_strokes
from .texts import decode, find_composer, find_title, track_name
from .timing import Timing, read_timing

ZERO_LENGTH_S = 0.03
"""How long a note is that the file lets go at once."""
LONGEST_RING_S = 30.0
"""How long after the last key is let go pedals and keys that nobody lets go may hold notes."""

LONGEST_SILENCE_S = 1e6
"""The longest silence before the first note, eleven days: later, times could not be exact."""


def read_midi(source: Any, limits: MidiLimits | None = None) -> Performance:
    """Returns what a MIDI file plays, all its instruments merged into one piano.

    Formats 0, 1 and 2, ticks a quarter note and SMPTE time division, files inside RIFF, damage,
    wrong lengths and stray bytes are all read; `Performance.remarks` says what was done.

    - A key sounds as long as one of its note-ons is held, whatever track or channel lets it go. A
      key that is struck again while it is down is let go first.
    - A key that nothing lets go is held to the end of its track.
    - A pedal (sustain, sostenuto) is its channel's; see `pedalling` for the two exceptions.
    - Channel 10 is drums unless something says otherwise; see `channels`.

    Args:
        source: a file's path, its bytes, an open binary file, or a `pretty_midi.PrettyMIDI`.
        limits: what the file may hold; `MidiLimits()` if None.

    Raises:
        ValueError: if the file is missing, unreadable, not MIDI, passes a limit or has no note for
            a piano; the message says which, and what to do.
    """
    limits = limits or MidiLimits()
    is_path = isinstance(source, str | os.PathLike)
    name = f"MIDI file {show_path(source)}" if is_path else "MIDI data"
    try:
        return read_performance(_bytes_of(source, limits), limits)
    except OSError as error:
        raise ValueError(
            f"{name} cannot be read: {error.strerror or error}; check the path and your permissions"
        ) from error
    except ValueError as error:
        raise ValueError(f"{name} cannot be read: {error}") from error


def _bytes_of(source: Any, limits: MidiLimits) -> bytes:
    """Returns the bytes of a file in any of its guises, at most one more than the limit."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        return _file_bytes(Path(os.fsdecode(source)), limits)
    if hasattr(source, "instruments") and hasattr(source, "write"):
        buffer = BytesIO()
        source.write(buffer)
        return buffer.getvalue()
    if hasattr(source, "read"):
        data = source.read(limits.max_bytes + 1)
        if isinstance(data, bytes):
            return data
        raise ValueError("the file must be open for bytes, got text; open it with mode 'rb'")
    raise ValueError(
        f"it must be a path, bytes, an open file or a PrettyMIDI, got {type(source).__name__}"
    )


def _file_bytes(path: Path, limits: MidiLimits) -> bytes:
    if not path.exists():
        raise ValueError("there is no such file; check the path")
    if not path.is_file():
        raise ValueError("it is a folder or a device; give the path of a MIDI file")
    with path.open("rb") as file:
        return file.read(limits.max_bytes + 1)


def read_performance(data: bytes, limits: MidiLimits) -> Performance:
    """Returns what the bytes of a MIDI file play; see `read_midi`."""
    chunks = read_chunks(data, limits)
    repairs = chunks.repairs
    messages = merge_messages(chunks.tracks)
    channels = read_channels(chunks.tracks, messages)
    metas = [meta for track in chunks.tracks for meta in track.metas]
    timing, repairs["signs"] = read_timing(chunks.resolution, chunks.smpte_tempo, metas)
    strokes = _piano_strokes(
        pair_strokes(messages, channels.meant_by, timing.seconds_at), channels, repairs
    )
    if not strokes:
        raise ValueError(_no_notes(repairs))
    _end_all(strokes, chunks, timing, repairs)
    last = max(stroke.end for stroke in strokes)
    _check_length(timing.seconds_at(min(s.start for s in strokes)), timing.seconds_at(last), limits)
    pedals = Pedals(messages, channels.meant_by, last)
    pedals.lend({stroke.channel for stroke in strokes}, channels.masters)
    latest_s = timing.seconds_at(last) + LONGEST_RING_S
    played = _one_keyboard(strokes, pedals, repairs)
    notes, sustained = _in_seconds(played, timing, latest_s)
    spans = [
        PedalSpan(timing.seconds_at(start), min(timing.seconds_at(end), latest_s))
        for start, end in pedals.sustained()
        if timing.seconds_at(start) < latest_s
    ]
    parts, part_of = _parts([stroke for stroke, _, _ in played], chunks)
    title = find_title(chunks.tracks)
    return Performance(
        notes=tuple(notes),
        sustained=tuple(sustained),
        pedals=tuple(spans),
        timing=timing,
        parts=parts,
        part_of=part_of,
        title=decode(title),
        title_data=title,
        composer=find_composer(chunks.tracks),
        repairs=repairs.sentences(),
    )


def _piano_strokes(strokes: Sequence[Stroke], channels: Channels, repairs: Repairs) -> list[Stroke]:
    """Returns the strokes that a piano can play; the others are counted."""
    tuned = [stroke for stroke in strokes if stroke.channel not in channels.drums]
    repairs["drums"] = len(strokes) - len(tuned)
    kept = [stroke for stroke in tuned if LOWEST_PITCH <= stroke.pitch <= HIGHEST_PITCH]
    repairs["out_of_range"] = len(tuned) - len(kept)
    return kept


def _no_notes(repairs: Repairs) -> str:
    """Returns why there is no music in a file without notes."""
    details = [sentence.rstrip(".") for sentence in repairs.sentences()]
    return (
        f"it must hold at least one note of the piano's keys ({LOWEST_PITCH} to {HIGHEST_PITCH}), "
        f"got none{' (' + '; '.join(details) + ')' if details else ''}; choose a file with a piano "
        "part"
    )


def _end_all(strokes: Sequence[Stroke], chunks: Chunks, timing: Timing, repairs: Repairs) -> None:
    """Ends the strokes that nothing lets go with their tracks."""
    repairs["unended"] = sum(stroke.end < 0 for stroke in strokes)
    repairs["zero_length"] = sum(stroke.end == stroke.start for stroke in strokes)
    last = max(max(stroke.start, stroke.end) for stroke in strokes)
    # An End of Track may stand hours behind the music.
    latest = int(timing.tick_at(timing.seconds_at(last) + LONGEST_RING_S))
    for stroke in strokes:
        if stroke.end < 0:
            stroke.end = max(stroke.start, min(chunks.tracks[stroke.track].end_tick, latest))


def _check_length(first_s: float, last_s: float, limits: MidiLimits) -> None:
    if last_s - first_s > limits.max_seconds:
        # Upwards: what is refused is never said to be what is allowed.
        shown = f"{math.ceil(10 * (last_s - first_s)) / 10:.1f}".removesuffix(".0")
        raise ValueError(
            f"the music must last at most {limits.max_seconds:g} s, got {shown} s; "
            "cut the file, or look for a stray note far behind the end"
        )
    if first_s > LONGEST_SILENCE_S:
        raise ValueError(
            f"the first note must come within {LONGEST_SILENCE_S:.0f} s, got {first_s:.0f} s; cut "
            "the silence before it"
        )


_Played = tuple[Stroke, int, int]  # (stroke, tick of the key let go, tick of the sound's end)


def _one_keyboard(
    strokes: Sequence[Stroke], pedals: Pedals, repairs: Repairs
) -> list[tuple[Stroke, int, int]]:
    """Returns the strokes as one keyboard plays them, by onset and pitch.

    Each one ends where its key is struck again, and a key is down as long as one of its strokes is
    held. Of strokes of one key at one tick one stays, the loudest.
    """
    by_key: dict[int, list[_Played]] = {}
    n_changed = 0
    for stroke in sorted(strokes, key=lambda s: (s.start, s.pitch, s.end)):
        end, silent = stroke.end, pedals.release(stroke)
        played = by_key.setdefault(stroke.pitch, [])
        if played:
            before, before_end, before_silent = played[-1]
            if before_end > stroke.start or before.start == stroke.start:
                if before_end >= end:
                    end, silent = before_end, max(silent, before_silent)
                n_changed += 1
            if before.start == stroke.start:
                loudest = max(before, stroke, key=lambda s: s.velocity)
                played[-1] = loudest, end, max(silent, before_silent)
                continue
            # A key struck again ends what still sounds of it.
            silent_then = min(before_silent, stroke.start)
            played[-1] = before, min(before_end, stroke.start), silent_then
        played.append((stroke, end, silent))
    repairs["overlapping"] = n_changed
    found = [one for played in by_key.values() for one in played]
    found.sort(key=lambda one: (one[0].start, one[0].pitch))
    return found


def _in_seconds(
    played: Sequence[_Played], timing: Timing, latest_s: float
) -> tuple[list[Note], list[Note]]:
    """Returns the notes as the fingers play them, and as they sound."""
    next_start: dict[int, float] = {}
    fingered: list[Note] = []
    sounding: list[Note] = []
    for stroke, end_tick, silent_tick in reversed(played):
        start, end = timing.seconds_at(stroke.start), timing.seconds_at(end_tick)
        if end <= start:
            end = min(start + ZERO_LENGTH_S, next_start.get(stroke.pitch, start + ZERO_LENGTH_S))
        silent = max(end, min(timing.seconds_at(silent_tick), latest_s))
        fingered.append(Note(stroke.pitch, start, end, stroke.velocity))
        sounding.append(Note(stroke.pitch, start, silent, stroke.velocity))
        next_start[stroke.pitch] = start
    return fingered[::-1], sounding[::-1]


def _parts(strokes: Sequence[Stroke], chunks: Chunks) -> tuple[tuple[Part, ...], tuple[int, ...]]:
    """Returns the parts of a file and the number of the part of each stroke."""
    by_track = len({stroke.track for stroke in strokes}) > 1
    owners = [stroke.track if by_track else stroke.channel for stroke in strokes]
    pitches: dict[int, list[int]] = {owner: [] for owner in sorted(set(owners))}
    for owner, stroke in zip(owners, strokes, strict=True):
        pitches[owner].append(stroke.pitch)
    number = {owner: i for i, owner in enumerate(pitches)}
    parts = tuple(
        Part(
            track_name(chunks.tracks[owner]) if by_track else "",
            len(found),
            sum(found) / len(found),
        )
        for owner, found in pitches.items()
    )
    return parts, tuple(number[owner] for owner in owners)
