"""Posts what nobody should to every endpoint of the running app, and says what it did about it.

    python tests/abuse_check.py                        starts the app on 127.0.0.1, some minutes
    python tests/abuse_check.py --url http://127.0.0.1:7860
    python tests/abuse_check.py --most 300             a part of the values

A finding is an answer that is no sentence (a bug met on the way), that holds a path of the server,
a stack trace or HTML of ours, a fetched address, a file that should not be served, a door open to
another site, a vote that is lost or counts twice, or an app that plays other notes afterwards. The
last line counts them; the exit code is 0 if there are none.
"""

import argparse
import base64
import http.server
import json
import random
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from http_calls import Answer, ask
from midi_builder import meta, midi, off, on
from served_app import ROOT, served_app
from voting import vote_and_be_killed

from pyzzicato.space.vote_book import VoteBook

SEED = "bach-prelude-c-major"
HTML = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
FILE = {"_type": "gradio.FileData"}
GOOD = {
    "/continue": {"seed": SEED, "seconds": 1},
    "/continue_stream": {"seed": SEED, "seconds": 1},
    "/evaluate": {"seed": SEED},
    "/render": {"notes": [{"pitch": 60, "start": 0, "end": 0.3}]},
    "/models": {},
    "/seeds": {},
    "/vote": {"seed": SEED, "systems": ["lstm", "conv1d"]},
    "/redo": {"seed": SEED, "start": 2, "end": 4, "tries": 1},
    "/keep": {"seed": SEED, "end": 3, "tries": 1},
    "/odds": {"seed": SEED, "at": 2},
    "/along_begin": {},
    "/along_hear": {"session": "none"},
    "/along_answer": {"session": "none", "now": 1},
    "/along_stop": {"session": "none"},
}
"""A call of each public endpoint that is in order; one value of it at a time is made bad."""


def bad_values(hook: str) -> list[Any]:
    """Returns values of every kind that no endpoint should be hurt by.

    Args:
        hook: address of a server inside that must not be fetched.
    """
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    paths = ["/etc/passwd", "../../etc/passwd", "file:///etc/passwd", "C:\\boot.ini", "\x00", "."]
    files = [{"path": path, "meta": FILE} for path in [*paths, hook, "/proc/self/environ", ""]]
    return [
        *(None, True, False, 0, -1, 0.5, 3, 1e308, -1e308, float("nan"), float("inf")),
        *(10**400, "", "30", "null", HTML, hook, "x" * 100_000, "\ud83d\ude00", "{{7*7}}", "%s%n"),
        *paths,
        *files,
        *({"path": "/etc/passwd"}, {"path": hook}, {"path": 3, "meta": FILE}, {"meta": FILE}),
        {"path": "/etc/passwd", "url": hook, "meta": FILE, "is_stream": True},
        *([], {}, [None], [[]], [HTML], deep, {"a": {"b": HTML}}, [1] * 50_000),
        *({"__type__": "update", "value": 1}, {"pitch": HTML}, [{"pitch": 1e308}]),
        [{"pitch": 60, "start": float("nan"), "end": 1}],
        [{"pitch": 60, "start": 0, "end": 1e308}],
        base64.b64encode(b"MThd\x00\x00\x00\x06\x00\x01\xff\xff\x00\x60").decode(),
        base64.b64encode(titled_midi()).decode(),
        "data:text/html;base64," + base64.b64encode(HTML.encode()).decode(),
    ]


def titled_midi() -> bytes:
    """Returns a MIDI file of a note whose text events, of all kinds, hold HTML."""
    texts = [meta(0, kind, HTML.encode()) for kind in range(1, 8)]
    return midi([*texts, on(0, 60), off(480, 60)])


