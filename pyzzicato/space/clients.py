"""Clients: who asks, as far as sharing goes, and how much each may have.

A client is an address in the network, known by a number that means nothing outside this process
and is forgotten with it. Nothing of a client is written anywhere.
"""

import hashlib
import ipaddress
import os
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any

from gradio.context import LocalContext

_SALT = secrets.token_bytes(16)
# As many are remembered, the latest; about a megabyte.
_MAX_CLIENTS = 10_000
_NOBODY = "nobody"


def client_of(scope: Mapping[str, Any]) -> str:
    """Returns the name of the client that a request comes from.

    Args:
        scope: of the request, as ASGI has it. On a Space the address is the last public one that
            the proxies have noted; what stands before it the client could have written itself.
    """
    address = (scope.get("client") or ("", 0))[0]
    if os.environ.get("SPACE_HOST"):
        headers = [value for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
        noted = b",".join(headers).decode("latin-1").split(",")
        public = [one for one in map(_network, noted) if one and one.is_global]
        address = str(public[-1]) if public else address
    network = _network(address)
    named = str(network or address).encode()
    return hashlib.blake2b(named, key=_SALT, digest_size=8).hexdigest()


def client_now() -> str:
    """Returns the client whose request gradio is running the callback for."""
    request = LocalContext.request.get(None)
    scope = getattr(getattr(request, "request", request), "scope", None)
    return client_of(scope) if scope else _NOBODY


class Allowance:
    """So much for each client, filled up again evenly in a stretch of time.

    Args:
        most: that a client may have at once.
        seconds: after so long an empty allowance is full again.
    """

    def __init__(self, most: float, seconds: float) -> None:
        self._most, self._rate = most, most / seconds
        self._spent: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, client: str, amount: float = 1.0) -> float:
        """Takes from a client's allowance; returns how long to wait if there is not enough left.

        Args:
            client: from `client_of`.
            amount: to take; nothing is taken if that is too much.

        Returns:
            0.0 if it was taken, seconds otherwise.
        """
        now = time.monotonic()
        with self._lock:
            spent, at = self._spent.pop(client, (0.0, now))
            spent = max(0.0, spent - (now - at) * self._rate)
            missing = spent + amount - self._most
            if missing <= 0:
                spent += amount
            # The latest stand last; the oldest is forgotten.
            self._spent[client] = (spent, now)
            if len(self._spent) > _MAX_CLIENTS:
                del self._spent[next(iter(self._spent))]
        return max(0.0, missing / self._rate)


def _network(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Returns an address as a visitor has it: of IPv6 the first half, which a household shares."""
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return ipaddress.IPv6Address(int(found) >> 64 << 64)
    return found
