"""The API: named endpoints for programs, and tools for assistants (MCP).

Names, fields and types are a contract (`tests/test_api_contract.py`). Each endpoint answers with
one JSON object that holds `version`; a file in it is an address to download it from. Bad input
comes back as one sentence.
"""

import functools
import math
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import asdict
from typing import Any, Literal

import gradio as gr
from gradio.events import api

from .. import __version__
from ..checks import check_number, check_one_of, check_whole
from ..evaluation.excerpts import cut_excerpt
from ..hub import DEFAULT_MODEL
from ..hub.registry import current_name
from ..models.architecture import COMPOSERS
from ..notes import end_of
from ..playing.settings import GenerationSettings
from ..seeds import list_seeds
from .clients import Allowance, client_now
from .measuring import measures_of
from .messages import plainly
from .page_models import composers_of, known_models
from .posted import file_data, notes_as_json, read_posted
from .ratings import leaderboard
from .request_limits import MAX_MUSIC_SECONDS, MAX_TAKES, MAX_TOTAL_SECONDS
from .sheets import score_piece
from .sounds import FORMATS, render_file
from .take_requests import Json, read_request, stream_request
from .turns import PLAYING, RENDERING, check_now, in_turns, last_in_turns
from .vote_book import VoteBook
from .votes import REAL, Vote, now

# All begin at once, and wait for their turns (see `turns`).
PLAYS = {"concurrency_id": "playing", "concurrency_limit": None}
"""Of events that carry a seed on, whether they come from the page or a program."""
RENDERS = {"concurrency_id": "rendering", "concurrency_limit": None}
"""Of events that make sound or measure."""
AT_ONCE = {"queue": False, "concurrency_limit": None}
"""Of events that are answered at once, whoever waits for music."""

_MACHINE_A_SECOND = 0.02
"""Seconds of the machine that a second of music takes, more or less."""
VOTES_AT_ONCE, VOTES_SECONDS = 30, 1800.0
"""Votes of one client: so many at once, and as many again in half an hour."""

_DEFAULT = GenerationSettings()
File = gr.FileData | str | None
Notes = list[dict[str, float]] | None


@plainly
async def continue_piece(
    seed: str | None = None,
    midi: File = None,
    notes: Notes = None,
    model: str = DEFAULT_MODEL,
    composer: str | None = None,
    seconds: float = _DEFAULT.seconds,
    temperature: float = _DEFAULT.temperature,
    threshold: float | None = None,
    guidance: float = _DEFAULT.guidance,
    density: float = _DEFAULT.density,
    takes: int = 1,
    rng: int = _DEFAULT.rng,
    seed_start: float = _DEFAULT.seed_start,
    seed_seconds: float = _DEFAULT.seed_seconds,
    quantise: float | None = None,
    from_seconds: float | None = None,
    ending: bool = False,
) -> Json:
    """Carries a piece of piano music on and answers when all is played.

    The same seed, settings and rng give the same notes, here as on the page, in the shell and in
    Python. Give one of seed, midi and notes, or none and a composer.

    Args:
        seed: name of a preset, see /seeds.
        midi: a MIDI file, uploaded or as base64 text; at most 1 MB, 20,000 notes, 30 minutes.
        notes: the piece as a list of {"pitch": 21 to 108, "start": s, "end": s, "velocity": 1 to
            127}.
        model: name of a model, see /models.
        composer: whose style to play in, see /models; "any" for nobody's in particular, null for
            the seed's own composer where he is known, else nobody's.
        seconds: length of the continuation, 1 to 600; times takes at most 720.
        temperature: 0.1 to 4; 1 plays as the model is meant to, lower is tamer.
        threshold: the article's way instead, for models on a roll: keys above this probability
            sound, 0.001 to 0.999. Null to sample.
        guidance: how much to insist on the composer, 0 to 4; 1 is plain.
        density: how many notes, 0.5 to 2 times as many as usual after such a seed.
        takes: how many continuations, 1 to 4; take n (from 0) is played with rng + n.
        rng: number of the random draw, 0 to 4294967295.
        seed_start: where in the piece the seed begins, seconds.
        seed_seconds: length of the seed, 1 to 120 seconds.
        quantise: how far new notes are moved to the grid of the seed's tempo, 0 to 1; null for 1
            where the seed lies on a grid, else 0.
        from_seconds: from where in the piece to carry on, 1 s to its end: all before stays, the
            rest is thrown away, and seed_start and seed_seconds do not count. Null for a seed.
        ending: whether the piece is brought to a close within the seconds, 5 at least.

    Returns:
        version, model, seed (its title), remarks (what was dropped or repaired) and takes: for each
        midi (the file), seed_notes and notes on one clock, seed_seconds, remarks, settings,
        composer (whose style it was played in, or null), quantise (how far notes were moved to
        the seed's grid), rescues (when, in seconds from the
        seed's end, and why it was brought back to the seed), measures, wall_seconds and
        real_time_factor.
    """
    last = await last_in_turns(_play(dict(locals())), PLAYING, _needs_s(seconds, takes))
    result: Json = last["result"]
    return result


