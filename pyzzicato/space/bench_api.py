"""The bench: endpoints that rework a piece: a span, the rest around a part; and that give odds."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from gradio.events import api

from ..checks import check_number, check_whole
from ..hub import DEFAULT_MODEL, ModelInfo
from ..notes import Note, end_of
from ..playing.continuation import Continuation
from ..playing.keep import MOST_TRIES as MOST_KEPT
from ..playing.keep import TRIES as KEPT_TRIES
from ..playing.keep import stream_keep
from ..playing.loaded_model import Model
from ..playing.odds import next_odds
from ..playing.redo import MOST_TRIES, TRIES, stream_redo
from ..playing.settings import MAX_RNG, GenerationSettings
from ..playing.span import require_events
from ..reworking import named_part
from ..sources import SeedPiece
from ..takes import write_continuation
from .api import PLAYS, File, Notes, answer
from .folders import new_folder
from .messages import plainly
from .page_models import find_model, loaded
from .posted import file_data, notes_as_json, notes_from_json, read_posted
from .request_limits import MAX_MUSIC_SECONDS, MAX_TAKES
from .take_requests import Json, read_settings
from .turns import PLAYING, last_in_turns

_LIKELIEST = 5
_SAME_S = 0.002
"""A note that was posted back is the piece's own, if it is struck so near to it."""


@plainly
async def redo_span(
    start: float,
    end: float,
    seed: str | None = None,
    midi: File = None,
    notes: Notes = None,
    model: str = DEFAULT_MODEL,
    composer: str | None = None,
    temperature: float = 1.0,
    density: float = 1.0,
    tries: int = TRIES,
    takes: int = 1,
    rng: int = 0,
) -> Json:
    """Plays a span of a piece anew, so that it leads into what follows.

    Give one of seed, midi and notes, and a model of note events. Many middles are drawn; the one
    is chosen that makes the notes after the span likeliest.

    Args:
        start: where the span begins, seconds; a note must be struck before.
        end: where it ends, 2 to 20 s later.
        seed: name of a preset, see /seeds.
        midi: a MIDI file, uploaded or as base64 text; at most 1 MB, 20,000 notes, 30 minutes.
        notes: the piece as a list of {"pitch", "start", "end", "velocity"}.
        model: name of a model, see /models.
        composer: whose style to play in; null for the piece's own where he is known.
        temperature: 0.1 to 4; 1 plays as the model is meant to.
        density: how many notes, 0.5 to 2 times as many as around the span.
        tries: how many middles are drawn, 1 to 64.
        takes: how many to answer with, 1 to 4; take n (from 0) is played with rng + n.
        rng: number of the random draw, 0 to 4294967295.

    Returns:
        version, model, seed (its title), remarks and takes: for each midi (the file of the whole
        piece), seed_notes (all that stays), notes (the new ones), start, end, seconds (length of
        the piece), remarks, settings, composer, facts (tries; nats_after, nats_after_before and
        nats_after_plain: how surprising the next ten notes at most are after the new span, after
        what was there, and after all that was drawn) and wall_seconds.
    """
    span = {"start": start, "end": end, "tries": tries}

    def play(given: "_Given", settings: GenerationSettings) -> Iterator[Continuation | None]:
        begins, ends = given.span(span)
        n = check_whole("tries", tries, 1, MOST_TRIES, f"{TRIES} is usual", from_json=True)
        piece = given.piece
        return stream_redo(given.network, piece.notes, begins, ends, settings, piece.composer, n)

    posted = {"seed": seed, "midi": midi, "notes": notes, "model": model, "takes": takes}
    settings = {"composer": composer, "temperature": temperature, "density": density, "rng": rng}
    return await last_in_turns(_rework(posted, settings, span, play), PLAYING)


