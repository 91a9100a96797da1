"""Asks the running app for more than it can do at once, and measures how it bears that.

    python tests/load_check.py                  20 clients at once, 30 s each; then 600 requests
    python tests/load_check.py --clients 60     more than may wait: some are told that it is busy
    python tests/load_check.py --floods         what harms others: memory, and a visitor's wait
    python tests/load_check.py --siege 10       50 hostile clients for ten minutes

It fails if an answer is wrong or lost, if the app and the processes it starts take 2 GB or more, or
if the memory grows from the middle of the 600 requests to their end.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from floods import FLOODS, LONG, call_tool, listen, start_siege, visit, wait_politely
from http_calls import ask
from served_app import ServedApp, served_app

SEED = "bach-prelude-c-major"
MOST_MB = 2000.0
MOST_GROWTH_MB = 50.0
"""Between the middle and the end of the many requests: less than their answers would take."""
MOST_WAIT_S = 5.0
"""Of a visitor who comes while, or after, others flood the app."""
MOST_FLOOD_MB = 650.0
"""More than before a flood: a synthesiser at work has 570 of them."""
MOST_LEFT_MB = 150.0
MOST_AT_ONCE_S = 3.0
VISITS_EVERY_S = 5.0
IDLE_S = 45.0
"""After so long everything that a flood has left is gone."""


@dataclass(frozen=True)
class Served:
    """How one request went.

    Attributes:
        rng: what was asked for.
        seconds: how long it took.
        notes: the answer; None if the app said that it was busy.
        fault: what went wrong, or "".
    """

    rng: int
    seconds: float
    notes: Any
    fault: str = ""


def ask_once(url: str, rng: int, seconds: float) -> Served:
    """Returns how one request for a continuation went."""
    began = time.perf_counter()
    try:
        told = {"seed": SEED, "seconds": seconds, "rng": rng}
        answer = ask(url, "/continue", told, seconds=600)
    except Exception as error:  # Whatever it is, it is a lost request.
        return Served(rng, time.perf_counter() - began, None, repr(error))
    took = time.perf_counter() - began
    if answer.status == 503 and "busy" in answer.text:
        return Served(rng, took, None)
    if answer.event != "complete":
        return Served(rng, took, None, f"{answer.status} {answer.text[:200]}")
    return Served(rng, took, answer.data[0]["takes"][0]["notes"])


def ask_at_once(url: str, rngs: Sequence[int], seconds: float, n_clients: int) -> list[Served]:
    """Returns how requests went that so many clients made at the same time."""
    with ThreadPoolExecutor(n_clients) as clients:
        return list(clients.map(lambda rng: ask_once(url, rng, seconds), rngs))


def find_faults(crowd: Sequence[Served], alone: Sequence[Served]) -> list[str]:
    """Returns what was wrong or lost.

    Args:
        crowd: requests made at the same time.
        alone: the same ones made one after the other.
    """
    right = {served.rng: served.notes for served in alone}
    faults = [f"rng {served.rng}: {served.fault}" for served in (*crowd, *alone) if served.fault]
    for served in crowd:
        if served.notes is not None and served.notes != right[served.rng]:
            faults.append(f"rng {served.rng}: other notes than when asked alone")
    return faults


def check_crowd(app: ServedApp, n_clients: int, seconds: float) -> list[str]:
    """Returns the faults of many clients at once, and prints how long they waited."""
    rngs = range(n_clients)
    began = time.perf_counter()
    crowd = ask_at_once(app.url, rngs, seconds, n_clients)
    took = time.perf_counter() - began
    memory = app.memory_mb()
    busy = sum(served.notes is None and not served.fault for served in crowd)
    waited = sorted(served.seconds for served in crowd if served.notes is not None)
    print(
        f"{n_clients} clients at once, {seconds:g} s each: {len(waited)} served, {busy} told that "
        f"it is busy, in {took:.1f} s (median {statistics.median(waited):.1f} s, longest "
        f"{waited[-1]:.1f} s); memory {memory:.0f} MB",
        flush=True,
    )
    alone = ask_at_once(app.url, rngs, seconds, 1)
    faults = find_faults(crowd, alone)
    if memory >= MOST_MB:
        faults.append(f"memory {memory:.0f} MB")
    return faults


def check_growth(app: ServedApp, n_requests: int, seconds: float) -> list[str]:
    """Returns the faults of many requests one after another, and prints the memory on the way."""
    faults, memory = [], []
    for start in range(0, n_requests, n_requests // 10):
        rngs = range(start, start + n_requests // 10)
        served = ask_at_once(app.url, rngs, seconds, 4)
        faults += [s.fault or "busy" for s in served if s.notes is None]
        memory.append(app.memory_mb())
    growth = memory[-1] - memory[len(memory) // 2 - 1]
    print("memory over", n_requests, "requests, MB:", *(f"{mb:.0f}" for mb in memory))
    print(f"grown by {growth:.0f} MB from the middle of them to the end", flush=True)
    if growth > MOST_GROWTH_MB or memory[-1] >= MOST_MB:
        faults.append(f"memory grew by {growth:.0f} MB to {memory[-1]:.0f} MB")
    return faults


class Peak:
    """Notes the most memory the app has while the context lasts.

    Attributes:
        mb: the most so far.
    """

    def __init__(self, app: ServedApp) -> None:
        self._app, self._ended = app, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.mb = 0.0

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            self.mb = max(self.mb, self._app.memory_mb())


def check_floods(folder: Path, names: Sequence[str]) -> list[str]:
    """Returns the faults of each flood, and prints what it took; each has an app of its own."""
    faults = []
    for i, (name, flood) in enumerate(FLOODS.items()):
        if names and not any(part in name for part in names):
            continue
        with served_app(folder / str(i)) as app:
            wait_politely(app)
            time.sleep(8)
            before, alone = app.memory_mb(), wait_politely(app)
            with Peak(app) as peak:
                flood(app)
                wait = wait_politely(app)
                time.sleep(IDLE_S)
            after = app.memory_mb()
        print(
            f"{name}: a visitor waits {wait:.1f} s (alone {alone:.1f} s); memory {before:.0f} MB "
            f"before, {peak.mb:.0f} MB at most, {after:.0f} MB when idle again",
            flush=True,
        )
        if wait > MOST_WAIT_S + alone:
            faults.append(f"{name}: a visitor waits {wait:.1f} s")
        if peak.mb - before > MOST_FLOOD_MB or after - before > MOST_LEFT_MB:
            faults.append(f"{name}: {peak.mb - before:.0f} MB more, {after - before:.0f} MB stay")
    return faults


def check_siege(app: ServedApp, minutes: float, clients: int = 50) -> list[str]:
    """Returns the faults of hostile clients, and prints how visitors fare meanwhile and next."""
    wait_politely(app)
    time.sleep(8)
    before, alone, coming = app.memory_mb(), wait_politely(app), []
    with Peak(app) as peak, ThreadPoolExecutor(50) as visitors:
        siege = start_siege(app, clients, minutes * 60)
        shares = Shares(app, psutil.Process(siege.pid))
        while siege.poll() is None:
            coming.append(visitors.submit(visit, app))
            shares.look()
            with contextlib.suppress(subprocess.TimeoutExpired):
                siege.wait(VISITS_EVERY_S)
        visits = [one.result() for one in coming]
        assert siege.stdout is not None
        n_asked = int(siege.stdout.read())
    next_wait = wait_politely(app)
    time.sleep(IDLE_S)
    waits, worked = [one.wait_s for one in visits], [one.worked_s for one in visits]
    median = statistics.median(waits)
    print(
        f"{clients} hostile clients for {minutes:g} min asked {n_asked} times: "
        f"{len(waits)} visitors meanwhile waited {median:.1f} s in the middle and "
        f"{max(waits):.1f} s at most (alone {alone:.1f} s), "
        f"{sum(wait > MOST_WAIT_S for wait in waits)} of them over {MOST_WAIT_S:g} s; the app "
        f"worked {statistics.median(worked):.1f} and {max(worked):.1f} s meanwhile; they were "
        f"told to come again {sum(one.n_refused for one in visits)} times; the next one waited "
        f"{next_wait:.1f} s; memory {before:.0f} MB before, {peak.mb:.0f} MB at most, "
        f"{app.memory_mb():.0f} MB when idle again; of the machine {shares}",
        flush=True,
    )
    faults = [f"the next visitor waits {next_wait:.1f} s"] if next_wait > MOST_WAIT_S else []
    if median > MOST_WAIT_S:
        faults.append(f"visitors meanwhile wait {median:.1f} s in the middle")
    if peak.mb - before > MOST_FLOOD_MB:
        faults.append(f"memory grew by {peak.mb - before:.0f} MB")
    return faults


class Shares:
    """Notes who has the machine's processors from now on: the app, the besiegers, or others."""

    def __init__(self, app: ServedApp, siege: psutil.Process) -> None:
        self._app, self._siege = app, siege
        self._first = self._last = self._look()

    def look(self) -> None:
        """Takes note of what they have had by now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._last = self._look()

    def _look(self) -> tuple[float, float, float, float]:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # Guests are counted as users already.
        everyone = sum(times[:8]) if hasattr(times, "steal") else sum(times)
        siege = sum(self._siege.cpu_times()[:4])
        return self._app.processor_s(), siege, idle, everyone

    def __str__(self) -> str:
        app, siege, idle, every = (b - a for a, b in zip(self._first, self._last, strict=True))
        parts = {"app": app, "besiegers": siege, "others": every - idle - app - siege}
        told = [
            f"the {name} had {100 * part / max(every, 1e-9):.0f} %" for name, part in parts.items()
        ]
        return ", ".join(told)


def slowest_at_once(app: ServedApp, n_waiting: int) -> float:
    """Returns the longest that /models, /seeds and /vote take while so many wait for music.

    Each is asked for on every route there is.
    """
    listeners = [
        threading.Thread(target=listen, args=(app, i, "/continue_stream", LONG, 20), daemon=True)
        for i in range(n_waiting)
    ]
    for listener in listeners:
        listener.start()
    time.sleep(3)
    vote = {"seed": SEED, "systems": ["lstm", "conv1d"], "winner": None, "marks": None}
    took = []
    for name, told in (("models", {}), ("seeds", {"notes": True}), ("vote", vote)):
        routes = [
            lambda name=name, told=told: ask(app.url, f"/{name}", told),
            lambda name=name, told=told: ask(app.url, f"/{name}", list(told.values())),
            lambda name=name, told=told: httpx.post(
                f"{app.url}/gradio_api/run/{name}", json={"data": list(told.values())}, timeout=60
            ).raise_for_status(),
        ]
        tool = {"models": "describe_models", "seeds": "describe_seeds"}.get(name, name)
        routes.append(lambda tool=tool, told=told: call_tool(app, 0, tool, told, 60))
        for route in routes:
            began = time.monotonic()
            route()
            took.append(time.monotonic() - began)
    return max(took)


def main() -> int:
    """Runs the check from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=20, help="at once (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30, help="asked for (%(default)s)")
    parser.add_argument("--requests", type=int, default=600, help="afterwards (%(default)s)")
    parser.add_argument("--floods", nargs="*", help="all, or those with these words in them")
    parser.add_argument("--siege", type=float, metavar="MINUTES")
    told = parser.parse_args()
    if told.floods is not None or told.siege is not None:
        with tempfile.TemporaryDirectory() as folder:
            faults = [] if told.floods is None else check_floods(Path(folder), told.floods)
            if told.siege is not None:
                with served_app(Path(folder, "siege")) as app:
                    faults += check_siege(app, told.siege)
        print(*faults, f"{len(faults)} faults", sep="\n")
        return 1 if faults else 0
    with tempfile.TemporaryDirectory() as folder, served_app(Path(folder)) as app:
        first = ask_once(app.url, 0, 1)
        print(f"first request after {first.seconds:.1f} s; memory {app.memory_mb():.0f} MB")
        faults = [first.fault] if first.fault else []
        faults += check_crowd(app, told.clients, told.seconds)
        took = slowest_at_once(app, 40)
        print(f"/models, /seeds and /vote while 40 wait: {took:.2f} s at most, on any route")
        faults += ["not answered at once"] if took > MOST_AT_ONCE_S else []
        faults += check_growth(app, told.requests, told.seconds)
    print(*faults, f"{len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
