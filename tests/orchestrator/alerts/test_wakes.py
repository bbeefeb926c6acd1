"""A storm of alerts wakes whoever looks a few times, and never too early."""

from __future__ import annotations

import asyncio
import json
import uuid
from base64 import b64decode

import pytest

from core import clients
from core.errors import UpstreamUnavailable
from core.settings import Settings
from orchestrator.alerts import wakes
from orchestrator.alerts.wakes import FewerWakes, Shared, StorageWake


class Calls:
    """Calls that last until they are let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = asyncio.Semaphore(0)
        self.failing = False

    async def __call__(self, name: str) -> None:
        self.begun.append(name)
        await self.go.acquire()
        if self.failing:
            raise UpstreamUnavailable("down")

    def end(self, number: int = 10) -> None:
        for _ in range(number):
            self.go.release()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_those_who_come_while_a_call_runs_share_the_next_one() -> None:
    calls = Calls()
    shared = Shared(calls)
    first = asyncio.create_task(shared.done("a"))
    await settle()
    others = [asyncio.create_task(shared.done("a")) for _ in range(20)]
    await settle()
    assert calls.begun == ["a"]
    calls.end()
    await asyncio.gather(first, *others)
    assert calls.begun == ["a", "a"]


async def test_those_who_come_together_share_one_call() -> None:
    calls = Calls()
    calls.end()
    shared = Shared(calls)
    await asyncio.gather(*(shared.done("a") for _ in range(20)))
    assert calls.begun == ["a"]


async def test_nobody_is_served_by_a_call_that_began_before_it_asked() -> None:
    calls = Calls()
    shared = Shared(calls)
    first = asyncio.create_task(shared.done("a"))
    await settle()
    late = asyncio.create_task(shared.done("a"))
    await settle()
    calls.end(1)
    await settle()
    assert calls.begun == ["a", "a"]
    later = asyncio.create_task(shared.done("a"))
    await settle()
    calls.end(1)
    await settle()
    assert (late.done(), later.done()) == (True, False)
    calls.end()
    await asyncio.gather(first, later)
    assert calls.begun == ["a", "a", "a"]


async def test_different_names_do_not_wait_for_each_other() -> None:
    calls = Calls()
    shared = Shared(calls)
    tasks = [asyncio.create_task(shared.done(name)) for name in "abc"]
    await settle()
    assert calls.begun == ["a", "b", "c"]
    calls.end()
    await asyncio.gather(*tasks)


async def test_a_failed_call_is_told_to_those_it_was_for_and_the_next_is_tried() -> None:
    calls = Calls()
    calls.failing = True
    shared = Shared(calls)
    first, second = (asyncio.create_task(shared.done("a")) for _ in range(2))
    await settle()
    calls.end()
    assert all(isinstance(e, UpstreamUnavailable) for e in await asyncio.gather(first, second, return_exceptions=True))
    calls.failing = False
    await shared.done("a")
    assert len(calls.begun) == 2


async def test_a_caller_that_hangs_up_takes_nobody_elses_call_away() -> None:
    calls = Calls()
    shared = Shared(calls)
    first = asyncio.create_task(shared.done("a"))
    await settle()
    gone, stays = (asyncio.create_task(shared.done("a")) for _ in range(2))
    await settle()
    first.cancel()
    gone.cancel()
    await settle()
    calls.end()
    await stays
    assert calls.begun == ["a", "a"]


class Sent:
    def __init__(self) -> None:
        self.messages: list[tuple[str, int]] = []
        self.down = False

    async def send(self, scope: str, delay_seconds: int = 0) -> None:
        if self.down:
            raise UpstreamUnavailable("down")
        self.messages.append((scope, delay_seconds))


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def test_the_first_wake_goes_out_at_once_and_the_next_serves_all_of_the_second() -> None:
    sent, clock = Sent(), Clock()
    fewer = FewerWakes(sent, clock)
    for _ in range(50):
        await fewer.look("a")
        clock.seconds += 0.015
    assert sent.messages == [("a", 0), ("a", 1)]


async def test_a_message_serves_nobody_who_asks_after_it_showed_up() -> None:
    sent, clock = Sent(), Clock()
    fewer = FewerWakes(sent, clock)
    await fewer.look("a")
    await fewer.look("a")  # shows up at 101
    clock.seconds = 101.0
    await fewer.look("a")
    assert sent.messages == [("a", 0), ("a", 1), ("a", 0)]


async def test_scopes_are_woken_each_for_itself() -> None:
    sent = Sent()
    fewer = FewerWakes(sent, Clock())
    await asyncio.gather(*(fewer.look(name) for name in "aabb"))
    assert sorted(sent.messages) == [("a", 0), ("b", 0)]


async def test_a_wake_that_was_not_sent_serves_nobody() -> None:
    sent = Sent()
    fewer = FewerWakes(sent, Clock())
    sent.down = True
    with pytest.raises(UpstreamUnavailable):
        await fewer.look("a")
    sent.down = False
    await fewer.look("a")
    assert sent.messages == [("a", 0)]


async def test_remembers_few_scopes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakes, "MAX_SCOPES", 2)
    sent = Sent()
    fewer = FewerWakes(sent, Clock())
    for name in "abca":
        await fewer.look(name)
    assert sent.messages == [("a", 0), ("b", 0), ("c", 0), ("a", 0)]


async def test_a_wake_is_a_message_that_names_the_scope(storage: str) -> None:
    settings = Settings.load({"STORAGE": storage})
    scope = f"größe-{uuid.uuid4().hex}"
    async with clients.queue_service(settings) as queues:
        await StorageWake(queues).send(scope)
        await StorageWake(queues).send("later", 60)
        queue = queues.get_queue_client(wakes.QUEUE)
        seen = [json.loads(b64decode(m.content)) async for m in queue.receive_messages(max_messages=32)]
    assert {"scope": scope} in seen
    assert {"scope": "later"} not in seen


async def test_says_that_the_queue_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(clients.QUEUE_PATIENCE, "retry_total", 0)
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;QueueEndpoint=http://127.0.0.1:9/a;"
    async with clients.queue_service(Settings.load({"STORAGE": nowhere})) as queues:
        with pytest.raises(UpstreamUnavailable, match="Queue storage does not answer"):
            await StorageWake(queues).send("scope")
