"""MIDI files <-> notes. The only module that imports a MIDI library.

Reading: `pyzzicato.smf` looks the bytes over within `MidiLimits`, pretty_midi turns what is left
into notes in seconds, and this module makes one piano of them. What is dropped or repaired on the
way is counted in `Performance`. Writing: pretty_midi writes one piano track.
"""

import io
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import mido  # type: ignore[import-untyped]
import pretty_midi  # type: ignore[import-untyped]

from .notes import (
    HIGHEST_PITCH,
    LOWEST_PITCH,
    Note,
    PedalSpan,
    end_of,
    separate_strokes,
    sustain_notes,
)
from .smf import MidiLimits, MidiScan, NoteEvent, scan_midi

__all__ = ["MidiLimits", "Performance", "midi_bytes", "read_midi", "write_midi"]

RESOLUTION = 500
"""Ticks a quarter note of the files written: at 120 a minute one tick is one millisecond."""
_TEMPO = 120.0
_TICKS_A_SECOND = 1000
_PEDAL_DOWN = 64
_MAX_WRITTEN_S = 86_400.0


Sustain = Literal["extend", "ignore"]
"""Whether notes are lengthened by the sustain pedal; a checkpoint's config says which it learnt."""


@dataclass(frozen=True, slots=True)
class Performance:
    """What a MIDI file plays, on one piano.

    Attributes:
        notes: the notes as the fingers played them, in the order of `sort_notes`; time 0 is the
            file's.
        pedals: spans with the sustain pedal down (control 64 at 64 or above) on any channel, in
            order of time, not overlapping.
        n_out_of_range: notes dropped because a piano has no such key.
        n_drums: drum notes (channel 10) dropped.
        n_unended: notes dropped because their key is never let go, or at the moment it is struck.
        n_overlapping: notes ended early because their key is struck again while it is down, and
            notes dropped because another one strikes the same key at the same time.
        n_tracks_missing: tracks the file announces and does not hold.
    """

    notes: tuple[Note, ...]
    pedals: tuple[PedalSpan, ...] = ()
    n_out_of_range: int = 0
    n_drums: int = 0
    n_unended: int = 0
    n_overlapping: int = 0
    n_tracks_missing: int = 0

    @property
    def seconds(self) -> float:
        """Returns the time of the last key let go, in seconds from the file's beginning."""
        return end_of(self.notes)

    def sounding(self, sustain: Sustain = "extend") -> list[Note]:
        """Returns the notes as they sound.

        Args:
            sustain: "extend" lengthens notes by the sustain pedal, "ignore" leaves them as the
                fingers played them.

        Raises:
            ValueError: if `sustain` is neither.
        """
        if sustain == "extend":
            return sustain_notes(self.notes, self.pedals)
        if sustain == "ignore":
            return list(self.notes)
        raise ValueError(f"sustain must be 'extend' or 'ignore', got {sustain!r}")

    def remarks(self) -> list[str]:
        """Returns a sentence for each thing dropped or repaired; an empty list for a clean file."""
        cases = (
            (self.n_out_of_range, "outside the piano's 88 keys: left out"),
            (self.n_drums, "for drums: left out"),
            (self.n_unended, "without a length (never let go, or at once): left out"),
            (self.n_overlapping, "on a key already held down: the earlier note ends there"),
        )
        found = [f"{n} note{'s' if n > 1 else ''} {what}." for n, what in cases if n]
        if self.n_tracks_missing:
            found.append(
                f"The file should hold {self.n_tracks_missing} more of its tracks: it may be "
                "incomplete."
            )
        return found


