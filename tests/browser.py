"""A real browser for the tests of the page: headless Chromium, driven by Selenium.

Debian's packages `chromium` and `chromium-driver` (`.ci/test-packages.txt`) are installed by the
set-up of the tests where it may. Where there is no Chromium at all the tests of the page are
skipped, and say so; where there is one and it does not start, they fail.
"""

import json
import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

QUIET = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1280,1000",
]
ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "out" / "screenshots"
MADE = "!document.getElementById('save').hidden && view.take && !view.busy"
"""The page has all of a take, and can save it."""
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
PATIENCE_S = 60.0


def find_programs() -> tuple[str, str] | None:
    """Returns the paths of Chromium and its driver; None where either is not installed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    return (chromium, driver) if chromium and driver else None


class Browser:
    """A browser with the page open, and short ways to use it.

    Args:
        url: of the page.
        downloads: where files go that the page hands over.
        programs: from `find_programs`.
    """

    def __init__(self, url: str, downloads: Path, programs: tuple[str, str]) -> None:
        options = Options()
        options.binary_location = programs[0]
        for argument in QUIET:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        self.driver = webdriver.Chrome(options=options, service=Service(programs[1]))
        self.url, self.downloads = url, downloads
        self._fetched: set[Path] = set()

    def open(self, hash_: str = "", phone: bool = False, forget: bool = True) -> None:
        """Opens the page anew; as a visitor who has never been here, unless he is to be known."""
        self.show_on(phone)
        self.driver.get("about:blank")
        if forget:
            kept = {"origin": self.url.rstrip("/"), "storageTypes": "indexeddb"}
            self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", kept)
        self.driver.get(self.url + hash_)
        self.wait("document.querySelector('#pyzzicato[data-ready]')")

    def show_on(self, phone: bool) -> None:
        """Shows the page on a phone's screen, 390 px wide, or in the window, 1280 px wide."""
        if phone:
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
        else:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def run(self, script: str, *arguments: object) -> object:
        """Returns what a script returns; `view`, `player` and `piano` are at hand in it."""
        ready = "const {stage, views} = window.pyzzicato ?? {}; const view = views?.continue;"
        ready += "const player = stage?.player, piano = stage?.piano;"
        return self.driver.execute_script(ready + script, *arguments)

    def wait(self, condition: str, seconds: float = PATIENCE_S) -> object:
        """Waits until a JavaScript expression holds, and returns its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(f"return {condition};"):
                return value
            time.sleep(0.05)
        said = self.run("return document.getElementById('words')?.textContent;")
        raise AssertionError(f"waited {seconds:g} s for {condition}; the page says {said!r}")

    def __getitem__(self, selector: str) -> WebElement:
        """Returns the element of a CSS selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector: str) -> None:
        """Clicks an element where a visitor would."""
        element = self[selector]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def put(self, selector: str, value: object) -> None:
        """Moves a control to a value, and tells the page as the browser does."""
        script = "arguments[0].value = arguments[1];"
        for event in ("input", "change"):
            script += f"arguments[0].dispatchEvent(new Event('{event}', {{bubbles: true}}));"
        self.driver.execute_script(script, self[selector], value)

    def text(self, selector: str) -> str:
        """Returns what an element says."""
        return self[selector].text

    def downloaded(self, ending: str) -> Path:
        """Returns the file with an ending that has come down whole since the last call."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            new = set(self.downloads.glob(f"*.{ending}")) - self._fetched
            if new and not list(self.downloads.glob("*.crdownload")):
                self._fetched |= new
                return max(new, key=lambda path: path.stat().st_mtime)
            time.sleep(0.05)
        raise AssertionError(f"no file with the ending .{ending} came")

    def complaints(self) -> list[str]:
        """Returns errors on the console since the last call."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE"
        ]

    def hosts(self) -> set[str]:
        """Returns the hosts that the page has asked for something since the last call."""
        found = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                told = message["params"]
                address = urlsplit(told.get("request", told)["url"])
                if address.scheme in ("http", "https", "ws", "wss"):
                    found.add(address.hostname or "")
        return found

    def screenshot(self, path: Path) -> None:
        """Writes what is in sight as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    def close(self) -> None:
        """Ends the browser."""
        self.driver.quit()


def continue_for(page: Browser, seconds: float = 5) -> None:
    """Carries the seed on for so long, and waits for all of it."""
    page.put("#seconds", seconds)
    page.click("#go")
    page.wait(MADE)


def write_takes(page: Browser) -> None:
    """Has the page keep its takes now."""
    keeper = "pyzzicato.views.continue.shelf.keeper"
    page.driver.execute_async_script(f"{keeper}.writeAll().then(arguments[0])")
