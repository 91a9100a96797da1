"""Ticks and seconds: tempo map, metre and key signatures of a piece."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from .track_events import KEY, METRE, SET_TEMPO

DEFAULT_TEMPO_US = 500_000
"""Microseconds a quarter note until a file says otherwise: 120 a minute."""
_LARGEST_DENOMINATOR = 6  # As a power of two: a 64th.
_MOST_SHARPS = 7


class Tempo(NamedTuple):
    """A tempo from `tick` on, in microseconds a quarter note."""

    tick: int
    us_per_quarter: int


class Metre(NamedTuple):
    """A metre from `tick` on, where a bar begins.

    `clocks` (MIDI clocks a beat of the metronome) and `thirty_seconds` (in a quarter note) are
    what a file says besides.
    """

    tick: int
    numerator: int
    denominator: int
    clocks: int = 24
    thirty_seconds: int = 8


class KeySignature(NamedTuple):
    """A key signature from `tick` on: sharps (flats below 0), -7 to 7, and whether it is minor."""

    tick: int
    sharps: int
    minor: bool


@dataclass(frozen=True)
class Timing:
    """How a piece counts its time.

    Attributes:
        resolution: ticks a quarter note.
        tempos: in order of time, one a tick, the first at tick 0.
        metres: in order of time, one a tick; 4/4 until the first one.
        keys: in order of time, one a tick.
        metrical: whether ticks are parts of a quarter note; False where they are parts of a second.
    """

    resolution: int = 500
    tempos: tuple[Tempo, ...] = (Tempo(0, DEFAULT_TEMPO_US),)
    metres: tuple[Metre, ...] = ()
    keys: tuple[KeySignature, ...] = ()
    metrical: bool = True
    # Microseconds times resolution at each tempo change: whole numbers, so that nothing is rounded.
    _sums: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _ticks: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sums = [0]
        for before, after in zip(self.tempos, self.tempos[1:], strict=False):
            sums.append(sums[-1] + (after.tick - before.tick) * before.us_per_quarter)
        object.__setattr__(self, "_sums", tuple(sums))
        object.__setattr__(self, "_ticks", tuple(tempo.tick for tempo in self.tempos))

    def seconds_at(self, tick: int) -> float:
        """Returns the time of `tick`, in seconds from tick 0."""
        i = max(0, bisect_right(self._ticks, tick) - 1)
        since = (tick - self._ticks[i]) * self.tempos[i].us_per_quarter
        return (self._sums[i] + since) / self.resolution / 1e6

    def tick_at(self, seconds: float) -> float:
        """Returns where in ticks a time lies, fractions of a tick included."""
        total = seconds * 1e6 * self.resolution
        i = max(0, bisect_right(self._sums, total) - 1)
        return self._ticks[i] + (total - self._sums[i]) / self.tempos[i].us_per_quarter

    def bar_at(self, tick: int) -> int:
        """Returns the tick of the bar line at or before `tick`; bars are counted from tick 0."""
        start, length = 0, 4 * self.resolution
        for metre in self.metres:
            if metre.tick > tick:
                break
            start = metre.tick
            length = max(1, 4 * self.resolution * metre.numerator // metre.denominator)
        return start + (tick - start) // length * length

    def begun_at(self, tick: int) -> "Timing":
        """Returns the same from `tick` on: `tick` becomes 0, and what holds there holds from 0."""

        def shift(changes: Iterable[tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
            # Of those before `tick` the last one stays.
            return {max(0, c[0] - tick): c[1:] for c in changes}

        tempos = {0: self.tempos[0][1:]} | shift(self.tempos)
        return Timing(
            self.resolution,
            tuple(Tempo(at, *rest) for at, rest in tempos.items()),
            tuple(Metre(at, *rest) for at, rest in shift(self.metres).items()),
            tuple(KeySignature(at, s, bool(m)) for at, (s, m) in shift(self.keys).items()),
            self.metrical,
        )

    def finer(self, times: int) -> "Timing":
        """Returns the same with `times` as many ticks a quarter note."""
        return Timing(
            self.resolution * times,
            tuple(Tempo(t.tick * times, *t[1:]) for t in self.tempos),
            tuple(Metre(m.tick * times, *m[1:]) for m in self.metres),
            tuple(KeySignature(k.tick * times, *k[1:]) for k in self.keys),
            self.metrical,
        )


def read_timing(
    resolution: int,
    smpte_tempo: int | None,
    metas: Iterable[tuple[int, int, bytes]],
) -> tuple[Timing, int]:
    """Returns the timing of a file, and how many metres and keys it has that do not exist.

    Changes count in whichever track they stand, and the last one of a tick counts. With SMPTE time
    division ticks are parts of a second; tempo and metre mean nothing there and are left out.

    Args:
        resolution: ticks a quarter note, or a "beat" of `smpte_tempo`.
        smpte_tempo: microseconds a `resolution` of ticks; None for a file with quarter notes.
        metas: (tick, kind, data) of all tracks.
    """
    tempos = {0: DEFAULT_TEMPO_US if smpte_tempo is None else smpte_tempo}
    metres: dict[int, Metre] = {}
    keys: dict[int, KeySignature] = {}
    n_wrong = 0
    for tick, kind, payload in sorted(metas, key=lambda meta: meta[0]):
        if kind == KEY:
            key = _key(tick, payload)
            n_wrong += key is None
            if key is not None:
                keys[tick] = key
        elif smpte_tempo is not None:
            continue
        elif kind == SET_TEMPO:
            tempos[tick] = int.from_bytes(payload)
        elif kind == METRE:
            metre = _metre(tick, payload)
            n_wrong += metre is None
            if metre is not None:
                metres[tick] = metre
    timing = Timing(
        resolution,
        tuple(Tempo(*change) for change in tempos.items()),
        tuple(metres.values()),
        tuple(keys.values()),
        smpte_tempo is None,
    )
    return timing, n_wrong


def _metre(tick: int, payload: bytes) -> Metre | None:
    if len(payload) < 2 or payload[0] == 0 or payload[1] > _LARGEST_DENOMINATOR:
        return None
    return Metre(tick, payload[0], 1 << payload[1], *payload[2:4])


def _key(tick: int, payload: bytes) -> KeySignature | None:
    if len(payload) < 2 or payload[1] > 1:
        return None
    sharps = payload[0] - 256 if payload[0] > 127 else payload[0]
    return KeySignature(tick, sharps, bool(payload[1])) if abs(sharps) <= _MOST_SHARPS else None