def read_midi(
    source: str | os.PathLike[str] | bytes, limits: MidiLimits | None = None
) -> Performance:
    """Returns what a MIDI file plays, all its instruments merged into one piano.

    Formats 0, 1 and 2 (with one track of notes), ticks a quarter note and SMPTE time division,
    running status, wrong chunk lengths and bytes after the last track are all read. A key that is
    struck again while it is down is let go first; its last note-off ends it.

    Args:
        source: a file's path, or its bytes.
        limits: what the file may hold; `MidiLimits()` if None.

    Raises:
        ValueError: if the file is missing, unreadable, not MIDI, empty, cut short or damaged,
            passes a limit, or has no note for a piano.
    """
    limits = limits or MidiLimits()
    name = "MIDI data" if isinstance(source, bytes) else f"MIDI file {os.fspath(source)!r}"
    try:
        data = source if isinstance(source, bytes) else _file_bytes(Path(source), limits)
        return _performance(scan_midi(data, limits))
    except OSError as error:
        raise ValueError(
            f"{name} cannot be read: {error.strerror}; check the path and your permissions"
        ) from error
    except ValueError as error:
        raise ValueError(f"{name} cannot be read: {error}") from error


def _file_bytes(path: Path, limits: MidiLimits) -> bytes:
    """Returns a regular file's bytes, at most one more than the limit."""
    if not path.exists():
        raise ValueError("there is no such file; check the path")
    if not path.is_file():
        raise ValueError("it is a folder or a device; give the path of a .mid file")
    with path.open("rb") as file:
        return file.read(limits.max_bytes + 1)


def _performance(scan: MidiScan) -> Performance:
    """Returns the notes and pedal spans of a scanned file."""
    midi = _to_pretty_midi(scan)
    played = [
        Note(n.pitch, float(n.start), float(n.end), n.velocity)
        for instrument in midi.instruments
        for n in instrument.notes
    ]
    n_unended = scan.n_note_ons - scan.n_drums - scan.n_out_of_range - len(played)
    if not played:
        raise ValueError(
            f"it must hold at least one note of the piano's keys ({LOWEST_PITCH} to "
            f"{HIGHEST_PITCH}), got none ({scan.n_drums} drum notes, {scan.n_out_of_range} out of "
            f"range, {n_unended} without a length, {scan.n_tracks_missing} tracks missing); choose "
            "a file with a piano part"
        )
    notes, n_overlapping = separate_strokes(played)
    return Performance(
        notes=tuple(notes),
        pedals=tuple(_pedal_spans(scan, midi, end_of(notes))),
        n_out_of_range=scan.n_out_of_range,
        n_drums=scan.n_drums,
        n_unended=n_unended,
        n_overlapping=n_overlapping,
        n_tracks_missing=scan.n_tracks_missing,
    )


def _to_pretty_midi(scan: MidiScan) -> pretty_midi.PrettyMIDI:
    """Returns the scan as pretty_midi reads it: tempo changes in track 0, then the notes."""
    # pretty_midi reads tempo from track 0 alone. The end mark makes its table of times reach the
    # last pedal event; without it each later event would build the table anew.
    last_tick = scan.last_tick
    tempo_track = mido.MidiTrack()
    before = 0
    for tick, tempo in scan.tempos:
        if tick <= last_tick:
            tempo_track.append(mido.MetaMessage("set_tempo", tempo=tempo, time=tick - before))
            before = tick
    tempo_track.append(mido.MetaMessage("end_of_track", time=last_tick - before))
    tracks = [tempo_track]
    for events in scan.tracks:
        track = mido.MidiTrack()
        before = 0
        for tick, channel, pitch, velocity in _last_releases(events):
            track.append(
                mido.Message(
                    "note_on",
                    skip_checks=True,
                    channel=channel,
                    note=pitch,
                    velocity=velocity,
                    time=tick - before,
                )
            )
            before = tick
        tracks.append(track)
    return pretty_midi.PrettyMIDI(
        mido_object=mido.MidiFile(ticks_per_beat=scan.resolution, tracks=tracks)
    )


