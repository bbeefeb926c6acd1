from __future__ import annotations

import asyncio

import pytest

from core.errors import UpstreamUnavailable
from tools_worker.datafactory.cache import Cache


class Source:
    """Counts what is asked of it; answers when it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await self.gate.wait()
        return number


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_an_answer_is_kept_for_its_seconds_and_no_longer() -> None:
    clock, source = Clock(), Source()
    cache = Cache[int](clock)
    assert [await cache.get("a", 5, source), await cache.get("a", 5, source)] == [1, 1]
    clock.now = 5.0
    assert await cache.get("a", 5, source) == 2


async def test_other_questions_are_asked_themselves() -> None:
    source = Source()
    cache = Cache[int]()
    assert await cache.get("a", 5, source) != await cache.get("b", 5, source)


async def test_a_storm_of_one_question_asks_once() -> None:
    source = Source()
    source.gate.clear()
    cache = Cache[int]()
    storm = [asyncio.create_task(cache.get("a", 0, source)) for _ in range(50)]
    await asyncio.sleep(0)
    source.gate.set()
    assert set(await asyncio.gather(*storm)) == {1}


async def test_age_counts_from_asking_not_from_the_answer() -> None:
    clock, source = Clock(), Source()
    source.gate.clear()
    cache = Cache[int](clock)
    first = asyncio.create_task(cache.get("a", 5, source))
    await asyncio.sleep(0)
    clock.now = 6.0
    source.gate.set()
    await first
    assert await cache.get("a", 5, source) == 2


async def test_errors_are_told_and_not_kept() -> None:
    cache = Cache[int]()
    calls = 0

    async def breaks() -> int:
        nonlocal calls
        calls += 1
        raise UpstreamUnavailable("Away.")

    for _ in range(2):
        with pytest.raises(UpstreamUnavailable):
            await cache.get("a", 5, breaks)
    assert calls == 2


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    source = Source()
    source.gate.clear()
    cache = Cache[int]()
    impatient = asyncio.create_task(cache.get("a", 5, source))
    patient = asyncio.create_task(cache.get("a", 5, source))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    source.gate.set()
    assert await patient == 1


async def test_the_oldest_answers_go_first_when_there_are_many() -> None:
    source = Source()
    cache = Cache[int](most=2)
    for key in ("a", "b", "c", "c", "a"):
        await cache.get(key, 100, source)
    assert source.asked == 4


async def test_what_a_write_changed_is_forgotten() -> None:
    source = Source()
    cache = Cache[int]()
    for key in ("/factories/one/runs", "/factories/two/runs"):
        await cache.get(key, 100, source)
    cache.forget("/factories/one/")
    await cache.get("/factories/two/runs", 100, source)
    await cache.get("/factories/one/runs", 100, source)
    assert source.asked == 3
