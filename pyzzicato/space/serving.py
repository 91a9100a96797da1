"""Serving a page and its API so that many can use it and nobody can misuse it.

Every request passes `doors.Doorkeeper`, every value posted to an endpoint passes `GuardedBlocks`
before gradio looks for files in it, and every call waits in a `queueing.FairQueue`.
"""

import asyncio
import ctypes
import gc
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from .doors import Doorkeeper
from .folders import KEPT_SECONDS, FolderSweeper
from .link_preview import ICON, OwnHead
from .messages import told_plainly
from .posted import refuse_outside_files
from .queueing import MAX_STARTED, FairQueue
from .request_limits import MAX_UPLOAD_BYTES
from .sub_path import WithoutSubPath
from .tools import serve_tools

MAX_SESSIONS = 200
"""Visitors whose last values are kept; gradio would keep ten thousand."""
SWEEP_SECONDS = 300
"""How often files that are too old are looked for."""
FORGET_SECONDS = 15
"""How often answers that nobody fetches are looked for, and memory is given back."""


class GuardedBlocks(gr.Blocks):
    """A `gradio.Blocks` that refuses files which were not uploaded to it, and queues fairly.

    Args:
        kept_seconds: how long files are kept.
        told: of `gradio.Blocks`.
    """

    def __init__(self, kept_seconds: float = KEPT_SECONDS, **told: Any) -> None:
        super().__init__(**told)
        self.kept_seconds = kept_seconds

    def queue(self, *args: Any, **told: Any) -> gr.Blocks:
        """Returns the page itself, with a `FairQueue` in place of gradio's."""
        super().queue(*args, **told)
        self._queue = FairQueue(
            live_updates=True,
            concurrency_count=self.max_threads,
            update_intervals=1,
            max_size=None,
            blocks=self,
            default_concurrency_limit=self._queue.default_concurrency_limit,
        )
        return self

    async def preprocess_data(self, block_fn: Any, inputs: Any, *args: Any, **told: Any) -> Any:
        """Returns what gradio's own method returns, for inputs that name no outside files."""
        with told_plainly():
            refuse_outside_files(inputs)
        return await super().preprocess_data(block_fn, inputs, *args, **told)


def serve_page(
    page: GuardedBlocks, routes: Sequence[BaseRoute] = (), hosts: Iterable[str] = (), **told: Any
) -> str:
    """Starts a page and its API; returns its address.

    Args:
        page: to be served.
        routes: addresses to serve beside gradio's own.
        hosts: names under which the page may be opened, besides those of `doors.known_hosts`.
        told: more arguments of `gradio.Blocks.launch`.
    """

    @asynccontextmanager
    async def keeping_house(_: Any) -> AsyncIterator[None]:
        if page.mcp_server_obj is not None:
            serve_tools(page)
        # What is there now stays: it need not be looked through each time.
        gc.freeze()
        sweeper = FolderSweeper(page.kept_seconds, min(SWEEP_SECONDS, page.kept_seconds))
        forgetting = asyncio.create_task(_forget_unread(page))
        try:
            yield
        finally:
            forgetting.cancel()
            sweeper.stop()

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
        app_kwargs={
            "middleware": [
                Middleware(WithoutSubPath),
                Middleware(Doorkeeper, hosts=tuple(hosts)),
                Middleware(OwnHead),
            ],
            "lifespan": keeping_house,
            "routes": list(routes),
        },
        **told,
    )
    return str(url)


async def _forget_unread(page: GuardedBlocks) -> None:
    while True:
        await asyncio.sleep(FORGET_SECONDS)
        assert isinstance(page._queue, FairQueue)
        page._queue.forget_unread()
        give_memory_back()


def give_memory_back() -> None:
    """Gives memory that is free back to the system.

    Glibc keeps it otherwise, in pieces for each thread: a crowd of forty takes 400 MB for ever.
    """
    # Errors hold what was posted in circles, which Python looks for more and more seldom.
    gc.collect()
    if sys.platform == "linux" and hasattr(_libc := ctypes.CDLL(None), "malloc_trim"):
        _libc.malloc_trim(0)
