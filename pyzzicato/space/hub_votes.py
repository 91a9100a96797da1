"""Votes in a Hub dataset, for a Space whose own disk is wiped at each start.

On start the votes of the dataset are fetched; from then on what is new here is copied there once a
minute and when the program ends. While the Hub cannot be reached votes are kept here, and
everything is tried again.
"""

import atexit
import logging
import os
import threading
from pathlib import Path

from huggingface_hub import HfApi, get_token, snapshot_download

from .vote_book import ELSEWHERE, FILES, VoteBook

FOLDER_VARIABLE = "PYZZICATO_VOTES"
"""Environment variable: the folder votes are kept in; `data/votes` without it."""
REPO_VARIABLE = "PYZZICATO_VOTES_REPO"
"""Environment variable: the Hub dataset they are copied to, where a token is at hand too."""
_IN_REPO = "votes"

_log = logging.getLogger(__name__)


class HubCopy:
    """Keeps a book of votes and a Hub dataset in step, in the background.

    Args:
        book: the votes, in a folder.
        repo: name of the dataset; made if absent.
        token: for writing to it.
        every_minutes: how often what is new is copied there, and the Hub is tried again.
    """

    def __init__(self, book: VoteBook, repo: str, token: str, every_minutes: float = 1.0) -> None:
        self._book, self._repo, self._token = book, repo, token
        self._every = every_minutes
        self._api = HfApi(token=token)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._there: dict[str, int] | None = None
        self._thread = threading.Thread(target=self._run, name="votes to the Hub", daemon=True)
        self._thread.start()
        atexit.register(self._copy_at_exit)

    @property
    def connected(self) -> bool:
        """Returns whether the Hub has answered, so that its votes are here and ours go there."""
        return self._there is not None

    def stop(self) -> None:
        """Copies what is new for a last time, and ends.

        Raises:
            OSError: if the Hub cannot be reached; the votes are still on this disk.
        """
        self._stopped.set()
        atexit.unregister(self._copy_at_exit)
        if self.connected:
            self._copy()

    def _copy_at_exit(self) -> None:
        try:
            self.stop()
        except Exception as error:
            _log.warning("the last votes are on this disk only: %s", error)

    def _run(self) -> None:
        """Tries until the Hub answers; whatever goes wrong there must not end the trying."""
        while not self._stopped.is_set():
            try:
                if not self.connected:
                    self._fetch()
                self._copy()
            except Exception as error:
                _log.warning("votes stay on this disk, the Hub does not take them: %s", error)
            self._stopped.wait(self._every * 60)

    def _fetch(self) -> None:
        """Takes in the votes of the dataset, and learns how many of each process are there."""
        assert self._book.folder is not None
        self._api.create_repo(self._repo, repo_type="dataset", exist_ok=True)
        folder = self._book.folder / ELSEWHERE
        snapshot_download(
            self._repo,
            repo_type="dataset",
            allow_patterns=f"{_IN_REPO}/{FILES}",
            local_dir=folder,
            token=self._token,
        )
        self._book.take_in_files()
        found = folder.rglob(FILES)
        self._there = {path.stem: len(path.read_bytes().splitlines()) for path in found}

    def _copy(self) -> None:
        """Copies the votes of each process that has more of them here than there."""
        with self._lock:
            there = self._there if self._there is not None else {}
            for origin, n in self._book.count_by_origin().items():
                if n <= there.get(origin, 0):
                    continue
                lines = self._book.lines_of(origin)
                self._api.upload_file(
                    path_or_fileobj="".join(f"{line}\n" for line in lines).encode(),
                    path_in_repo=f"{_IN_REPO}/{origin}.jsonl",
                    repo_id=self._repo,
                    repo_type="dataset",
                    commit_message=f"{len(lines)} votes",
                )
                there[origin] = len(lines)


def open_book() -> tuple[VoteBook, HubCopy | None]:
    """Returns the book of votes that the environment asks for, and what copies it to the Hub.

    Where its folder cannot be written to, the book takes no votes, and says so.
    """
    try:
        book = VoteBook(Path(os.environ.get(FOLDER_VARIABLE) or "data/votes"))
    except ValueError as error:
        _log.warning("votes are off: %s", error)
        return VoteBook(None), None
    repo, token = os.environ.get(REPO_VARIABLE), get_token()
    return book, HubCopy(book, repo, token) if repo and token else None
