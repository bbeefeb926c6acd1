"""How often a queue is asked for messages.

The latency of a queue is its poll. The real host asks every 100 ms at best and backs off to maxPollingInterval, which
suits a cloud and makes a laptop feel slow; asking every few milliseconds all the time keeps an emulator and a core busy
with nothing. So a poller hurries where work was just found, keeps awake while anything is going on in this host (a
request or a message makes more messages, often through another process), and backs off like the real one when idle.
A queue that has had no message yet is kept awake less: of a dozen tools, few are called. Where the emulator's log tells
of every message, nobody hurries but who is told to.
"""

from __future__ import annotations

import asyncio
import time

SHORTEST_SECONDS = 0.01  # below this the emulator, not the wait, decides: one core answers some 600 requests a second
AWAKE_FACTOR = 4  # a dozen queues at 40 ms cost a third of a core, here and in the emulator
NEW_FACTOR = 50
AWAKE_SECONDS = 2.0  # how long "just now" lasts
GROWTH = 1.5
TOLD_SECONDS = 1.0  # how often a queue is asked whose messages are told of: some show up without a word


class Activity:
    """Whether anything is going on, told to all pollers of this host. `told`: somebody says when a message is put."""

    def __init__(self, *, told: bool = False) -> None:
        self.told = told
        self._working = 0
        self._until = 0.0
        self._pollers: list[Pace] = []

    @property
    def is_awake(self) -> bool:
        return self._working > 0 or time.monotonic() < self._until

    def pace(self, longest_seconds: float, shortest_seconds: float = SHORTEST_SECONDS) -> Pace:
        pace = Pace(self, shortest_seconds, longest_seconds)
        self._pollers.append(pace)
        return pace

    def begin(self) -> None:
        if not self.is_awake and not self.told:
            self.stir()
        self._working += 1

    def end(self) -> None:
        self._working -= 1
        self._until = time.monotonic() + AWAKE_SECONDS

    def stir(self) -> None:
        for pace in self._pollers:
            pace.hurry()


class Pace:
    """The rests of one poller."""

    def __init__(self, activity: Activity, shortest_seconds: float, longest_seconds: float) -> None:
        self._activity = activity
        self._shortest = shortest_seconds
        self._longest = max(longest_seconds, shortest_seconds)
        self._next = shortest_seconds
        self._factor = NEW_FACTOR
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        self._hurry.set()

    async def rest(self, found: bool) -> None:
        if found:
            self._factor = AWAKE_FACTOR
        wait = self._next = self._shortest if found else self.after(self._next)
        try:
            await asyncio.wait_for(self._hurry.wait(), wait)
        except TimeoutError:
            return
        self._hurry.clear()
        self._next = self._shortest

    def after(self, wait: float) -> float:
        if self._activity.told:
            return min(TOLD_SECONDS, self._longest) if self._activity.is_awake else self._longest
        ceiling = self._shortest * self._factor if self._activity.is_awake else self._longest
        return min(wait * GROWTH, max(ceiling, self._shortest), self._longest)