@plainly
async def stream_takes(
    seed: str | None = None,
    midi: File = None,
    notes: Notes = None,
    model: str = DEFAULT_MODEL,
    composer: str | None = None,
    seconds: float = _DEFAULT.seconds,
    temperature: float = _DEFAULT.temperature,
    threshold: float | None = None,
    guidance: float = _DEFAULT.guidance,
    density: float = _DEFAULT.density,
    takes: int = 1,
    rng: int = _DEFAULT.rng,
    seed_start: float = _DEFAULT.seed_start,
    seed_seconds: float = _DEFAULT.seed_seconds,
    quantise: float | None = None,
    from_seconds: float | None = None,
    ending: bool = False,
) -> AsyncIterator[Json]:
    """Carries a piece of piano music on and answers again and again while it is played.

    Takes what /continue takes.

    Args:
        seed: name of a preset, see /seeds.
        midi: a MIDI file, uploaded or as base64 text; at most 1 MB, 20,000 notes, 30 minutes.
        notes: the piece as a list of {"pitch", "start", "end", "velocity"}.
        model: name of a model, see /models.
        composer: whose style to play in, see /models; "any" for nobody's in particular, null for
            the seed's own composer where he is known, else nobody's.
        seconds: length of the continuation, 1 to 600; times takes at most 720.
        temperature: 0.1 to 4; 1 plays as the model is meant to, lower is tamer.
        threshold: the article's way instead, for models on a roll: keys above this probability
            sound, 0.001 to 0.999. Null to sample.
        guidance: how much to insist on the composer, 0 to 4; 1 is plain.
        density: how many notes, 0.5 to 2 times as many as usual after such a seed.
        takes: how many continuations, 1 to 4; take n (from 0) is played with rng + n.
        rng: number of the random draw, 0 to 4294967295.
        seed_start: where in the piece the seed begins, seconds.
        seed_seconds: length of the seed, 1 to 120 seconds.
        quantise: how far new notes are moved to the grid of the seed's tempo, 0 to 1; null for 1
            where the seed lies on a grid, else 0.
        from_seconds: from where in the piece to carry on, 1 s to its end: all before stays, the
            rest is thrown away, and seed_start and seed_seconds do not count. Null for a seed.
        ending: whether the piece is brought to a close within the seconds, 5 at least.

    Yields:
        take (from 0), seconds (played so far), notes (that ended since the last answer; 0 is where
        the seed ends), sounding (struck and still held) and result: null. The last answer has no
        notes; its result is what /continue answers.
    """
    async with in_turns(_play(dict(locals())), PLAYING, _needs_s(seconds, takes)) as parts:
        async for part in parts:
            yield part


def _needs_s(seconds: object, takes: object) -> float:
    """Returns about how many seconds of the machine so much music takes.

    What was posted is not checked yet: what is out of its range needs no time, but to be refused.
    """
    if not isinstance(seconds, int | float) or not isinstance(takes, int | float):
        return 0.0
    is_asked = 0 < seconds <= MAX_TOTAL_SECONDS and 0 < takes <= MAX_TAKES
    return _MACHINE_A_SECOND * seconds * takes if is_asked else 0.0


def _play(posted: dict[str, Any]) -> Generator[Json, None, None]:
    yield from stream_request(read_request(**posted))


