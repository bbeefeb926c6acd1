"""Makes the checks of a factory, each at its own pace: what they find becomes an incident, what has passed ends one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import AppError, NotFound
from orchestrator.incidents import recovery, troubles
from orchestrator.incidents.changing import change
from orchestrator.incidents.checks import ALL, Check, Glance, Trouble
from orchestrator.incidents.record import Incident
from orchestrator.policy.model import Policy
from orchestrator.stores.incidents import IncidentStore
from tools_worker.datafactory.client import DataFactory

log = logging.getLogger("incidents")
CHECK_SECONDS = 30.0  # a check that takes longer gives way; failed runs matter more
AGAIN = timedelta(minutes=5)  # a check that could not be made is tried again
EARLY = timedelta(seconds=30)  # looks come every minute, and some seconds early or late

Held = Callable[[str, Callable[[str], Incident]], Awaitable[tuple[Incident, bool]]]


@dataclass(frozen=True)
class Inspector:
    incidents: IncidentStore
    policy: Callable[[], Policy]
    now: Callable[[], datetime]
    checks: Sequence[Check] = ALL

    async def inspect(
        self, factory: DataFactory, checked: Mapping[str, datetime], known: Sequence[Incident], held: Held
    ) -> Mapping[str, datetime]:
        """`checked` with the checks that were made now. `held` gives the incident that holds a cause, or opens it."""
        done = dict(checked)
        for check in self.checks:
            if is_due(check, done, self.now()):
                done[await self._made(check, factory, done, known, held)] = self.now()
        return done

    async def _made(
        self,
        check: Check,
        factory: DataFactory,
        checked: Mapping[str, datetime],
        known: Sequence[Incident],
        held: Held,
    ) -> str:
        """Under which name it is remembered: its own, or that of having tried."""
        its_own = tuple(each for each in known if each.kind in check.kinds and not each.ended)
        glance = Glance(self.now(), self.policy(), checked.get(check.name), its_own)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                found = await check.look(factory, glance)
                for trouble in found:
                    await self._taken_up(factory, trouble, its_own, held)
                for incident in its_own:
                    await self._ended(check, factory, incident, found, glance)
        except (AppError, TimeoutError) as exc:  # of this check: failures are watched all the same
            log.warning(
                "factory=%s check=%s outcome=not_made error=%s", factory.name, check.name, exc or "took too long"
            )
            return tried(check)
        return check.name

    async def _taken_up(self, factory: DataFactory, trouble: Trouble, its_own: Sequence[Incident], held: Held) -> None:
        home = troubles.home_of(trouble, its_own)
        if home is None:
            cause = troubles.cause_of(factory.id, trouble)
            if await self._told_before(cause):
                return
            home, _ = await held(cause, lambda name: troubles.of_trouble(trouble, factory.id, name, self.now()))
        await change(self.incidents, home.id, lambda each: troubles.with_trouble(each, trouble, self.now()))

    async def _told_before(self, cause: str) -> bool:
        """It had an incident that is over: whoever closed it knows."""
        holder = await self.incidents.holder(cause)
        try:
            return bool(holder.incident_id) and (await self.incidents.load(holder.incident_id)).ended
        except NotFound:  # whoever took the cause died before he wrote the incident
            return False

    async def _ended(
        self, check: Check, factory: DataFactory, incident: Incident, found: Sequence[Trouble], glance: Glance
    ) -> None:
        if any(troubles.home_of(trouble, [incident]) for trouble in found):
            return
        if why := await check.over(factory, incident, glance):
            await change(
                self.incidents,
                incident.id,
                lambda each: each if each.ended else recovery.resolved(each, self.now(), "", why),
            )


def is_due(check: Check, checked: Mapping[str, datetime], now: datetime) -> bool:
    made, failed = checked.get(check.name), checked.get(tried(check))
    if failed is not None and (made is None or made < failed):
        return now - failed >= AGAIN - EARLY
    return made is None or now - made >= check.every - EARLY


def tried(check: Check) -> str:
    return f"{check.name} tried"