@plainly
async def keep_part(
    seed: str | None = None,
    midi: File = None,
    notes: Notes = None,
    keep: str = "top",
    kept: Notes = None,
    start: float = 0.0,
    end: float | None = None,
    model: str = DEFAULT_MODEL,
    composer: str | None = None,
    temperature: float = 1.0,
    density: float = 1.0,
    tries: int = KEPT_TRIES,
    takes: int = 1,
    rng: int = 0,
) -> Json:
    """Keeps a part of a piece and plays the rest anew around it.

    Give one of seed, midi and notes, and a model of note events.

    Args:
        seed: name of a preset, see /seeds.
        midi: a MIDI file, uploaded or as base64 text; at most 1 MB, 20,000 notes, 30 minutes.
        notes: the piece as a list of {"pitch", "start", "end", "velocity"}.
        keep: what stays: the "top" or the "bottom" voice, what the "right" or the "left" hand is
            likely to play, a track of the MIDI file by number or name ("track:2"), or "notes".
        kept: these notes, as they are in the piece; with keep "notes" alone.
        start: from where on the rest is played anew, seconds.
        end: to where, 2 to 120 s later; null for the piece's end.
        model: name of a model, see /models.
        composer: whose style to play in; null for the piece's own where he is known.
        temperature: 0.1 to 4; 1 plays as the model is meant to.
        density: how many notes, 0.5 to 2 times as many as were taken away.
        tries: how many pieces are played side by side to choose from, 1 to 16.
        takes: how many to answer with, 1 to 4; take n (from 0) is played with rng + n.
        rng: number of the random draw, 0 to 4294967295.

    Returns:
        What /redo answers; facts are tries, and how many notes are kept and new.
    """
    span = {"start": start, "end": end, "tries": tries}

    def play(given: "_Given", settings: GenerationSettings) -> Iterator[Continuation | None]:
        begins, ends = given.span(span)
        n = check_whole("tries", tries, 1, MOST_KEPT, f"{KEPT_TRIES} is usual", from_json=True)
        piece = given.piece
        staying = _staying(piece, keep, kept)
        return stream_keep(
            given.network, piece.notes, staying, begins, ends, settings, piece.composer, n
        )

    posted = {"seed": seed, "midi": midi, "notes": notes, "model": model, "takes": takes}
    settings = {"composer": composer, "temperature": temperature, "density": density, "rng": rng}
    return await last_in_turns(_rework(posted, settings, span, play), PLAYING)


@plainly
async def tell_odds(
    at: float,
    seed: str | None = None,
    midi: File = None,
    notes: Notes = None,
    model: str = DEFAULT_MODEL,
    composer: str | None = None,
    temperature: float = 1.0,
) -> Json:
    """Returns what a model expects to be struck next at a moment of a piece.

    Give one of seed, midi and notes, and a model of note events.

    Args:
        at: the moment, seconds; a note must be struck before.
        seed: name of a preset, see /seeds.
        midi: a MIDI file, uploaded or as base64 text; at most 1 MB, 20,000 notes, 30 minutes.
        notes: the piece as a list of {"pitch", "start", "end", "velocity"}.
        model: name of a model, see /models.
        composer: whose style to play in; null for the piece's own where he is known.
        temperature: 0.1 to 4; 1 is as the model is meant to be.

    Returns:
        version, model, at, last (when the last note before was struck), keys (88 chances, A0 first,
        that a key is struck next), onsets (seconds from the moment and chance of each time that the
        next note may come), likeliest (pitch and chance of five keys) and came (pitch, start and
        chance of the piece's own next note; null at its end).
    """

    def work() -> Generator[Json, None, None]:
        given = _read({"seed": seed, "midi": midi, "notes": notes, "model": model, "takes": 1})
        settings = read_settings({"composer": composer, "temperature": temperature})
        moment = check_number(
            "at", at, 0, MAX_MUSIC_SECONDS, "it is a moment of the piece, seconds"
        )
        piece = given.piece
        odds = next_odds(given.network, piece.notes, moment, settings, piece.composer)
        yield answer(
            model=given.facts["model"],
            at=odds.at,
            last=odds.last,
            keys=odds.keys.tolist(),
            onsets=[{"seconds": s, "chance": chance} for s, chance in odds.onsets],
            likeliest=[
                {"pitch": pitch, "chance": chance} for pitch, chance in odds.likeliest(_LIKELIEST)
            ],
            came=asdict(odds.came) if odds.came else None,
        )

    return await last_in_turns(work(), PLAYING)


