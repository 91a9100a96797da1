"""The door: who comes in, in which bounds, and what every answer carries."""

import asyncio
import errno
import json

import pytest

from pyzzicato.space import doors
from pyzzicato.space.doors import Doorkeeper, known_hosts
from pyzzicato.space.messages import FAULT, FULL_DISK, TITLE
from pyzzicato.space.request_limits import MAX_POST_BYTES

HOST = (b"host", b"127.0.0.1:7860")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("SPACE_HOST", "PYZZICATO_HOSTS", "GRADIO_SERVER_NAME"):
        monkeypatch.delenv(name, raising=False)


def serve(app, chunks=(b"",), headers=(HOST,), path="/", door=None, client="127.0.0.1"):
    """Returns status, headers and body that a guarded app answers to a body in chunks."""
    sent = []
    pending = [
        {"type": "http.request", "body": chunk, "more_body": i < len(chunks) - 1}
        for i, chunk in enumerate(chunks)
    ]

    async def receive():
        if not pending:
            await asyncio.sleep(60)
        return pending.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": list(headers), "client": (client, 1)}
    asyncio.run((door or Doorkeeper(app))(scope, receive, send))
    (start,) = (m for m in sent if m["type"] == "http.response.start")
    body = b"".join(m.get("body", b"") for m in sent)
    return start["status"], dict(start["headers"]), body


def refusal(*args, **options):
    status, _, body = serve(*args, **options)
    return status, json.loads(body)["detail"]


