"""Incidents in Table storage.

Table `incidents`: a partition for each month in which incidents were opened, a row for each incident, timeline and
diagnosis in it, so that every change is one compare-and-set. Some hundred a month are usual, so that a month is read
whole. Table `causes`: a row for each cause an incident is or was folded by, in 256 partitions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from orchestrator.incidents.record import Incident
from orchestrator.stores.incidents import CauseHolder, newest_first, unknown_incident
from orchestrator.stores.rows import etag, get, insert, packed, storage, unpacked, write

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

INCIDENTS, CAUSES = "incidents", "causes"
TABLES = (INCIDENTS, CAUSES)
JSON = TypeAdapter(Incident)


class TableIncidentStore:
    """See IncidentStore."""

    def __init__(self, tables: TableServiceClient) -> None:
        self._incidents = tables.get_table_client(INCIDENTS)
        self._causes = tables.get_table_client(CAUSES)

    async def create(self, incident: Incident) -> Incident:
        (written,) = await insert(self._incidents, _row(incident))
        return replace(incident, version=etag(written))

    async def load(self, incident_id: str) -> Incident:
        async with storage(missing_is_empty=True):
            row = await get(self._incidents, _month_of(incident_id), incident_id)
            if row is not None:
                return _incident(row)
        raise unknown_incident(incident_id)

    async def save(self, incident: Incident) -> Incident:
        return replace(incident, version=await write(self._incidents, _row(incident), incident.version))

    async def active(self) -> list[Incident]:
        return newest_first([each async for each in self._where("active eq true", {})])

    async def listed(self, since: datetime, until: datetime | None = None, *, limit: int = 100) -> list[Incident]:
        found: list[Incident] = []
        for month in _months(since, until):
            query = "PartitionKey eq @month and opened_at ge @since"
            parameters = {"month": month, "since": since}
            if until is not None:
                query, parameters = f"{query} and opened_at lt @until", {**parameters, "until": until}
            found += newest_first([each async for each in self._where(query, parameters)])
            if len(found) >= limit:
                break
        return found[:limit]

    async def holder(self, cause: str) -> CauseHolder:
        async with storage(missing_is_empty=True):
            row = await get(self._causes, cause[:2], cause)
            if row is not None:
                return CauseHolder(cause, str(row["incident"]), str(row.metadata["etag"]))
        return CauseHolder(cause)

    async def hold(self, holder: CauseHolder, incident_id: str) -> CauseHolder:
        row = {"PartitionKey": holder.cause[:2], "RowKey": holder.cause, "incident": incident_id}
        return replace(holder, incident_id=incident_id, version=await write(self._causes, row, holder.version))

    async def _where(self, query: str, parameters: dict[str, Any]) -> AsyncIterator[Incident]:
        async with storage(missing_is_empty=True):
            async for row in self._incidents.query_entities(query, parameters=parameters):
                yield _incident(row)


def _month_of(incident_id: str) -> str:
    return incident_id.split("-")[1] if incident_id.count("-") == 2 else ""


def _months(since: datetime, until: datetime | None) -> list[str]:
    """From the newest back to that of `since`; 13 at most, for no period asked for is longer than a year."""
    months: list[str] = []
    month = until or datetime.now(since.tzinfo)
    while len(months) < 13 and (not months or f"{month:%Y%m}" >= f"{since:%Y%m}"):
        months.append(f"{month:%Y%m}")
        month = month.replace(day=1) - timedelta(days=1)
    return months


def _row(incident: Incident) -> dict[str, Any]:
    plain = JSON.dump_python(incident, mode="json", exclude_defaults=True, exclude={"version"})
    place = {"PartitionKey": _month_of(incident.id), "RowKey": incident.id}
    return {**place, "active": not incident.ended, "opened_at": incident.opened_at, **packed(plain)}


def _incident(row: Any) -> Incident:
    return replace(JSON.validate_python(unpacked(row)), version=str(row.metadata["etag"]))
