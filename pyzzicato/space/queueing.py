"""Gradio's queue, with bounds on what is held for whom.

Gradio begins what it is asked for in the order of asking, and keeps answers for ever. Here
everything begins at once and waits for its turns (see `turns`); what is bounded is how many pieces
of work there are at a time, and how many answers wait unread. Where there are too many, the client
who has most of them gives way.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from gradio.queueing import Event, Queue

from .clients import client_of
from .turns import ENDS_AFTER_S, PLAYING, RENDERING, Asker, Mailbox

MAX_WORKS = 40
"""Pieces of work that may be under way or waiting; one more is refused: the server is busy."""
MAX_POSTED_BYTES = 16_000_000
"""Of all pieces of work together; as Python's objects posted notes take seven times as much."""
MORE_USED_S = 0.1
"""Seconds of the machine, as some seconds of music take, that make one client come after another
who has as much under way."""
FEW_WORKS = 8
"""Where there are more pieces of work, those that nobody listens to are given up for others."""
MAX_UNREAD_BOXES = 100
"""Finished calls whose answers nobody has fetched yet."""
MAX_STARTED = 200
"""Calls of any kind at the same time."""
BUSY = f"busy: {MAX_WORKS} requests are waiting already; try again in a minute"
SHARED = {"playing", "rendering"}
"""Kinds of work (gradio's `concurrency_id`) that are counted."""


def posted_bytes(request: Any) -> int:
    """Returns how long the body of a request says that it is."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


class FairQueue(Queue):
    """Gradio's queue with fair bounds.

    Args:
        options: of `gradio.queueing.Queue`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Gradio looks for work a thousand times a second otherwise.
        self.sleep_when_free = 0.01
        self.ANALYTICS_MAX_EVENTS = 1
        self._askers: dict[str, Asker] = {}
        self.visitors: set[Asker] = set()
        """Askers who wait for work without an event of gradio's."""

    async def push(self, body: Any, request: Any, username: Any) -> Any:
        """Returns what gradio's own method returns: whether the call was taken, its id, and why."""
        fn = self.blocks.fns.get(body.fn_index)
        if fn is None:
            return False, "there is no such endpoint; see /gradio_api/info", "error"
        client = client_of(request.scope)
        self.forget_unread()
        n_bytes = posted_bytes(request)
        is_full = len(self.event_ids_to_events) >= MAX_STARTED
        if is_full or (fn.concurrency_id in SHARED and not self.make_room(client, n_bytes)):
            return False, BUSY, "queue_full"
        if body.session_hash is None:
            # Gradio would name the session after the call, and make a box of its own kind for it.
            body.session_hash = uuid.uuid4().hex
        boxes: dict[str, Any] = self.pending_messages_per_session
        box = boxes.setdefault(body.session_hash, Mailbox(client))
        pushed = await super().push(body, request, username)
        event = self.event_ids_to_events.get(str(pushed[1])) if pushed[0] else None
        if event is not None:
            self._askers[event._id] = Asker(client, box, lambda: bool(event.alive), n_bytes)
        return pushed

    def asker_of(self, event_id: str) -> Asker | None:
        """Returns who waits for an event."""
        return self._askers.get(event_id)

    def make_room(self, client: str, n_bytes: int = 0) -> bool:
        """Returns whether one more piece of work may begin for a client.

        Where there are too many, the newest one of whoever has most is sent away, if that is more
        than the client would have; and so where too much was posted for them.

        Args:
            client: see `clients.client_of`.
            n_bytes: how much was posted for it.
        """
        works = [*self._shared_askers(), *self.visitors]
        works = [asker for asker in works if not asker.sent_away and asker.is_there()]
        for asker in works if len(works) >= FEW_WORKS else ():
            if asker.may_be_given_up:
                asker.sent_away = BUSY
        has_room = _send_away(works, client, lambda _: 1, 1, MAX_WORKS)
        works = [asker for asker in works if not asker.sent_away]
        return has_room and _send_away(
            works, client, lambda asker: asker.n_bytes, n_bytes, MAX_POSTED_BYTES
        )

    def forget_unread(self) -> None:
        """Forgets answers that nobody fetches: after a while, or the oldest where many wait."""
        live = {event.session_hash for event in self.event_ids_to_events.values()}
        boxes: dict[str, Any] = self.pending_messages_per_session
        idle = {name: box for name, box in boxes.items() if name not in live and box.unread_s > 0}
        crowd = sorted(idle, key=lambda name: -idle[name].unread_s)
        gone = [name for name in crowd if idle[name].unread_s > ENDS_AFTER_S]
        crowd = crowd[len(gone) :]
        while len(crowd) > MAX_UNREAD_BOXES:
            shares = Counter(idle[name].client for name in crowd)
            greediest = shares.most_common(1)[0][0]
            gone.append(next(name for name in crowd if idle[name].client == greediest))
            crowd.remove(gone[-1])
        for name in gone:
            boxes.pop(name, None)
            self.pending_event_ids_session.pop(name, None)
        started = self.event_ids_to_events
        self._askers = {name: asker for name, asker in self._askers.items() if name in started}
        sessions = self.pending_event_ids_session
        for name in [name for name in sessions if name not in boxes and name not in live]:
            del sessions[name]

    def compute_analytics_summary(self, records: Any) -> Any:
        """Returns nothing: nobody looks at gradio's statistics, and they cost time at each call."""
        return {}

    def _shared_askers(self) -> Iterable[Asker]:
        events: dict[str, Event] = self.event_ids_to_events
        for name, asker in self._askers.items():
            event = events.get(name)
            if event is not None and event.concurrency_id in SHARED:
                yield asker


def _send_away(
    works: list[Asker], client: str, size: Callable[[Asker], int], more: int, most: int
) -> bool:
    """Returns whether so much more of a client fits, when others have been sent away for it.

    Whoever has most goes first; of those who have as much as the client would have, whoever has had
    more of the machine lately, so that many who have one piece each do not keep a newcomer out.

    Args:
        works: of all clients, the newest last.
        client: who asks.
        size: how much of what is bounded a piece of work takes.
        more: how much the new one takes.
        most: how much there may be.
    """
    left = list(works)
    while sum(map(size, left)) + more > most:
        shares: Counter[str] = Counter()
        for asker in left:
            shares[asker.client] += size(asker)
        greediest = max(shares, key=lambda name: (shares[name], _used_s(name)))
        excess = shares[greediest] - shares[client] - more
        if excess < 0 or (excess == 0 and _used_s(greediest) < _used_s(client) + MORE_USED_S):
            return False
        gone = next(a for a in reversed(left) if a.client == greediest and size(a))
        gone.sent_away = BUSY
        left.remove(gone)
    return True


def _used_s(client: str) -> float:
    return PLAYING.used_s(client) + RENDERING.used_s(client)
