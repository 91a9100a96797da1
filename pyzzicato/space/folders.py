"""A folder of its own for each request, removed after an hour.

The folders lie in gradio's own cache, so that their files are served as they are and under names
that cannot be guessed: a visitor knows the address of a file only from the answer that holds it.
"""

import shutil
import threading
import time
import uuid
from pathlib import Path

from gradio.utils import get_upload_folder

KEPT_SECONDS = 3600.0
"""How long the files of a request can be fetched."""


def requests_folder() -> Path:
    """Returns the folder that holds the folders of all requests."""
    return Path(get_upload_folder()) / "requests"


def new_folder() -> Path:
    """Returns a new, empty folder for the files of one request."""
    folder = requests_folder() / uuid.uuid4().hex
    folder.mkdir(parents=True, mode=0o700)
    return folder


def remove_old_folders(kept_seconds: float = KEPT_SECONDS) -> int:
    """Removes the folders that have not been written to for `kept_seconds`; returns how many."""
    parent = requests_folder()
    removed = 0
    for folder in parent.iterdir() if parent.is_dir() else ():
        try:
            old = time.time() - folder.stat().st_mtime > kept_seconds
        except FileNotFoundError:
            continue  # Another process was quicker.
        if old:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


class FolderSweeper:
    """Removes old folders every now and then until it is stopped.

    Args:
        kept_seconds: how long a folder is kept.
        every_seconds: how long to wait between two rounds.
    """

    def __init__(self, kept_seconds: float = KEPT_SECONDS, every_seconds: float = 300.0) -> None:
        self._kept, self._every = kept_seconds, every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder sweeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the sweeping; no round is under way any more when this returns."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            remove_old_folders(self._kept)
