"""Playing along: sessions in which a model listens to one player and answers.

The clock of a session is the player's: seconds since the session began.
"""

import math
import secrets
import threading
import time
from collections.abc import AsyncIterator, Generator, Mapping
from dataclasses import dataclass

from gradio.events import api

from ..checks import check_number, show_value
from ..hub import DEFAULT_MODEL
from ..notes import Note
from ..playing.along import LONGEST_S, SHORTEST_S, Companion
from .api import AT_ONCE, PLAYS, Notes, answer
from .clients import Allowance, client_now
from .messages import plainly
from .page_models import find_model, loaded
from .posted import notes_as_json, notes_from_json
from .take_requests import Json, read_settings
from .turns import PLAYING, in_turns

MAX_SESSIONS = 64
DROPPED_AFTER_S = 600.0
"""A session that is not used for so long is dropped."""
MAX_CLOCK_S = 86400.0
MOST_NOTES = 500
"""Notes of one call."""
NOTES_AT_ONCE, NOTES_SECONDS = 3000, 120.0
"""Notes of one client: so many at once, and as many again in two minutes."""
_TICK_S = 0.01

_notes_allowed = Allowance(NOTES_AT_ONCE, NOTES_SECONDS)


@dataclass
class _Session:
    companion: Companion
    used_at: float


class Sessions:
    """The sessions that are open, by their names; the one that was used longest ago gives way."""

    def __init__(self) -> None:
        self._open: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def begin(self, companion: Companion) -> str:
        """Returns the name of a new session: nobody can guess it."""
        name = secrets.token_urlsafe(16)
        now = time.monotonic()
        with self._lock:
            old = [n for n, s in self._open.items() if now - s.used_at > DROPPED_AFTER_S]
            for gone in old:
                del self._open[gone]
            if len(self._open) >= MAX_SESSIONS:
                del self._open[min(self._open, key=lambda n: self._open[n].used_at)]
            self._open[name] = _Session(companion, now)
        return name

    def find(self, name: object) -> Companion:
        """Returns who plays along in a session.

        Raises:
            ValueError: if there is none of that name.
        """
        now = time.monotonic()
        with self._lock:
            session = self._open.get(name) if isinstance(name, str) else None
            if session is None or now - session.used_at > DROPPED_AFTER_S:
                raise ValueError(
                    f"session must be one that /along_begin has named, got {show_value(name)}; it "
                    "may have been dropped: begin another"
                )
            session.used_at = now
            return session.companion


_sessions = Sessions()


@plainly
def begin_along(
    model: str = DEFAULT_MODEL,
    composer: str | None = None,
    temperature: float = 1.0,
    density: float = 1.0,
    rng: int = 0,
) -> Json:
    """Begins a session in which a model plays along. Its clock is the caller's, from 0.

    Args:
        model: name of a model of note events, see /models.
        composer: whose style to play in; null for nobody's in particular.
        temperature: 0.1 to 4; 1 plays as the model is meant to.
        density: how many notes, 0.5 to 2 times as many as the player plays.
        rng: number of the random draw, 0 to 4294967295.

    Returns:
        version and session, which the other calls take. It is dropped after 10 minutes without one.
    """
    posted = {"composer": composer, "temperature": temperature, "density": density, "rng": rng}
    settings = read_settings(dict(posted))
    companion = Companion(loaded(find_model(model).name), settings)
    return answer(session=_sessions.begin(companion))


@plainly
def hear_along(session: str, notes: Notes = None, until: float | None = None) -> Json:
    """Takes notes that the player has struck and let go, each once.

    If one was struck before an answer had been played out, the rest of that answer is forgotten.

    Args:
        session: from /along_begin.
        notes: a list of {"pitch", "start", "end", "velocity"} in seconds since the session began;
            at most 500.
        until: all notes struck before this second have been given: the onset of the earliest key
            that is still down, or null if none is.

    Returns:
        version and heard (how many notes the model has taken with this call).
    """
    companion = _sessions.find(session)
    given = _read_notes(notes, None)
    settled = (
        None if until is None else check_number("until", until, 0, MAX_CLOCK_S, "null for all")
    )
    return answer(heard=companion.hear(given, settled))


@plainly
async def answer_along(
    session: str, now: float, notes: Notes = None, seconds: float | None = None
) -> AsyncIterator[Json]:
    """Answers what the player has played, about as long, dense and loud, and in his key.

    Args:
        session: from /along_begin.
        now: the moment of the decision, seconds since the session began.
        notes: those that have not been given yet; one without an end, or with null, is still held
            and ends now.
        seconds: length of the answer, 2 to 20; null for that of what was played.

    Yields:
        version, notes (0 is now; where a key is struck again, the note before ends there), seconds
        (no note of a later message is struck before) and done.
    """

    def work() -> Generator[Json, None, None]:
        companion = _sessions.find(session)
        moment = check_number(
            "now", now, 0, MAX_CLOCK_S, "it is the moment of the decision, seconds"
        )
        length = seconds
        if length is not None:
            length = check_number(
                "seconds", length, SHORTEST_S, LONGEST_S, "null for the phrase's own"
            )
        given = _read_notes(notes, moment)
        if given:
            companion.hear(given)
        for part in companion.answer(moment, length):
            yield answer(notes=notes_as_json(part.notes), seconds=part.seconds, done=part.is_last)

    async with in_turns(work(), PLAYING) as parts:
        async for part in parts:
            yield part


@plainly
def stop_along(session: str, at: float | None = None) -> Json:
    """Ends the latest answer: the player has struck a key, say.

    Args:
        session: from /along_begin.
        at: seconds since the session began; notes struck before count as played, the model forgets
            the rest. null for all that were made.

    Returns:
        version and kept (how many notes count as played).
    """
    companion = _sessions.find(session)
    moment = None if at is None else check_number("at", at, 0, MAX_CLOCK_S, "null keeps all")
    return answer(kept=companion.stop(moment))


def _read_notes(posted: object, now: float | None) -> list[Note]:
    """Returns posted notes; those that are still held end now.

    Raises:
        ValueError: if they are no notes, or too many.
    """
    if posted is None:
        return []
    if now is not None and isinstance(posted, list):
        posted = [_let_go(one, now) for one in posted]
    given = notes_from_json(posted, MAX_CLOCK_S)
    if len(given) > MOST_NOTES:
        raise ValueError(f"notes must be at most {MOST_NOTES}, got {len(given)}; send them in time")
    wait = _notes_allowed.take(client_now(), len(given)) if given else 0.0
    if wait:
        raise ValueError(
            f"notes must be at most {NOTES_AT_ONCE} in {NOTES_SECONDS / 60:.0f} minutes, got more; "
            f"try again in {math.ceil(wait)} s"
        )
    return given


def _let_go(posted: object, now: float) -> object:
    if not isinstance(posted, Mapping) or posted.get("end") is not None:
        return posted
    start = posted.get("start")
    if not isinstance(start, int | float) or isinstance(start, bool):
        return {**posted, "end": now}
    return {**posted, "end": max(now, start + _TICK_S)}


def register_along() -> None:
    """Adds the endpoints to the `gradio.Blocks` being built."""
    api(begin_along, api_name="along_begin", **AT_ONCE)
    api(hear_along, api_name="along_hear", **AT_ONCE)
    api(answer_along, api_name="along_answer", **PLAYS)
    api(stop_along, api_name="along_stop", **AT_ONCE)
