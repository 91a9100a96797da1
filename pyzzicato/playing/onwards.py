"""Carries a piece on from anywhere in it: what is before stays, the rest is thrown away."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..checks import check_number
from ..midi import Performance
from ..notes import Note, end_of, sort_notes
from .continuation import Continuation, continue_seed
from .loaded_model import Model
from .settings import MAX_SEED_SECONDS, GenerationSettings


def continue_from(
    model: Model,
    notes: Sequence[Note],
    at: float,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    on_progress: Callable[[float], None] | None = None,
    like: Performance | None = None,
) -> Continuation:
    """Returns a piece up to a moment, and what a model makes of it from there.

    Args:
        model: from `load_model`; it is given the last 120 s before the moment.
        notes: the piece.
        at: the moment, 1 s to the piece's end.
        settings: how to carry on; where the seed begins and how long it is follows from `at`.
        seed_composer: short name of the piece's composer, if he is known.
        on_progress: called with the seconds made so far, about once a second of music.
        like: the performance that `notes` are the music of; see `stream_continuation`.

    Returns:
        `seed_notes` is all that was struck before the moment.

    Raises:
        ValueError: if `at` is out of its range; see also `continue_seed`.
    """
    here = settings_from(notes, at, settings or GenerationSettings())
    piece = continue_seed(model, notes, here, seed_composer, on_progress, like)
    return with_all_before(piece, notes)


def settings_from(
    notes: Sequence[Note], at: float, settings: GenerationSettings
) -> GenerationSettings:
    """Returns settings by which a piece is carried on from a moment, see `continue_from`.

    Raises:
        ValueError: if `at` is out of its range.
    """
    if not notes:
        raise ValueError("a piece must have notes to be carried on from a moment, got none")
    check_number("from_seconds", at, 1, end_of(notes), "it is a moment of the piece, seconds")
    start = max(0.0, at - MAX_SEED_SECONDS)
    return replace(settings, seed_start=start, seed_seconds=at - start)


def with_all_before(piece: Continuation, notes: Sequence[Note]) -> Continuation:
    """Returns a continuation with all that the piece has before its seed.

    Args:
        piece: what was played.
        notes: the piece its seed was cut from.
    """
    start = piece.settings.seed_start
    before = [note for note in notes if note.start < start]
    return replace(
        piece,
        seed_notes=tuple(sort_notes([*before, *_moved(piece.seed_notes, start)])),
        new_notes=tuple(_moved(piece.new_notes, start)),
        seed_seconds=piece.seed_seconds + start,
        settings=replace(piece.settings, seed_start=0.0),
        like_start_s=piece.like_start_s - start,
    )


def _moved(notes: Sequence[Note], by_s: float) -> list[Note]:
    return [replace(n, start=n.start + by_s, end=n.end + by_s) for n in notes]
