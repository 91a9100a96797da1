"""Floods: what many clients, or one, can ask of the app so that others suffer.

Each flood is a function of the app that returns when it has asked; `load_check.py` measures what
memory it takes and how long a polite visitor waits meanwhile. Clients are told apart by address:
each has its own in 127.0.0.0/8.

    python tests/floods.py URL CLIENTS SECONDS

has so many hostile clients besiege the app at an address: in a process of its own, which gives way
to the app, so that what is measured meanwhile is the app's slowness and not the besiegers'.
"""

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from served_app import ServedApp

SEED = "bach-prelude-c-major"
WILD: dict[str, Any] = {"seed": SEED, "seconds": 600, "temperature": 4, "model": "lstm"}
DENSE: dict[str, Any] = {"seed": SEED, "seconds": 60, "density": 2}
LONG: dict[str, Any] = {"seed": SEED, "seconds": 600}
_NICE = 5
"""A third of the app's weight. With the lowest priority there is no siege on a busy machine."""
_JSON = {"Content-Type": "application/json"}


def address_of(client: int) -> str:
    """Returns the address of a client, from 0."""
    return f"127.0.{1 + client // 200}.{1 + client % 200}"


def client_at(address: str, seconds: float = 120) -> httpx.Client:
    """Returns an HTTP client that comes from an address."""
    # Certificates take longer to read than most requests take, and there are none here.
    transport = httpx.HTTPTransport(verify=False, local_address=address, retries=0)
    return httpx.Client(transport=transport, timeout=seconds)


def body_of(given: Any) -> bytes:
    """Returns a call as it is posted; bytes are one already."""
    return given if isinstance(given, bytes) else json.dumps(given).encode()


def post(app: ServedApp, client: int, endpoint: str, given: Any) -> str | None:
    """Posts a call and returns its event, None if it was refused; nobody fetches the answer."""
    with client_at(address_of(client)) as http:
        answer = http.post(
            f"{app.url}/gradio_api/call/v2{endpoint}", content=body_of(given), headers=_JSON
        )
    return answer.json()["event_id"] if answer.status_code == 200 else None


def listen(app: ServedApp, client: int, endpoint: str, given: Any, seconds: float) -> None:
    """Posts a call and listens to it for so long, then leaves."""
    event = post(app, client, endpoint, given)
    if event is None:
        return
    until = time.monotonic() + seconds
    with (
        contextlib.suppress(httpx.HTTPError),
        client_at(address_of(client), seconds) as http,
        http.stream("GET", f"{app.url}/gradio_api/call/v2{endpoint}/{event}") as stream,
    ):
        for _ in stream.iter_bytes():
            if time.monotonic() > until:
                break


def call_tool(app: ServedApp, client: int, tool: str, given: Any, seconds: float) -> str:
    """Returns what a tool answers as text; leaves after so many seconds, which gives ""."""
    body = given if isinstance(given, bytes) else tool_body(tool, given)
    headers = {**_JSON, "Accept": "application/json, text/event-stream"}
    try:
        with client_at(address_of(client), seconds) as http:
            answer = http.post(f"{app.url}/gradio_api/mcp/", content=body, headers=headers)
            return str(answer.text)
    except httpx.TimeoutException:
        return ""


