"""The queue: bounds on work and on answers that nobody reads, shared fairly."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from pyzzicato.space import queueing
from pyzzicato.space.queueing import BUSY, MAX_POSTED_BYTES, MAX_UNREAD_BOXES, MAX_WORKS, FairQueue
from pyzzicato.space.turns import ENDS_AFTER_S, GIVEN_UP_AFTER_S, RESTS_AFTER_S, Asker, Mailbox


@pytest.fixture
def queue():
    """Returns a queue of a page that is not served."""
    made = FairQueue(
        live_updates=True,
        concurrency_count=10,
        update_intervals=1,
        max_size=None,
        blocks=SimpleNamespace(fns={}),
        default_concurrency_limit=4,
    )
    return made


def work(queue, client, box=None, n_bytes=0):
    """Adds a piece of work of a client, as gradio's events do."""
    asker = Asker(client, box, n_bytes=n_bytes)
    name = f"{client}{len(queue._askers)}"
    event = SimpleNamespace(_id=name, session_hash=name, concurrency_id="playing", alive=True)
    queue.event_ids_to_events[name], queue._askers[name] = event, asker
    return asker


def unheard(seconds, client="a"):
    box = Mailbox(client)
    box._listened_at = time.monotonic() - seconds
    return box


def test_whoever_has_most_gives_way_when_there_is_too_much(queue):
    greedy = [work(queue, "greedy") for _ in range(MAX_WORKS - 5)]
    others = [work(queue, f"client {i}") for i in range(5)]
    assert not queue.make_room("greedy")
    assert queue.make_room("new")
    assert [asker.sent_away for asker in greedy] == [""] * (len(greedy) - 1) + [BUSY]
    assert not any(asker.sent_away for asker in others)


def test_whoever_has_posted_most_gives_way_when_it_is_too_much(queue):
    large = MAX_POSTED_BYTES // 4
    greedy = [work(queue, "greedy", n_bytes=n) for n in (large, large, 10, large)]
    other = work(queue, "other", n_bytes=large // 2 - 10)
    assert queue.make_room("new", large // 2)
    assert not any(asker.sent_away for asker in greedy)
    assert not queue.make_room("greedy", large)
    assert queue.make_room("new", large)
    # The newest of what is large: what is small would not help.
    assert [bool(asker.sent_away) for asker in greedy] == [False, False, False, True]
    assert not other.sent_away
    assert queue.make_room("greedy", 0)


def test_where_all_have_alike_the_newcomer_is_refused(queue):
    for i in range(MAX_WORKS):
        work(queue, f"client {i}")
    assert not queue.make_room("new")
    queue._askers["client 00"].is_there = lambda: False
    assert queue.make_room("new")


def test_where_all_have_alike_a_newcomer_comes_before_those_who_have_had_much(queue, monkeypatch):
    used = {"client 3": 9.0, "client 5": 4.0, "again": 3.95}
    monkeypatch.setattr(queueing, "_used_s", lambda name: used.get(name, 0.0))
    for i in range(MAX_WORKS):
        work(queue, f"client {i}")
    assert queue.make_room("new")
    assert [a.client for a in queue._askers.values() if a.sent_away] == ["client 3"]
    work(queue, "new")
    assert not queue.make_room("again")


def test_visitors_without_events_count_too(queue):
    queue.visitors |= {Asker("assistant") for _ in range(MAX_WORKS)}
    assert not queue.make_room("assistant")
    assert queue.make_room("new")
    assert sum(bool(asker.sent_away) for asker in queue.visitors) == 1


def test_work_that_nobody_listens_to_is_given_up_where_others_want_to_begin(queue):
    resting = work(queue, "a", unheard(GIVEN_UP_AFTER_S + 1))
    assert queue.make_room("b")
    assert not resting.sent_away
    # Late, and perhaps only because the server is.
    late = unheard(RESTS_AFTER_S + 1)
    others = [work(queue, "a", late) for _ in range(queueing.FEW_WORKS)]
    assert queue.make_room("b")
    assert resting.sent_away
    assert not any(asker.sent_away for asker in others)


def test_answers_that_nobody_fetches_are_forgotten(queue):
    boxes = queue.pending_messages_per_session
    boxes |= {"old": unheard(ENDS_AFTER_S + 1), "young": unheard(1)}
    queue.pending_event_ids_session |= {"old": {"x"}, "young": {"y"}, "gone long ago": {"z"}}
    queue.forget_unread()
    assert set(boxes) == {"young"}
    assert set(queue.pending_event_ids_session) == {"young"}


def test_the_oldest_answers_of_whoever_has_most_go_first(queue):
    boxes = queue.pending_messages_per_session
    for i in range(MAX_UNREAD_BOXES):
        boxes[f"greedy {i}"] = unheard(20 - i / 10, "greedy")
    for i in range(10):
        boxes[f"modest {i}"] = unheard(25, f"modest {i}")
    queue.forget_unread()
    assert len(boxes) == MAX_UNREAD_BOXES
    assert [name for name in boxes if name.startswith("greedy")][0] == "greedy 10"
    assert sum(name.startswith("modest") for name in boxes) == 10


def test_what_is_listened_to_or_under_way_is_kept(queue):
    async def listen():
        box = Mailbox("a")
        waiting = asyncio.create_task(box.get())
        await asyncio.sleep(0)
        box._listened_at = 0
        queue.pending_messages_per_session["heard"] = box
        asker = work(queue, "a", unheard(1000))
        queue.pending_messages_per_session["a0"] = asker.mailbox
        queue.forget_unread()
        waiting.cancel()

    asyncio.run(listen())
    assert set(queue.pending_messages_per_session) == {"heard", "a0"}
    assert queue.asker_of("a0") is not None
    del queue.event_ids_to_events["a0"]
    queue.forget_unread()
    assert queue.asker_of("a0") is None


def test_a_call_to_nothing_is_refused(queue):
    body = SimpleNamespace(fn_index=99, session_hash=None)
    taken, answer, why = asyncio.run(queue.push(body, None, None))
    assert not taken
    assert "there is no such endpoint" in answer
    assert why == "error"
