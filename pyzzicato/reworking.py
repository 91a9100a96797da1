"""Takes of a piece that is reworked: a span played anew, a part kept, carried on from a moment.

They are those of `playing.redo`, `playing.keep` and `playing.onwards` for music of any kind (see
`sources.read_source`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from .checks import show_value
from .notes import Note
from .playing import keep, onwards, redo
from .playing.loaded_model import Model
from .playing.settings import GenerationSettings
from .playing.voices import VOICES
from .sources import SeedPiece, read_source
from .takes import Take, as_take


def redo_span(
    model: Model,
    seed: Any,
    start: float,
    end: float,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    tries: int = redo.TRIES,
) -> Take:
    """Returns a piece with a span played anew so that it leads into what follows.

    Args:
        model: of note events, from `load_model`.
        seed: the piece, as `continue_seed` takes it.
        start: where the span begins, seconds; a note at least is struck before.
        end: where it ends, 2 to 20 s later.
        settings: how to play: `temperature`, `composer`, `density` (1 is that of the music around)
            and `rng`; lengths are not looked at.
        seed_composer: short name of the piece's composer, if he is known and `seed` does not say.
        tries: see `playing.redo.redo_span`, which also says what the take's notes are.

    Raises:
        ValueError: if `seed` is no music, or as `playing.redo.redo_span` says.
    """
    source = _read(model, seed)
    composer = seed_composer or source.composer
    piece = redo.redo_span(model, source.notes, start, end, settings, composer, tries)
    return as_take(piece, source)


def keep_part(
    model: Model,
    seed: Any,
    kept: str | Sequence[Note],
    start: float = 0.0,
    end: float | None = None,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    tries: int = keep.TRIES,
) -> Take:
    """Returns a piece with all but a part of it played anew.

    Args:
        model: of note events, from `load_model`.
        seed: the piece, as `continue_seed` takes it.
        kept: what stays: "top", "bottom", "right" or "left" (`playing.voices`), or notes of the
            piece.
        start: from where on the rest is played anew, seconds.
        end: to where, 2 to 120 s later; None for as long as the piece is.
        settings: how to play, as for `redo_span`; `density` 1 is that of what is taken away.
        seed_composer: short name of the piece's composer, if he is known and `seed` does not say.
        tries: see `playing.keep.keep_part`, which also says what the take's notes are.

    Raises:
        ValueError: if `seed` is no music, or as `playing.keep.keep_part` says.
    """
    source = _read(model, seed)
    wrong = f"kept must be notes or one of {', '.join(VOICES)}, got {show_value(kept)}"
    if not isinstance(kept, Sequence):
        raise ValueError(wrong)
    if isinstance(kept, str):
        if kept not in VOICES:
            raise ValueError(wrong)
        kept = VOICES[kept](source.notes)
    composer = seed_composer or source.composer
    piece = keep.keep_part(model, source.notes, kept, start, end, settings, composer, tries)
    return as_take(piece, source)


def continue_from(
    model: Model,
    seed: Any,
    at: float,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Take:
    """Returns a piece up to a moment, and what a model makes of it from there.

    Args:
        model: from `load_model`.
        seed: the piece, as `continue_seed` takes it.
        at: the moment, 1 s to the piece's end.
        settings: how to carry on; where the seed begins and how long it is follows from `at`.
        seed_composer: short name of the piece's composer, if he is known and `seed` does not say.
        on_progress: called with the seconds made so far, about once a second of music.

    Raises:
        ValueError: if `seed` is no music, or `at` is out of its range.
    """
    source = _read(model, seed)
    composer = seed_composer or source.composer
    like = source.performance
    piece = onwards.continue_from(model, source.notes, at, settings, composer, on_progress, like)
    return as_take(piece, source)


def _read(model: Model, seed: Any) -> SeedPiece:
    return read_source(seed, model.config.sustain, model.config.fs)
