"""Goes round the checks whose turn it is: what they find opens incidents, or ends them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import AppError
from orchestrator.incidents import recovery
from orchestrator.incidents.changing import change
from orchestrator.incidents.checks import trouble
from orchestrator.incidents.checks.rota import Check
from orchestrator.incidents.explaining import Explainer
from orchestrator.incidents.record import Incident
from orchestrator.incidents.register import Register
from orchestrator.policy.model import Policy
from orchestrator.stores.scopes import Scope
from tools_worker.datafactory.client import DataFactory

log = logging.getLogger("incidents")
CHECK_SECONDS = 40.0  # a look ends before the lease does, with every check


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
        checked = dict(scope.checked)
        for check in self.checks:
            since = check.since(checked, self.now())
            if since is None:
                continue
            began = self.now()
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._one(factory, check, since)
                checked[check.kind] = began
            except (AppError, TimeoutError) as exc:
                log.warning("scope=%s check=%s outcome=not_made error=%s", scope.name, check.kind, exc or "too long")
                checked[check.tried] = began
        return checked

    async def _one(self, factory: DataFactory, check: Check, since: datetime) -> None:
        known = await self.register.known(factory)
        active = [each for each in known if each.kind == check.kind and not each.ended]
        found = await check.find(factory, active, self.policy(), since, self.now())
        touched = [await self._over(incident_id, how) for incident_id, how in (found.over or {}).items()]
        touched += [incident for each in found.troubles if (incident := await self._troubled(factory, each))]
        await self.explainer.explain(factory, touched)

    async def _over(self, incident_id: str, how: str) -> Incident:
        def decide(known: Incident) -> Incident:
            return known if known.ended else recovery.resolved(known, self.now(), "", how)

        return await change(self.register.incidents, incident_id, decide)

    async def _troubled(self, factory: DataFactory, found: trouble.Trouble) -> Incident | None:
        """None where somebody closed it after its newest sign."""
        cause = found.cause(factory)
        ended = await self.register.last_end(cause)
        if ended is not None and ended >= found.at:
            return None

        def new(incident_id: str) -> Incident:
            return trouble.opened(found, factory, incident_id, self.now())

        return (await self.register.held(cause, new))[0]
