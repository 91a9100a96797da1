"""Serving a page and its API so that many can use it and nobody can misuse it.

Every body passes `Doorkeeper` before it is read into memory, and every value posted to an endpoint
passes `GuardedBlocks` before gradio looks for files in it.
"""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from .folders import KEPT_SECONDS, FolderSweeper
from .limits import MAX_POST_BYTES, MAX_UPLOAD_BYTES
from .messages import told_plainly
from .posted import refuse_outside_files

MAX_WAITING = 40
"""Requests that may wait; one more is told that the server is busy."""
MAX_SESSIONS = 200
"""Visitors whose last values are kept; gradio would keep ten thousand."""
SWEEP_SECONDS = 300
"""How often files that are too old are looked for."""

BUSY = f"busy: {MAX_WAITING} requests are waiting already; try again in a minute"
TOO_LONG = f"a request must have at most {MAX_POST_BYTES // 10**6} MB; send less"
UNREADABLE = (
    "the call cannot be read; its address must name an endpoint, and its fields must be that "
    "endpoint's: see /gradio_api/info"
)
CALLS = "/gradio_api/call/"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)


class GuardedBlocks(gr.Blocks):
    """A `gradio.Blocks` that refuses files which were not uploaded to it, and keeps none for long.

    Args:
        kept_seconds: how long files are kept.
        told: of `gradio.Blocks`.
    """

    def __init__(self, kept_seconds: float = KEPT_SECONDS, **told: Any) -> None:
        every = min(SWEEP_SECONDS, max(1, int(kept_seconds)))
        super().__init__(delete_cache=(every, int(kept_seconds)), **told)
        self.kept_seconds = kept_seconds

    async def preprocess_data(self, block_fn: Any, inputs: Any, *args: Any, **told: Any) -> Any:
        """Returns what gradio's own method returns, for inputs that name no outside files."""
        with told_plainly():
            refuse_outside_files(inputs)
        return await super().preprocess_data(block_fn, inputs, *args, **told)


class Doorkeeper:
    """ASGI middleware: refuses bodies that are too long, and says when the server is busy.

    Args:
        app: what is served.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MAX_POST_BYTES:
            await _answer(send, 413, TOO_LONG)
            return
        told = _Told(send)
        try:
            await self._app(scope, _counted(receive), told)
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            # gradio answers a call that names no endpoint, or a field it has not, with a bare 500.
            if not scope["path"].startswith(CALLS) or told.started:
                raise
            _log.warning("a call could not be read: %r", error)
            await _answer(send, 422, UNREADABLE)


def serve_page(page: GuardedBlocks, routes: Sequence[BaseRoute] = (), **told: Any) -> str:
    """Starts a page and its API; returns its address.

    Args:
        page: to be served.
        routes: addresses to serve beside gradio's own.
        told: more arguments of `gradio.Blocks.launch`.
    """

    @asynccontextmanager
    async def sweeping(_: Any) -> AsyncIterator[None]:
        every = min(SWEEP_SECONDS, page.kept_seconds)
        sweeper = FolderSweeper(page.kept_seconds, every)
        try:
            yield
        finally:
            sweeper.stop()

    # Closed: nobody passes the queue by.
    page.queue(max_size=MAX_WAITING, default_concurrency_limit=4, api_open=False)
    _, url, _ = page.launch(
        max_file_size=MAX_UPLOAD_BYTES,
        state_session_capacity=MAX_SESSIONS,
        run_history=False,
        enable_monitoring=False,
        mcp_server=True,
        app_kwargs={
            "middleware": [Middleware(Doorkeeper)],
            "lifespan": sweeping,
            "routes": list(routes),
        },
        **told,
    )
    return str(url)


def _counted(receive: Receive) -> Receive:
    """Returns `receive` for a body whose length was not told: it ends where it gets too long."""
    n_bytes = 0

    async def counted() -> Message:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        return {"type": "http.disconnect"} if n_bytes > MAX_POST_BYTES else message

    return counted


class _Told:
    """A `send` with a sentence for people in place of gradio's word for a full queue.

    Attributes:
        started: whether an answer is on its way.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._busy = self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._busy = message["status"] == 503
            if self._busy:
                await _answer(self._send, 503, BUSY)
        if not self._busy:
            await self._send(message)


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
