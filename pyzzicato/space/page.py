"""The page: its files, what it is given when it opens, and the two endpoints that it alone needs.

The page is a program that calls the API, like any other, and draws and sounds what it is answered
(`static/`, plain JavaScript modules without a build step). All files come from this server.
"""

import functools
import inspect
import json
import time
from collections.abc import AsyncIterator, Generator
from typing import Any

import gradio as gr
from gradio.events import api
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles

from .. import __version__
from ..checks import check_whole
from ..hub.registry import OLD_NAMES, REPLACED
from ..midi import read_midi
from ..playing.settings import MAX_SECONDS as LONGEST
from ..playing.settings import MAX_SEED_SECONDS, GenerationSettings
from .api import (
    AT_ONCE,
    PLAYS,
    RENDERS,
    allow_vote,
    describe_models,
    describe_seeds,
    read_vote,
    standings,
)
from .blind import PairBook, play_pair
from .doors import SUMMARY
from .files import save_take
from .first_sight import STATIC
from .learn import describe_learning
from .messages import plainly
from .names import as_shown
from .own_music import is_local, learning_routes
from .piano import Piano, describe_json
from .posted import midi_data
from .request_limits import MAX_MUSIC_SECONDS, MAX_NOTES, MAX_UPLOAD_BYTES, MIDI_LIMITS
from .turns import PLAYING, RENDERING, in_turns, last_in_turns
from .vote_book import VoteBook

MAX_SECONDS = 180
"""The longest continuation the page offers; programs may ask for more."""
MIN_SECONDS = 5
TAKES_AT_ONCE = 12
"""Takes that one click on the page asks for, one after the other."""


def head_html(page: gr.Blocks) -> str:
    """Returns what goes into the document's head: data and the script.

    Args:
        page: with all its endpoints.
    """
    facts = {**page_data(), "endpoints": _describe_endpoints(page)}
    # In a script element only "</" could end the text early.
    data = json.dumps(facts, ensure_ascii=False).replace("</", "<\\/")
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<script type="application/json" id="pyzzicato-data">{data}</script>'
        '<script type="module" src="page/main.js"></script>'
    )


def page_data() -> dict[str, Any]:
    """Returns what the page is given when it opens, as plain JSON values.

    Returns:
        `version`, `own_music` (whether it can learn from one's own), `seeds`, `models`, `old_names`
        of models, `composers`, `defaults` and `limits` (lowest and highest value of each control).
    """
    default = GenerationSettings()
    known = describe_models()
    return {
        "version": __version__,
        "own_music": is_local(),
        "seeds": describe_seeds()["seeds"],
        "models": as_shown(known["models"]),
        "old_names": {**OLD_NAMES, **REPLACED},
        "composers": known["composers"],
        "defaults": {
            "model": known["default"],
            "seconds": default.seconds,
            "temperature": default.temperature,
            "guidance": default.guidance,
            "density": default.density,
            "rng": default.rng,
        },
        "limits": {
            "seconds": [MIN_SECONDS, MAX_SECONDS],
            "seed_seconds": [1, MAX_SEED_SECONDS],
            "takes": [1, TAKES_AT_ONCE],
            "longest": LONGEST,
            "upload_bytes": MAX_UPLOAD_BYTES,
            "notes": MAX_NOTES,
            "music_seconds": MAX_MUSIC_SECONDS,
        },
    }


