"""How many threads numpy's products may take while a model plays."""

import threading
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import (  # type: ignore[import-untyped]
    OpenBLASController,
    ThreadpoolController,
)


class _OneThread:
    """Limits numpy's products to one thread while anybody is inside.

    The limit is the process's own. Of streams that play at the same time the first to come sets it
    and the last to go lifts it: left to themselves, one would lift it while the other plays, and
    the other would then put back what it had found, the limit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._n_inside:
                self._limit = _threadpools().limit(limits=1)
            self._n_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                # Otherwise only the thread that set a limit may lift it.
                OpenBLASController.clear_controlling_thread(force=True)
                self._limit.restore_original_limits()
                OpenBLASController.clear_controlling_thread()


@cache
def _threadpools() -> Any:
    return ThreadpoolController().select(user_api="blas")


_ONE_THREAD = _OneThread()


def one_thread() -> AbstractContextManager[None]:
    """Keeps numpy's products on one thread: two gain little on a step so small, spin against any
    other load, and regroup the sums.
    """  # noqa: D205
    return _ONE_THREAD
