"""Messages that wake whoever looks at a scope, and how a storm of alerts comes down to a few of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from orchestrator.stores.queues import poisoned, send

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueServiceClient

QUEUE = "watch-requests"
MAX_SCOPES = 1000


class Wake(Protocol):
    async def send(self, scope: str, delay_seconds: int = 0) -> None:
        """Have somebody look at the scope, in so many seconds at the earliest. Raises UpstreamUnavailable."""


class StorageWake:
    def __init__(self, queues: QueueServiceClient) -> None:
        self._queue = queues.get_queue_client(QUEUE)
        self._poison = queues.get_queue_client(f"{QUEUE}-poison")

    async def send(self, scope: str, delay_seconds: int = 0) -> None:
        await send(self._queue, {"scope": scope}, delay_seconds)

    async def drain(self) -> int:
        """Put away the messages that the host gave up on: their wishes stand, and the timer wakes for them."""
        return len([message async for message in poisoned(self._poison)])


class Shared:
    """One call for all who ask for the same while another one runs. It begins after each of them asked, never before.

    Those who come together share a call, and those who come while it runs share the next one.
    """

    def __init__(self, call: Callable[[str], Awaitable[None]]) -> None:
        self._call = call
        self._running: dict[str, asyncio.Task[None]] = {}
        self._next: dict[str, asyncio.Task[None]] = {}

    async def done(self, name: str) -> None:
        """Returns when a call for `name` that began after this one has succeeded; raises what it raised."""
        if name not in self._next:
            self._next[name] = asyncio.create_task(self._run(name, self._running.get(name)))
        await asyncio.shield(self._next[name])  # a caller that hangs up takes nobody else's call away

    async def _run(self, name: str, before: asyncio.Task[None] | None) -> None:
        if before:
            await asyncio.wait((before,))
        task = self._running[name] = self._next.pop(name)
        try:
            await self._call(name)
        finally:
            if self._running[name] is task:
                del self._running[name]


class FewerWakes:
    """At most two messages a second for a scope, and still none too few.

    The first goes out at once. The next one is sent so that it shows up a second later: it serves everybody who
    asks until then. Time is `clock`'s, in seconds; it is asked before the message is sent, so that it is never late.
    """

    def __init__(self, wake: Wake, clock: Callable[[], float]) -> None:
        self._wake, self._clock = wake, clock
        self._sent: dict[str, tuple[float, float]] = {}  # when, and when it shows up
        self._shared = Shared(self._send)

    async def look(self, scope: str) -> None:
        """Somebody will look at the scope after now. Raises UpstreamUnavailable."""
        if not self._covered(scope):
            await self._shared.done(scope)

    def _covered(self, scope: str) -> bool:
        return scope in self._sent and self._clock() < self._sent[scope][1]

    async def _send(self, scope: str) -> None:
        if self._covered(scope):
            return
        now = self._clock()
        delay = 1 if scope in self._sent and now < self._sent[scope][0] + 1 else 0
        await self._wake.send(scope, delay)
        if len(self._sent) >= MAX_SCOPES:  # forgetting one costs a message, no more
            self._sent.clear()
        self._sent[scope] = (now, now + delay)