def add_page(book: VoteBook) -> None:
    """Adds the page and its own endpoints to the `gradio.Blocks` being built.

    Args:
        book: whose votes the page shows.
    """
    pairs = PairBook(book.secret("blind"))

    @plainly
    def read_leaderboard() -> dict[str, Any]:
        """Returns what /vote answers, and `open`: whether votes are taken."""
        return {**standings(book), "open": book.is_open}

    @plainly
    async def play_blind() -> AsyncIterator[dict[str, Any]]:
        """Yields a pair of takes without names, as `blind.play_pair` does."""
        ticket = pairs.draw()
        async with in_turns(play_pair(ticket, pairs.pair(ticket)), PLAYING) as parts:
            async for part in parts:
                yield part

    @plainly
    def begin_hearing(ticket: str, side: int) -> str:
        """Returns the server's word that a take of a pair begins to be played now."""
        return pairs.receipt(
            ticket, check_whole("side", side, 0, 1, "0 is the first", from_json=True), time.time()
        )

    @plainly
    def judge(
        ticket: str,
        heard: list[str],
        winner: int | None = None,
        marks: list[dict[str, int]] | None = None,
    ) -> dict[str, Any]:
        """Keeps a judgement of a pair, and returns `systems`, who played, beside the leaderboard.

        Only the first judgement of a pair counts, and none before both takes have been played.

        Args:
            ticket: the pair's.
            heard: what /hear answered for the first and for the second take.
            winner: as /vote takes it, and so are marks.
            marks: see `winner`.
        """
        pair = pairs.pair(ticket)
        pairs.check_heard(ticket, heard, time.time())
        vote = read_vote(pair.seed.name, pair.systems, winner, marks)
        if book.is_open:
            allow_vote()
            book.add(vote, ticket)
        return {"systems": pair.systems, **read_leaderboard()}

    # Gradio shows its drawers only beside something of its own.
    gr.Column()
    api(read_file, api_name="read_midi", api_visibility="undocumented", **PLAYS)
    api(play_blind, api_name="listen", api_visibility="undocumented", **PLAYS)
    api(begin_hearing, api_name="hear", api_visibility="undocumented", **AT_ONCE)
    api(judge, api_name="judge", api_visibility="undocumented", **AT_ONCE)
    api(read_leaderboard, api_name="leaderboard", api_visibility="undocumented", **AT_ONCE)
    api(describe_learning, api_name="learn", api_visibility="undocumented", **AT_ONCE)
    api(write_file, api_name="save_take", api_visibility="undocumented", **RENDERS)


@plainly
async def read_file(midi: str) -> dict[str, Any]:
    """Returns the notes of a MIDI file, for the page to show and to choose the seed from.

    Args:
        midi: the file's bytes in base64.

    Returns:
        `notes`, lengthened by the pedal, the first one at 0, each with the number of its `track`
        from 1; `tracks`, their names; and `remarks`: what was left out, skipped or repaired.
    """

    def work() -> Generator[dict[str, Any], None, None]:
        performance = read_midi(midi_data(midi), MIDI_LIMITS)
        # Times as they are: rounded ones could fall into another frame than the file's.
        notes = [
            {
                "pitch": n.pitch,
                "start": n.start,
                "end": n.end,
                "velocity": n.velocity,
                "track": part + 1,
            }
            for n, part in zip(performance.music(), performance.part_of, strict=True)
        ]
        tracks = [part.name.strip() for part in performance.parts]
        yield {"notes": notes, "tracks": tracks, "remarks": performance.remarks()}

    return await last_in_turns(work(), PLAYING)


@plainly
@functools.wraps(save_take)
async def write_file(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """Does what `save_take` does, when it is its turn."""

    def work() -> Generator[dict[str, Any], None, None]:
        yield save_take(*args, **kwargs)

    return await last_in_turns(work(), RENDERING)


def page_routes(piano: Piano) -> list[BaseRoute]:
    """Returns the addresses of the page's files and of the piano's tones.

    Args:
        piano: plays the tones when the first page asks for them.
    """

    def tones(request: Request) -> Response:
        try:
            path = piano.tones_file()
        except (ValueError, RuntimeError):
            return PlainTextResponse("no engine can play here", status_code=404)
        return FileResponse(path, media_type="audio/mpeg", headers=_KEEP)

    def tones_places(request: Request) -> Response:
        return Response(describe_json(piano), media_type="application/json")

    def no_summary(request: Request) -> Response:
        # Nobody counts calls here; without an answer the drawer would log an error.
        return JSONResponse({"functions": {}})

    files = _PageFiles(directory=STATIC)

    async def page_file(request: Request) -> Response:
        # Not mounted: a mounted one looks for its files under the path of the site as well.
        return await files.get_response(request.path_params["name"], request.scope)

    return [
        *learning_routes(),
        Route(SUMMARY, no_summary),
        Route("/piano/tones.mp3", tones),
        Route("/piano/tones.json", tones_places),
        Route("/page/{name:path}", page_file),
    ]


def _describe_endpoints(page: gr.Blocks) -> dict[str, Any]:
    """Returns `{name: {"id", "queued", "parameters": [[name, default], ...]}}` of all endpoints."""
    endpoints = {}
    for number_of, function in page.fns.items():
        if function.api_name and function.fn is not None:
            parameters = inspect.signature(function.fn).parameters.values()
            endpoints[str(function.api_name)] = {
                "id": number_of,
                "queued": function.queue,
                "parameters": [
                    [p.name, None if p.default is p.empty else p.default] for p in parameters
                ],
            }
    return endpoints


_KEEP = {"Cache-Control": "public, max-age=3600"}


class _PageFiles(StaticFiles):
    """Files that browsers ask about each time, so that no page mixes two releases."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
