"""Wakes those who wait for a run in this process. Others look at the record once a second."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar

Seen = TypeVar("Seen")
LOOK_SECONDS = 1.0


class Signals:
    def __init__(self) -> None:
        self._waiting: defaultdict[str, dict[asyncio.Event, bool]] = defaultdict(dict)

    def changed(self, run_id: str, *, ended: bool = False) -> None:
        for event, for_the_end in self._waiting.get(run_id, {}).items():
            if ended or not for_the_end:
                event.set()

    async def until(
        self,
        run_id: str,
        look: Callable[[], Awaitable[Seen]],
        enough: Callable[[Seen], bool],
        seconds: float,
        *,
        for_the_end: bool = False,
    ) -> Seen:
        """What `look` returns once it is `enough`, or at the latest after `seconds`. Who waits `for_the_end` alone is
        not woken by every step: each look is a read of the record."""
        event = asyncio.Event()
        self._waiting[run_id][event] = for_the_end
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            while True:
                event.clear()
                seen = await look()
                left = deadline - asyncio.get_running_loop().time()
                if enough(seen) or left <= 0:
                    return seen
                try:
                    await asyncio.wait_for(event.wait(), min(left, LOOK_SECONDS))
                except TimeoutError:
                    continue
        finally:
            del self._waiting[run_id][event]
            if not self._waiting[run_id]:
                del self._waiting[run_id]
