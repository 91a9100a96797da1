"""Sheet music: notes on a grid -> MusicXML, by partitura (extra `score`).

Bars, metre and key are those of the tempo map. The right hand's notes are on the upper staff, the
left hand's on the lower; each staff has two voices at most, in which notes that would overlap are
shortened. What no single note value can write is tied. Names of notes are found by ps13
(Meredith 2006, "The ps13 Pitch Spelling Algorithm").
"""

import os
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .checks import check_whole, show_path
from .midi import Performance, Timing
from .midi.file_clock import FileClock, Stroke, split_hands
from .notes import Note

DIVISIONS = 24
"""Parts of a quarter note that a score may have: 32nds and the triplets of 16ths."""
_MIDDLE = 60
_VOICES = 2
_WHOLE = 4 * DIVISIONS
# Lengths that one note value has: plain and dotted, and of triplets, where they are whole numbers.
_PLAIN = [_WHOLE >> k for k in range(6)]
_WRITABLE = (
    {1, *_PLAIN}
    | {length * 3 // 2 for length in _PLAIN if length % 2 == 0}
    | {length * 2 // 3 for length in _PLAIN[1:]}
)
_INSTALL = "partitura is needed for scores; install it: pip install 'pyzzicato[score]'"


@dataclass(slots=True)
class _Chord:
    """Notes of one voice that begin and end together, in parts of a quarter note."""

    start: int
    end: int
    pitches: list[int]


def musicxml(
    notes: Iterable[Note],
    like: Performance,
    *,
    like_start_s: float = 0.0,
    title: str | None = None,
    division: int | None = None,
) -> str:
    """Returns a score of the notes as MusicXML text.

    Args:
        notes: in seconds; onsets and lengths are rounded to the grid of `like`.
        like: the performance the notes are from, or carry on; it must lie on a grid.
        like_start_s: where in `like`, in seconds after its first note, time 0 of the notes is.
        title: of the piece; that of `like` if None.
        division: parts of a quarter note, of which `DIVISIONS` is a multiple; those that `like`
            needs if None.

    Raises:
        ValueError: if `like` is a free performance, there are no notes, or partitura is missing.
    """
    if division is not None and DIVISIONS % check_whole("division", division, 1, DIVISIONS):
        raise ValueError(f"division must be a divisor of {DIVISIONS}, got {division}; try 4")
    division = division or like.grid()
    if division is None:
        raise ValueError(
            "a score needs notes on a grid, got a free performance; take a seed from a score or "
            "one that a studio has quantised"
        )
    score, export = _partitura()
    clock = FileClock(like, like_start_s, whole_bars=True)
    strokes = clock.strokes(notes)
    if not strokes:
        raise ValueError("a score needs at least one note, got none")
    scale = DIVISIONS / clock.timing.resolution
    step = DIVISIONS // division
    staves = [_voices(_chords(hand, scale, step)) for hand in _hands(strokes, like, clock)]
    part = _part(staves, clock, scale)
    name = (like.title if title is None else title) or None
    whole = score.Score([part], work_title=name, movement_title=name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of rests and beams it could not make out.
        text = export(whole)
    return text.decode("utf-8") if isinstance(text, bytes) else str(text)


def write_musicxml(
    notes: Iterable[Note],
    path: str | os.PathLike[str],
    like: Performance,
    *,
    like_start_s: float = 0.0,
    title: str | None = None,
    division: int | None = None,
) -> Path:
    """Writes `musicxml` of the same arguments to a file and returns its path.

    Raises:
        ValueError: as `musicxml`, or if the file cannot be written.
    """
    text = musicxml(notes, like, like_start_s=like_start_s, title=title, division=division)
    target = Path(path)
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ValueError(
            f"score {show_path(target)} cannot be written: {error.strerror}; choose an existing "
            "folder "
            "you may write to"
        ) from error
    return target


def engrave(text: str, width: int = 1800) -> str | None:
    """Returns a drawing of a score as SVG text, all its systems below each other, by verovio.

    Args:
        text: MusicXML.
        width: of the page, in tenths of a millimetre.

    Returns:
        The drawing; None where verovio is not installed or cannot draw this score.
    """
    try:
        import verovio
    except ImportError:
        return None
    # It knows where its fonts are in the thread alone that has imported it.
    verovio.setDefaultResourcePath(str(Path(verovio.__file__).with_name("data")))
    toolkit = verovio.toolkit()
    toolkit.setOptions(
        {
            "adjustPageHeight": True,
            "footer": "none",
            "header": "none",
            "pageHeight": 60_000,
            "pageWidth": width,
            "scale": 40,
        }
    )
    return str(toolkit.renderToSVG(1)) if toolkit.loadData(text) else None


def _partitura() -> tuple[Any, Any]:
    """Returns partitura's score module and its export to MusicXML."""
    try:
        import partitura  # type: ignore[import-untyped]
    except ImportError as error:
        raise ValueError(_INSTALL) from error
    return partitura.score, partitura.save_musicxml


def _hands(
    strokes: Sequence[Stroke], like: Performance, clock: FileClock
) -> tuple[list[Stroke], list[Stroke]]:
    """Returns the strokes of the upper and of the lower staff."""
    if len(like.parts) == 2:
        first, second = split_hands(strokes, like, clock)
        return (
            (first, second)
            if like.parts[0].mean_pitch >= like.parts[1].mean_pitch
            else (second, first)
        )
    upper = [stroke for stroke in strokes if stroke[0] >= _MIDDLE]
    return upper, [stroke for stroke in strokes if stroke[0] < _MIDDLE]


def _chords(strokes: Sequence[Stroke], scale: float, step: int) -> list[_Chord]:
    """Returns the strokes on the grid, those that begin and end together as one, by time."""
    chords: dict[tuple[int, int], _Chord] = {}
    for pitch, start_tick, end_tick, _ in strokes:
        start = round(start_tick * scale / step) * step
        end = max(start + step, round(end_tick * scale / step) * step)
        chord = chords.setdefault((start, end), _Chord(start, end, []))
        if pitch not in chord.pitches:
            chord.pitches.append(pitch)
    return sorted(chords.values(), key=lambda chord: (chord.start, -max(chord.pitches)))


def _voices(chords: Sequence[_Chord]) -> list[list[_Chord]]:
    """Returns the chords of a staff in voices without overlaps; notes that are in the way end."""
    voices: list[list[_Chord]] = [[] for _ in range(_VOICES)]
    for chord in chords:
        free = [voice for voice in voices if not voice or voice[-1].end <= chord.start]
        if free:
            free[0].append(chord)
            continue
        earlier = [voice for voice in voices if voice[-1].start < chord.start]
        if earlier:
            # The one that has the least left to sound.
            voice = min(earlier, key=lambda voice: voice[-1].end)
            voice[-1].end = chord.start
            voice.append(chord)
        else:
            voices[-1][-1].pitches += [p for p in chord.pitches if p not in voices[-1][-1].pitches]
    return [voice for voice in voices if voice]


def _part(staves: Sequence[Sequence[Sequence[_Chord]]], clock: FileClock, scale: float) -> Any:
    """Returns a piano part of two staves."""
    score, _ = _partitura()
    part = score.Part("P1", "Piano", quarter_duration=DIVISIONS)
    for staff, (sign, line) in enumerate((("G", 2), ("F", 4)), start=1):
        part.add(score.Clef(staff, sign, line, 0), 0)
    for metre in clock.timing.metres or ((0, 4, 4),):
        sign = score.TimeSignature(metre[1], metre[2])
        part.add(sign, round(metre[0] * scale))
    for key in clock.timing.keys:
        mode = "minor" if key.minor else "major"
        part.add(score.KeySignature(key.sharps, mode), round(key.tick * scale))
    part.add(score.Tempo(round(60e6 / clock.timing.tempos[0].us_per_quarter), "q"), 0)
    last = max(chord.end for voices in staves for voice in voices for chord in voice)
    bars = [
        (round(start * scale), round(end * scale))
        for start, end in _bars(clock.timing, round(last / scale))
    ]
    for number, (start, end) in enumerate(bars, start=1):
        part.add(score.Measure(number), start, end)
    for number, (staff, voice, chord, pitch, name) in enumerate(_spelt(staves)):
        step, alter, octave = name
        before = None
        for start, end in _note_values(chord.start, chord.end, [end for _, end in bars]):
            note_id = f"n{number}" if before is None else f"n{number}-{start}"
            note = score.Note(step, octave, alter or None, id=note_id, voice=voice, staff=staff)
            assert note.midi_pitch == pitch
            part.add(note, start, end)
            if before is not None:
                before.tie_next, note.tie_prev = note, before
            before = note
    for number, (staff, voice, start, end) in enumerate(_rests(staves, bars)):
        part.add(score.Rest(id=f"r{number}", voice=voice, staff=staff), start, end)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score.find_tuplets(part)
    return part


def _rests(
    staves: Sequence[Sequence[Sequence[_Chord]]], bars: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, int, int]]:
    """Yields staff, voice (counted over both), beginning and end of each rest.

    They fill up each voice in the bars in which it plays; a bar without a note is one rest.
    """
    ends = [end for _, end in bars]
    for staff, voices in enumerate(staves, start=1):
        first = _VOICES * (staff - 1) + 1
        for start, end in bars:
            playing = {
                number: [c for c in voice if c.start < end and c.end > start]
                for number, voice in enumerate(voices, start=first)
            }
            if not any(playing.values()):
                yield staff, first, start, end
            for number, chords in playing.items():
                place = start
                for chord in [*chords, _Chord(end, end, [])] if chords else []:
                    for rest in _note_values(place, chord.start, ends):
                        yield staff, number, *rest
                    place = chord.end


def _note_values(start: int, end: int, bar_ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yields beginning and end of the tied notes that write a length, in parts of a quarter note.

    partitura leaves some lengths of five or nine parts without a note value, and MuseScore then
    reads a quarter note. Triplets end with their beat, as a beat that is cut in three and in two at
    once is not read either.
    """
    while start < end:
        bar_end = bar_ends[min(bisect_right(bar_ends, start), len(bar_ends) - 1)]
        until = min(end, bar_end) if start < bar_end else end
        next_beat = (start // DIVISIONS + 1) * DIVISIONS
        if _is_triplet(start) or (start % DIVISIONS and until - start not in _WRITABLE):
            until = min(until, next_beat)
        elif _is_triplet(until) and until > next_beat:
            until = until // DIVISIONS * DIVISIONS
        until = start + max(length for length in _WRITABLE if length <= until - start)
        yield start, until
        start = until


def _is_triplet(place: int) -> bool:
    """Returns whether a place, in parts of a quarter note, lies on none of its 16ths or 32nds."""
    return place % (DIVISIONS // 8) > 0


def _bars(timing: Timing, last_tick: int) -> Iterator[tuple[int, int]]:
    """Yields first tick and end of each bar, up to the one in which the music ends."""
    start = 0
    while start < last_tick:
        end = timing.bar_after(start)
        yield start, end
        start = end


def _spelt(
    staves: Sequence[Sequence[Sequence[_Chord]]],
) -> list[tuple[int, int, _Chord, int, tuple[str, int, int]]]:
    """Returns staff, voice (counted over both), chord, pitch and name of each note, by time."""
    from partitura.musicanalysis import estimate_spelling  # type: ignore[import-untyped]

    numbered = [
        (staff, _VOICES * (staff - 1) + voice, chord, pitch)
        for staff, voices in enumerate(staves, start=1)
        for voice, chords in enumerate(voices, start=1)
        for chord in chords
        for pitch in chord.pitches
    ]
    numbered.sort(key=lambda one: (one[2].start, one[3]))
    fields = [("onset_beat", "f4"), ("duration_beat", "f4"), ("pitch", "i4")]
    array = np.array(
        [
            (chord.start / DIVISIONS, (chord.end - chord.start) / DIVISIONS, pitch)
            for _, _, chord, pitch in numbered
        ],
        dtype=fields,
    )
    names = estimate_spelling(array)
    return [
        (*one, (str(name["step"]), int(name["alter"]), int(name["octave"])))
        for one, name in zip(numbered, names, strict=True)
    ]