class Findings:
    """What should not have happened."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.n_asked = 0

    def add(self, what: str, where: object) -> None:
        """Notes a finding."""
        self.found.append(f"{what}: {str(where)[:300]}")
        print("FINDING", self.found[-1], flush=True)

    def judge(self, answer: Answer, where: object, asked: object = None) -> None:
        """Looks at an answer to something bad: a sentence, or harmless.

        Args:
            answer: what came.
            where: for the finding.
            asked: what was posted; a refusal may repeat it where it is a short text.
        """
        self.n_asked += 1
        if answer.status >= 500:
            self.add(f"HTTP {answer.status} {answer.text[:100]!r}", where)
        if answer.event == "error":
            found = answer.data.get("error") if isinstance(answer.data, dict) else answer.data
            if not isinstance(found, str) or len(found.split()) < 3:
                self.add(f"an error without a sentence ({found!r})", where)
            elif len(found) > 2000:
                self.add(f"a message of {len(found)} characters", where)
            text = json.dumps(found, ensure_ascii=False)
            if isinstance(asked, str) and asked:
                text = text.replace(asked, "")
            self.look_for_leaks(text, where)
        else:
            self.look_for_leaks(answer.text, where, files=True)

    def look_for_leaks(self, text: str, where: object, files: bool = False) -> None:
        """Looks for what no visitor should read.

        Args:
            text: what the server sent.
            where: for the finding.
            files: whether the text may hold addresses of files made for this request.
        """
        leaks = ["Traceback", "root:x:", 'File "', "site-packages", str(ROOT), "<img", "<script"]
        for leak in leaks if files else [*leaks, tempfile.gettempdir(), "/home/", "/etc/"]:
            if leak in text and not (files and leak == str(ROOT) and "/files/" in text):
                self.add(f"{leak!r} in an answer", where)


@contextmanager
def hook_server() -> Iterator[tuple[str, list[str]]]:
    """Yields the address of a server on 127.0.0.1, and the list of what is asked of it."""
    hits: list[str] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/inside.mid", hits
    finally:
        server.shutdown()
        server.server_close()


def post_bad_values(url: str, hook: str, findings: Findings, most: int | None) -> None:
    """Posts every bad value as every parameter of every endpoint, hidden ones too.

    Args:
        url: of the app.
        hook: see `bad_values`.
        findings: takes what is found.
        most: how many posts to draw of all; None for all.
    """
    info = httpx.get(f"{url}/gradio_api/info?all_endpoints=true", timeout=60).json()
    cases = [
        (name, place, value)
        for name, entry in info["named_endpoints"].items()
        for place in range(len(entry["parameters"]))
        for value in bad_values(hook)
    ]
    if most is not None:
        cases = random.Random(0).sample(cases, min(most, len(cases)))
    for name, place, value in cases:
        body, parameter = spoilt(name, info["named_endpoints"][name]["parameters"], place, value)
        try:
            findings.judge(ask(url, name, body), (name, parameter, value), value)
        except (httpx.HTTPError, json.JSONDecodeError, IndexError) as error:
            findings.add(f"no answer ({error!r})", (name, parameter, value))


def spoilt(name: str, parameters: list[dict[str, Any]], place: int, value: Any) -> tuple[Any, str]:
    """Returns what to post to an endpoint to make one of its values bad, and that value's name."""
    parameter = parameters[place]["parameter_name"]
    if name not in GOOD:
        body = [entry.get("parameter_default") for entry in parameters]
        body[place] = value
        return body, parameter
    named = {**GOOD[name], parameter: value}
    if parameter in ("midi", "notes"):
        named.pop("seed", None)
    return named, parameter


