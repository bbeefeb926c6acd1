"""Which incident a cause has, and which a factory has: a cause is held by one incident at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import NotFound
from orchestrator.incidents import opening
from orchestrator.incidents.changes import measure
from orchestrator.incidents.record import Incident
from orchestrator.stores.incidents import CauseHolder, IncidentStore
from orchestrator.stores.rows import Changed, Exists
from tools_worker.datafactory.client import DataFactory

log = logging.getLogger("incidents")
REMEMBERED = timedelta(hours=48)  # an alert may belong to an incident that is over


@dataclass(frozen=True)
class Register:
    incidents: IncidentStore
    now: Callable[[], datetime]

    async def known(self, factory: DataFactory) -> list[Incident]:
        """Active ones, and those of the last days: an alert may be about them."""
        listed = await self.incidents.listed(self.now() - REMEMBERED, limit=1000)
        found = {each.id: each for each in [*await self.incidents.active(), *listed]}
        return [each for each in found.values() if each.factory.casefold() == factory.name.casefold()]

    async def held(self, cause: str, new: Callable[[str], Incident]) -> tuple[Incident, bool]:
        """The incident that holds the cause; else a `new` one, with True."""
        holder = await self.incidents.holder(cause)
        if holder.incident_id:
            try:
                incident = await self.incidents.load(holder.incident_id)
                if not incident.ended:
                    return incident, False
            except NotFound:  # whoever took the cause died before he wrote the incident
                return await self._created(new(holder.incident_id)), True
        return await self._opened(holder, new)

    async def last_end(self, cause: str) -> datetime | None:
        """When the last incident of the cause ended; None where none did, or one goes on."""
        last = (await self.incidents.holder(cause)).incident_id
        try:
            return (await self.incidents.load(last)).resolved_at if last else None
        except NotFound:
            return None

    async def _opened(self, holder: CauseHolder, new: Callable[[str], Incident]) -> tuple[Incident, bool]:
        try:
            taken = await self.incidents.hold(holder, opening.new_id(self.now()))
        except Changed:
            return await self.held(holder.cause, new)
        return await self._created(new(taken.incident_id)), True

    async def _created(self, incident: Incident) -> Incident:
        try:
            created = await self.incidents.create(incident)
        except Exists:
            return await self.incidents.load(incident.id)
        measure(created, "opened")
        log.warning("incident=%s kind=%s outcome=opened title=%s", created.id, created.kind, created.title)
        return created
