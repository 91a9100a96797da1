"""Serving: bodies that are too long, and the word for a full queue."""

import asyncio
import json
import os
import time
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file

from pyzzicato.space import serving
from pyzzicato.space.folders import KEPT_SECONDS, new_folder
from pyzzicato.space.limits import MAX_POST_BYTES
from pyzzicato.space.posted import file_data
from pyzzicato.space.serving import Doorkeeper, GuardedBlocks, serve_page


def serve(app, chunks, headers=(), path="/"):
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

    scope = {"type": "http", "path": path, "headers": list(headers)}
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


def test_a_call_that_names_nothing_is_told_what_to_look_at():
    async def lost(scope, receive, send):
        raise KeyError("/nothing")

    status, told = serve(lost, [b""], path="/gradio_api/call/v2/nothing")
    assert status == 422
    assert "see /gradio_api/info" in told["detail"]
    with pytest.raises(KeyError):
        serve(lost, [b""], path="/gradio_api/upload")


def test_a_full_queue_is_told_in_a_sentence():
    async def full(scope, receive, send):
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b'{"detail": "Queue is full."}'})

    status, told = serve(full, [b""])
    assert status == 503
    assert told["detail"].startswith("busy: 40 requests are waiting")


def write_file(text: str) -> dict[str, object]:
    """Writes a file for one request."""
    path = new_folder() / "text.mid"
    path.write_text(text)
    return file_data(path, "audio/midi")


def echo(file: gr.FileData) -> str:
    """Answers with what is in a file."""
    return Path(file["path"]).read_text()


@pytest.fixture
def small_app(tmp_path, monkeypatch):
    """Returns the address of an app of two endpoints, which looks for old files all the time."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(serving, "SWEEP_SECONDS", 0.2)
    with GuardedBlocks() as page:
        gr.api(write_file, api_name="write")
        gr.api(echo, api_name="echo")
    yield serve_page(page, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    page.close()


def test_files_of_a_request_can_be_fetched_for_their_time_and_no_longer(small_app, tmp_path):
    client = Client(small_app, verbose=False, download_files=False)
    told = client.predict("mine", api_name="/write")
    assert httpx.get(told["url"]).text == "mine"
    again = client.predict("mine", api_name="/write")
    assert Path(again["path"]).parent != Path(told["path"]).parent
    (tmp_path / "upload.mid").write_text("uploaded")
    assert client.predict(handle_file(tmp_path / "upload.mid"), api_name="/echo") == "uploaded"
    folder, hour_ago = Path(told["path"]).parent, time.time() - KEPT_SECONDS - 5
    os.utime(folder, (hour_ago, hour_ago))
    deadline = time.monotonic() + 60
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert httpx.get(told["url"]).status_code in (403, 404)
    assert httpx.get(again["url"]).text == "mine"


def test_addresses_and_paths_posted_as_files_never_reach_a_callback(small_app, tmp_path):
    (tmp_path.parent / "secret.txt").write_text("secret")
    client = Client(small_app, verbose=False)
    for path in ("http://127.0.0.1:9/x", str(tmp_path.parent / "secret.txt"), "/etc/passwd"):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        url = f"{small_app}gradio_api/call/echo"
        event = httpx.post(url, json={"data": [file]}).json()["event_id"]
        text = httpx.get(f"{url}/{event}", timeout=30).text
        assert "event: error" in text
        assert "uploaded here" in text
    assert client.predict("still there", api_name="/write")
