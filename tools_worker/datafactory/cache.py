"""Answers of Data Factory kept for a few seconds: a storm of the same question asks once.

Identical questions that come while one is under way wait for its answer. Only answers are kept, never errors. Nothing
is older than its kind allows, counted from when it was asked for.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

MAX_ANSWERS = 200  # of at most 100 runs each, some 100 KB: 20 MB

T = TypeVar("T")


@dataclass(slots=True)
class _Kept(Generic[T]):
    task: asyncio.Task[T]
    fresh_until: float


class Cache(Generic[T]):
    """For one event loop. `seconds` 0 keeps nothing, and still asks an identical question under way only once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MAX_ANSWERS) -> None:
        self._clock = clock
        self._most = most
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()

    async def get(self, key: str, seconds: float, ask: Callable[[], Awaitable[T]]) -> T:
        kept = self._kept.get(key)
        if kept is None or not self._usable(kept):
            kept = self._ask(key, seconds, ask)
        # A caller that gives up does not take the answer away from the others.
        return await asyncio.shield(kept.task)

    def forget(self, about: str = "") -> None:
        """What holds this text in its key; all of it without one. For after a write."""
        for key in [key for key in self._kept if about in key]:
            del self._kept[key]

    def close(self) -> None:
        """Ends what is under way."""
        for kept in self._kept.values():
            kept.task.cancel()
        self._kept.clear()

    def _usable(self, kept: _Kept[T]) -> bool:
        if not kept.task.done():
            return True
        return self._clock() < kept.fresh_until and not kept.task.cancelled() and kept.task.exception() is None

    def _ask(self, key: str, seconds: float, ask: Callable[[], Awaitable[T]]) -> _Kept[T]:
        async def answer() -> T:
            return await ask()

        kept = _Kept(asyncio.create_task(answer()), self._clock() + seconds)
        kept.task.add_done_callback(_seen)
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept


def _seen(task: asyncio.Task[T]) -> None:
    """Where every caller gave up, nobody else looks at the error."""
    if not task.cancelled():
        task.exception()
