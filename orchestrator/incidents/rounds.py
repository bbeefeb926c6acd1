"""Goes round the checks whose turn it is: what they find opens incidents, or ends them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.errors import AppError
from orchestrator.incidents import recovery
from orchestrator.incidents.changes import change
from orchestrator.incidents.checks import trouble
from orchestrator.incidents.checks.rota import Check
from orchestrator.incidents.checks.trouble import Trouble
from orchestrator.incidents.checks.turn import Turn
from orchestrator.incidents.explaining import Explainer
from orchestrator.incidents.record import Incident
from orchestrator.incidents.register import Register
from orchestrator.policy.model import Policy
from orchestrator.stores.scopes import Scope
from tools_worker.datafactory.client import DataFactory

log = logging.getLogger("incidents")
CHECK_SECONDS = 40.0
ROUND_SECONDS = 90.0  # ends well before its lease does; the checks that are left are made at the next look


@dataclass(frozen=True)
class Rounds:
    register: Register
    explainer: Explainer
    checks: Sequence[Check]
    policy: Callable[[], Policy]
    now: Callable[[], datetime]

    async def make(self, factory: DataFactory, scope: Scope) -> dict[str, datetime]:
        """When each check was made last. One that does not succeed waits for its next turn, so that it costs no more
        than one that does."""
        known = await self.register.known(factory)
        await self.explainer.explain(factory, [each for each in known if self._is_own(each)])  # whose message was lost
        checked = dict(scope.checked)
        ends_at = asyncio.get_running_loop().time() + ROUND_SECONDS
        for check in self.checks:
            since = check.since(checked, self.now())
            left = ends_at - asyncio.get_running_loop().time()
            if since is None or left < CHECK_SECONDS:
                continue
            began = self.now()
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    left_out = await self._one(factory, check, since)
                checked[check.name] = began
                if left_out:
                    log.info("factory=%s check=%s left_out=%s", factory.name, check.name, left_out)
            except (AppError, TimeoutError) as exc:
                log.warning(
                    "factory=%s check=%s outcome=not_made error=%s", factory.name, check.name, exc or "too long"
                )
                checked[check.tried] = began
        return checked

    def others(self, incidents: Iterable[Incident]) -> list[Incident]:
        """Those that no check opens: whoever goes round tells of the others, for two at once would tell twice."""
        return [each for each in incidents if not self._is_own(each)]

    def _is_own(self, incident: Incident) -> bool:
        return any(incident.kind in check.kinds for check in self.checks)

    async def _one(self, factory: DataFactory, check: Check, since: datetime) -> str:
        """What was left out, in words."""
        known = await self.register.known(factory)
        active = [each for each in known if each.kind in check.kinds and not each.ended]
        found = await check.find(factory, Turn(active, self.policy(), since, self.now(), check.queries))
        touched = [await self._over(each, how, each not in found.carried_on) for each, how in found.over.items()]
        touched += [incident for each in found.troubles if (incident := await self._troubled(factory, each))]
        await self.explainer.explain(factory, touched)
        return found.left_out

    async def _over(self, incident_id: str, how: str, tell: bool) -> Incident:
        def decide(known: Incident) -> Incident:
            if known.ended:
                return known
            ended = recovery.resolved(known, self.now(), "", how)
            return ended if tell else replace(ended, notified=(*ended.notified, "resolved"))

        return await change(self.register.incidents, incident_id, decide)

    async def _troubled(self, factory: DataFactory, found: Trouble) -> Incident | None:
        """None where somebody closed it after its newest sign."""
        cause = found.cause(factory)
        ended = await self.register.last_end(cause)
        if ended is not None and ended >= found.at:
            return None

        def new(incident_id: str) -> Incident:
            return trouble.opened(found, factory, incident_id, self.now())

        incident, fresh = await self.register.held(cause, new)
        return incident if fresh else await self._added(incident, found)

    async def _added(self, incident: Incident, found: Trouble) -> Incident:
        """What has come to it may matter more than what was there."""
        after = await change(self.register.incidents, incident, lambda known: trouble.added(known, found, self.now()))
        return after if after is incident else await self.explainer.judged(after)
