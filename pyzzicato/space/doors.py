"""The door of the server: what every request must be like, and what every answer carries.

`Doorkeeper` stands before gradio. It refuses requests that come by another site's page or are too
much, holds what is being received within bounds, and turns whatever breaks behind it into a
sentence.
"""

import asyncio
import ipaddress
import json
import logging
import math
import os
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from .clients import Allowance, client_of
from .messages import FAULT, TITLE, UNREADABLE, is_full_disk, words_for
from .request_limits import MAX_POST_BYTES

HOSTS_VARIABLE = "PYZZICATO_HOSTS"
"""Environment variable: names, parted by commas, under which the page may be opened besides
127.0.0.1, localhost and the Space's own."""
MAX_OPEN = 256
"""Requests of one client that may be open at a time: a school class behind one address."""
MAX_RECEIVED_BYTES = 8_000_000
"""Of one client's bodies that are being received."""
MAX_ALL_RECEIVED_BYTES = 64_000_000
BODY_SECONDS = 60.0
"""How long a body may take to arrive."""
LARGE_BYTES = 250_000
"""A body longer than this is large: reading it takes as long as making some seconds of music."""
LARGE_A_MINUTE_BYTES = 12_000_000
"""Of one client's large bodies."""
ALL_LARGE_A_MINUTE_BYTES = 60_000_000
UPLOADS_AN_HOUR_BYTES = 50_000_000
"""Of one client."""
ALL_UPLOADS_AN_HOUR_BYTES = 1_000_000_000

API = "/gradio_api/"
CALLS = f"{API}call/"
UPLOADS = f"{API}upload"
FILES = (f"{API}file=", f"{API}file/")
# Gradio serves these too; the page has no use for them.
_CLOSED = tuple(
    f"{API}{name}"
    for name in (
        "component_server",
        "deep_link",
        "dev/",
        "process_recording",
        "proxy=",
        "run-history",
        "runs",
        "stream/",
        "undo-vibe-edit",
        "upload_progress",
        "vibe-",
    )
) + ("/monitoring",)
SUMMARY = "/monitoring/summary"
"""Gradio's drawer asks it how often each endpoint was called; the page answers that itself."""

TOO_LONG = f"a request must have at most {MAX_POST_BYTES // 10**6} MB; send less"
NO_LENGTH = "a request of this size must state its length (Content-Length)"
TOO_MUCH = f"at most {LARGE_A_MINUTE_BYTES // 10**6} MB may be posted in a minute from one place"
TOO_SLOW = f"a request must arrive within {BODY_SECONDS:.0f} s; send it again"
TOO_MANY = "too many requests at once from one place; try again in a minute"
NOT_HERE = f"this page is not served under that name; its operator can allow it in {HOSTS_VARIABLE}"
NOT_FROM_THERE = f"another site may not use this one; its operator can allow it in {HOSTS_VARIABLE}"
NOTHING = "there is nothing here; see /gradio_api/info"

