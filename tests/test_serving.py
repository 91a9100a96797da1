"""Serving: files for their time, nobody else's files, and answers at once while others wait."""

import json
import os
import socket
import time
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio import networking
from gradio_client import Client, handle_file

from pyzzicato.space import serving
from pyzzicato.space.folders import KEPT_SECONDS, new_folder
from pyzzicato.space.posted import file_data
from pyzzicato.space.serving import GuardedBlocks, serve_page


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


def double(numbers: list[int], text: str = "") -> list[int]:
    """Answers with the numbers twice."""
    return [*numbers, *numbers, len(text)]


def test_nothing_that_is_posted_or_answered_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with GuardedBlocks() as page:
        gr.api(double, api_name="double")
    url = serve_page(page, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    client = Client(url, verbose=False)
    for numbers, text in (([7654321], "a"), ([7654321] * 3000, "x" * 40_000)):
        answer = client.predict(numbers, text, api_name="/double")
        assert answer == [*numbers, *numbers, len(text)]
    (state,) = page.state_holder.session_data.values()
    assert "7654321" not in str(state.config_values)
    page.close()


def test_a_machine_that_is_too_busy_to_show_the_page_at_once_serves_it_all_the_same(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    # What gradio finds where the page takes more than three seconds.
    monkeypatch.setattr(networking, "url_ok", lambda _: False)
    with GuardedBlocks() as page:
        gr.api(double, api_name="double")
    url = serve_page(page, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    assert httpx.get(f"{url}config", timeout=30).status_code == 200
    page.close()


def test_files_of_a_request_can_be_fetched_for_their_time_and_no_longer(small_app, tmp_path):
    client = Client(small_app, verbose=False, download_files=False)
    answer = client.predict("mine", api_name="/write")
    fetched = httpx.get(answer["url"])
    assert fetched.text == "mine"
    assert fetched.headers["content-disposition"].startswith("attachment")
    again = client.predict("mine", api_name="/write")
    assert Path(again["path"]).parent != Path(answer["path"]).parent
    (tmp_path / "upload.mid").write_text("uploaded")
    assert client.predict(handle_file(tmp_path / "upload.mid"), api_name="/echo") == "uploaded"
    hour_ago = time.time() - KEPT_SECONDS - 5
    os.utime(answer["path"], (hour_ago, hour_ago))
    deadline = time.monotonic() + 60
    while Path(answer["path"]).exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert httpx.get(answer["url"]).status_code in (403, 404)
    assert httpx.get(again["url"]).text == "mine"


def test_uploads_that_are_cut_off_are_swept_like_all_files(small_app, tmp_path):
    host, port = small_app.removeprefix("http://").strip("/").split(":")
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.mid"\r\n\r\n'
    head = (
        b"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as line:
        line.sendall(head + part + bytes(100_000))
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("tmp*")) and time.monotonic() < deadline:
            time.sleep(0.05)
    (left,) = tmp_path.glob("tmp*")
    hour_ago = time.time() - KEPT_SECONDS - 5
    os.utime(left, (hour_ago, hour_ago))
    while left.exists() and time.monotonic() < deadline + 60:
        time.sleep(0.1)
    assert not left.exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("gradio_api/call/nothing", {"data": []}),
        ("gradio_api/call/v2/nothing", {}),
        ("gradio_api/run/nothing", {"data": []}),
        ("gradio_api/queue/join", {"data": [], "fn_index": 99, "session_hash": "x"}),
        ("gradio_api/queue/join", {"data": [], "session_hash": "x"}),
        ("gradio_api/cancel", {"session_hash": "x", "fn_index": 1, "event_id": "x"}),
        ("gradio_api/call/v2/write", {"text": 3, "nobody": 1}),
        ("gradio_api/call/v2/write", b'{"\\ud800": "\\ud800"}'),
        ("gradio_api/run/\ud7ff", {"data": []}),
        (
            "gradio_api/upload",
            b"--x\r\nContent-Disposition: form-data; name=files\r\n\r\nx\r\n--x--",
        ),
        ("gradio_api/upload", b"--x\r\n\r\nx\r\n--x--"),
        ("gradio_api/upload", b"nothing"),
        ("gradio_api/vibe-code", {}),
        ("gradio_api/component_server", {}),
    ],
)
def test_what_cannot_be_read_is_the_askers_fault(small_app, path, body):
    content = body if isinstance(body, bytes) else json.dumps(body)
    kind = "application/json"
    if "upload" in path:
        kind = "multipart/form-data; boundary=x"
    answer = httpx.post(small_app + path, content=content, headers={"content-type": kind})
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text


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
