"""Measures what a visitor waits for, in a real browser before a server of its own.

    python tests/page_check.py                 20 clicks on Continue, each with a new random number
    python tests/page_check.py --clicks 50 --url http://127.0.0.1:7860/

Printed as JSON: seconds from the start of the app until its page can be used, and from a click just
then until the first new note is heard; from opening the page until it shows something, and until it
can be used; from further clicks to the sound (median, 95th percentile); how often playing ran dry;
and how far the playhead was from strokes as they were heard, in milliseconds. Give the machine
nothing else to do.
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
from midi_builder import midi, off, on
from served_app import served_app

HEARD = "return player.firstSound && player.firstSound.heardAt - view.clickedAt;"
PAINTED = (
    "return performance.getEntriesByType('paint')"
    ".find(entry => entry.name === 'first-contentful-paint')?.startTime;"
)
N_STROKES = 9
_TICKS_A_SECOND = 960

# A stroke is found in what the page really sounds: the first loud sample after quiet ones, and the
# audio clock tells when that was. The playhead should be then where the stroke is in the music.
_COMPARE_STROKES = """
const [n, done] = arguments, {player, piano} = window.pyzzicato.stage;
const {roll, seed} = window.pyzzicato.views.continue;
const strokes = seed.part.map(note => note.start), apart = [];
const samples = new Float32Array(piano.meter.fftSize), QUIET = 0.004, LOUD = 0.02;
let quiet = false;
const look = () => {
  const {currentTime, outputLatency, sampleRate} = piano.context;
  piano.meter.getFloatTimeDomainData(samples);
  const first = samples.findIndex(sample => Math.abs(sample) > LOUD);
  if (first >= 0 && quiet) {
    const ago = (samples.length - first) / sampleRate;
    const shown = roll.secondsAt(new DOMMatrix(getComputedStyle(roll.head).transform).m41);
    const heard = ago - (outputLatency || 0);
    apart.push(Math.min(...strokes.map(at => Math.abs(at + heard - shown))));
  }
  quiet = samples.every(sample => Math.abs(sample) < QUIET);
  if (apart.length < n && player.playing) setTimeout(look, 5); else done(apart);
};
look();
"""


def measure_page(browser: Browser, clicks: int) -> dict[str, Any]:
    """Returns what was measured, in seconds where the name says nothing else.

    Args:
        browser: with nothing opened yet.
        clicks: how many continuations to ask for, at least 2.
    """
    opened = [_open(browser) for _ in range(5)]
    waits, dry = zip(*(_click(browser, rng) for rng in range(clicks)), strict=True)
    waits = sorted(waits)
    apart = playhead_errors(browser, browser.downloads)
    return {
        "first_paint_median": round(statistics.median(paint for paint, _ in opened), 2),
        "page_usable_median": round(statistics.median(usable for _, usable in opened), 2),
        "clicks": clicks,
        "click_to_sound_median": round(statistics.median(waits), 3),
        "click_to_sound_p95": round(statistics.quantiles(waits, n=20)[-1], 3),
        "click_to_sound_all": [round(wait, 3) for wait in waits],
        "times_dry": sum(dry),
        "playhead_error_ms_median": round(1000 * statistics.median(apart), 1),
        "playhead_error_ms_worst": round(1000 * max(apart), 1),
    }


def _click(browser: Browser, rng: int) -> tuple[float, int]:
    """Asks for a take; returns when its first note was heard, and how often playing ran dry."""
    browser.put("#rng", rng)
    browser.click("#go")
    browser.wait("player.firstSound")
    wait = float(str(browser.run(HEARD))) / 1000
    browser.wait("player.playing && player.time > view.take.seedSeconds + 0.5")
    browser.wait("!view.making")
    dry = int(str(browser.run("return player.timesDry;")))
    browser.run("player.pause();")
    return wait, dry


def playhead_errors(browser: Browser, folder: Path) -> list[float]:
    """Returns how far the playhead was from each of some strokes when it was heard, in seconds.

    Args:
        browser: with the page open.
        folder: for the file that is played.
    """
    strokes = [
        part
        for i in range(N_STROKES)
        for part in (on(0 if i == 0 else _TICKS_A_SECOND - 96, 84 + i, 110), off(96, 84 + i))
    ]
    # Each try has a name of its own: otherwise the seed of the last one would be taken for it.
    path = folder / f"strokes-{len([*folder.glob('strokes-*')])}.mid"
    path.write_bytes(midi(strokes))
    browser["#file"].send_keys(str(path))
    browser.wait(f"view.seed.title === '{path.stem}' && !view.making")
    browser.click("#play")
    browser.wait("player.playing && piano.tones.length")
    # The first one may sound before anybody looks.
    errors = browser.driver.execute_async_script(_COMPARE_STROKES, N_STROKES - 1)
    browser.run("player.pause();")
    return [float(error) for error in errors]


def _open(browser: Browser) -> tuple[float, float]:
    """Opens the page; returns when it showed something, and when it could be used."""
    began = time.perf_counter()
    browser.open()
    usable = time.perf_counter() - began
    browser.wait("performance.getEntriesByName('first-contentful-paint').length")
    return float(str(browser.run(PAINTED))) / 1000, usable


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clicks", type=int, default=20, help="how many, at least 2")
    parser.add_argument("--url", help="of a running page; without it one is started")
    options = parser.parse_args(arguments)
    programs = find_programs()
    if programs is None:
        raise SystemExit("Chromium and its driver must be installed: make system-packages")
    with tempfile.TemporaryDirectory() as name:
        browser = Browser(options.url or "", Path(name), programs)
        try:
            found = _measure(browser, options.clicks, Path(name))
        finally:
            browser.close()
    print(json.dumps(found, indent=1))


def _measure(browser: Browser, clicks: int, folder: Path) -> dict[str, Any]:
    if browser.url:
        return measure_page(browser, clicks)
    began = time.perf_counter()
    with served_app(folder / "app") as app:
        browser.url = f"{app.url}/"
        browser.open()
        usable = time.perf_counter() - began
        wait, _ = _click(browser, clicks)
        fresh = {"start_to_usable": round(usable, 1), "first_click_to_sound": round(wait, 2)}
        return {**fresh, **measure_page(browser, clicks)}


if __name__ == "__main__":
    main()
