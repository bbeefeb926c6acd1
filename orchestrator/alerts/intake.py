"""Takes alerts in: each is kept once, then somebody is told to look.

An alert is accepted when its record and the wish to look at its scope are kept. One that is known already is wished for
again: its sender repeats it where the first answer, or the wish, was lost.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import UpstreamUnavailable
from core.telemetry import metrics, names
from core.telemetry.spans import span
from orchestrator.alerts.record import Alert
from orchestrator.alerts.wakes import FewerWakes, Shared, Wake
from orchestrator.stores.alerts import AlertStore
from orchestrator.stores.scopes import ScopeStore

log = logging.getLogger("alerts")
AT_ONCE = 16  # writes of one batch
PATIENCE_SECONDS = 8  # Azure Monitor waits ten for an answer
WAKE_SECONDS = 3
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Taken:
    new: int
    known: int


class AlertIntake:
    def __init__(
        self,
        alerts: AlertStore,
        scopes: ScopeStore,
        wake: Wake,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alerts, self._now = alerts, now
        self._wishes, self._wakes = Shared(scopes.want), FewerWakes(wake, clock)

    async def take(self, alerts: Sequence[Alert]) -> Taken:
        """Raises UpstreamUnavailable where anything was not kept: sent again, the rest is kept, and nothing twice."""
        with span(names.ALERTS, attributes={names.COUNT: len(alerts)}):
            taken = await self._take(alerts)
        metrics.count(names.ALERTS_TAKEN, taken.new, {names.OUTCOME: "new"})
        metrics.count(names.ALERTS_TAKEN, taken.known, {names.OUTCOME: "known"})
        return taken

    async def _take(self, alerts: Sequence[Alert]) -> Taken:
        limit = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                results = await asyncio.gather(*(self._keep(alert, limit) for alert in alerts), return_exceptions=True)
        except TimeoutError:
            raise UpstreamUnavailable("Storage takes too long to answer.", hint="Send it again in a minute.") from None
        for result in results:
            if isinstance(result, BaseException):
                raise result
        new = results.count(True)
        return Taken(new, len(results) - new)

    async def _keep(self, alert: Alert, limit: asyncio.Semaphore) -> bool:
        async with limit:
            new = await self._alerts.add(alert)
        await self._look(alert.scope)
        return new

    async def _look(self, scope: str) -> None:
        await self._wishes.done(scope)
        try:
            async with asyncio.timeout(WAKE_SECONDS):
                await self._wakes.look(scope)
        except (TimeoutError, UpstreamUnavailable):
            # The alert and the wish stand, so it is accepted: the timer looks where somebody wished.
            log.warning("scope=%s outcome=not_woken", scope)

    async def forget(self) -> int:
        """Drop alerts of long ago. How many."""
        return await self._alerts.purge(self._now() - KEPT)