def post_bad_bodies(url: str, findings: Findings) -> None:
    """Posts bodies that are no calls, too long, or to no endpoint."""
    long = b'{"seed": "' + b"x" * 5_000_000 + b'"}'
    bodies = [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"nobody": 1}', b'{"data": [1]}', long]
    bodies.append(b'{"seed": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    for body in bodies:
        for endpoint in ("/continue", "/vote"):
            answer = ask(url, endpoint, body)
            findings.judge(answer, (endpoint, body[:40]))
            if body is long and answer.status != 413:
                findings.add(f"a body of 5 MB was answered with {answer.status}", endpoint)

    def parts() -> Iterator[bytes]:
        yield b'{"seed": "'
        for _ in range(8):
            yield b"x" * 1_000_000

    # The connection may be closed on us, which is one way to refuse.
    with suppress(httpx.TransportError):
        httpx.post(f"{url}/gradio_api/call/v2/continue", content=parts(), timeout=30)
    for path in ("/gradio_api/call/v2/nothing", "/gradio_api/run/continue", "/gradio_api/api/vote"):
        reply = httpx.post(url + path, json={"data": [HTML]}, timeout=30)
        findings.look_for_leaks(reply.text, path)


def ask_for_files(url: str, hook: str, findings: Findings) -> None:
    """Asks for files that are nobody's business, in every way the server offers files."""
    take = ask(url, "/continue", GOOD["/continue"]).data[0]["takes"][0]
    path = Path(take["midi"]["path"])
    if httpx.get(take["midi"]["url"], timeout=30).content[:4] != b"MThd":
        findings.add("a visitor's own file is not served", take["midi"]["url"])
    others = [
        "/etc/passwd",
        "../../../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        f"{ROOT}/app.py",
        f"{ROOT}/pyzzicato/space/api.py",
        str(path.parent),
        f"{path.parent}/",
        str(path.parent.parent),
        f"{path.parent}/../../../votes",
        "/proc/self/environ",
        hook,
    ]
    for prefix in ("/gradio_api/file=", "/file=", "/gradio_api/file/", "/gradio_api/proxy="):
        for other in others:
            reply = httpx.get(f"{url}{prefix}{other}", timeout=30, follow_redirects=False)
            if reply.status_code == 200 and prefix != "/file=":
                findings.add(f"{prefix}{other} was served", reply.text[:80])
            # A refusal may repeat the path that was asked for, and nothing else.
            asked = unquote(reply.request.url.path.removeprefix(prefix))
            text = reply.text.replace(asked, "").replace(asked.lstrip("/"), "")
            findings.look_for_leaks(text, prefix + other)
    for name in ("../../evil.mid", "/etc/evil", HTML + ".mid", "x" * 300 + ".mid"):
        reply = httpx.post(
            f"{url}/gradio_api/upload", files={"files": (name, titled_midi())}, timeout=30
        )
        for kept in reply.json() if reply.status_code == 200 else []:
            if not Path(kept).resolve().is_relative_to(path.parents[2].resolve()):
                findings.add("an upload was kept outside its folder", kept)
            answer = ask(
                url, "/continue", {"midi": {"path": kept, "orig_name": name}, "seconds": 1}
            )
            findings.judge(Answer(answer.status, answer.event, answer.data, ""), name)
            if answer.event == "complete" and "<" in answer.data[0]["seed"]:
                findings.add("HTML in a title", answer.data[0]["seed"])
    reply = httpx.post(
        f"{url}/gradio_api/upload", files={"files": ("big.mid", bytes(2_000_000))}, timeout=30
    )
    if reply.status_code != 413:
        findings.add(f"an upload of 2 MB was answered with {reply.status_code}", reply.text[:80])


def post_broken_requests(url: str, findings: Findings) -> None:
    """Posts what is no call and no upload: unknown names, half characters, parts without names."""
    api, form = f"{url}/gradio_api", "multipart/form-data; boundary=x"
    part = b"--x\r\nContent-Disposition: form-data"
    half = b'{"seed": "\\ud800", "data": ["\\ud800"], "session_hash": "\\ud800"}'
    digits = b'{"seed": "bach-prelude-c-major", "rng": ' + b"7" * 3000 + b"}"
    requests = [
        *((f"{api}/{route}/nothing", b'{"data": []}', "") for route in ("call", "run", "api")),
        (f"{api}/call/v2/nothing", b"{}", ""),
        *((f"{api}/{route}", half, "") for route in ("call/v2/continue", "call/vote", "run/judge")),
        (f"{api}/call/v2/continue", digits, ""),
        *(
            (f"{api}/queue/join", b'{"data": [], "fn_index": %s, "session_hash": "x"}' % n, "")
            for n in (b"-1", b"99", b"null", b'"x"', b"1e9")
        ),
        (f"{api}/cancel", b'{"session_hash": "x", "fn_index": 0, "event_id": "y"}', ""),
        (f"{api}/upload", part + b"\r\n\r\nx\r\n--x--", form),
        (f"{api}/upload", part + b"; name=files\r\n\r\nx\r\n--x--", form),
        (f"{api}/upload", b"--x\r\n\r\nx\r\n--x--", form),
        (f"{api}/upload", b"", form),
        (f"{api}/upload", b"{}", ""),
        *((f"{api}/{name}", b"{}", "") for name in ("component_server", "vibe-code", "stream/x")),
        (f"{api}/mcp/", b"{", ""),
        (f"{api}/mcp/", b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}', ""),
    ]
    for address, body, kind in requests:
        headers = {"content-type": kind or "application/json"}
        answer = httpx.post(address, content=body, headers=headers, timeout=60)
        findings.n_asked += 1
        if answer.status_code >= 500:
            findings.add(f"HTTP {answer.status_code} {answer.text[:100]!r}", (address, body[:60]))
        if "7" * 100 in answer.text:
            findings.add("a message repeats a number of 3,000 digits", address)
        findings.look_for_leaks(answer.text, (address, body[:60]))


def knock(url: str, findings: Findings) -> None:
    """Asks under other names and from other sites' pages, and looks at what answers carry."""
    post = f"{url}/gradio_api/call/v2/continue"
    for name, value in (
        *(("Host", host) for host in ("evil.example", "127.0.0.1.evil.example", "10.0.0.7", "x:1")),
        *(("Origin", site) for site in ("https://evil.example", "null", "http://localhost.evil")),
    ):
        for address in (post, f"{url}/gradio_api/mcp/", f"{url}/gradio_api/upload", url):
            answer = httpx.post(address, headers={name: value}, json={"seed": SEED}, timeout=30)
            findings.n_asked += 1
            if answer.status_code not in (400, 403):
                findings.add(f"{name} {value} is let in ({answer.status_code})", address)
    answer = httpx.get(url, timeout=30)
    for header, part in (
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "script-src 'self' 'nonce-"),
        ("content-security-policy", "frame-ancestors"),
    ):
        if part not in answer.headers.get(header, ""):
            findings.add(f"the page has no {header} with {part}", answer.headers.get(header))
    for address in ("https://example.com/", "http://127.0.0.1:1/"):
        for way in ("file=", "file/", "proxy="):
            if httpx.get(f"{url}/gradio_api/{way}{address}", timeout=30).status_code < 400:
                findings.add("the server fetches what is elsewhere", way + address)


