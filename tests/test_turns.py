"""Turns: who comes first, what rests, what ends."""

import asyncio
import threading
import time

import pytest

from pyzzicato.space import turns
from pyzzicato.space.turns import (
    ASKER,
    Asker,
    Mailbox,
    SentAwayError,
    StoppedError,
    Turns,
    check_now,
    in_turns,
    last_in_turns,
)


@pytest.fixture(autouse=True)
def one_step_a_turn(monkeypatch):
    """Has each step wait for its turn, so that turns can be counted by what was made."""
    monkeypatch.setattr(turns, "SLICE_S", 0)


def steps(n, seconds=0.01, made=None, name=""):
    """Yields 0 to n - 1, each after a while; notes its name in `made`, and when it ends."""
    try:
        for i in range(n):
            time.sleep(seconds)
            if made is not None:
                made.append(name)
            yield i
    finally:
        if made is not None:
            made.append(f"{name} ended")


async def run(work, taken, client="", box=None, needs_s=0.0):
    """Returns all that the work yields, done for a client."""
    asker = Asker(client, box)
    ASKER.set(asker)
    async with in_turns(work, taken, needs_s) as parts:
        return [part async for part in parts]


def test_work_yields_what_its_steps_yield_in_order():
    assert asyncio.run(run(steps(5), Turns(1))) == [0, 1, 2, 3, 4]

    async def last():
        return await last_in_turns(steps(3), Turns(1))

    assert asyncio.run(last()) == 2


def test_a_newcomer_does_not_wait_for_long_work_to_end():
    made = []

    async def crowd():
        taken = Turns(1)
        long = [
            asyncio.create_task(run(steps(60, made=made, name=str(i)), taken, str(i)))
            for i in range(4)
        ]
        await asyncio.sleep(0.4)
        before = len(made)
        await run(steps(5, made=made, name="new"), taken, "new")
        waited = len(made) - before
        for task in long:
            task.cancel()
        await asyncio.gather(*long, return_exceptions=True)
        return waited

    # Its five steps, and not many of the 200 that the others have left.
    assert asyncio.run(crowd()) <= 12


def test_clients_share_alike_however_much_each_asks_for():
    made = []

    async def crowd():
        taken = Turns(1)
        greedy = [run(steps(30, made=made, name="greedy"), taken, "greedy") for _ in range(9)]
        modest = run(steps(30, made=made, name="modest"), taken, "modest")
        everyone = [asyncio.create_task(work) for work in (*greedy, modest)]
        await asyncio.wait(everyone[-1:])
        for task in everyone:
            task.cancel()
        await asyncio.gather(*everyone, return_exceptions=True)

    asyncio.run(crowd())
    end = made.index("modest ended")
    assert made[:end].count("modest") == 30
    assert made[:end].count("greedy") <= 45


def test_a_turn_lasts_as_many_steps_as_fit_into_it(monkeypatch):
    monkeypatch.setattr(turns, "SLICE_S", 0.1)
    made = []

    async def crowd():
        taken = Turns(1)
        work = [run(steps(n, 0.001, made, name), taken, name) for n, name in ((5, "a"), (400, "b"))]
        return await asyncio.gather(*work)

    short, long = asyncio.run(crowd())
    assert (short, long) == (list(range(5)), list(range(400)))
    # The short one is made in one turn, and the long one waits for it at most once.
    assert made.index("a ended") - made.index("a") == 5


def test_what_was_made_before_a_fault_is_handed_over(monkeypatch):
    monkeypatch.setattr(turns, "SLICE_S", 10)

    def broken():
        yield 1
        yield 2
        raise ValueError("seven is too many")

    got = []

    async def listen():
        ASKER.set(Asker(""))
        async with in_turns(broken(), Turns(1)) as parts:
            async for part in parts:
                got.append(part)

    with pytest.raises(ValueError, match="seven is too many"):
        asyncio.run(listen())
    assert got == [1, 2]


def test_what_needs_little_comes_before_what_needs_much_among_newcomers():
    made = []

    async def crowd():
        taken = Turns(1)
        long = [
            asyncio.create_task(run(steps(40, made=made, name="long"), taken, str(i), None, 12.0))
            for i in range(20)
        ]
        await asyncio.sleep(0.05)
        before = len(made)
        await run(steps(7, made=made, name="short"), taken, "new", None, 0.1)
        waited = len(made) - before
        for task in long:
            task.cancel()
        await asyncio.gather(*long, return_exceptions=True)
        return waited

    # Its own seven and its end, and one of another before each; 20 others had had nothing yet.
    assert asyncio.run(crowd()) <= 16


def test_what_needs_much_gets_a_turn_though_there_is_always_something_shorter():
    async def crowd():
        taken, done = Turns(1), []

        async def many():
            for i in range(1000):
                await run(steps(1), taken, f"short {i}")

        others = [asyncio.create_task(many()) for _ in range(3)]
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await run(steps(2, made=done, name="long"), taken, "long", None, 0.05)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        return time.monotonic() - began

    # Two turns, each after it has waited for ten times as long as it needs.
    assert asyncio.run(asyncio.wait_for(crowd(), 20)) < 10


