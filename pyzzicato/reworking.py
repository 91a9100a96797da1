"""A piece reworked: a span played anew, a part kept, carried on from a moment; and its odds.

Each is that of `playing.redo`, `playing.keep`, `playing.onwards` or `playing.odds`, for all that
`sources.read_source` takes, and for takes.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .checks import show_value
from .notes import Note
from .playing import keep, odds, onwards, redo
from .playing.loaded_model import Model
from .playing.settings import GenerationSettings
from .playing.voices import VOICES
from .sources import SeedPiece
from .takes import Take, as_take, read_piece

_TRACK = "track:"
_MOST_NAMED = 12


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
    source = read_piece(model, seed)
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
        kept: what stays: the name of a part (see `named_part`), or notes of the piece.
        start: from where on the rest is played anew, seconds.
        end: to where, 2 to 120 s later; None for as long as the piece is.
        settings: how to play, as for `redo_span`; `density` 1 is that of what is taken away.
        seed_composer: short name of the piece's composer, if he is known and `seed` does not say.
        tries: see `playing.keep.keep_part`, which also says what the take's notes are.

    Raises:
        ValueError: if `seed` is no music, or as `named_part` and `playing.keep.keep_part` say.
    """
    source = read_piece(model, seed)
    if not isinstance(kept, Sequence):
        raise ValueError(f"kept must be notes or the name of a part, got {show_value(kept)}")
    notes = named_part(source, kept) if isinstance(kept, str) else kept
    composer = seed_composer or source.composer
    piece = keep.keep_part(model, source.notes, notes, start, end, settings, composer, tries)
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
    source = read_piece(model, seed)
    composer = seed_composer or source.composer
    like = source.performance
    piece = onwards.continue_from(model, source.notes, at, settings, composer, on_progress, like)
    return as_take(piece, source)


def next_odds(
    model: Model,
    seed: Any,
    at: float,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
) -> odds.Odds:
    """Returns the odds of what is struck next at a moment of a piece.

    Args:
        model: of note events, from `load_model`.
        seed: the piece, as `continue_seed` takes it.
        at: the moment, seconds; a note at least is struck before.
        settings: `temperature`, `composer` and `without` count, see `playing.odds.next_odds`.
        seed_composer: short name of the piece's composer, if he is known and `seed` does not say.

    Raises:
        ValueError: if `seed` is no music, or as `playing.odds.next_odds` says.
    """
    source = read_piece(model, seed)
    composer = seed_composer or source.composer
    return odds.next_odds(model, source.notes, at, settings, composer)


def named_part(source: SeedPiece, name: str) -> list[Note]:
    """Returns the notes of a part of a piece.

    Args:
        source: the piece.
        name: "top", "bottom", "right" or "left" (`playing.voices`); or a track of the file that it
            was read from, by its number from 1 or by its name: "track:2", "track:Left hand".

    Raises:
        ValueError: if there is no such part; the message says which there are.
    """
    if name in VOICES:
        return VOICES[name](source.notes)
    if not name.startswith(_TRACK):
        known = f"{', '.join(VOICES)}, track:NUMBER or track:NAME"
        raise ValueError(f"keep must be one of {known}, got {show_value(name)}")
    performance = source.performance
    if performance is None or not performance.parts:
        raise ValueError(f"{source.title} has no tracks; keep {', '.join(VOICES)} or notes of it")
    wanted = name.removeprefix(_TRACK).strip().casefold()
    numbers = {
        n
        for n, part in enumerate(performance.parts)
        if wanted and wanted in (str(n + 1), part.name.strip().casefold())
    }
    if not numbers:
        names = [
            f"{n} ({part.name.strip()})" if part.name.strip() else str(n)
            for n, part in enumerate(performance.parts[:_MOST_NAMED], start=1)
        ]
        of = f" of {len(performance.parts)}" if len(performance.parts) > _MOST_NAMED else ""
        raise ValueError(f"track must be one of {', '.join(names)}{of}, got {show_value(name)}")
    pairs = zip(source.notes, performance.part_of, strict=True)
    return [note for note, number in pairs if number in numbers]
