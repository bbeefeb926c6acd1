"""Timer triggers: run at the scheduled moments, never twice at once in this host."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime

import azure.functions as func
from azure.functions.timer import TimerRequest

from localcloud.host.functions import Function
from localcloud.host.invocations import FunctionFailed
from localcloud.host.runner import Runner
from localcloud.host.schedules import Schedule

log = logging.getLogger("localcloud.host.timers")
LATE_SECONDS = 60.0  # a laptop that slept; a busy loop is not late


class TimerTrigger:
    def __init__(self, function: Function, schedule: Schedule, runner: Runner) -> None:
        self._function, self._schedule, self._runner = function, schedule, runner
        self._one_at_a_time = asyncio.Lock()
        self._last: datetime | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        if self._function.trigger.options.get("runOnStartup"):
            await self.fire(past_due=False)
        while not stopping.is_set():
            due = self._schedule.next_after(datetime.now(UTC))
            if due is None:
                log.error("The schedule of %r never comes.", self._function.name)
                return
            if await is_set_within(stopping, (due - datetime.now(UTC)).total_seconds()):
                return
            await self.fire(past_due=(datetime.now(UTC) - due).total_seconds() > LATE_SECONDS)

    async def fire(self, past_due: bool = False) -> None:
        async with self._one_at_a_time:
            request = self._request(past_due)
            self._last = datetime.now(UTC)
            with contextlib.suppress(FunctionFailed):  # told in the log; the next moment comes anyway
                await self._runner.run(self._function, request, quiet=True)

    def _request(self, past_due: bool) -> func.TimerRequest:
        due = self._schedule.next_after(datetime.now(UTC))
        last = self._last or datetime.min.replace(tzinfo=UTC)
        status = {
            "Last": last.isoformat(),
            "Next": due.isoformat() if due else None,
            "LastUpdated": last.isoformat(),
        }
        return TimerRequest(past_due=past_due, schedule_status=status, schedule={"AdjustForDST": True})


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), max(seconds, 0))
    except TimeoutError:
        return False
    return True
