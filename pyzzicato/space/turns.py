"""Turns: work for many askers goes on step by step, and each step waits for its turn.

A step is about a second of music. Whoever has had the least of the machine lately, and needs the
least more, comes first: one visitor's ten minutes do not keep another waiting, and many who ask for
much share what there is. Whoever has waited long comes before those who need less. In one turn as
many steps are made as fit into `SLICE_S`: a short piece is made in one, for each turn costs a way
through a server that others keep busy. Between two steps it is looked whether the asker is still
there: work that nobody listens to rests, and ends before long.
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
GIVEN_UP_AFTER_S = 15.0
"""Work may be given up for others when nobody has listened for so long: where a crowd keeps the
server busy, whoever has asked comes to listen late."""
ENDS_AFTER_S = 30.0
"""Work ends when nobody has listened for so long."""
SLICE_S = 0.1
"""Seconds of the machine that a turn lasts, or longer where a step does."""
MAX_UNREAD = 20
"""Messages that may wait for a listener; work rests when there are more."""
_HALF_LIFE_S = 120.0
"""Long beside the time that a crowd takes for a round: who has had a turn is still known by it."""
_LOOK_S = 0.1
_WAIT_LOOK_S = 0.5
_WAITED_SHARE = 0.1
"""Of the seconds that work has waited: a tenth of the machine is for those who need much."""
_MAX_CLIENTS = 1000


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
    def unread_s(self) -> float:
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
        if not self.is_there() or self._unread_s > ENDS_AFTER_S:
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
        return self._unread_s > RESTS_AFTER_S

    @property
    def may_be_given_up(self) -> bool:
        """Returns whether nobody has listened for so long that others come before the work."""
        return self._unread_s > GIVEN_UP_AFTER_S

    @property
    def _unread_s(self) -> float:
        return 0.0 if self.mailbox is None else self.mailbox.unread_s

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


@dataclass(eq=False)
class _Waiting:
    """Work that waits for its turn."""

    client: str
    needs_s: float
    ready: "asyncio.Future[None]"
    since: float = field(default_factory=time.monotonic)


class Turns:
    """Gives turns on the machine, so many at a time.

    The least of three comes first: what its client has had lately, and what the work needs, less a
    part of the time that it has waited.

    Args:
        n_at_once: how many steps run at the same time.
        clock: measures, in seconds and in the thread that works, what a step takes.
    """

    def __init__(self, n_at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._n_free, self.clock = n_at_once, clock
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._used: dict[str, tuple[float, float]] = {}

    @asynccontextmanager
    async def turn(
        self, client: str, check: Callable[[], None] = lambda: None, needs_s: float = 0.0
    ) -> AsyncIterator[None]:
        """Waits for a turn, which lasts while the context does.

        Args:
            client: on whose account.
            check: called now and then while it waits; what it raises ends the waiting.
            needs_s: seconds of the machine that the work is likely to need yet.
        """
        await self._wait(client, check, needs_s)
        try:
            yield
        finally:
            self._free_one()

    def charge(self, client: str, work: Callable[[], T]) -> tuple[T, float]:
        """Returns what a client's work returns, and the seconds it took; they count as used."""
        began = self.clock()
        try:
            done = work()
        finally:
            spent_s = self.clock() - began
            with self._lock:
                self._used[client] = (self.used_s(client) + spent_s, time.monotonic())
                if len(self._used) > _MAX_CLIENTS:
                    del self._used[min(self._used, key=self.used_s)]
        return done, spent_s

    def used_s(self, client: str) -> float:
        """Returns how many seconds of the machine a client has had lately; they fade in minutes."""
        seconds, at = self._used.get(client, (0.0, 0.0))
        return float(seconds * 0.5 ** ((time.monotonic() - at) / _HALF_LIFE_S))

    async def _wait(self, client: str, check: Callable[[], None], needs_s: float) -> None:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(client, needs_s, ready)
        with self._lock:
            if self._n_free:
                self._n_free -= 1
                return
            self._waiting.append(waiting)
        try:
            while not ready.done():
                await asyncio.wait({ready}, timeout=_WAIT_LOOK_S)
                if not ready.done():
                    check()
        except BaseException:
            with self._lock:
                was_waiting = waiting in self._waiting
                if was_waiting:
                    self._waiting.remove(waiting)
            if not was_waiting:  # The turn had been given already.
                self._free_one()
            raise

    def _free_one(self) -> None:
        with self._lock:
            if not self._waiting:
                self._n_free += 1
                return
            # The first of equals: min keeps the order in which they came.
            first = min(self._waiting, key=self._rank)
            self._waiting.remove(first)
        first.ready.get_loop().call_soon_threadsafe(_give, first.ready)

    def _rank(self, one: _Waiting) -> float:
        waited_s = time.monotonic() - one.since
        return self.used_s(one.client) + one.needs_s - _WAITED_SHARE * waited_s


