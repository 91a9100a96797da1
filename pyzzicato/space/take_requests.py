"""Takes: the continuations one request asks for, played one after the other.

What was posted is turned into a `TakesRequest` first, so that nothing is computed for a request
that is wrong, and the page and the API take the same things in the same way.
"""

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .. import __version__
from ..checks import check_number, check_whole, show_value
from ..hub import ModelInfo
from ..midi import Performance
from ..notes import Note
from ..playing.continuation import Continuation
from ..playing.onwards import settings_from, with_all_before
from ..playing.settings import MAX_RNG, GenerationSettings, check_settings
from ..sources import SeedPiece
from ..takes import stream_continuation, write_continuation
from .folders import new_folder
from .measuring import measure_take
from .page_models import find_model, loaded, opened
from .posted import file_data, notes_as_json, read_posted
from .request_limits import (
    MAX_MUSIC_SECONDS,
    MAX_NOTES,
    MAX_SEED_NOTES,
    MAX_TAKES,
    MAX_TITLE,
    MAX_TOTAL_SECONDS,
)

Json = dict[str, Any]


@dataclass(frozen=True)
class TakesRequest:
    """What to carry on, with which model, and how often.

    Attributes:
        piece: where the seed is cut from.
        model: which model plays.
        settings: one for each take; they differ in `rng`.
        keeps_all: whether all that is before the seed stays in the piece.
    """

    piece: SeedPiece
    model: ModelInfo
    settings: tuple[GenerationSettings, ...]
    keeps_all: bool = False

    def answer(self, takes: Sequence[Json]) -> Json:
        """Returns the answer to a program when all is played: who played what, and the takes.

        Args:
            takes: as `describe_take` returns them.
        """
        facts = self.model.as_dict()
        return {
            "version": __version__,
            "model": {name: facts[name] for name in ("name", "revision", "backbone")},
            "seed": self.piece.title,
            "remarks": list(self.piece.remarks),
            "takes": list(takes),
        }


def read_request(
    *,
    seed: object = None,
    midi: object = None,
    notes: object = None,
    model: object,
    takes: object = 1,
    from_seconds: object = None,
    **settings: object,
) -> TakesRequest:
    """Returns what was posted, checked.

    Args:
        seed: as `read_posted` takes it, and so are midi and notes.
        midi: see `seed`.
        notes: see `seed`.
        model: name of one of `list_models()`; nothing else, no folder either.
        takes: 1 to `MAX_TAKES`. Take `n` (from 0) is played with `rng + n`.
        from_seconds: from where in the piece to carry on, all before it kept; None for a seed.
        settings: of `GenerationSettings`.

    Raises:
        ValueError: if something is of the wrong type or out of its range; the message says what.
    """
    name = find_model(model).name
    n_takes = check_whole("takes", takes, 1, MAX_TAKES, "ask again for more", from_json=True)
    first = read_settings(settings)
    if first.seconds * n_takes > MAX_TOTAL_SECONDS:
        raise ValueError(
            f"takes times seconds must be at most {MAX_TOTAL_SECONDS:.0f}, got {n_takes} times "
            f"{first.seconds:g}; ask for fewer or shorter takes"
        )
    network, info = opened(name)
    config = network.config
    check_settings(config, first)  # raises here, and not when it is this one's turn
    piece = read_posted(config.sustain, seed=seed, midi=midi, notes=notes)
    if from_seconds is not None:
        moment = check_number("from_seconds", from_seconds, 1, MAX_MUSIC_SECONDS, "null for a seed")
        first = settings_from(piece.notes, moment, first)
    _count_seed(piece.notes, first)
    every = (replace(first, rng=(first.rng + n) % (MAX_RNG + 1)) for n in range(n_takes))
    return TakesRequest(piece, info, tuple(every), from_seconds is not None)


