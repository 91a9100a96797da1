"""Learning from one's own music on the page of the local app: files in, a curve, a model out.

On a Space, and for visitors from other machines, there is none of it. `pyzzicato learn` does the
work in a process of its own, whose journal is read; one run at a time. Files and run lie in
`.learning` beside the models of one's own.
"""

import asyncio
import functools
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ..hub.own_models import as_name, check_name, own_folder
from ..midi import read_midi
from .api import describe_models
from .messages import harmless, words_for
from .names import as_shown
from .page_models import forget_models
from .request_limits import MAX_UPLOAD_BYTES, MIDI_LIMITS

MAX_FILES = 500
_PATH = "/own-music"
_TAKE = re.compile(r"(piece|(before|after)-\d)\.mid")
_STOPPED_WITHIN_S = 10.0
_SENTENCE = "error: "  # So begins what `pyzzicato learn` says of what it can name.
_FAULT = (
    "learning ended without a word: it met a fault, or this computer ran out of memory; Learn goes "
    "on from what was learnt"
)

Answer = Callable[[Request], Awaitable[Response]]


class OwnMusic:
    """One run of learning, and the files it is from.

    Args:
        folder: where they lie; made when the first file comes.
    """

    def __init__(self, folder: Path) -> None:
        self._music, self._run = folder / "music", folder / "run"
        self._log = folder / "log.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._is_known = True

    @property
    def is_running(self) -> bool:
        """Returns whether it learns right now."""
        return self._process is not None and self._process.poll() is None

    def add(self, title: str, data: bytes) -> int:
        """Keeps a file to learn from; returns how many there are.

        Raises:
            ValueError: if it is too large, one too many or no MIDI file, or the run has begun.
        """
        self._check_idle()
        if len(data) > MAX_UPLOAD_BYTES:
            most = MAX_UPLOAD_BYTES // 10**6
            raise ValueError(f"a file must have at most {most} MB; leave {title[:60]!r} out")
        try:
            read_midi(data, MIDI_LIMITS)
        except ValueError as error:
            raise ValueError(f"{title[:60]} is left out: {error}") from error
        self._music.mkdir(parents=True, exist_ok=True)
        n_files = self._n_files
        if n_files >= MAX_FILES:
            raise ValueError(f"at most {MAX_FILES} files; for more, run pyzzicato learn FOLDER")
        safe = re.sub(r"[^\w .()-]+", " ", Path(title.replace("\\", "/")).stem).strip(" .")[:80]
        (self._music / f"{safe or 'piece'} ({n_files + 1}).mid").write_bytes(data)
        return n_files + 1

    def clear(self) -> None:
        """Forgets files and run, to begin anew; models that were kept stay."""
        self._check_idle()
        for folder in (self._music, self._run):
            shutil.rmtree(folder, ignore_errors=True)
        self._log.unlink(missing_ok=True)
        self._process = None

    def start(self, name: str) -> None:
        """Begins to learn, or goes on.

        Raises:
            ValueError: if the name is not fit, there are no files, it is learning, or has begun to
                under another name.
        """
        self._check_idle()
        if not self._n_files:
            raise ValueError("there must be MIDI files to learn from; drop some first")
        begun = self._name_begun
        if begun not in (None, check_name(name)):
            raise ValueError(
                f"name must be {begun!r}, under which this run was begun, got {name!r}; begin anew "
                "for another"
            )
        words = [sys.executable, "-m", "pyzzicato", "learn", str(self._music)]
        words += ["--out", str(self._run), "--name", name]
        # A process of its own: the page goes on answering, and what it takes is given back.
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
            )
        self._is_known = False

    def stop(self) -> None:
        """Ends the process; the run can go on later."""
        if self._process is not None and self.is_running:
            self._process.terminate()
            try:
                self._process.wait(_STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def describe(self) -> dict[str, Any]:
        """Returns how it goes, as plain JSON values.

        Returns:
            `files` (how many), `running`, `lines` of the journal, `error` (a sentence, or None) and
            `models`: those of one's own, as the page takes them.
        """
        lines = self._lines()
        if not self.is_running and not self._is_known:
            # What was learnt can be chosen from now on.
            forget_models()
            self._is_known = True
        known = describe_models()["models"]
        return {
            "files": self._n_files,
            "running": self.is_running,
            "lines": lines,
            "error": None if self.is_running else self._error(),
            "models": as_shown(model for model in known if model["source"] == "folder"),
        }

    def take(self, name: str) -> list[dict[str, float]]:
        """Returns the notes of a piece to hear.

        Raises:
            ValueError: if there is none of that name.
        """
        path = self._run / "listen" / name
        if not _TAKE.fullmatch(name) or not path.is_file():
            raise ValueError(f"there must be a piece called {name[:40]!r} to hear, and is none yet")
        return [
            {"pitch": n.pitch, "start": n.start, "end": n.end, "velocity": n.velocity}
            for n in read_midi(path, MIDI_LIMITS).music()
        ]

    @property
    def _n_files(self) -> int:
        return len([*self._music.iterdir()]) if self._music.is_dir() else 0

    @property
    def _name_begun(self) -> str | None:
        """Returns the name that the run was begun under, None if it has not learnt yet."""
        try:
            settings = json.loads((self._run / "settings.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return str(settings.get("eval_composer", "")) or None

    def _check_idle(self) -> None:
        if self.is_running:
            raise ValueError("it is learning; stop it first")

    def _lines(self) -> list[dict[str, Any]]:
        try:
            text = (self._run / "progress.jsonl").read_text(encoding="utf-8")
            lines = [json.loads(line) for line in text.splitlines()]
            return [{**line, "words": harmless(line["words"])} for line in lines]
        except (OSError, ValueError):
            return []  # None yet, or one that is just being written.

    def _error(self) -> str | None:
        if self._process is None or self._process.poll() in (None, 0, -15):
            return None
        try:
            log = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            log = []
        last = next((line for line in reversed(log) if line.strip()), "")
        # What is no sentence of ours is a fault, and stands in the log.
        if not last.startswith(_SENTENCE):
            return _FAULT
        return harmless(last.removeprefix(_SENTENCE))


def is_local() -> bool:
    """Returns whether this is somebody's own app, and no Space."""
    return not os.environ.get("SPACE_ID")


def learning_routes(music: OwnMusic | None = None) -> list[BaseRoute]:
    """Returns the addresses of learning; none on a Space.

    Args:
        music: the run; the one in the usual folder by default.
    """
    if not is_local():
        return []
    own = music or OwnMusic(own_folder() / ".learning")

    async def progress(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(own.describe))

    async def add(request: Request) -> Response:
        title = request.query_params.get("title", "")
        n_files = await asyncio.to_thread(own.add, title, await request.body())
        return JSONResponse({"files": n_files})

    async def start(request: Request) -> Response:
        await asyncio.to_thread(own.start, as_name(request.query_params.get("name", "")))
        return await progress(request)

    async def stop(request: Request) -> Response:
        await asyncio.to_thread(own.stop)
        return await progress(request)

    async def clear(request: Request) -> Response:
        await asyncio.to_thread(own.clear)
        return await progress(request)

    async def take(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(own.take, request.path_params["name"]))

    return [
        Route(_PATH, _at_home(progress)),
        Route(f"{_PATH}/add", _at_home(add), methods=["POST"]),
        Route(f"{_PATH}/start", _at_home(start), methods=["POST"]),
        Route(f"{_PATH}/stop", _at_home(stop), methods=["POST"]),
        Route(f"{_PATH}/clear", _at_home(clear), methods=["POST"]),
        Route(f"{_PATH}/take/{{name}}", _at_home(take)),
    ]


def _at_home(answer: Answer) -> Answer:
    """Returns an answer for whoever sits at this machine alone; bad input is one sentence."""

    @functools.wraps(answer)
    async def guarded(request: Request) -> Response:
        if not _is_this_machine(request.client.host if request.client else ""):
            return PlainTextResponse("there is nothing here", status_code=404)
        try:
            return await answer(request)
        except (ValueError, OSError) as error:
            return JSONResponse({"error": words_for(error)}, status_code=400)

    return guarded


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
