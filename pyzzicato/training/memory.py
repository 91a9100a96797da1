"""Memory of updates stays with the process from one to the next."""

import ctypes
import sys

# Numbers of glibc's malloc.h, and how much free memory is kept at most, 2 GB.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_KEPT = 2**31 - 1
_AHEAD = 1 << 28


def keep_freed_memory() -> bool:
    """Keeps what is freed for what is needed next, and returns whether that can be asked for.

    glibc gives large blocks back to the system as soon as they are free, and an update takes and
    frees hundreds of them: making their pages anew took two fifths of its time. Only glibc is asked
    (mallopt(3)); elsewhere nothing changes.
    """
    if sys.platform != "linux":
        return False
    ask = getattr(ctypes.CDLL(None), "mallopt", None)
    wishes = {_MMAP_MAX: 0, _TRIM_THRESHOLD: _KEPT, _TOP_PAD: _AHEAD}
    return ask is not None and all(ask(name, value) == 1 for name, value in wishes.items())
