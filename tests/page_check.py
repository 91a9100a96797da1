"""Measures what a visitor waits for, in a real browser before a server of its own.

    python tests/page_check.py                 20 clicks on Continue, each with a new random number
    python tests/page_check.py --clicks 50 --url http://127.0.0.1:7860/

Printed as JSON: seconds from opening the page until it can be used; from the click until the first
new note is heard (median, 95th percentile); how often playing ran dry; how far the playhead was
from the sound, in milliseconds. Give the machine nothing else to do.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from browser import Browser, find_programs
from served_app import served_app

HEARD = "return player.firstSound && player.firstSound.heardAt - view.clickedAt;"


def measure_page(browser: Browser, clicks: int) -> dict[str, Any]:
    """Returns what was measured, in seconds where the name says nothing else.

    Args:
        browser: with nothing opened yet.
        clicks: how many continuations to ask for, at least 2.
    """
    opened = [_open(browser) for _ in range(3)]
    waits, apart, dry = [], [], 0
    for rng in range(clicks):
        browser.put("#rng", rng)
        browser.click("#go")
        browser.wait("player.firstSound")
        waits.append(float(str(browser.run(HEARD))) / 1000)
        browser.wait("player.playing && player.time > view.take.seedSeconds + 0.5")
        apart.append(_playhead_error(browser))
        browser.wait("!view.making")
        dry += int(str(browser.run("return player.timesDry;")))
        browser.run("player.pause();")
    waits.sort()
    return {
        "page_usable_median": round(statistics.median(opened), 2),
        "clicks": clicks,
        "click_to_sound_median": round(statistics.median(waits), 3),
        "click_to_sound_p95": round(statistics.quantiles(waits, n=20)[-1], 3),
        "click_to_sound_all": [round(wait, 3) for wait in waits],
        "times_dry": dry,
        "playhead_error_ms_worst": round(1000 * max(apart), 1),
    }


def _open(browser: Browser) -> float:
    began = time.perf_counter()
    browser.open()
    return time.perf_counter() - began


def _playhead_error(browser: Browser) -> float:
    """Returns the largest distance of the playhead from the sound over a second, in seconds."""
    return float(
        browser.driver.execute_async_script(
            """
            const done = arguments[0], {player} = window.pyzzicato.stage;
            const {roll} = window.pyzzicato.views.continue;
            let worst = 0, left = 40;
            const look = () => {
              const x = new DOMMatrix(getComputedStyle(roll.head).transform).m41;
              worst = Math.max(worst, Math.abs(roll.secondsAt(x) - player.time));
              if (--left) setTimeout(look, 23); else done(worst);
            };
            look();
            """
        )
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clicks", type=int, default=20, help="how many, at least 2")
    parser.add_argument("--url", help="of a running page; without it one is started")
    told = parser.parse_args(arguments)
    programs = find_programs()
    if programs is None:
        raise SystemExit("Chromium and its driver must be installed: make system-packages")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if told.url:
            print(json.dumps(_measure(told.url, folder, programs, told.clicks), indent=1))
            return
        with served_app(folder / "app") as app:
            # What a visitor of a fresh server waits for is in the first click, not in this list.
            print(json.dumps(_measure(f"{app.url}/", folder, programs, told.clicks), indent=1))


def _measure(url: str, folder: Path, programs: tuple[str, str], clicks: int) -> dict[str, Any]:
    browser = Browser(url, folder, programs)
    try:
        return measure_page(browser, clicks)
    finally:
        browser.close()


if __name__ == "__main__":
    main()
