"""The files of requests: a folder of its own for each, and one sweep over all of them.

They lie in gradio's own cache, so that they are served as they are and under names that cannot be
guessed: a visitor knows the address of a file only from the answer that holds it. Gradio keeps
uploads there too, and what is left of those that were cut off; the sweep knows no difference. It
goes by age and by how much there is, whichever process wrote it.
"""

import os
import stat
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from gradio.utils import get_upload_folder

KEPT_SECONDS = 3600.0
"""How long the files of a request can be fetched."""
MAX_BYTES = 2_000_000_000
"""Of all files together; the oldest go first."""
CACHE_VARIABLE = "PYZZICATO_CACHE"
"""Environment variable: the folder for what the app can make again."""
# A file that is younger is being written or read just now.
_YOUNG_S = 60.0
# So often, at most, is looked how much there is when a new folder is wanted.
_LOOK_S = 5.0

_looked_at = -_LOOK_S


def requests_folder() -> Path:
    """Returns the folder that holds the folders of all requests."""
    return Path(get_upload_folder()) / "requests"


def new_folder() -> Path:
    """Returns a new, empty folder for the files of one request."""
    global _looked_at
    if time.monotonic() - _looked_at > _LOOK_S:
        _looked_at = time.monotonic()
        sweep()
    folder = requests_folder() / uuid.uuid4().hex
    folder.mkdir(parents=True, mode=0o700)
    return folder


def sweep(kept_seconds: float = KEPT_SECONDS, max_bytes: int = MAX_BYTES) -> int:
    """Removes files that are too old, and the oldest while all have too much; returns how many.

    Folders that are empty then go too.

    Args:
        kept_seconds: how long a file is kept.
        max_bytes: how much all files may have, those of the last minute apart.
    """
    top = Path(get_upload_folder())
    files = sorted(_files(top))
    n_bytes = sum(size for _, size, _ in files)
    removed = 0
    for written, size, path in files:
        age = time.time() - written
        if age <= kept_seconds and (n_bytes <= max_bytes or age <= min(_YOUNG_S, kept_seconds)):
            break  # The others are younger.
        path.unlink(missing_ok=True)
        _remove_if_empty(path.parent, top, -1.0)
        n_bytes -= size
        removed += 1
    for folder, _, _ in os.walk(top, topdown=False):
        _remove_if_empty(Path(folder), top, kept_seconds)
    return removed


class FolderSweeper:
    """Sweeps every now and then until it is stopped.

    Args:
        kept_seconds: how long a file is kept.
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
            sweep(self._kept)


def private_folder(name: str) -> Path:
    """Returns a folder that nobody else on this machine can write to, for what can be made again.

    It lies in the user's cache (or where `CACHE_VARIABLE` says), and is the same at the next start.
    Where that cannot be written to, or is somebody else's, it is a new one.

    Args:
        name: of the folder in the app's.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get(CACHE_VARIABLE) or Path(cache) / "pyzzicato") / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            folder.chmod(0o700)
            with tempfile.TemporaryFile(dir=folder):
                return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix=f"pyzzicato-{name}-"))


def _files(top: Path) -> Iterator[tuple[float, int, Path]]:
    """Yields when each file was written, its length and path; links are not followed."""
    for folder, _, names in os.walk(top):
        for name in names:
            path = Path(folder, name)
            try:
                status = path.lstat()
            except OSError:
                continue  # Another process was quicker.
            yield status.st_mtime, status.st_size, path


def _remove_if_empty(folder: Path, top: Path, kept_seconds: float) -> None:
    """Removes an empty folder that nobody is about to write to."""
    if folder in (top, top / "requests"):
        return
    try:
        if time.time() - folder.stat().st_mtime > min(_YOUNG_S, kept_seconds):
            folder.rmdir()
    except OSError:
        pass  # It is not empty, or gone.
