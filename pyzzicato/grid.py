"""Onsets on the grid of a tempo map, as a score or a studio has them.

A grid is the places that cut each quarter note into equal parts; `Performance.grid` says how many a
piece needs. `find_grid` chooses the one on which a seed is carried on, `Quantiser` moves notes to
it while they are played, `quantise` moves a whole piece.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .checks import MAX_WHOLE, check_number, check_whole
from .midi import Performance, Timing
from .midi.performance import GRID_S
from .notes import Note, separate_strokes, sort_notes
from .tempo import find_timing

_SHORTEST_S = 0.02
# Fewer onsets may lie on a grid by chance, or be too few to show how fine the piece's grid is.
_LEAST_ONSETS = 8
# Parts of a quarter note that are struck less often than this, as a share of the one struck most
# often, are exceptions in the seed; they would be the rule if new notes were moved to them.
_HABIT = 0.35
_ROUNDING_S = 1e-9
# A seed of quarter notes alone is no reason to play nothing else.
_LEAST_DIVISION = 2


@dataclass(frozen=True)
class Grid:
    """The grid on which a seed is carried on.

    Attributes:
        like: the performance whose tempo map counts; it goes on with its last tempo.
        division: parts of a quarter note.
        origin_s: where on the clock of `like` time 0 of the notes is.
        strength: 0 leaves onsets where they are, 1 puts them on the grid.
        parts: which of the parts of a quarter note are struck, 0 to `division` - 1; all if None.
    """

    like: Performance
    division: int
    origin_s: float = 0.0
    strength: float = 1.0
    parts: tuple[int, ...] | None = None

    def onset(self, seconds: float) -> float:
        """Returns an onset moved towards the nearest place, none of which is before 0."""
        place = self._nearest(seconds)
        return max(0.0, seconds + self.strength * (place - seconds))

    def _nearest(self, seconds: float) -> float:
        timing = self.like.timing
        ticks = timing.resolution / self.division
        number = timing.tick_at(seconds + self.origin_s) / ticks
        parts = self.parts or range(self.division)
        quarter = int(number // self.division) * self.division
        near = (
            timing.seconds_at(round((quarter + over + part) * ticks)) - self.origin_s
            for over in (-self.division, 0, self.division)
            for part in parts
        )
        return min((at for at in near if at >= -_ROUNDING_S), key=lambda at: abs(at - seconds))

    def moved(self, note: Note) -> Note:
        """Returns a note with its onset moved, as long as it was."""
        start = self.onset(note.start)
        return replace(note, start=start, end=start + max(note.duration, _SHORTEST_S))


def find_grid(
    like: Performance | None,
    seed: Sequence[Note],
    seed_start: float,
    seed_seconds: float,
    strength: float | None,
) -> Grid | None:
    """Returns the grid on which a seed is carried on; None if notes are to stay where they are.

    Args:
        like: the performance the seed is cut from; None for notes alone.
        seed: the notes of the seed, from 0.
        seed_start: where in `like` the seed begins, in seconds after its first note.
        seed_seconds: length of the seed.
        strength: as `Grid` has it; None for 1 where the seed lies on a grid.

    Raises:
        ValueError: if a strength above 0 is asked for, the seed lies on no grid and its tempo
            cannot be found.
    """
    if strength == 0 or not seed:
        return None
    passage = None if like is None else like.grid(seed_start, seed_seconds)
    if like is not None and passage is not None:
        n_onsets = len({round(note.start, 2) for note in seed})
        if strength is None and n_onsets < _LEAST_ONSETS:
            return None
        division = max(like.grid() or passage, _LEAST_DIVISION)
        origin_s = like.start_s + seed_start + seed_seconds
        parts = _parts_struck(
            like.timing, [n.start + like.start_s + seed_start for n in seed], division
        )
        return Grid(like, division, origin_s, 1.0 if strength is None else strength, parts)
    if strength is None:
        return None
    timing, division = find_timing(seed)
    return Grid(Performance(tuple(seed), timing=timing), division, seed_seconds, strength)


def _parts_struck(timing: Timing, onsets: Iterable[float], division: int) -> tuple[int, ...]:
    """Returns which parts of a quarter note are struck often enough to be a habit of the piece."""
    places = {round(timing.tick_at(at) * division / timing.resolution) for at in onsets}
    counts = Counter(place % division for place in places)
    least = _HABIT * max(counts.values())
    return tuple(sorted(part for part, n in counts.items() if n >= least))


class Quantiser:
    """Moves notes to a grid while they are played.

    A moved note may sound into the next stroke of its key, so it is handed over when that can no
    longer come: the notes handed over are those that `quantise` would return for the whole.

    Args:
        grid: the grid; time 0 of the notes is where the seed ends.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._waiting: list[Note] = []

    def take(self, ended: Iterable[Note], held: Iterable[Note], reached_s: float) -> list[Note]:
        """Returns the notes, moved, that are certain by now.

        Args:
            ended: notes that ended since the last call, not moved.
            held: notes that sound, not moved.
            reached_s: nothing that comes is struck before.
        """
        self._waiting = separate_strokes(
            [*self._waiting, *(self._grid.moved(note) for note in ended)]
        )[0]
        # What is struck next may be moved to before `reached_s`.
        until = min(reached_s, self._grid.onset(reached_s))
        down: dict[int, float] = {}
        for note in held:
            down.setdefault(note.pitch, self._grid.moved(note).start)
        certain = [n for n in self._waiting if n.end <= until and n.end <= down.get(n.pitch, n.end)]
        self._waiting = [n for n in self._waiting if n not in certain]
        return certain

    def sounding(self, held: Iterable[Note]) -> list[Note]:
        """Returns what is held, moved, and what has ended and is not certain yet."""
        return sort_notes([*self._waiting, *(self._grid.moved(note) for note in held)])

    def rest(self, ended: Iterable[Note]) -> list[Note]:
        """Returns the notes that were still to come, when the last ones have ended."""
        moved = [self._grid.moved(note) for note in ended]
        left, self._waiting = separate_strokes([*self._waiting, *moved])[0], []
        return left


