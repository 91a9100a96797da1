"""The app as a process of its own on 127.0.0.1, for checks that measure it or must not spare it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class ServedApp:
    """A running app.

    Attributes:
        url: its address, without a slash at the end.
        process: for its memory; None where another process serves it.
        log: file of what it printed.
    """

    url: str
    process: psutil.Process | None = None
    log: Path | None = None

    def memory_mb(self) -> float:
        """Returns the resident memory of the app and the processes it started, in MB."""
        total = 0
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total / 1e6

    def worked_s(self) -> float:
        """Returns the processor seconds that the app has had so far; 0 where another serves it."""
        return 0.0 if self.process is None else sum(self.process.cpu_times()[:2])

    def processor_s(self) -> float:
        """Returns those that the app and the processes it started have had so far."""
        total = 0.0
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])
        return total

    def _family(self) -> list[psutil.Process]:
        assert self.process is not None
        return [self.process, *self.process.children(recursive=True)]


def free_port() -> int:
    """Returns a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served_app(folder: Path, seconds: float = 300) -> Iterator[ServedApp]:
    """Runs `app.py` while the context lasts; its files and votes are kept in `folder`.

    Args:
        folder: made if absent.
        seconds: how long it may take to start.

    Raises:
        RuntimeError: if it does not start; with what it printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), folder / "log.txt"
    settings = {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_TEMP_DIR": str(folder / "files"),
        "PYZZICATO_VOTES": str(folder / "votes"),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("w") as printed:
        started = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py")],
            cwd=folder,
            env={**os.environ, **settings},
            stdout=printed,
            stderr=subprocess.STDOUT,
            # Linux shares the processors by sessions, and those who measure work too.
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_up(url, started, log, seconds)
        yield ServedApp(url, psutil.Process(started.pid), log)
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _wait_until_up(url: str, started: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and started.poll() is None:
        try:
            if httpx.get(f"{url}/config", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"the app did not start:\n{log.read_text()[-3000:]}")
