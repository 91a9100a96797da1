"""Several seeds carried on at once: each by itself, shared out over processes."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

from ..checks import check_whole
from ..notes import Note
from .continuation import Continuation, continue_seed
from .loaded_model import Model
from .settings import GenerationSettings

_MOST_PROCESSES = 256


def continue_seeds(
    model: Model,
    pieces: Sequence[Sequence[Note]],
    settings: GenerationSettings | None = None,
    seed_composers: Sequence[str | None] | None = None,
    processes: int = 1,
) -> list[Continuation]:
    """Returns what `continue_seed` returns for each of several pieces, in their order.

    With the same settings the notes are the same however many processes there are.

    Args:
        model: from `load_model`.
        pieces: the notes that each seed is cut from.
        settings: of all of them; `GenerationSettings()` by default.
        seed_composers: short name of each seed's composer, None where he is not known.
        processes: how many play at once, 1 to 256; more than there are cores bring nothing.

    Raises:
        ValueError: see `continue_seed`; also if there are not as many composers as pieces.
    """
    check_whole("processes", processes, 1, _MOST_PROCESSES, "as many as there are cores")
    composers = [None] * len(pieces) if seed_composers is None else list(seed_composers)
    if len(composers) != len(pieces):
        raise ValueError(
            f"seed_composers must be one for each of {len(pieces)} pieces, got {len(composers)}"
        )
    if processes == 1 or len(pieces) < 2:
        jobs = zip(pieces, composers, strict=True)
        return [continue_seed(model, notes, settings, composer) for notes, composer in jobs]
    # Fresh processes: an open graph does not live through a fork, and is opened by each.
    play = partial(continue_seed, replace(model))
    with ProcessPoolExecutor(min(processes, len(pieces)), get_context("spawn")) as pool:
        return list(pool.map(play, pieces, [settings] * len(pieces), composers))