_FRAMES = "frame-ancestors 'self' https://huggingface.co https://*.hf.space"
_POLICY = (
    "default-src 'self'; script-src 'self'{nonce}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
    f"base-uri 'self'; form-action 'self'; {_FRAMES}"
)
_FILE_POLICY = f"default-src 'none'; sandbox; {_FRAMES}"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """A request that is not served.

    Args:
        status: of HTTP.
        sentence: why, for people.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Doorkeeper:
    """ASGI middleware: lets in what may come in, in bounds, and answers in sentences.

    Args:
        app: what is served.
        hosts: names under which it may be opened, besides those of `known_hosts`.
    """

    def __init__(self, app: App, hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = known_hosts() | frozenset(hosts)
        self._open: Counter[str] = Counter()
        self._received: Counter[str] = Counter()
        self._large = Allowance(LARGE_A_MINUTE_BYTES, 60)
        self._all_large = Allowance(ALL_LARGE_A_MINUTE_BYTES, 60)
        self._uploads = Allowance(UPLOADS_AN_HOUR_BYTES, 3600)
        self._all_uploads = Allowance(ALL_UPLOADS_AN_HOUR_BYTES, 3600)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        has_length = any(name.lower() == b"content-length" for name, _ in scope["headers"])
        client, body = client_of(scope), _Body(self._received, receive, has_length)
        answer = _Answer(scope["path"], send)
        self._open[client] += 1
        try:
            self._check(scope, client)
            body.begin(client)
            await self._app(scope, body.receive, answer)
        except Exception as error:
            if answer.started:
                raise
            refused = body.refusal or _refusal_of(error, scope["path"])
            await _send_refusal(answer, refused)
        finally:
            body.end()
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    def _check(self, scope: Message, client: str) -> None:
        """Raises RefusedError for a request that is not even to be read."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._knows(_host(headers.get(b"host", ""))):
            raise RefusedError(400, NOT_HERE)
        origin = headers.get(b"origin")
        if origin is not None and not self._knows(_host(urlsplit(origin).netloc)):
            raise RefusedError(403, NOT_FROM_THERE)
        path = scope["path"]
        is_elsewhere = path.startswith(FILES) and "://" in path
        is_closed = path.startswith(_CLOSED) and path != SUMMARY
        if is_closed or is_elsewhere:
            raise RefusedError(404, NOTHING)
        length = headers.get(b"content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:20]) > MAX_POST_BYTES:
            raise RefusedError(413, TOO_LONG)
        if self._open[client] > MAX_OPEN:
            raise RefusedError(429, TOO_MANY)
        if path.startswith(UPLOADS):
            self._check_upload(client, int(length))
            # Gradio would keep, for ever, how far an upload is that names itself.
            scope["query_string"] = b""
        elif int(length) > LARGE_BYTES:
            wait = self._large.take(client, int(length)) or self._all_large.take("", int(length))
            if wait:
                raise RefusedError(429, f"{TOO_MUCH}; try again in {math.ceil(wait)} s")

    def _check_upload(self, client: str, n_bytes: int) -> None:
        if not n_bytes:
            raise RefusedError(411, "an upload must state its length (Content-Length)")
        wait = self._uploads.take(client, n_bytes) or self._all_uploads.take("", n_bytes)
        if wait:
            raise RefusedError(
                429,
                f"at most {UPLOADS_AN_HOUR_BYTES // 10**6} MB may be uploaded in an hour; "
                f"try again in {wait / 60:.0f} minutes",
            )

    def _knows(self, host: str) -> bool:
        if host in self._hosts:
            return True
        # The platform asks a Space by its address whether it is up. No name can be turned to
        # another address there, for there is none.
        return bool(os.environ.get("SPACE_HOST")) and _is_address(host)


def known_hosts() -> frozenset[str]:
    """Returns the names under which the page may be opened, from the environment."""
    named = ["127.0.0.1", "localhost", "[::1]", os.environ.get("SPACE_HOST", "")]
    named += os.environ.get(HOSTS_VARIABLE, "").split(",")
    named.append(os.environ.get("GRADIO_SERVER_NAME", ""))
    found = {_host(name.strip()) for name in named}
    return frozenset(found - {"", "0.0.0.0"})


class _Body:
    """A request's body while it is received: within its bounds, or cut off.

    Attributes:
        refusal: why it was cut off; None if it was not.
    """

    def __init__(self, received: Counter[str], receive: Receive, has_length: bool) -> None:
        self._received, self._receive = received, receive
        self._most = MAX_POST_BYTES if has_length else LARGE_BYTES
        self._client = ""
        self._n_bytes = 0
        self._is_whole = False
        self._until = 0.0
        self.refusal: RefusedError | None = None

    def begin(self, client: str) -> None:
        self._client = client
        self._until = asyncio.get_running_loop().time() + BODY_SECONDS

    def end(self) -> None:
        """What was received is not held any more."""
        self._received.subtract({self._client: self._n_bytes, "": self._n_bytes})
        if not self._received[self._client]:
            del self._received[self._client]

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            return self._cut_off(408, TOO_SLOW)
        n_bytes = len(message.get("body", b""))
        self._n_bytes += n_bytes
        self._received.update({self._client: n_bytes, "": n_bytes})
        if self._n_bytes > self._most:
            has_length = self._most == MAX_POST_BYTES
            return self._cut_off(*((413, TOO_LONG) if has_length else (411, NO_LENGTH)))
        is_much = self._received[self._client] > MAX_RECEIVED_BYTES
        if is_much or self._received[""] > MAX_ALL_RECEIVED_BYTES:
            return self._cut_off(429, TOO_MANY)
        self._is_whole = not message.get("more_body", False)
        return message

    def _cut_off(self, status: int, sentence: str) -> Message:
        self.refusal = RefusedError(status, sentence)
        return {"type": "http.disconnect"}


class _Answer:
    """A `send` that adds what every answer carries, and puts sentences where gradio has none.

    Attributes:
        started: whether an answer is on its way.
    """

    def __init__(self, path: str, send: Send) -> None:
        self._path, self._send = path, send
        self.started = False
        self._held: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            _add_headers(message, self._path)
            if self._is_to_change(message):
                self._held = message
                return
        elif self._held is not None and message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send_changed(self._held, b"".join(self._parts))
            return
        await self._send(message)

    def _is_to_change(self, message: Message) -> bool:
        kind = _header(message, b"content-type")
        is_page = kind.startswith("text/html") and not self._path.startswith(FILES)
        is_fault = message["status"] == 500 and self._path.startswith((f"{API}run/", f"{API}api/"))
        return is_page or is_fault

    async def _send_changed(self, start: Message, body: bytes) -> None:
        if start["status"] == 500:
            # Gradio answers what a visitor got wrong like a fault of the server: what we say of it
            # is titled, what gradio says has no words.
            if not json.loads(body).get("error"):
                body = json.dumps({"error": UNREADABLE, "title": TITLE}).encode()
            start["status"] = 422 if json.dumps(TITLE).encode() in body else 500
        else:
            nonce = secrets.token_urlsafe(16)
            body = body.replace(b"<script", f'<script nonce="{nonce}"'.encode())
            policy = _POLICY.format(nonce=f" 'nonce-{nonce}'")
            _set_header(start, b"content-security-policy", policy)
        _set_header(start, b"content-length", str(len(body)))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _add_headers(start: Message, path: str) -> None:
    _set_header(start, b"x-content-type-options", "nosniff")
    _set_header(start, b"referrer-policy", "same-origin")
    if path.startswith(FILES):
        _set_header(start, b"content-security-policy", _FILE_POLICY)
        if start["status"] == 200:
            name = _header(start, b"content-disposition").partition(";")[2]
            _set_header(start, b"content-disposition", "attachment" + (f";{name}" if name else ""))
    else:
        _set_header(start, b"content-security-policy", _POLICY.format(nonce=""))


def _header(start: Message, name: bytes) -> str:
    found = [value for one, value in start.get("headers", ()) if one.lower() == name]
    return found[0].decode("latin-1") if found else ""


def _set_header(start: Message, name: bytes, value: str) -> None:
    others = [pair for pair in start.get("headers", ()) if pair[0].lower() != name]
    start["headers"] = [*others, (name, value.encode("latin-1"))]


def _refusal_of(error: Exception, path: str) -> RefusedError:
    """Returns what to answer when something broke before the answer began."""
    if isinstance(error, RefusedError):
        return error
    if is_full_disk(error):
        return RefusedError(507, words_for(error))
    if path.startswith(API) and not isinstance(error, OSError | MemoryError):
        # Endpoints run elsewhere: here gradio breaks on a call that names none, or a field it has
        # not.
        _log.warning("a request could not be read: %r", error)
        return RefusedError(422, UNREADABLE)
    _log.error("a request broke the server's own code", exc_info=error)
    return RefusedError(500, FAULT)


async def _send_refusal(send: Send, refused: RefusedError) -> None:
    body = json.dumps({"detail": refused.sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _host(name: str) -> str:
    """Returns a host without its port, in small letters; "" for what is none."""
    try:
        return (urlsplit(f"//{name}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
