"""Running a function together with what follows from it: its outputs sent, the pollers kept awake."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from localcloud.host.functions import Function
from localcloud.host.invocations import FunctionFailed, Invocations
from localcloud.host.outputs import QueueOutputs
from localcloud.host.pace import Activity

log = logging.getLogger("localcloud.host")


class Runner:
    def __init__(self, invocations: Invocations, outputs: QueueOutputs, activity: Activity) -> None:
        self._invocations = invocations
        self._outputs = outputs
        self._activity = activity
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(
        self, function: Function, argument: Any, *, quiet: bool = False, trace_parent: str | None = None
    ) -> Any:
        """The function's return value. `quiet` is for what makes no work for queues. Raises FunctionFailed."""
        self._running += 1
        self._idle.clear()
        if not quiet:
            self._activity.begin()
        try:
            return await self._run(function, argument, trace_parent)
        finally:
            if not quiet:
                self._activity.end()
            self._ended()

    async def idle(self) -> None:
        """Until nothing runs any more."""
        await self._idle.wait()

    def _ended(self) -> None:
        self._running -= 1
        if not self._running:
            self._idle.set()

    async def _run(self, function: Function, argument: Any, trace_parent: str | None) -> Any:
        returned = await self._invocations.run(function, argument, trace_parent)
        try:
            await self._outputs.send(function, returned)
        except Exception as exc:
            # An output that cannot be sent fails the invocation, as it does in the real host, whatever the cause.
            log.exception("The outputs of %r were not sent", function.name)
            raise FunctionFailed(function.name) from exc
        return returned.value
