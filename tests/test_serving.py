"""Serving: bodies that are too long, and the word for a full queue."""

import asyncio
import json

import pytest

from pyzzicato.space.limits import MAX_POST_BYTES
from pyzzicato.space.serving import Doorkeeper


def serve(app, chunks, headers=()):
    """Returns status and JSON that a guarded app answers to a body in chunks."""
    sent = []
    pending = [
        {"type": "http.request", "body": chunk, "more_body": i < len(chunks) - 1}
        for i, chunk in enumerate(chunks)
    ]

    async def receive():
        return pending.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": list(headers)}
    asyncio.run(Doorkeeper(app)(scope, receive, send))
    starts = [m["status"] for m in sent if m["type"] == "http.response.start"]
    body = b"".join(m.get("body", b"") for m in sent)
    assert len(starts) == 1
    return starts[0], json.loads(body)


async def count(scope, receive, send):
    """Reads the whole body, as a form or JSON parser does, and answers with its length."""
    n, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            n = -1
            break
        n += len(message["body"])
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(n).encode()})


def test_bodies_up_to_the_limit_pass():
    chunk = bytes(MAX_POST_BYTES // 4)
    assert serve(count, [chunk] * 4) == (200, 4 * len(chunk))


def test_longer_bodies_end_before_they_are_in_memory():
    chunk = bytes(MAX_POST_BYTES // 4)
    assert serve(count, [chunk] * 5) == (200, -1)


@pytest.mark.parametrize("length", [b"4000001", b"99999999999999", b"-1", b"a lot", b"\xff"])
def test_announced_lengths_are_refused_unread(length):
    status, told = serve(count, [b""], [(b"Content-Length", length)])
    assert status == 413
    assert told["detail"] == "a request must have at most 4 MB; send less"


def test_a_full_queue_is_told_in_a_sentence():
    async def full(scope, receive, send):
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b'{"detail": "Queue is full."}'})

    status, told = serve(full, [b""])
    assert status == 503
    assert told["detail"].startswith("busy: 40 requests are waiting")