def quantise(
    notes: Iterable[Note],
    like: Performance,
    *,
    strength: float = 1.0,
    begins_s: float = 0.0,
    like_start_s: float = 0.0,
    division: int | None = None,
) -> list[Note]:
    """Returns the notes with their onsets moved towards the grid of `like`.

    Notes keep their lengths, but end where their keys are struck again; onsets of one key that come
    to one place become one note. Where `like` has no grid nothing is moved.

    Args:
        notes: in seconds.
        like: the performance whose tempo map counts; it goes on with its last tempo.
        strength: 0 leaves onsets where they are, 1 puts them on the grid.
        begins_s: notes struck before it (the seed) are left alone.
        like_start_s: where in `like`, in seconds after its first note, time 0 of the notes is.
        division: parts of a quarter note; those that `like` needs if None.

    Raises:
        ValueError: if `strength` is not 0 to 1, or `division` is below 1.
    """
    check_number("strength", strength, 0, 1, "1 is on the grid")
    if division is not None:
        check_whole("division", division, 1, MAX_WHOLE, "4 is a 16th note")
    listed = sort_notes(notes)
    division = division or like.grid()
    if division is None or strength == 0:
        return listed
    grid = Grid(like, division, like.start_s + like_start_s, strength)
    moved = [note for note in listed if note.start < begins_s]
    for note in listed[len(moved) :]:
        new = grid.moved(note)
        late = max(0.0, begins_s - new.start)
        moved.append(replace(new, start=new.start + late, end=new.end + late))
    return separate_strokes(moved)[0]


def share_on_grid(notes: Sequence[Note], timing: Timing, division: int) -> float:
    """Returns the share of onsets within 10 ms of a place of the grid, 0 to 1; 0.0 for no notes.

    Args:
        notes: on the clock of `timing`.
        timing: the tempo map.
        division: parts of a quarter note.
    """
    near = [
        abs(timing.nearest_place(note.start, division) - note.start) <= GRID_S for note in notes
    ]
    return sum(near) / len(near) if near else 0.0