def test_a_client_is_charged_by_the_clock_of_the_turns_and_it_fades(monkeypatch):
    taken = Turns(1, time.thread_time)
    done, spent_s = taken.charge("a", lambda: sum(range(300_000)))
    assert done == sum(range(300_000))
    assert 0 < spent_s < 5
    assert taken.used_s("a") == pytest.approx(spent_s, rel=0.2)
    # Whoever waits for something else is not charged for it.
    assert taken.charge("b", lambda: time.sleep(0.3))[1] < 0.1
    later = time.monotonic() + turns._HALF_LIFE_S
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert taken.used_s("a") == pytest.approx(spent_s / 2, rel=0.2)


def test_whoever_had_least_is_forgotten_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(turns, "_MAX_CLIENTS", 3)
    taken = Turns(1)
    for client, seconds in (("a", 0.03), ("b", 0.0), ("c", 0.03), ("d", 0.03)):
        taken.charge(client, lambda seconds=seconds: time.sleep(seconds))
    assert set(taken._used) == {"a", "c", "d"}


def test_no_more_steps_at_a_time_than_there_are_turns():
    running, most, lock = 0, 0, threading.Lock()

    def counted():
        nonlocal running, most
        for _ in range(5):
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with lock:
                running -= 1
            yield 0

    async def crowd():
        taken = Turns(2)
        await asyncio.gather(*(run(counted(), taken, str(i)) for i in range(6)))

    asyncio.run(crowd())
    assert most == 2


def test_work_that_is_sent_away_does_not_wait_for_its_turn():
    asker = Asker("a")

    async def crowd():
        taken = Turns(1)
        async with taken.turn("b"):
            ASKER.set(asker)
            waiting = asyncio.create_task(last_in_turns(steps(3), taken))
            await asyncio.sleep(0.05)
            asker.sent_away = "busy"
            with pytest.raises(SentAwayError, match="busy"):
                await asyncio.wait_for(waiting, 5)
        # The turn that nobody waited for is free.
        async with asyncio.timeout(1), taken.turn("c"):
            return True

    assert asyncio.run(crowd())


def test_work_ends_with_the_task_that_waits_for_it_and_gives_its_turn_back():
    made = []

    async def crowd():
        taken = Turns(1)
        tasks = [asyncio.create_task(run(steps(1000, made=made, name=n), taken, n)) for n in "abc"]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return await asyncio.wait_for(run(steps(2), taken), 5)

    assert asyncio.run(crowd()) == [0, 1]
    assert [f"{n} ended" in made or n not in made for n in "abc"] == [True] * 3


def test_work_rests_while_nobody_listens_and_ends_after_a_while(monkeypatch):
    monkeypatch.setattr(turns, "RESTS_AFTER_S", 0.2)
    monkeypatch.setattr(turns, "ENDS_AFTER_S", 1.0)
    made = []

    async def unheard():
        with pytest.raises(StoppedError):
            await run(steps(1000, made=made, name="unheard"), Turns(1), box=Mailbox(""))

    asyncio.run(unheard())
    assert 3 < made.count("unheard") < 50
    assert made[-1] == "unheard ended"


def test_work_goes_on_for_a_listener_and_rests_when_much_is_unread(monkeypatch):
    monkeypatch.setattr(turns, "RESTS_AFTER_S", 0.2)
    made = []

    async def heard():
        box = Mailbox("")

        async def listen():
            while True:
                await box.get()

        async def work():
            asker = Asker("", box)
            ASKER.set(asker)
            async with in_turns(steps(60, made=made, name="made"), Turns(1)) as parts:
                async for part in parts:
                    box.put_nowait(part)

        listening, working = asyncio.create_task(listen()), asyncio.create_task(work())
        await asyncio.wait_for(working, 20)
        listening.cancel()
        again = asyncio.create_task(work())
        await asyncio.sleep(0.15)
        for i in range(turns.MAX_UNREAD + 1):
            box.put_nowait(i)
        n = len(made)
        await asyncio.sleep(0.5)
        again.cancel()
        return len(made) - n

    assert asyncio.run(heard()) <= 2
    assert made.count("made") >= 60


def test_who_is_sent_away_learns_why():
    async def work():
        asker = Asker("")
        ASKER.set(asker)
        with pytest.raises(SentAwayError, match="too much to do"):
            async with in_turns(steps(100), Turns(1)) as parts:
                async for part in parts:
                    if part == 2:
                        asker.sent_away = "there is too much to do"

    asyncio.run(work())


def test_a_long_step_ends_with_the_task_that_waits_for_it():
    ended = threading.Event()

    def long():
        try:
            while True:
                time.sleep(0.01)
                check_now()
        finally:
            ended.set()
        yield "not reached"

    async def leave():
        waiting = asyncio.create_task(run(long(), Turns(1)))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 5)

    asyncio.run(leave())
    assert ended.is_set()


def test_a_long_step_learns_that_nobody_waits():
    def long():
        asker = ASKER.get()
        asker.is_there = lambda: False
        check_now()
        yield "not reached"

    with pytest.raises(StoppedError):
        asyncio.run(run(long(), Turns(1)))
    check_now()  # Outside of any work nothing happens.
