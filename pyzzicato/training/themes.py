"""How much of the unlikely to leave out of the pitches: themes shall come back as in real music.

Where own notes surprise a model as much as real ones do (`surprise.py`), figures still come back
less often than the composers': one unlikely note ends a copy. More is therefore left out of the
pitches, step by step, until figures of four notes come back as often as in the composers' own
continuations of the same seeds, or until the music gets tame: the pitch classes within eight
seconds may have a tenth of a bit less entropy than the composers', and no less. Between the last
two looks the limit is reckoned at which the first of the two comes about.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from ..evaluation.excerpts import Excerpt
from ..evaluation.passage_folders import Passage
from ..evaluation.recurrence import measure_recurrence
from ..evaluation.round_trips import form_of, put_through
from ..evaluation.tonality import measure_tonality
from ..notes import Note
from .surprise import carry_on, loaded

_RISE = 1.5
"""A look's limit over that of the look before."""
_HIGHEST = 0.5
_TAMER_BITS = 0.1


@dataclass(frozen=True)
class Themes:
    """What passages do, medians over them.

    Attributes:
        recurrence: share of the figures of four notes that stood before in the passage.
        entropy: bits, of pitch classes within eight seconds.
    """

    recurrence: float
    entropy: float

    def is_reached(self, real: "Themes") -> bool:
        """Returns whether figures come back as often as in real music."""
        return self.recurrence >= real.recurrence

    def is_tame(self, real: "Themes") -> bool:
        """Returns whether there is less variety than in real music, by more than is allowed."""
        return self.entropy < real.entropy - _TAMER_BITS


def raise_limit(
    checkpoint: Path,
    excerpts: Sequence[Excerpt],
    limits: Mapping[str, float],
    *,
    looks: int,
    processes: int = 1,
    composer: str | None = None,
    report: Callable[[str], object] = print,
) -> dict[str, float]:
    """Returns the limits, that of the pitches, or of a roll's keys, as high as themes need it.

    Args:
        checkpoint: folder of the model.
        excerpts: seeds and what follows them.
        limits: top-a by number, as `surprise.find_limits` returns them.
        looks: how often the seeds are carried on, at the most.
        processes: that play at once; with 1 this one does.
        composer: short name of whose music it is; None for nobody's.
        report: is handed a line about each look.
    """
    form = form_of(loaded(checkpoint).config)
    passages = (put_through(Passage(e.name, e.notes, e.seconds), form) for e in excerpts)
    real = sum_up([(passage.notes, passage.seconds) for passage in passages])
    report(f"real music: figures that come back {real.recurrence:.3f}, {real.entropy:.2f} bits")
    name = "pitch" if "pitch" in limits else next(iter(limits))
    highest = max(_HIGHEST, limits[name])
    before: tuple[float, Themes] | None = None
    pool = ProcessPoolExecutor(processes) if processes > 1 else None
    try:
        for look in range(looks):
            limit = min(highest, limits[name] * _RISE**look)
            top_a = {**limits, name: limit}
            run = partial(own_notes, checkpoint=checkpoint, top_a=top_a, composer=composer)
            every = map if pool is None else pool.map
            made = zip(every(run, enumerate(excerpts)), excerpts, strict=True)
            own = sum_up([(notes, e.seconds) for notes, e in made])
            report(
                f"look {look + 1} of at most {looks}: figures that come back {own.recurrence:.3f}, "
                f"{own.entropy:.2f} bits with {name} {limit:.3g}"
            )
            if own.is_reached(real) or own.is_tame(real) or limit == highest:
                return {**limits, name: between(before, (limit, own), real)}
            before = limit, own
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
    return {**limits, name: limits[name] if before is None else float(f"{before[0]:.2g}")}


def between(
    before: tuple[float, Themes] | None, after: tuple[float, Themes], real: Themes
) -> float:
    """Returns the limit at which a look would end the search, between those of two looks.

    There figures come back as in real music, or the music has become as tame as is allowed.
    """
    limit = after[0]
    if before is not None:
        low, high = before[1], after[1]
        part = min(
            _part(low.recurrence, high.recurrence, real.recurrence),
            _part(-low.entropy, -high.entropy, _TAMER_BITS - real.entropy),
        )
        limit = before[0] * (limit / before[0]) ** part
    return float(f"{limit:.2g}")


def _part(low: float, high: float, goal: float) -> float:
    """Returns how much of the way from low to high the goal lies; 1 if it lies beyond."""
    return (goal - low) / (high - low) if low < goal < high else 1.0


def own_notes(
    job: tuple[int, Excerpt],
    checkpoint: Path,
    top_a: Mapping[str, float],
    composer: str | None = None,
) -> list[Note]:
    """Returns what the model plays after a seed, as the composer, without the guard."""
    return carry_on(job, checkpoint, top_a, composer, ("guard",)).continuation_only


def sum_up(passages: Sequence[tuple[Sequence[Note], float]]) -> Themes:
    """Returns medians over passages, each its notes and its seconds; 0 where none has any."""
    shares = [measure_recurrence(notes).recurrence_4 for notes, _ in passages]
    bits = [measure_tonality(notes, seconds).window_entropy for notes, seconds in passages]
    known = [[value for value in values if value is not None] for values in (shares, bits)]
    recurrence, entropy = (median(values) if values else 0.0 for values in known)
    return Themes(recurrence, entropy)
