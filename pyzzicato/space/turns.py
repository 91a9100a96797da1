"""Turns: work for many askers goes on step by step, and each step waits for its turn.

A step is about a second of music. Whoever has had the least of the machine lately comes first, so
that one visitor's ten minutes do not keep another waiting, and many who ask for much share what
there is. Between two steps it is looked whether the asker is still there: work that nobody listens
to rests, and ends before long.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio.to_thread
from gradio.context import LocalContext

T = TypeVar("T")

RESTS_AFTER_S = 5.0
"""Work rests when nobody has listened for so long: time enough to fetch what was just asked for."""
ENDS_AFTER_S = 30.0
"""Work ends when nobody has listened for so long."""
MAX_UNREAD = 20
"""Messages that may wait for a listener; work rests when there are more."""
_HALF_LIFE_S = 10.0
_LOOK_S = 0.1
_WAIT_LOOK_S = 0.5


class StoppedError(Exception):
    """Nobody waits for this work any more."""


class SentAwayError(ValueError):
    """The server has too much to do; the message says so to the asker."""


class Mailbox(asyncio.Queue[Any]):
    """Messages for one asker, which knows whether anybody listens."""

    def __init__(self, client: str) -> None:
        super().__init__()
        self.client = client
        self._n_listening = 0
        self._listened_at = time.monotonic()

    async def get(self) -> Any:
        """Returns the next message."""
        self._n_listening += 1
        try:
            return await super().get()
        finally:
            self._n_listening -= 1
            self._listened_at = time.monotonic()

    @property
    def unheard_s(self) -> float:
        """Returns for how long nobody has listened, 0 while somebody does."""
        return 0.0 if self._n_listening else time.monotonic() - self._listened_at


@dataclass(eq=False)
class Asker:
    """Somebody who waits for work.

    Attributes:
        client: whose share of the machine the work takes, see `clients.client_of`.
        mailbox: where the answers go; None where they go straight to the asker.
        is_there: returns whether the connection is open, as far as that is known.
        n_bytes: how much was posted for the work, which is held until it is done.
        sent_away: why the work is not done, for the asker; empty while it is.
    """

    client: str
    mailbox: Mailbox | None = None
    is_there: Callable[[], bool] = field(default=lambda: True)
    n_bytes: int = 0
    sent_away: str = ""

    def check(self) -> None:
        """Does nothing while the work is wanted.

        Raises:
            StoppedError: if nobody listens any more.
            SentAwayError: if the server has given this work up.
        """
        if self.sent_away:
            raise SentAwayError(self.sent_away)
        if not self.is_there() or self._unheard_s > ENDS_AFTER_S:
            raise StoppedError

    async def listens(self) -> None:
        """Waits until the asker listens and has room for more.

        Raises:
            StoppedError: see `check`; and so for SentAwayError.
        """
        self.check()
        while self.rests or self._n_unread > MAX_UNREAD:
            await asyncio.sleep(_LOOK_S)
            self.check()

    @property
    def rests(self) -> bool:
        """Returns whether nobody has listened for so long that the work rests."""
        return self._unheard_s > RESTS_AFTER_S

    @property
    def _unheard_s(self) -> float:
        return 0.0 if self.mailbox is None else self.mailbox.unheard_s

    @property
    def _n_unread(self) -> int:
        return 0 if self.mailbox is None else self.mailbox.qsize()


ASKER: ContextVar[Asker | None] = ContextVar("asker", default=None)
"""Who asks, where that is not one of gradio's events."""


def asker_now() -> Asker:
    """Returns who waits for the work that is being begun."""
    asker = ASKER.get()
    if asker is None:
        page, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
        find = getattr(getattr(page, "_queue", None), "asker_of", None)
        asker = find(event_id) if find is not None and event_id is not None else None
    return asker or Asker("")