def answer(status=200, headers=(), body=b""):
    """Returns an app that answers so, without a look at the request."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return app


def broken(error):
    async def app(scope, receive, send):
        raise error

    return app


async def count(scope, receive, send):
    """Reads the whole body, as a form or JSON parser does, and answers with its length."""
    n, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        n += len(message["body"])
        more = message["more_body"]
    await answer(body=str(n).encode())(scope, receive, send)


@pytest.mark.parametrize(
    "host", [b"127.0.0.1", b"127.0.0.1:80", b"localhost:7860", b"LOCALHOST", b"[::1]:7860"]
)
def test_the_page_is_opened_under_its_own_names(host):
    assert serve(answer(), headers=[(b"host", host)])[0] == 200
    origin = (b"origin", b"http://" + host)
    assert serve(answer(), headers=[(b"host", host), origin])[0] == 200


@pytest.mark.parametrize(
    "host",
    [b"evil.example", b"127.0.0.1.evil.example", b"localhost.evil", b"", b"10.0.0.7", b"[", b"a b"],
)
def test_it_is_not_opened_under_another_name(host):
    status, reply = refusal(answer(), headers=[(b"host", host)])
    assert status == 400
    assert "PYZZICATO_HOSTS" in reply
    assert refusal(answer(), headers=[])[0] == 400


@pytest.mark.parametrize(
    "origin", [b"https://evil.example", b"null", b"http://127.0.0.1.evil.example", b"", b"x"]
)
@pytest.mark.parametrize("path", ["/gradio_api/call/v2/continue", "/gradio_api/mcp/", "/"])
def test_another_site_may_not_use_it(origin, path):
    status, reply = refusal(answer(), headers=[HOST, (b"origin", origin)], path=path)
    assert status == 403
    assert "another site" in reply


def test_a_space_and_an_operator_name_more_hosts(monkeypatch):
    space = [(b"host", b"me-music.hf.space")]
    assert serve(answer(), headers=space)[0] == 400
    monkeypatch.setenv("SPACE_HOST", "me-music.hf.space")
    assert serve(answer(), headers=space)[0] == 200
    # As the platform asks whether the Space is up.
    assert serve(answer(), headers=[(b"host", b"10.0.0.7:7860")])[0] == 200
    assert serve(answer(), headers=[(b"host", b"evil.example")])[0] == 400
    monkeypatch.setenv("PYZZICATO_HOSTS", "music.example, Piano.Example:8080")
    for name in (b"music.example", b"piano.example"):
        assert serve(answer(), headers=[(b"host", name)])[0] == 200
    door = Doorkeeper(answer(), hosts=["named.example"])
    assert serve(None, headers=[(b"host", b"named.example")], door=door)[0] == 200
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert "0.0.0.0" not in known_hosts()


def test_bodies_up_to_the_limit_pass_and_longer_ones_end_before_they_are_in_memory():
    chunk = bytes(MAX_POST_BYTES // 4)
    headers = [HOST, (b"content-length", str(MAX_POST_BYTES).encode())]
    assert serve(count, [chunk] * 4, headers)[2] == str(4 * len(chunk)).encode()
    status, reply = refusal(count, [chunk] * 5, headers)
    assert status == 413
    assert reply == "a request must have at most 4 MB; send less"


def test_large_bodies_state_their_length():
    half = bytes(doors.LARGE_BYTES // 2)
    assert serve(count, [half] * 2)[2] == str(2 * len(half)).encode()
    status, reply = refusal(count, [half] * 3)
    assert status == 411
    assert "must state its length" in reply


def test_large_bodies_of_one_client_and_of_all_are_so_many_a_minute(monkeypatch):
    size = doors.LARGE_BYTES + 1
    monkeypatch.setattr(doors, "LARGE_A_MINUTE_BYTES", 3 * size)
    monkeypatch.setattr(doors, "ALL_LARGE_A_MINUTE_BYTES", 5 * size)
    door = Doorkeeper(count)

    def post(client, length=size):
        arguments = [HOST, (b"content-length", str(length).encode())]
        return serve(count, [bytes(length)], arguments, door=door, client=client)[0]

    assert [post("127.0.0.1") for _ in range(4)] == [200, 200, 200, 429]
    assert [post("127.0.0.2") for _ in range(3)] == [200, 200, 429]
    # Small ones come in all the same.
    assert post("127.0.0.1", 1000) == post("127.0.0.2", doors.LARGE_BYTES) == 200


@pytest.mark.parametrize(
    "length", [b"4000001", b"99999999999999", b"-1", b"a lot", b"\xff", b"9" * 99]
)
def test_announced_lengths_are_refused_unread(length):
    status, reply = refusal(count, headers=[HOST, (b"Content-Length", length)])
    assert status == 413
    assert reply == "a request must have at most 4 MB; send less"


def test_bodies_that_do_not_end_are_given_up(monkeypatch):
    monkeypatch.setattr(doors, "BODY_SECONDS", 0.1)

    async def wait(scope, receive, send):
        message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()
        raise ConnectionError

    sent = []

    async def receive():
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [HOST], "client": ("127.0.0.1", 1)}
    asyncio.run(Doorkeeper(wait)(scope, receive, send))
    assert sent[0]["status"] == 408


def test_one_client_holds_so_many_requests_and_so_much_of_them(monkeypatch):
    monkeypatch.setattr(doors, "MAX_OPEN", 3)
    monkeypatch.setattr(doors, "MAX_RECEIVED_BYTES", 2_000_000)

    async def crowd():
        go_on = asyncio.Event()

        async def app(scope, receive, send):
            await receive()
            await go_on.wait()
            await answer()(scope, receive, send)

        door, statuses = Doorkeeper(app), []

        async def ask(address, n_bytes):
            async def receive():
                return {"type": "http.request", "body": bytes(n_bytes), "more_body": False}

            async def send(message):
                if message["type"] == "http.response.start":
                    statuses.append((address, message["status"]))

            scope = {"type": "http", "path": "/", "headers": [HOST], "client": (address, 1)}
            await door(scope, receive, send)

        asked = [asyncio.create_task(ask("127.0.0.1", 10)) for _ in range(5)]
        asked += [asyncio.create_task(ask("127.0.0.2", 10))]
        await asyncio.sleep(0.05)
        early = list(statuses)
        go_on.set()
        await asyncio.gather(*asked)
        await ask("127.0.0.1", 10)
        return early, statuses

    early, statuses = asyncio.run(crowd())
    assert early == [("127.0.0.1", 429)] * 2
    assert statuses.count(("127.0.0.1", 200)) == 4
    assert ("127.0.0.2", 200) in statuses

    async def disconnected(scope, receive, send):
        messages = [await receive() for _ in range(3)]
        assert messages[-1]["type"] == "http.disconnect"
        raise ConnectionError

    headers = [HOST, (b"content-length", b"3600000")]
    status, reply = refusal(disconnected, [bytes(900_000)] * 4, headers)
    assert (status, reply) == (429, doors.TOO_MANY)


def test_uploads_have_an_allowance_and_state_their_length(monkeypatch):
    door = Doorkeeper(answer())
    path, megabyte = "/gradio_api/upload", (b"content-length", b"1000000")
    assert refusal(None, path=path, door=door)[0] == 411
    found = [serve(None, headers=[HOST, megabyte], path=path, door=door) for _ in range(51)]
    assert [status for status, _, _ in found] == [200] * 50 + [429]
    assert "try again in" in json.loads(found[-1][2])["detail"]
    assert serve(None, headers=[HOST, megabyte], path="/gradio_api/call/vote", door=door)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=https://example.com/",
        "/gradio_api/file=https://example.com/",
        "/gradio_api/stream/x/1/2/playlist.m3u8",
        "/gradio_api/component_server",
        "/gradio_api/vibe-code",
        "/monitoring",
    ],
)
def test_what_gradio_has_and_the_page_does_not_need_is_closed(path):
    assert refusal(answer(), path=path)[0] == 404


def test_a_call_that_cannot_be_read_learns_what_to_look_at():
    for error in (KeyError("/nothing"), TypeError("x"), RecursionError(), ValueError("y")):
        status, reply = refusal(broken(error), path="/gradio_api/call/v2/nothing")
        assert status == 422
        assert "see /gradio_api/info" in reply
    surrogate = UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
    assert refusal(broken(surrogate), path="/gradio_api/queue/join")[0] == 422


def test_faults_are_reported_without_what_is_the_servers_own():
    assert refusal(broken(RuntimeError("secret"))) == (500, FAULT)
    full = OSError(errno.ENOSPC, "No space left on device", "/a/path")
    assert refusal(
        broken(full), path="/gradio_api/upload", headers=[HOST, (b"content-length", b"9")]
    ) == (507, FULL_DISK)


def test_a_visitors_mistake_is_no_fault_of_the_server():
    kind = [(b"content-type", b"application/json")]
    wrong = json.dumps({"error": "seed must be one of", "title": TITLE}).encode()
    reply = serve(answer(500, kind, wrong), path="/gradio_api/run/judge")
    assert (reply[0], reply[2]) == (422, wrong)
    wordless = serve(answer(500, kind, b'{"error": null}'), path="/gradio_api/run/judge")
    assert wordless[0] == 422
    assert "/gradio_api/info" in json.loads(wordless[2])["error"]
    fault = json.dumps({"error": "a fault"}).encode()
    assert serve(answer(500, kind, fault), path="/gradio_api/run/judge")[0] == 500


def test_the_page_runs_its_own_scripts_alone():
    html = b"<html><script>1</script><script type=module src=x></script></html>"
    app = answer(headers=[(b"content-type", b"text/html"), (b"content-length", b"66")], body=html)
    _, headers, body = serve(app)
    policy = headers[b"content-security-policy"].decode()
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert len(nonce) > 16
    assert body.count(f'<script nonce="{nonce}"'.encode()) == 2
    assert int(headers[b"content-length"]) == len(body)
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'nonce" in policy
    assert "object-src 'none'" in policy
    assert "https://huggingface.co" in policy.partition("frame-ancestors")[2]
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert serve(app)[1] != headers


def test_files_are_attachments_whatever_gradio_says():
    kind = [(b"content-type", b"image/png"), (b"content-disposition", b'inline; filename="a.png"')]
    path = "/gradio_api/file=/tmp/x/a.png"
    _, headers, _ = serve(answer(headers=kind), path=path)
    assert headers[b"content-disposition"] == b'attachment; filename="a.png"'
    assert b"sandbox" in headers[b"content-security-policy"]
    _, headers, body = serve(
        answer(headers=[(b"content-type", b"text/html")], body=b"<script>"), path=path
    )
    assert headers[b"content-disposition"] == b"attachment"
    assert body == b"<script>"
