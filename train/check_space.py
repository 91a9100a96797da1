"""Prove that what the Space is given is enough: install it alone, start it, ask it to play.

    python train/check_space.py                   # a new virtual environment; some minutes
    python train/check_space.py --python python3.12
    python train/check_space.py --here            # with the packages of this environment; seconds

Nothing of this copy of the project is in reach of the app that is started, and no cache of the Hub.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio_client import Client

from pyzzicato.midi import read_midi
from pyzzicato.publishing.space_repo import APP, build_space_repo
from pyzzicato.seeds import list_seeds

REPO = "me/pyzzicato"
SECONDS = 5


@dataclass(frozen=True)
class CheckConfig:
    """How to check: with a new environment of which Python, or with this one."""

    here: bool = False
    python: str = sys.executable


def main(config: CheckConfig) -> int:
    """Returns the number of notes of a continuation that the uploaded set played by itself."""
    with tempfile.TemporaryDirectory(prefix="pyzzicato-space-") as place:
        space = Path(place) / "space"
        paths = build_space_repo(REPO, space)
        size = sum((space / path).stat().st_size for path in paths)
        print(f"{len(paths)} files, {size / 1e6:.1f} MB")
        python = sys.executable if config.here else install(space, Path(place), config.python)
        environment = alone(Path(place))
        check_package(python, space, environment)
        with started(python, space, environment) as url:
            n_notes = play(url)
    print(f"the page started and carried a seed on by {n_notes} notes")
    return n_notes


def install(space: Path, place: Path, python: str) -> str:
    """Returns the Python of a new environment with what the Space asks for, and no more."""
    began = time.monotonic()
    if python == sys.executable:
        venv.create(place / "venv", with_pip=True)
    else:
        subprocess.run([python, "-m", "venv", place / "venv"], check=True)
    made = str(place / "venv" / "bin" / "python")
    pip = [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", space / "requirements.txt"], check=True)
    print(f"installed in {time.monotonic() - began:.0f} s")
    return made


def alone(place: Path) -> dict[str, str]:
    """Returns an environment in which neither this project nor a cache of the Hub is found."""
    home = place / "home"
    home.mkdir()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HF_", "PYZZICATO"))}
    return {**kept, "HOME": str(home), "HF_HOME": str(home / "hf"), "HF_HUB_OFFLINE": "1"}


def check_package(python: str, space: Path, environment: dict[str, str]) -> None:
    """Raises ValueError unless the package that is imported is the uploaded one."""
    ran = subprocess.run(
        [python, "-c", "import pyzzicato; print(pyzzicato.__file__)"],
        cwd=space,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    if not Path(ran.stdout.strip()).is_relative_to(space):
        raise ValueError(f"the app must import the package beside it, got {ran.stdout.strip()}")


@contextmanager
def started(python: str, space: Path, environment: dict[str, str]) -> Iterator[str]:
    """Yields the address of the app while it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = space.parent / "log.txt"
    settings = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    with log.open("w") as output:
        app = subprocess.Popen(
            [python, APP], cwd=space, env=environment | settings, stdout=output, stderr=output
        )
        try:
            wait_for(port, app, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            app.terminate()
            try:
                app.wait(20)
            except subprocess.TimeoutExpired:
                app.kill()
                app.wait()


def wait_for(port: int, app: subprocess.Popen[bytes], log: Path, seconds: float = 300) -> None:
    """Returns once somebody listens; raises ValueError with the app's last words if it ends."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and app.poll() is None:
        with socket.socket() as visitor:
            if visitor.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise ValueError(f"the page did not start:\n{log.read_text()[-3000:]}")


def play(url: str) -> int:
    """Returns the number of notes that the page's API played, seed and all."""
    client = Client(url, verbose=False)
    answer = client.predict(list_seeds()[0].name, seconds=SECONDS, api_name="/continue")
    for value in flat(answer):
        if isinstance(value, str) and value.endswith(".mid"):
            return len(read_midi(value).notes)
    raise ValueError(f"/continue must return a MIDI file, got {answer!r}")


def flat(value: Any) -> Iterator[Any]:
    """Yields the values in nested lists and tables."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from flat(part)
    else:
        yield value


def parse_args() -> CheckConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--here", action="store_true", help="make no new environment")
    parser.add_argument("--python", default=sys.executable, help="Python of the new environment")
    return CheckConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except (ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
