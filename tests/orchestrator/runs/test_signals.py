"""Whoever waits for a run in this process is woken by what it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from orchestrator.runs import signals as module
from orchestrator.runs.signals import Signals


@pytest.fixture(autouse=True)
def nobody_looks_by_himself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 30.0)


def looking(news: list[str]) -> tuple[list[int], Callable[[], Awaitable[str]]]:
    """How many looks there were, and a look at the newest news."""
    looks: list[int] = []

    async def look() -> str:
        looks.append(len(news))
        return news[-1]

    return looks, look


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_waits_for_the_end_looks_at_the_begin_and_the_end_only() -> None:
    signals, news = Signals(), ["queued"]
    looks, look = looking(news)
    waiting = asyncio.create_task(signals.until("run-1", look, lambda seen: seen == "done", 30, for_the_end=True))
    await settled()
    for step in ("working", "waiting_tool", "working"):
        news.append(step)
        signals.changed("run-1")
        await settled()
    news.append("done")
    signals.changed("run-1", ended=True)
    assert await waiting == "done"
    assert looks == [1, 5]


async def test_who_waits_for_steps_is_woken_by_each() -> None:
    signals, news = Signals(), ["queued"]
    looks, look = looking(news)
    waiting = asyncio.create_task(signals.until("run-1", look, lambda seen: seen == "done", 30))
    await settled()
    for step in ("working", "done"):
        news.append(step)
        signals.changed("run-1", ended=step == "done")
        await settled()
    assert await waiting == "done"
    assert looks == [1, 2, 3]


async def test_another_run_wakes_nobody_and_time_ends_the_wait() -> None:
    signals, news = Signals(), ["queued"]
    looks, look = looking(news)
    waiting = asyncio.create_task(signals.until("run-1", look, lambda seen: seen == "done", 0.05))
    await settled()
    signals.changed("run-2", ended=True)
    assert await waiting == "queued"
    assert len(looks) == 2


async def test_of_a_run_served_here_nobody_looks_until_something_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    signals, news = Signals(), ["working"]
    looks, look = looking(news)
    with signals.serving("run-1"):
        waiting = asyncio.create_task(signals.until("run-1", look, lambda seen: seen == "done", 30, for_the_end=True))
        await asyncio.sleep(0.1)
        assert len(looks) == 1
    news.append("done")  # written by another process, which took the run over
    assert await waiting == "done"
    assert len(looks) >= 2