def _give(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


PLAYING = Turns(2, time.thread_time)
"""Of work that carries a seed on; what others do on the machine meanwhile is not counted."""
RENDERING = Turns(1)
"""Of work that makes sound or measures; a synthesiser works in a process of its own."""

_DONE = object()


def check_now() -> None:
    """Does nothing while the work of this step is wanted; for steps that take long.

    Raises:
        StoppedError: see `Asker.check`; and so for SentAwayError.
    """
    asker = ASKER.get()
    if asker is not None:
        asker.check()


@dataclass(frozen=True)
class _Broken:
    """What a step raised, in the place of what it would have yielded."""

    error: Exception


async def _in_thread(
    steps: Generator[Any, None, None], asker: Asker, turns: Turns
) -> tuple[list[Any], float]:
    """Returns the next of the steps, and what they took; those that are cancelled end first."""
    made = asyncio.ensure_future(anyio.to_thread.run_sync(_make, steps, asker, turns))
    try:
        return await asyncio.shield(made)
    except asyncio.CancelledError:
        asker.is_there = lambda: False
        with anyio.CancelScope(shield=True):
            await asyncio.wait([made])
        raise


def _make(steps: Generator[Any, None, None], asker: Asker, turns: Turns) -> tuple[list[Any], float]:
    # The thread has a context of its own.
    ASKER.set(asker)
    return turns.charge(asker.client, lambda: _slice(steps, asker, turns.clock))


def _slice(
    steps: Generator[Any, None, None], asker: Asker, clock: Callable[[], float]
) -> list[Any]:
    """Returns the next of the steps, one at least, `_DONE` or `_Broken` after the last."""
    parts: list[Any] = []
    until = clock() + SLICE_S
    while not parts or clock() < until:
        try:
            asker.check()
            parts.append(next(steps, _DONE))
        except Exception as error:
            parts.append(_Broken(error))
        if parts[-1] is _DONE or isinstance(parts[-1], _Broken):
            break
    return parts


def in_turns(
    steps: Generator[T, None, None], turns: Turns, needs_s: float = 0.0
) -> AbstractAsyncContextManager[AsyncGenerator[T, None]]:
    """Returns a context that gives what the steps yield, each made in a thread in its turn.

    Args:
        steps: closed when nobody waits for them any more.
        turns: whose turns they wait for.
        needs_s: seconds of the machine that all of them are likely to need.

    Raises:
        StoppedError: if nobody listens any more.
        SentAwayError: if the server has too much to do.
    """
    return aclosing(_in_turns(steps, turns, needs_s))


async def _in_turns(
    steps: Generator[T, None, None], turns: Turns, needs_s: float
) -> AsyncGenerator[T, None]:
    asker = asker_now()
    try:
        while True:
            await asker.listens()
            async with turns.turn(asker.client, asker.check, needs_s):
                asker.check()
                parts, spent_s = await _in_thread(steps, asker, turns)
            needs_s = max(0.0, needs_s - spent_s)
            for part in parts:
                if part is _DONE:
                    return
                if isinstance(part, _Broken):
                    raise part.error
                yield part
    finally:
        steps.close()


async def last_in_turns(steps: Generator[T, None, None], turns: Turns, needs_s: float = 0.0) -> T:
    """Returns the last of what the steps yield, of which there must be one; see `in_turns`."""
    async with in_turns(steps, turns, needs_s) as parts:
        every = parts.__aiter__()
        last = await anext(every)
        async for part in every:
            last = part
    return last
