"""Floods: what many clients, or one, can ask of the app so that others suffer.

Each flood is a function of the app that returns when it has asked; `load_check.py` measures what
memory it takes and how long a polite visitor waits meanwhile. Clients are told apart by address:
each has its own in 127.0.0.0/8.
"""

import contextlib
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from served_app import ServedApp

SEED = "bach-prelude-c-major"
WILD: dict[str, Any] = {"seed": SEED, "seconds": 600, "temperature": 4, "model": "lstm"}
DENSE: dict[str, Any] = {"seed": SEED, "seconds": 60, "density": 2}
LONG: dict[str, Any] = {"seed": SEED, "seconds": 600}


def address_of(client: int) -> str:
    """Returns the address of a client, from 0."""
    return f"127.0.{1 + client // 200}.{1 + client % 200}"


def client_at(address: str, seconds: float = 120) -> httpx.Client:
    """Returns an HTTP client that comes from an address."""
    return httpx.Client(
        transport=httpx.HTTPTransport(local_address=address, retries=0), timeout=seconds
    )


def post(app: ServedApp, client: int, endpoint: str, told: Any) -> str | None:
    """Posts a call and returns its event, None if it was refused; nobody fetches the answer."""
    with client_at(address_of(client)) as http:
        answer = http.post(f"{app.url}/gradio_api/call/v2{endpoint}", json=told)
    return answer.json()["event_id"] if answer.status_code == 200 else None


def listen(app: ServedApp, client: int, endpoint: str, told: Any, seconds: float) -> None:
    """Posts a call and listens to it for so long, then leaves."""
    event = post(app, client, endpoint, told)
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


def call_tool(app: ServedApp, client: int, tool: str, told: Any, seconds: float) -> str:
    """Returns what a tool answers as text; leaves after so many seconds, which gives ""."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    call["params"] = {"name": tool, "arguments": told}
    headers = {"Accept": "application/json, text/event-stream"}
    try:
        with client_at(address_of(client), seconds) as http:
            told = http.post(f"{app.url}/gradio_api/mcp/", json=call, headers=headers)
            return str(told.text)
    except httpx.TimeoutException:
        return ""


def many_notes(n: int, seconds: float) -> list[dict[str, float]]:
    """Returns so many notes, spread over so many seconds."""
    dice = random.Random(0)
    starts = sorted(dice.uniform(0, seconds - 1) for _ in range(n))
    return [
        {"pitch": dice.randint(21, 108), "start": s, "end": s + 0.9, "velocity": 64} for s in starts
    ]


def unheard(n: int, endpoint: str, told: Any, clients: int = 8) -> Callable[[ServedApp], None]:
    """Returns the flood of so many calls whose answers nobody fetches."""

    def flood(app: ServedApp) -> None:
        with ThreadPoolExecutor(8) as posting:
            calls = [{**told, "rng": i} for i in range(n)]
            list(posting.map(lambda i: post(app, i % clients, endpoint, calls[i]), range(n)))

    return flood


def heard(n: int, endpoint: str, told: Any, seconds: float) -> Callable[[ServedApp], None]:
    """Returns the flood of so many clients who listen for so long, in the background."""

    def flood(app: ServedApp) -> None:
        for i in range(n):
            target, told_i = listen, (app, i, endpoint, {**told, "rng": i}, seconds)
            threading.Thread(target=target, args=told_i, daemon=True).start()
        time.sleep(2)

    return flood


def asked_and_left(n: int, endpoint: str, told: Any) -> Callable[[ServedApp], None]:
    """Returns the flood of so many who leave a second after they asked."""

    def flood(app: ServedApp) -> None:
        with ThreadPoolExecutor(n) as asking:
            list(asking.map(lambda i: listen(app, i, endpoint, told, 1.0), range(n)))

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


def wait_politely(app: ServedApp, seconds: float = 120) -> float:
    """Returns how long a visitor who has not been here lately waits for five seconds of music.

    Returns `seconds` if it is not there by then.
    """
    address = f"127.200.{random.randint(1, 250)}.{random.randint(1, 250)}"
    began = time.monotonic()
    told = {"seed": SEED, "seconds": 5}
    with contextlib.suppress(httpx.HTTPError), client_at(address, seconds) as http:
        while time.monotonic() - began < seconds:
            asked = http.post(f"{app.url}/gradio_api/call/v2/continue", json=told)
            if asked.status_code != 200:
                time.sleep(1)
                continue
            event = f"{app.url}/gradio_api/call/v2/continue/{asked.json()['event_id']}"
            with http.stream("GET", event) as stream:
                for line in stream.iter_lines():
                    if line.startswith("event: complete"):
                        return time.monotonic() - began
                    if line.startswith("event: error") or time.monotonic() - began > seconds:
                        break
    return seconds


def actions(app: ServedApp, dice: random.Random, client: int) -> Iterator[Callable[[], Any]]:
    """Yields, for ever, what a hostile client does next."""
    stuffed = {"notes": SEED_NOTES, "seed_seconds": 120, "seconds": 600, "temperature": 4}
    rendered = {"notes": many_notes(20_000, 590), "audio_format": "wav"}
    measured = {"notes": many_notes(20_000, 1700)}
    every: list[Callable[[], Any]] = [
        lambda: post(app, client, "/continue_stream", WILD | {"rng": dice.randrange(10**6)}),
        lambda: post(app, client, "/continue", DENSE | {"rng": dice.randrange(10**6)}),
        lambda: post(app, client, "/continue", stuffed),
        lambda: post(app, client, "/render", rendered),
        lambda: post(app, client, "/evaluate", measured),
        lambda: listen(app, client, "/continue_stream", WILD, dice.uniform(1, 30)),
        lambda: listen(app, client, "/continue", LONG, dice.uniform(1, 30)),
        lambda: listen(app, client, "/render", rendered, dice.uniform(1, 10)),
        lambda: listen(app, client, "/evaluate", measured, dice.uniform(1, 10)),
        lambda: call_tool(app, client, "continue_piece", LONG, dice.uniform(1, 10)),
        lambda: call_tool(app, client, "render_piece", rendered, dice.uniform(1, 10)),
    ]
    while True:
        yield dice.choice(every)


def besiege(app: ServedApp, clients: int, seconds: float) -> None:
    """Has so many clients do what they please for so long."""
    until = time.monotonic() + seconds

    def run(client: int) -> None:
        for act in actions(app, random.Random(client), client):
            if time.monotonic() > until:
                return
            with contextlib.suppress(httpx.HTTPError, OSError, json.JSONDecodeError):
                act()
            time.sleep(0.2)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 130)
