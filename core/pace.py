"""A rate that is kept on our side, so that the upstream does not have to refuse: a bucket that fills with time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from core.errors import UpstreamThrottled


class Pace:
    """`calls` in `seconds`, as a burst or spread out. Fair: callers pass in the order of asking."""

    def __init__(
        self,
        what: str,
        calls: int,
        seconds: float,
        *,
        longest_wait: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._what = what
        self._calls = calls
        self._seconds = seconds
        self._longest_wait = longest_wait
        self._clock = clock
        self._sleep = sleep
        self._free = float(calls)  # may be negative: calls that are let through in advance, each after its wait
        self._at = clock()

    async def turn(self) -> None:
        """Returns when it is this caller's turn. Raises UpstreamThrottled when that is too far away."""
        now = self._clock()
        rate = self._calls / self._seconds
        self._free = min(self._calls, self._free + (now - self._at) * rate)
        self._at = now
        wait = (1 - self._free) / rate
        if wait > self._longest_wait:
            raise UpstreamThrottled(
                f"This app already asks as much as {self._what} allows ({self._calls} in {self._seconds:.0f} seconds).",
                hint="Try again in a minute, or ask for less at once.",
                retry_after_seconds=wait,
            )
        self._free -= 1
        if wait > 0:
            await self._sleep(wait)
