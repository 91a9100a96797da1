"""Seconds of notes -> ticks of a file that has the bars, and the hands, of a source."""

from collections.abc import Iterable, Sequence

from ..notes import Note, separate_strokes
from .performance import Performance
from .timing import DEFAULT_TEMPO_US, Timing

Stroke = tuple[int, int, int, int]
"""(pitch, start tick, end tick, velocity)."""
_PLAIN = Timing()  # One tick a millisecond.
# Below it a source's own ticks are too coarse for new notes: at 120 a minute 5 ms.
_LEAST_RESOLUTION = 96
_ROUNDING_S = 1e-6


class FileClock:
    """Turns the seconds of notes into ticks of the file.

    Attributes:
        timing: of the file, beginning with its tick 0.
    """

    def __init__(self, like: Performance | None, like_start_s: float, whole_bars: bool) -> None:
        source = _PLAIN if like is None else like.timing
        self._origin_s = 0.0 if like is None else like.start_s + like_start_s
        if source.resolution < _LEAST_RESOLUTION:
            source = source.finer(-(-_LEAST_RESOLUTION // source.resolution))
        self._source = source
        origin = round(source.tick_at(self._origin_s))
        has_bars = whole_bars and like is not None and _bars_mean_something(like)
        self._base = source.bar_at(origin) if has_bars else origin
        self.timing = source.begun_at(self._base)

    def tick(self, seconds: float) -> int:
        """Returns the tick of a time of the notes."""
        return max(0, round(self._source.tick_at(self._origin_s + seconds)) - self._base)

    def tick_in_source(self, seconds: float) -> int | None:
        """Returns the tick of a time of the source; None for one before the notes' time 0."""
        since = seconds - self._origin_s
        return self.tick(since) if since >= -_ROUNDING_S else None

    def strokes(self, notes: Iterable[Note]) -> list[Stroke]:
        """Returns the notes in ticks, each at least one long, as one keyboard plays them."""
        ticked = []
        for note in notes:
            start = self.tick(note.start)
            end = max(start + 1, self.tick(note.end))
            ticked.append(Note(note.pitch, start, end, note.velocity))
        single, _ = separate_strokes(ticked)
        return [(note.pitch, int(note.start), int(note.end), note.velocity) for note in single]


def _bars_mean_something(like: Performance) -> bool:
    """Returns whether the bars of a performance are the music's own.

    A free performance is recorded at the default tempo, and its bars are a clock's.
    """
    timing = like.timing
    default = len(timing.tempos) == 1 and timing.tempos[0].us_per_quarter == DEFAULT_TEMPO_US
    return timing.metrical and (not default or like.grid() is not None)


def split_hands(
    strokes: Sequence[Stroke], like: Performance, clock: FileClock
) -> tuple[list[Stroke], list[Stroke]]:
    """Returns the strokes of each of the two parts of `like`.

    A stroke that is in `like` keeps its part; a new one goes to the part of the nearer mean pitch.
    """
    known = {
        (note.pitch, clock.tick_in_source(note.start)): part
        for note, part in zip(like.notes, like.part_of, strict=True)
    }
    played: tuple[list[Stroke], list[Stroke]] = ([], [])
    for stroke in strokes:
        nearest = min((0, 1), key=lambda i: abs(like.parts[i].mean_pitch - stroke[0]))
        played[known.get(stroke[:2], nearest)].append(stroke)
    return played