def _last_releases(events: list[NoteEvent]) -> list[NoteEvent]:
    """Returns a track's note events without the note-offs that leave another stroke held.

    pretty_midi ends all notes of a key at its first note-off. Where two voices share a key, in
    piano scores or in transcriptions that overlap, that cuts the longer one: on, on, off, off must
    end at the second note-off. On, on, off (a key struck again without a note-off) must still end
    at the only one there is.
    """
    off_follows: list[bool] = []
    later_is_off: dict[tuple[int, int], bool] = {}
    for _, channel, pitch, velocity in reversed(events):
        off_follows.append(later_is_off.get((channel, pitch), False))
        later_is_off[channel, pitch] = velocity == 0
    kept: list[NoteEvent] = []
    struck: dict[tuple[int, int], tuple[int, int]] = {}
    for event, another_off in zip(events, reversed(off_follows), strict=True):
        tick, channel, pitch, velocity = event
        n_held, struck_at = struck.get((channel, pitch), (0, 0))
        if velocity:
            struck[channel, pitch] = n_held + 1, tick
        elif n_held > 1 and another_off and tick > struck_at:
            struck[channel, pitch] = n_held - 1, struck_at
            continue
        else:
            # A note-off at the tick of a stroke ends the stroke before it; this one stays held.
            struck[channel, pitch] = int(n_held > 1 and tick == struck_at), struck_at
        kept.append(event)
    return kept


def _pedal_spans(scan: MidiScan, midi: pretty_midi.PrettyMIDI, end_s: float) -> list[PedalSpan]:
    """Returns the spans with the pedal down on any channel; one never let go ends at `end_s`."""
    spans: list[PedalSpan] = []
    down: set[int] = set()
    start = 0.0
    for tick, channel, value in scan.pedal:
        was_down = bool(down)
        if value >= _PEDAL_DOWN:
            down.add(channel)
        else:
            down.discard(channel)
        if bool(down) != was_down:
            time = float(midi.tick_to_time(tick))
            if down:
                start = time
            elif time > start:
                spans.append(PedalSpan(start, time))
    if down and end_s > start:
        spans.append(PedalSpan(start, end_s))
    return spans


def midi_bytes(notes: Iterable[Note]) -> bytes:
    """Returns a MIDI file of the notes: format 1, one piano track, one tick a millisecond.

    The same notes give the same bytes. A note shorter than a tick is written one tick long. Notes
    that overlap on one key are written as one keyboard plays them: the earlier one ends where the
    key is struck again. No notes give a file without notes, which `read_midi` refuses.

    Args:
        notes: the notes, in any order.

    Raises:
        ValueError: if a note ends after 24 hours.
    """
    ticked = [_on_ticks(note) for note in notes]
    if end_of(ticked) > _MAX_WRITTEN_S:
        raise ValueError(
            f"notes must end within {_MAX_WRITTEN_S:.0f} s, got {end_of(ticked):.0f} s; "
            "shift or cut them"
        )
    single, _ = separate_strokes(ticked)
    piano = pretty_midi.Instrument(program=0, name="Piano")
    piano.notes = [pretty_midi.Note(n.velocity, n.pitch, n.start, n.end) for n in single]
    midi = pretty_midi.PrettyMIDI(resolution=RESOLUTION, initial_tempo=_TEMPO)
    midi.instruments.append(piano)
    buffer = io.BytesIO()
    midi.write(buffer)
    return buffer.getvalue()


def _on_ticks(note: Note) -> Note:
    """Returns the note with onset and offset on whole ticks, at least one tick long."""
    start = round(note.start * _TICKS_A_SECOND)
    end = max(start + 1, round(note.end * _TICKS_A_SECOND))
    return replace(note, start=start / _TICKS_A_SECOND, end=end / _TICKS_A_SECOND)


def write_midi(notes: Iterable[Note], path: str | os.PathLike[str]) -> Path:
    """Writes `midi_bytes(notes)` to a file and returns its path.

    Raises:
        ValueError: if the file cannot be written.
    """
    target = Path(path)
    data = midi_bytes(notes)
    try:
        target.write_bytes(data)
    except OSError as error:
        raise ValueError(
            f"MIDI file {str(target)!r} cannot be written: {error.strerror}; choose an existing "
            "folder you may write to"
        ) from error
    return target
