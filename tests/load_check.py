"""Asks the running app for more than it can do at once, and measures how it bears that.

    python tests/load_check.py                  20 clients at once, 30 s each; then 600 requests
    python tests/load_check.py --clients 60     more than may wait: some are told that it is busy

It fails if an answer is wrong or lost, if the app and the processes it starts take 2 GB or more, or
if the memory grows from the middle of the 600 requests to their end.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from http_calls import ask
from served_app import ServedApp, served_app

SEED = "bach-prelude-c-major"
MOST_MB = 2000.0
MOST_GROWTH_MB = 50.0
"""Between the middle and the end of the many requests: less than their answers would take."""


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


def main() -> int:
    """Runs the check from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=20, help="at once (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30, help="asked for (%(default)s)")
    parser.add_argument("--requests", type=int, default=600, help="afterwards (%(default)s)")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served_app(Path(folder)) as app:
        first = ask_once(app.url, 0, 1)
        print(f"first request after {first.seconds:.1f} s; memory {app.memory_mb():.0f} MB")
        faults = [first.fault] if first.fault else []
        faults += check_crowd(app, told.clients, told.seconds)
        faults += check_growth(app, told.requests, told.seconds)
    print(*faults, f"{len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