class Turns:
    """Gives turns on the machine, so many at a time; the client who had least lately comes first.

    Args:
        n_at_once: how many steps run at the same time.
    """

    def __init__(self, n_at_once: int) -> None:
        self._n_free = n_at_once
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._used: dict[str, tuple[float, float]] = {}

    @asynccontextmanager
    async def turn(
        self, client: str, check: Callable[[], None] = lambda: None
    ) -> AsyncIterator[None]:
        """Waits for a turn, which lasts while the context does.

        Args:
            client: on whose account.
            check: called now and then while it waits; what it raises ends the waiting.
        """
        await self._wait(client, check)
        began = time.monotonic()
        try:
            yield
        finally:
            self._charge(client, time.monotonic() - began)
            self._free_one()

    def used_s(self, client: str) -> float:
        """Returns how many seconds of the machine a client has had lately; they fade in minutes."""
        seconds, at = self._used.get(client, (0.0, 0.0))
        return float(seconds * 0.5 ** ((time.monotonic() - at) / _HALF_LIFE_S))

    async def _wait(self, client: str, check: Callable[[], None]) -> None:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._n_free:
                self._n_free -= 1
                return
            self._waiting.append((client, ready))
        try:
            while not ready.done():
                await asyncio.wait({ready}, timeout=_WAIT_LOOK_S)
                if not ready.done():
                    check()
        except BaseException:
            with self._lock:
                waited = [one for one in self._waiting if one[1] is not ready]
                was_waiting = len(waited) < len(self._waiting)
                self._waiting = waited
            if not was_waiting:  # The turn had been given already.
                self._free_one()
            raise

    def _charge(self, client: str, seconds: float) -> None:
        with self._lock:
            self._used[client] = (self.used_s(client) + seconds, time.monotonic())
            if len(self._used) > 1000:
                self._used = {one: told for one, told in self._used.items() if self.used_s(one) > 1}

    def _free_one(self) -> None:
        with self._lock:
            if not self._waiting:
                self._n_free += 1
                return
            # The first of equals: min keeps the order in which they came.
            place = min(range(len(self._waiting)), key=lambda i: self.used_s(self._waiting[i][0]))
            _, ready = self._waiting.pop(place)
        ready.get_loop().call_soon_threadsafe(_give, ready)


def _give(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


PLAYING = Turns(2)
"""Of work that carries a seed on."""
RENDERING = Turns(1)
"""Of work that makes sound or measures."""

_DONE = object()


def check_now() -> None:
    """Does nothing while the work of this step is wanted; for steps that take long.

    Raises:
        StoppedError: see `Asker.check`; and so for SentAwayError.
    """
    asker = ASKER.get()
    if asker is not None:
        asker.check()


async def _in_thread(steps: Generator[Any, None, None], asker: Asker) -> Any:
    """Returns the next of the steps; one that is cancelled gets an error, and ends first."""
    step = asyncio.ensure_future(anyio.to_thread.run_sync(_step, steps, asker))
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        asker.is_there = lambda: False
        with anyio.CancelScope(shield=True):
            await asyncio.wait([step])
        raise


def _step(steps: Generator[Any, None, None], asker: Asker) -> Any:
    # The thread has a context of its own.
    ASKER.set(asker)
    return next(steps, _DONE)


def in_turns(
    steps: Generator[T, None, None], turns: Turns
) -> AbstractAsyncContextManager[AsyncGenerator[T, None]]:
    """Returns a context that gives what the steps yield, each made in a thread in its turn.

    Args:
        steps: closed when nobody waits for them any more.
        turns: whose turns they wait for.

    Raises:
        StoppedError: if nobody listens any more.
        SentAwayError: if the server has too much to do.
    """
    return aclosing(_in_turns(steps, turns))


async def _in_turns(steps: Generator[T, None, None], turns: Turns) -> AsyncGenerator[T, None]:
    asker = asker_now()
    try:
        while True:
            await asker.listens()
            async with turns.turn(asker.client, asker.check):
                asker.check()
                part = await _in_thread(steps, asker)
            if part is _DONE:
                return
            yield part
    finally:
        steps.close()


async def last_in_turns(steps: Generator[T, None, None], turns: Turns) -> T:
    """Returns the last of what the steps yield, of which there must be one; see `in_turns`."""
    async with in_turns(steps, turns) as parts:
        every = parts.__aiter__()
        last = await anext(every)
        async for part in every:
            last = part
    return last