def tool_body(tool: str, given: Any) -> bytes:
    """Returns the call of a tool as it is posted."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    return body_of({**call, "params": {"name": tool, "arguments": given}})


def many_notes(n: int, seconds: float) -> list[dict[str, float]]:
    """Returns so many notes, spread over so many seconds."""
    dice = random.Random(0)
    starts = sorted(dice.uniform(0, seconds - 1) for _ in range(n))
    return [
        {"pitch": dice.randint(21, 108), "start": s, "end": s + 0.9, "velocity": 64} for s in starts
    ]


def unheard(n: int, endpoint: str, given: Any, clients: int = 8) -> Callable[[ServedApp], None]:
    """Returns the flood of so many calls whose answers nobody fetches."""

    def flood(app: ServedApp) -> None:
        with ThreadPoolExecutor(8) as posting:
            calls = [{**given, "rng": i} for i in range(n)]
            list(posting.map(lambda i: post(app, i % clients, endpoint, calls[i]), range(n)))

    return flood


def heard(n: int, endpoint: str, given: Any, seconds: float) -> Callable[[ServedApp], None]:
    """Returns the flood of so many clients who listen for so long, in the background."""

    def flood(app: ServedApp) -> None:
        for i in range(n):
            target, its_arguments = listen, (app, i, endpoint, {**given, "rng": i}, seconds)
            threading.Thread(target=target, args=its_arguments, daemon=True).start()
        time.sleep(2)

    return flood


def asked_and_left(n: int, endpoint: str, given: Any) -> Callable[[ServedApp], None]:
    """Returns the flood of so many who leave a second after they asked."""

    def flood(app: ServedApp) -> None:
        with ThreadPoolExecutor(n) as asking:
            list(asking.map(lambda i: listen(app, i, endpoint, given, 1.0), range(n)))

    return flood


def tools_left(n: int) -> Callable[[ServedApp], None]:
    """Returns the flood of so many assistants who ask for ten minutes of music and leave."""

    def flood(app: ServedApp) -> None:
        with ThreadPoolExecutor(n) as asking:
            list(asking.map(lambda i: call_tool(app, i, "continue_piece", LONG, 1.5), range(n)))

    return flood


def held_open(n: int) -> Callable[[ServedApp], None]:
    """Returns the flood of so many connections that send half a request, and are kept."""

    def flood(app: ServedApp) -> None:
        host, port = app.url.removeprefix("http://").split(":")
        for i in range(n):
            with contextlib.suppress(OSError):
                line = socket.create_connection((host, int(port)), 5, (address_of(i % 50), 0))
                head = "POST /gradio_api/call/v2/continue HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                line.sendall(f"{head}Content-Length: 3000000\r\n\r\n".encode() + b"x" * 60_000)
                _kept.append(line)

    return flood


_kept: list[socket.socket] = []

SEED_NOTES = many_notes(20_000, 119)
FLOODS: dict[str, Callable[[ServedApp], None]] = {
    "16 unheard streams of 600 s at temperature 4": unheard(16, "/continue_stream", WILD),
    "72 unheard calls at density 2": unheard(72, "/continue", DENSE),
    "200 unheard calls of one client": unheard(200, "/continue", {"seed": SEED}, clients=1),
    "4 assistants who left": tools_left(4),
    "20,000 notes as WAV, asker left": asked_and_left(
        1, "/render", {"notes": many_notes(20_000, 590), "audio_format": "wav"}
    ),
    "4 measurings of 20,000 notes, askers left": asked_and_left(
        4, "/evaluate", {"notes": many_notes(20_000, 1700)}
    ),
    "2 seeds of 20,000 notes in 120 s": heard(
        2, "/continue", {"notes": SEED_NOTES, "seed_seconds": 120, "seconds": 5}, 60
    ),
    "50 clients listen to 600 s each": heard(50, "/continue_stream", LONG, 20),
    "300 half requests": held_open(300),
}


@dataclass(frozen=True)
class Visit:
    """How a visitor fared who asked for five seconds of music.

    Attributes:
        wait_s: until it was there, or until the visitor gave up.
        n_refused: how often the visitor was told to come again, and did, a second later.
        worked_s: processor seconds that the app, without what it started, worked meanwhile; so
            long, about, would the wait be where the app has one processor for itself.
    """

    wait_s: float
    n_refused: int
    worked_s: float


def visit(app: ServedApp, seconds: float = 120) -> Visit:
    """Returns how a visitor fares who has not been here lately.

    Args:
        app: that is visited.
        seconds: after so long the visitor gives up.
    """
    address = f"127.200.{random.randint(1, 250)}.{random.randint(1, 250)}"
    began, n_refused, worked_s = time.monotonic(), 0, app.worked_s()
    options = {"seed": SEED, "seconds": 5}
    with contextlib.suppress(httpx.HTTPError), client_at(address, seconds) as http:
        while time.monotonic() - began < seconds:
            asked = http.post(f"{app.url}/gradio_api/call/v2/continue", json=options)
            if asked.status_code != 200:
                n_refused += 1
                time.sleep(1)
                continue
            event = f"{app.url}/gradio_api/call/v2/continue/{asked.json()['event_id']}"
            with http.stream("GET", event) as stream:
                for line in stream.iter_lines():
                    if line.startswith("event: complete"):
                        wait_s = time.monotonic() - began
                        return Visit(wait_s, n_refused, app.worked_s() - worked_s)
                    if line.startswith("event: error") or time.monotonic() - began > seconds:
                        n_refused += 1
                        break
    return Visit(seconds, n_refused, app.worked_s() - worked_s)


def wait_politely(app: ServedApp, seconds: float = 120) -> float:
    """Returns how long a visitor waits, see `visit`."""
    return visit(app, seconds).wait_s


@dataclass(frozen=True)
class _Bodies:
    """What hostile clients post, written once: it is not the app's time."""

    stuffed: bytes
    rendered: bytes
    measured: bytes
    rendered_tool: bytes