def read_settings(posted: dict[str, object]) -> GenerationSettings:
    """Returns posted settings, checked; None stands for the default.

    Raises:
        ValueError: if one is of the wrong type or out of its range.
    """
    given = {name: value for name, value in posted.items() if value is not None}
    if "rng" in given:
        given["rng"] = check_whole("rng", given["rng"], 0, MAX_RNG, "try 0", from_json=True)
    if "seed_start" in given:
        begins = "0 is the beginning of the piece"
        given["seed_start"] = check_number(
            "seed_start", given["seed_start"], 0, MAX_MUSIC_SECONDS, begins
        )
    for field in fields(GenerationSettings):
        value = given.get(field.name)
        if field.name == "ending" and not isinstance(value, bool | None):
            raise ValueError(f"ending must be true or false, got {show_value(value)}")
        # Shown here: what the settings say of a text of megabytes would have megabytes itself.
        is_name = isinstance(value, str) and len(value) <= MAX_TITLE
        if isinstance(value, str | list | dict) and not (field.name == "composer" and is_name):
            kind = "a composer's name" if field.name == "composer" else "a number"
            raise ValueError(f"{field.name} must be {kind}, got {show_value(value)}")
    return GenerationSettings(**given)  # type: ignore[arg-type]


def describe_take(take: Continuation, like: Performance | None) -> Json:
    """Returns a take as plain JSON values, its MIDI file (seed and continuation) written.

    Args:
        take: what was played.
        like: what its seed was cut from, whose tempo, metre and title the file keeps; or None.

    Returns:
        `midi` (the file as gradio serves it), `seed_notes` and `notes` on one clock that begins
        with the seed, `seed_seconds`, `remarks`, `settings`, `composer` (whose style it was played
        in, or None), `quantise` (how far it was moved to the seed's grid), `rescues` (when, in
        seconds from the seed's end, and why it was brought back to the seed), `measures`
        (`measuring.measure_take`), `wall_seconds` and `real_time_factor`.
    """
    midi = write_continuation(take, new_folder() / "continuation.mid", like)
    return {
        "midi": file_data(midi, "audio/midi"),
        "seed_notes": notes_as_json(take.seed_notes),
        "notes": notes_as_json(take.new_notes),
        "seed_seconds": take.seed_seconds,
        "remarks": list(take.remarks),
        "settings": asdict(take.settings),
        "composer": take.composer,
        "quantise": take.quantise,
        "rescues": [asdict(rescue) for rescue in take.rescues],
        "measures": measure_take(take),
        "wall_seconds": round(take.wall_seconds, 3),
        "real_time_factor": round(take.real_time_factor, 1),
    }


def stream_request(request: TakesRequest) -> Generator[Json, None, None]:
    """Yields the takes of a request while they are played, about a second of music at a time.

    Yields:
        `take` (from 0), `seconds` (played so far), `notes` (that ended since the last answer; 0 is
        where the seed ends), `sounding` (struck and still held) and `result`: None. The last answer
        has no notes; its result is the facts of the request and all `takes`, as `describe_take`
        returns them.

    Raises:
        ValueError: if the seed cannot be carried on, or a take has more notes than we could read
            again.
    """
    played: list[Json] = []
    network = loaded(request.model.name)
    most = MAX_NOTES // len(request.settings)
    for n, settings in enumerate(request.settings):
        n_notes = _count_seed(request.piece.notes, settings)
        for chunk in stream_continuation(network, request.piece, settings):
            n_notes += len(chunk.notes)
            if n_notes > most:
                raise ValueError(
                    f"a take may have {most} notes with its seed, and this one has more after "
                    f"{chunk.seconds:.0f} s; ask for fewer seconds, a lower temperature or density"
                )
            if chunk.piece is not None:
                piece = chunk.piece
                if request.keeps_all:
                    piece = with_all_before(piece, request.piece.notes)
                played.append(describe_take(piece, request.piece.performance))
            yield _message(n, chunk.seconds, chunk.notes, chunk.sounding)
    # By itself: some clients are given the last message twice, and would have its notes twice.
    yield {**_message(n, chunk.seconds), "result": request.answer(played)}


def _message(
    take: int, seconds: float, notes: Sequence[Note] = (), sounding: Sequence[Note] = ()
) -> Json:
    return {
        "take": take,
        "seconds": seconds,
        "notes": notes_as_json(notes),
        "sounding": notes_as_json(sounding),
        "result": None,
    }


def _count_seed(notes: Sequence[Note], settings: GenerationSettings) -> int:
    """Returns how many notes the seed has.

    Raises:
        ValueError: if the seed is too long for the model.
    """
    begins, ends = settings.seed_start, settings.seed_start + settings.seed_seconds
    n = sum(note.start < ends and note.end > begins for note in notes)
    if n > MAX_SEED_NOTES:
        raise ValueError(
            f"the seed must have at most {MAX_SEED_NOTES} notes, got {n}; take a shorter one "
            "(seed_seconds)"
        )
    return n
