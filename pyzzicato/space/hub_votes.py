"""Votes in a Hub dataset, for a Space whose own disk is wiped at each start.

On start the votes of the dataset are fetched; from then on this machine's files are copied there
once a minute and when the program ends. While the Hub cannot be reached votes are kept here, and
everything is tried again.
"""

import logging
import os
import threading
from pathlib import Path

from huggingface_hub import CommitScheduler, get_token, snapshot_download

from .votes import ELSEWHERE, FILES, VoteBook

FOLDER_VARIABLE = "PYZZICATO_VOTES"
"""Environment variable: the folder votes are kept in; `data/votes` without it."""
REPO_VARIABLE = "PYZZICATO_VOTES_REPO"
"""Environment variable: the Hub dataset they are copied to, where a token is at hand too."""
_IN_REPO = "votes"

_log = logging.getLogger(__name__)


class HubCopy:
    """Keeps a book of votes and a Hub dataset in step, in the background.

    Args:
        book: the votes.
        repo: name of the dataset; made if absent.
        token: for writing to it.
        every_minutes: how often what is new is copied there, and the Hub is tried again.
    """

    def __init__(self, book: VoteBook, repo: str, token: str, every_minutes: float = 1.0) -> None:
        self._book, self._repo, self._token = book, repo, token
        self._every = every_minutes
        self._stopped = threading.Event()
        self._scheduler: CommitScheduler | None = None
        threading.Thread(target=self._start, name="votes to the Hub", daemon=True).start()

    @property
    def connected(self) -> bool:
        """Returns whether the Hub has answered, so that its votes are here and ours go there."""
        return self._scheduler is not None

    def stop(self) -> None:
        """Copies what is new for a last time, and ends.

        Raises:
            OSError: if the Hub cannot be reached; the votes are still on this disk.
        """
        self._stopped.set()
        if self._scheduler is not None:
            self._scheduler.trigger().result()
            self._scheduler.stop()

    def _start(self) -> None:
        """Tries until the Hub answers; whatever goes wrong there must not end the trying."""
        while not self._stopped.is_set():
            try:
                self._fetch_and_schedule()
                return
            except Exception as error:
                _log.warning("votes stay on this disk, the Hub does not take them: %s", error)
                self._stopped.wait(self._every * 60)

    def _fetch_and_schedule(self) -> None:
        scheduler = CommitScheduler(
            repo_id=self._repo,
            repo_type="dataset",
            folder_path=self._book.folder,
            path_in_repo=_IN_REPO,
            allow_patterns=FILES,
            every=self._every,
            token=self._token,
        )
        try:
            snapshot_download(
                self._repo,
                repo_type="dataset",
                allow_patterns=f"{_IN_REPO}/{FILES}",
                local_dir=self._book.folder / ELSEWHERE,
                token=self._token,
            )
        except BaseException:
            scheduler.stop()
            raise
        self._scheduler = scheduler


def open_book() -> tuple[VoteBook, HubCopy | None]:
    """Returns the book of votes that the environment asks for, and what copies it to the Hub.

    Raises:
        ValueError: if the folder cannot be made.
    """
    book = VoteBook(Path(os.environ.get(FOLDER_VARIABLE) or "data/votes"))
    repo, token = os.environ.get(REPO_VARIABLE), get_token()
    return book, HubCopy(book, repo, token) if repo and token else None