@plainly
async def evaluate_piece(
    seed: str | None = None,
    midi: File = None,
    notes: Notes = None,
    skip: float = 0.0,
    seconds: float | None = None,
) -> Json:
    """Measures a piece of piano music, whoever made it.

    Give one of seed, midi and notes.

    Args:
        seed: name of a preset, see /seeds.
        midi: a MIDI file, uploaded or as base64 text; at most 1 MB, 20,000 notes, 30 minutes.
        notes: the piece as a list of {"pitch", "start", "end", "velocity"}.
        skip: seconds at the beginning that were the seed: not measured, only compared with.
        seconds: how much to measure after that; null for all there is.

    Returns:
        version, title, remarks, notes (how many were measured), seconds and measures: stability,
        tonality, features, originality, style and in_words.
    """
    posted = {"seed": seed, "midi": midi, "notes": notes}

    def work() -> Generator[Json, None, None]:
        piece = read_posted("extend", **posted)
        length = end_of(piece.notes)
        if not piece.notes:
            raise ValueError("a piece must be given (seed, midi or notes), got no note")
        start = check_number("skip", skip, 0, MAX_MUSIC_SECONDS, "0 measures the whole piece")
        if start >= length:
            raise ValueError(f"skip must be below {length:.1f} s, where the piece ends, got {skip}")
        measured = length - start
        if seconds is not None:
            measured = check_number(
                "seconds", seconds, 1, MAX_MUSIC_SECONDS, "leave it out for all"
            )
        excerpt = cut_excerpt(piece.title, piece.notes, 0.0, start, measured)
        yield answer(
            title=piece.title,
            remarks=list(piece.remarks),
            notes=len(excerpt.notes),
            seconds=round(measured, 4),
            measures=measures_of(excerpt),
        )

    return await last_in_turns(work(), RENDERING)


@plainly
async def render_piece(
    seed: str | None = None,
    midi: File = None,
    notes: Notes = None,
    audio_format: Literal["wav", "mp3"] = "mp3",
) -> Json:
    """Plays a piece on the piano and answers with the sound file.

    Give one of seed, midi and notes.

    Args:
        seed: name of a preset, see /seeds.
        midi: a MIDI file, uploaded or as base64 text; at most 10 minutes long, 10,000 notes.
        notes: the piece as a list of {"pitch", "start", "end", "velocity"}.
        audio_format: "mp3" or "wav".

    Returns:
        version, title, remarks, audio (the file), seconds, engine and soundfont.
    """
    posted = {"seed": seed, "midi": midi, "notes": notes}

    def work() -> Generator[Json, None, None]:
        kind = check_one_of("audio_format", audio_format, FORMATS)
        piece = read_posted("extend", **posted)
        path, sound = render_file(piece.notes, kind, check_now)
        yield answer(
            title=piece.title,
            remarks=list(piece.remarks),
            audio=file_data(path, FORMATS[kind]),
            seconds=round(sound.seconds, 3),
            engine=sound.engine,
            soundfont=sound.soundfont,
        )

    return await last_in_turns(work(), RENDERING)


@plainly
def describe_models() -> Json:
    """Lists the models that can play.

    Returns:
        version, default (name of the model that plays when none is named), composers (full names
        by the short ones that can be asked for; a style of one's own has one name) and models: for
        each name, revision, backbone, representation, head, weights, size_mb, data, licence, hours,
        validation_loss, baseline_losses and composers (those it knows).
    """
    models = [
        {**info.as_dict(), "composers": list(composers_of(info.name))} for info in known_models()
    ]
    own = {name: name for model in models for name in model["composers"]}
    composers = {**COMPOSERS, **own, **COMPOSERS}
    return answer(default=known_models()[0].name, composers=composers, models=models)


@plainly
def describe_seeds(notes: bool = True) -> Json:
    """Lists the preset seeds.

    Args:
        notes: whether their notes are in the answer, too.

    Returns:
        version and seeds: for each name, composer, title, key, year, seconds and, if asked for,
        notes.
    """
    seeds = _preset_seeds()
    if not notes:
        seeds = [{name: seed[name] for name in seed if name != "notes"} for seed in seeds]
    return answer(seeds=seeds)