@dataclass(frozen=True)
class _Given:
    """A piece and who is to rework it."""

    piece: SeedPiece
    network: Model
    info: ModelInfo
    n_takes: int

    @property
    def facts(self) -> Json:
        """Returns what an answer says of the two."""
        facts = self.info.as_dict()
        return {
            "model": {name: facts[name] for name in ("name", "revision", "backbone")},
            "seed": self.piece.title,
            "remarks": list(self.piece.remarks),
        }

    def span(self, posted: Json) -> tuple[float, float]:
        """Returns the ends of a span that was posted."""
        length = end_of(self.piece.notes)
        begins = check_number("start", posted["start"], 0, length, "the span must lie in the piece")
        if posted["end"] is None:
            return begins, length
        return begins, check_number(
            "end", posted["end"], 0, length, "the span must lie in the piece"
        )


def _read(posted: Json) -> _Given:
    info = find_model(posted["model"])
    network = loaded(info.name)
    require_events(network)
    ways = {name: posted[name] for name in ("seed", "midi", "notes")}
    piece = read_posted(network.config.sustain, **ways)
    if not piece.notes:
        raise ValueError("a piece must be given (seed, midi or notes), got no note")
    n_takes = check_whole(
        "takes", posted["takes"], 1, MAX_TAKES, "ask again for more", from_json=True
    )
    return _Given(piece, network, info, n_takes)


def _rework(
    posted: Json,
    settings: Mapping[str, object],
    span: Json,
    play: Callable[[_Given, GenerationSettings], Iterator[Continuation | None]],
) -> Generator[Json, None, None]:
    """Yields nothing of use while a piece is reworked, and the answer at last."""
    given = _read(posted)
    first = read_settings(dict(settings))
    takes: list[Json] = []
    for n in range(given.n_takes):
        for piece in play(given, replace(first, rng=(first.rng + n) % (MAX_RNG + 1))):
            if piece is None:
                yield {}
            else:
                takes.append(_describe(piece, given.piece, span))
    yield answer(**given.facts, takes=takes)


def _describe(piece: Continuation, given: SeedPiece, span: Json) -> Json:
    """Returns a reworked piece as plain JSON values, its MIDI file written."""
    path = write_continuation(piece, new_folder() / "reworked.mid", given.performance)
    length = end_of(given.notes)
    return {
        "midi": file_data(path, "audio/midi"),
        "seed_notes": notes_as_json(piece.seed_notes),
        "notes": notes_as_json(piece.new_notes),
        "start": piece.seed_seconds,
        "end": length if span["end"] is None else float(span["end"]),
        "seconds": end_of(piece.notes),
        "remarks": list(piece.remarks),
        "settings": asdict(piece.settings),
        "composer": piece.composer,
        "facts": dict(piece.facts),
        "wall_seconds": round(piece.wall_seconds, 3),
    }


def _staying(piece: SeedPiece, keep: object, kept: object) -> list[Note]:
    """Returns the notes of a piece that are to stay."""
    if not isinstance(keep, str):
        raise ValueError(f'keep must be text, such as "top", got {type(keep).__name__}')
    if (keep == "notes") != (kept is not None):
        raise ValueError('kept must be given with keep "notes", and not otherwise')
    if kept is None:
        return named_part(piece, keep)
    named = notes_from_json(kept)
    by_key: dict[int, list[float]] = {}
    for note in named:
        by_key.setdefault(note.pitch, []).append(note.start)
    return [
        note
        for note in piece.notes
        if any(abs(start - note.start) < _SAME_S for start in by_key.get(note.pitch, ()))
    ]


def register_bench() -> None:
    """Adds the endpoints to the `gradio.Blocks` being built."""
    api(redo_span, api_name="redo", **PLAYS)
    api(keep_part, api_name="keep", **PLAYS)
    api(tell_odds, api_name="odds", **PLAYS)
