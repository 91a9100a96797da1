"""Work for a visitor ends when the visitor has gone.

gradio runs a plain callback to its end, whoever still waits for it. A callback written as
`await run_stoppable(work)` frees its worker soon after the request is cancelled or its connection
closed.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from gradio.context import LocalContext

T = TypeVar("T")


class StoppedError(Exception):
    """Nobody waits for this work any more."""


class StopSign:
    """Tells a piece of work whether it is still wanted.

    To be made where gradio calls the callback: it notes whose request that is.
    """

    def __init__(self) -> None:
        self._raised = threading.Event()
        blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
        # gradio has no public way to ask. An event whose connection closes is marked "not alive".
        events = {} if blocks is None else blocks._queue.event_ids_to_events
        self._event = events.get(event_id) if event_id is not None else None

    def put_up(self) -> None:
        """Says that the work is not wanted any more."""
        self._raised.set()

    def check(self) -> None:
        """Does nothing while the work is wanted.

        Raises:
            StoppedError: if it is not.
        """
        if self._raised.is_set() or not getattr(self._event, "alive", True):
            raise StoppedError


async def run_stoppable(work: Callable[[Callable[[], None]], T]) -> T:
    """Returns what `work` returns, run in a thread of its own.

    Args:
        work: called with a function that it has to call often, about once in a second of music; it
            raises `StoppedError` when nobody waits any more.

    Raises:
        StoppedError: if nobody waits any more.
    """
    sign = StopSign()
    try:
        return await anyio.to_thread.run_sync(work, sign.check, abandon_on_cancel=True)
    except asyncio.CancelledError:
        sign.put_up()
        raise