def vote_too_often(url: str, findings: Findings, n: int = 60) -> None:
    """Votes for one system as fast as it goes, and judges one pair again and again."""
    kept = 0
    for i in range(n):
        vote = {"seed": SEED, "systems": ["wavenet", ("lstm", "conv1d")[i % 2]], "winner": 0}
        answer = ask(url, "/vote", vote)
        findings.n_asked += 1
        kept += answer.event == "complete"
        findings.judge(Answer(answer.status, answer.event, answer.data, ""), "/vote")
    if kept > n / 2:
        findings.add(f"{kept} votes of one client were kept", f"of {n}")


def kill_voters(folder: Path, findings: Findings, rounds: int) -> None:
    """Kills processes while they vote into one book; no vote that was in may be missing."""
    n_in = sum(vote_and_be_killed(folder, f"round {i} ") for i in range(rounds))
    book = VoteBook(folder)
    n, counted = len(book.votes()), book.tally().n_votes
    findings.n_asked += n_in
    # Of each process one may have been written that it could not tell of any more.
    if not n_in <= n <= n_in + rounds or counted != n:
        findings.add(f"{n_in} votes were in, {n} are there, {counted} are counted", folder)
    print(f"{rounds} processes killed while they voted: {n_in} votes were in, {n} are there")


def check(url: str, most: int | None) -> Findings:
    """Returns what is found when an app is asked for what it should not give.

    Args:
        url: of the app, without a slash at the end.
        most: how many bad values to draw of all; None for all.
    """
    findings = Findings()
    before = notes_of(url)
    with hook_server() as (hook, hits):
        post_bad_values(url, hook, findings, most)
        post_bad_bodies(url, findings)
        post_broken_requests(url, findings)
        knock(url, findings)
        ask_for_files(url, hook, findings)
        if hits:
            findings.add("an address inside was fetched", hits)
    if notes_of(url) != before:
        findings.add("the app plays other notes afterwards", SEED)
    return findings


def notes_of(url: str) -> Any:
    """Returns the notes that the app plays when nothing is wrong."""
    return ask(url, "/continue", {"seed": SEED, "seconds": 3}).data[0]["takes"][0]["notes"]


def main() -> int:
    """Runs the check from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="of a running app; without it one is started")
    parser.add_argument("--most", type=int, help="so many posts, drawn from all")
    options = parser.parse_args()
    if options.url:
        findings = check(options.url.rstrip("/"), options.most)
    else:
        with tempfile.TemporaryDirectory() as folder, served_app(Path(folder)) as app:
            findings = check(app.url, options.most)
            vote_too_often(app.url, findings)
            kill_voters(Path(folder, "killed"), findings, 21)
            print(f"memory of the app afterwards: {app.memory_mb():.0f} MB")
    print(f"{findings.n_asked} bad posts, {len(findings.found)} findings")
    return 1 if findings.found else 0


if __name__ == "__main__":
    sys.exit(main())
