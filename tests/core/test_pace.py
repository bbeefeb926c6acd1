from __future__ import annotations

import pytest

from core.errors import UpstreamThrottled
from core.pace import Pace


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def pace(time: Time, calls: int = 10, seconds: float = 60, longest_wait: float = 100) -> Pace:
    return Pace("ADF", calls, seconds, longest_wait=longest_wait, clock=time.clock, sleep=time.sleep)


async def test_a_burst_up_to_the_limit_does_not_wait() -> None:
    time = Time()
    mine = pace(time)
    for _ in range(10):
        await mine.turn()
    assert time.slept == []


async def test_beyond_the_limit_each_waits_for_its_share_of_time() -> None:
    time = Time()
    mine = pace(time)
    for _ in range(12):
        await mine.turn()
    assert [round(seconds, 6) for seconds in time.slept] == [6, 6]


@pytest.mark.parametrize("calls", [25, 61])
async def test_never_more_than_a_burst_and_the_rate(calls: int) -> None:
    time = Time()
    mine = pace(time)
    for _ in range(calls):
        await mine.turn()
    assert calls <= 10 + time.now * 10 / 60 + 1e-6


async def test_a_wait_that_is_too_long_is_refused_with_the_time_to_come_back() -> None:
    time = Time()
    mine = pace(time, longest_wait=5)
    for _ in range(10):
        await mine.turn()
    with pytest.raises(UpstreamThrottled, match="10 in 60 seconds") as refused:
        await mine.turn()
    assert refused.value.retry_after_seconds == pytest.approx(6)


async def test_rest_fills_it_again_but_never_above_the_limit() -> None:
    time = Time()
    mine = pace(time)
    time.now += 10_000
    for _ in range(10):
        await mine.turn()
    assert time.slept == []
    await mine.turn()
    assert time.slept
