"""Wakes those who wait for a run that this process serves. Of another's run the record is looked at once a second."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Seen = TypeVar("Seen")
LOOK_SECONDS = 1.0
OWN_LOOK_SECONDS = 15.0  # of a run served here: only in case another process takes it over


class Signals:
    def __init__(self) -> None:
        self._waiting: defaultdict[str, dict[asyncio.Event, bool]] = defaultdict(dict)
        self._served: Counter[str] = Counter()

    @contextmanager
    def serving(self, run_id: str) -> Iterator[None]:
        """This process serves the run: whoever waits for it here is woken."""
        self._served[run_id] += 1
        try:
            yield
        finally:
            self._served[run_id] -= 1
            if not self._served[run_id]:
                del self._served[run_id]
            self.changed(run_id, ended=True)  # however it went: look once more

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
                    rest = OWN_LOOK_SECONDS if self._served[run_id] else LOOK_SECONDS
                    await asyncio.wait_for(event.wait(), min(left, rest))
                except TimeoutError:
                    continue
        finally:
            del self._waiting[run_id][event]
            if not self._waiting[run_id]:
                del self._waiting[run_id]
