"""The store of incidents and of the causes they are folded by, as a port; and its in-memory twin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from core.errors import NotFound
from orchestrator.incidents.record import Incident
from orchestrator.stores.rows import Changed, Exists


@dataclass(frozen=True, slots=True)
class CauseHolder:
    """Which incident holds a cause. Absent (empty version) where none ever did."""

    cause: str
    incident_id: str = ""
    version: str = ""


class IncidentStore(Protocol):
    """Raises UpstreamUnavailable when storage does not answer."""

    async def create(self, incident: Incident) -> Incident:
        """Raises Exists."""

    async def load(self, incident_id: str) -> Incident:
        """Raises NotFound."""

    async def save(self, incident: Incident) -> Incident:
        """Write it, if nobody wrote since it was read. Raises Changed."""

    async def active(self) -> list[Incident]:
        """All that have not ended, newest first."""

    async def listed(self, since: datetime, until: datetime | None = None, *, limit: int = 100) -> list[Incident]:
        """Opened in the period, newest first."""

    async def holder(self, cause: str) -> CauseHolder: ...

    async def hold(self, holder: CauseHolder, incident_id: str) -> CauseHolder:
        """Give the cause to this incident, if nobody did since it was read. Raises Changed."""


class MemoryIncidentStore:
    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}
        self._causes: dict[str, CauseHolder] = {}

    async def create(self, incident: Incident) -> Incident:
        if incident.id in self._incidents:
            raise Exists(incident.id)
        self._incidents[incident.id] = replace(incident, version="1")
        return self._incidents[incident.id]

    async def load(self, incident_id: str) -> Incident:
        if incident_id not in self._incidents:
            raise unknown_incident(incident_id)
        return self._incidents[incident_id]

    async def save(self, incident: Incident) -> Incident:
        if self._incidents[incident.id].version != incident.version:
            raise Changed(incident.id)
        self._incidents[incident.id] = replace(incident, version=str(int(incident.version) + 1))
        return self._incidents[incident.id]

    async def active(self) -> list[Incident]:
        return newest_first(each for each in self._incidents.values() if not each.ended)

    async def listed(self, since: datetime, until: datetime | None = None, *, limit: int = 100) -> list[Incident]:
        found = (i for i in self._incidents.values() if i.opened_at >= since and (until is None or i.opened_at < until))
        return newest_first(found)[:limit]

    async def holder(self, cause: str) -> CauseHolder:
        return self._causes.get(cause, CauseHolder(cause))

    async def hold(self, holder: CauseHolder, incident_id: str) -> CauseHolder:
        if (await self.holder(holder.cause)).version != holder.version:
            raise Changed(holder.cause)
        taken = CauseHolder(holder.cause, incident_id, str(int(holder.version or 0) + 1))
        self._causes[holder.cause] = taken
        return taken


def newest_first(incidents: Iterable[Incident]) -> list[Incident]:
    return sorted(incidents, key=lambda each: (each.opened_at, each.id), reverse=True)


def unknown_incident(incident_id: str) -> NotFound:
    return NotFound(f"No incident {incident_id!r}.", hint="GET /api/incidents lists them.")