def _bodies() -> _Bodies:
    stuffed = {"notes": SEED_NOTES, "seed_seconds": 120, "seconds": 600, "temperature": 4}
    rendered = {"notes": many_notes(20_000, 590), "audio_format": "wav"}
    measured = {"notes": many_notes(20_000, 1700)}
    return _Bodies(
        body_of(stuffed), body_of(rendered), body_of(measured), tool_body("render_piece", rendered)
    )


def actions(
    app: ServedApp, dice: random.Random, client: int, bodies: _Bodies
) -> Iterator[Callable[[], Any]]:
    """Yields, for ever, what a hostile client does next."""
    every: list[Callable[[], Any]] = [
        lambda: post(app, client, "/continue_stream", WILD | {"rng": dice.randrange(10**6)}),
        lambda: post(app, client, "/continue", DENSE | {"rng": dice.randrange(10**6)}),
        lambda: post(app, client, "/continue", bodies.stuffed),
        lambda: post(app, client, "/render", bodies.rendered),
        lambda: post(app, client, "/evaluate", bodies.measured),
        lambda: listen(app, client, "/continue_stream", WILD, dice.uniform(1, 30)),
        lambda: listen(app, client, "/continue", LONG, dice.uniform(1, 30)),
        lambda: listen(app, client, "/render", bodies.rendered, dice.uniform(1, 10)),
        lambda: listen(app, client, "/evaluate", bodies.measured, dice.uniform(1, 10)),
        lambda: call_tool(app, client, "continue_piece", LONG, dice.uniform(1, 10)),
        lambda: call_tool(app, client, "render_piece", bodies.rendered_tool, dice.uniform(1, 10)),
    ]
    while True:
        yield dice.choice(every)


def besiege(app: ServedApp, clients: int, seconds: float) -> int:
    """Has so many clients do what they please for so long; returns how much they asked for."""
    bodies = _bodies()
    until = time.monotonic() + seconds
    n_asked = [0] * clients

    def run(client: int) -> None:
        for act in actions(app, random.Random(client), client, bodies):
            if time.monotonic() > until:
                return
            n_asked[client] += 1
            with contextlib.suppress(httpx.HTTPError, OSError, json.JSONDecodeError):
                act()
            time.sleep(0.2)

    for i in range(clients):
        threading.Thread(target=run, args=(i,), daemon=True).start()
    # Who still waits then leaves with the process.
    time.sleep(seconds)
    return sum(n_asked)


def start_siege(app: ServedApp, clients: int, seconds: float) -> "subprocess.Popen[bytes]":
    """Returns the process that besieges the app, started; it prints what `besiege` returns."""
    arguments = [sys.executable, str(Path(__file__)), app.url, str(clients), str(seconds)]
    return subprocess.Popen(arguments, start_new_session=True, stdout=subprocess.PIPE)


def _give_way() -> None:
    """Has this process come after the app, and so its session where Linux shares by sessions."""
    os.nice(_NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICE))


if __name__ == "__main__":
    _give_way()
    url, n_clients, wanted_s = sys.argv[1:]
    print(besiege(ServedApp(url), int(n_clients), float(wanted_s)))