@functools.cache
def _preset_seeds() -> list[Json]:
    """Returns the answer about the seeds, made once: however many ask, it takes no more memory."""
    return [
        {
            "name": seed.name,
            "composer": seed.composer,
            "title": seed.title,
            "key": seed.key,
            "year": seed.year,
            "seconds": round(seed.seconds, 3),
            "notes": notes_as_json(seed.notes),
        }
        for seed in list_seeds()
    ]


def voting_on(book: VoteBook) -> Callable[..., Json]:
    """Returns the endpoint that adds votes to a book.

    Args:
        book: where the votes are kept.
    """

    @plainly
    def vote(
        seed: str,
        systems: list[str],
        winner: int | None = None,
        marks: list[dict[str, int]] | None = None,
    ) -> Json:
        """Keeps a listener's judgement of two takes of one seed. Nothing personal is kept.

        Whoever votes here knows who played: these votes are kept and counted apart from those of
        blind listening, which the page shows.

        Args:
            seed: name of the preset both takes carry on, see /seeds.
            systems: what made the two takes: two names of models, see /models, or "composer" for
                the continuation the composer wrote.
            winner: which one was liked better: 0 or 1; null for neither.
            marks: for the first and the second take {"musicality": 1 to 5, "fidelity": 1 to 5,
                "expressiveness": 1 to 5}, or some of them; null for no marks.

        Returns:
            version, votes (how many of these there are now) and leaderboard: for each system its
            strength (chance of being preferred to an average one) with low and high (95 %),
            n_votes and marks (means).
        """
        given = read_vote(seed, systems, winner, marks)
        allow_vote()
        book.add(given)
        return answer(**standings(book))

    return vote


def standings(book: VoteBook) -> Json:
    """Returns `votes`, how many a book holds, and `leaderboard`, a table for each system."""
    tally = book.tally()
    return {
        "votes": tally.n_votes,
        "leaderboard": [asdict(rating) for rating in leaderboard(tally)],
    }


def allow_vote() -> None:
    """Takes one vote from the client's allowance.

    Raises:
        ValueError: if it is used up.
    """
    wait = _votes_allowed.take(client_now())
    if wait:
        raise ValueError(
            f"votes must be at most {VOTES_AT_ONCE} in {VOTES_SECONDS / 60:.0f} minutes from one "
            f"place, got more; try again in {math.ceil(wait / 60)} min"
        )


_votes_allowed = Allowance(VOTES_AT_ONCE, VOTES_SECONDS)


def read_vote(seed: object, systems: object, winner: object, marks: object) -> Vote:
    """Returns a posted vote, checked, given now.

    Raises:
        ValueError: if something is of the wrong type or out of its range, or names no preset, model
            or `votes.REAL`.
    """
    name = check_one_of("seed", seed, [known.name for known in list_seeds()])
    if not isinstance(systems, list | tuple) or len(systems) != 2:
        raise ValueError("systems must be a list of two names, one a take")
    known = [*(info.name for info in known_models()), REAL]
    asked = (current_name(name) if isinstance(name, str) else name for name in systems)
    first, second = (check_one_of("systems", name, known) for name in asked)
    given = [{}, {}] if marks is None else marks
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise ValueError("marks must be a list of two, one a take; null for no marks")
    if winner is not None:
        winner = check_whole("winner", winner, 0, 1, "null says neither", from_json=True)
    return Vote(name, (first, second), winner, (given[0], given[1]), now())


def answer(**content: Any) -> Json:
    """Returns what an endpoint answers: its content, and this package's version."""
    return {"version": __version__, **content}


def register_api(book: VoteBook) -> None:
    """Adds the endpoints to the `gradio.Blocks` being built.

    Args:
        book: of the blind votes; those that are posted by name get a book of their own beside it.
    """
    by_name = VoteBook(None if book.folder is None else book.folder / "by-name")
    api(continue_piece, api_name="continue", **PLAYS)
    api(stream_takes, api_name="continue_stream", **PLAYS)
    api(evaluate_piece, api_name="evaluate", **RENDERS)
    api(render_piece, api_name="render", **RENDERS)
    api(score_piece, api_name="score", **RENDERS)
    api(describe_models, api_name="models", **AT_ONCE)
    api(describe_seeds, api_name="seeds", **AT_ONCE)
    api(voting_on(by_name), api_name="vote", **AT_ONCE)
