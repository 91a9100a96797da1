"""Serving a page and its API so that many can use it and nobody can misuse it.

Every request passes `doors.Doorkeeper`, every value posted to an endpoint passes `GuardedBlocks`
before gradio looks for files in it, and every call waits in a `queueing.FairQueue`.
"""

import asyncio
import ctypes
import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import anyio.to_thread
import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from .doors import Doorkeeper
from .folders import KEPT_SECONDS, FolderSweeper
from .link_preview import ICON, OwnHead
from .messages import plain_errors
from .posted import refuse_outside_files
from .queueing import MAX_STARTED, FairQueue
from .request_limits import MAX_UPLOAD_BYTES
from .sub_path import WithoutSubPath
from .tools import serve_tools

# Gradio sets the backend of matplotlib around each call, for which it imports the whole of it while
# everybody waits. No callback here draws with pyplot.
gr.utils.MatplotlibBackendMananger = nullcontext  # type: ignore[misc,assignment]

MAX_SESSIONS = 200
"""Visitors whose last values are kept; gradio would keep ten thousand."""
LONG = 1000
"""Parts or characters that make a posted value long; no description of a file is."""
SWEEP_SECONDS = 300
"""How often files that are too old are looked for."""
# Of glibc's malloc.h.
_ARENA_MAX = -8
START_SECONDS = 1.0
"""So long after the server has started is `on_start` called."""
SWITCH_SECONDS = 0.0005
"""How long a thread may keep Python's lock from others. The server wants it after each read and
write, and with three pieces of work under way, 0.005 s as is usual, waits three times as long."""
FORGET_SECONDS = 15
"""How often answers that nobody fetches are looked for, and memory is given back."""


class GuardedBlocks(gr.Blocks):
    """A `gradio.Blocks` that refuses files which were not uploaded to it, and queues fairly.

    Args:
        kept_seconds: how long files are kept.
        options: of `gradio.Blocks`.
    """

    def __init__(self, kept_seconds: float = KEPT_SECONDS, **options: Any) -> None:
        super().__init__(**options)
        self.kept_seconds = kept_seconds

    def queue(self, *args: Any, **options: Any) -> gr.Blocks:
        """Returns the page itself, with a `FairQueue` in place of gradio's."""
        super().queue(*args, **options)
        self._queue = FairQueue(
            live_updates=True,
            concurrency_count=self.max_threads,
            update_intervals=1,
            max_size=None,
            blocks=self,
            default_concurrency_limit=self._queue.default_concurrency_limit,
        )
        return self

    async def preprocess_data(
        self, block_fn: Any, inputs: Any, state: Any = None, *args: Any, **options: Any
    ) -> Any:
        """Returns what gradio's own method returns, for inputs that name no outside files.

        Gradio looks for files in every part of a value, and keeps the last values of each visitor.
        Long ones it does not see.
        """
        with plain_errors():
            # In a thread: others are served while it looks through 20,000 notes.
            await anyio.to_thread.run_sync(refuse_outside_files, inputs)
        _keep_no_values(state)
        seen = [None if _is_long(value) else value for value in inputs]
        taken = await super().preprocess_data(block_fn, seen, state, *args, **options)
        return [inputs[i] if _is_long(inputs[i]) else value for i, value in enumerate(taken)]

    async def postprocess_data(
        self, block_fn: Any, predictions: Any, state: Any, *args: Any, **options: Any
    ) -> Any:
        """Returns what gradio's own method returns, and keeps none of it."""
        _keep_no_values(state)
        return await super().postprocess_data(block_fn, predictions, state, *args, **options)


def _keep_no_values(state: Any) -> None:
    """Has a visitor's state forget what was posted and answered: the page asks for nothing of it.

    The last notes of `MAX_SESSIONS` visitors would take a gigabyte.
    """
    if state is not None:
        state._update_value_in_config = lambda *_: None


def _is_long(value: Any) -> bool:
    return isinstance(value, str | list) and len(value) > LONG


def serve_page(
    page: GuardedBlocks,
    routes: Sequence[BaseRoute] = (),
    hosts: Iterable[str] = (),
    on_start: Callable[[], None] | None = None,
    **options: Any,
) -> str:
    """Starts a page and its API; returns its address.

    Args:
        page: to be served.
        routes: addresses to serve beside gradio's own.
        hosts: names under which the page may be opened, besides those of `doors.known_hosts`.
        on_start: called once the page can be opened; must not take long.
        options: more arguments of `gradio.Blocks.launch`.
    """

    @asynccontextmanager
    async def keeping_house(_: Any) -> AsyncIterator[None]:
        if page.mcp_server_obj is not None:
            serve_tools(page)
        # What is there now stays: it need not be looked through each time.
        gc.freeze()
        sweeper = FolderSweeper(page.kept_seconds, min(SWEEP_SECONDS, page.kept_seconds))
        forgetting = asyncio.create_task(_forget_unread(page))
        if on_start is not None:
            # A little later: the first page comes before what is made ready for the second.
            asyncio.get_running_loop().call_later(START_SECONDS, on_start)
        try:
            yield
        finally:
            forgetting.cancel()
            sweeper.stop()

    keep_memory_together()
    sys.setswitchinterval(SWITCH_SECONDS)
    # Closed: nobody passes the queue by.
    page.queue(default_concurrency_limit=4, api_open=False)
    _, url, _ = page.launch(
        max_file_size=MAX_UPLOAD_BYTES,
        max_threads=MAX_STARTED,
        state_session_capacity=MAX_SESSIONS,
        run_history=False,
        enable_monitoring=False,
        mcp_server=True,
        favicon_path=str(ICON),
        # Gradio asks for the page otherwise, and gives up where that takes three seconds.
        _frontend=False,
        app_kwargs={
            "middleware": [
                Middleware(WithoutSubPath),
                Middleware(Doorkeeper, hosts=tuple(hosts)),
                Middleware(OwnHead),
            ],
            "lifespan": keeping_house,
            "routes": list(routes),
        },
        **options,
    )
    return str(url)


async def _forget_unread(page: GuardedBlocks) -> None:
    while True:
        await asyncio.sleep(FORGET_SECONDS)
        assert isinstance(page._queue, FairQueue)
        page._queue.forget_unread()
        give_memory_back()


def keep_memory_together() -> None:
    """Has threads share two heaps: each would have its own, and what is free there stays there."""
    if sys.platform == "linux" and hasattr(_libc := ctypes.CDLL(None), "mallopt"):
        _libc.mallopt(_ARENA_MAX, 2)


def give_memory_back() -> None:
    """Gives memory that is free back to the system.

    Glibc keeps it otherwise, in pieces for each thread: a crowd of forty takes 400 MB for ever.
    """
    # Errors hold what was posted in circles, which Python looks for more and more seldom.
    gc.collect()
    if sys.platform == "linux" and hasattr(_libc := ctypes.CDLL(None), "malloc_trim"):
        _libc.malloc_trim(0)
