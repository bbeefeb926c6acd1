"""Alerts in Table storage.

Table `alerts`: a partition per scope, a row per alert, named by its key, so that an alert told twice meets its own row.
`incident` is empty as long as the alert belongs to none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestrator.alerts.record import Alert, digest
from orchestrator.stores.grouped import MAX_ROWS, GroupedInserts
from orchestrator.stores.rows import packed, storage, unpacked

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

ALERTS = "alerts"
TABLES = (ALERTS,)
MOMENTS = ("at", "received_at", "since", "until")


class TableAlertStore:
    """See AlertStore."""

    def __init__(self, tables: TableServiceClient) -> None:
        self._alerts = tables.get_table_client(ALERTS)
        self._inserts = GroupedInserts(self._alerts)

    async def add(self, alert: Alert) -> bool:
        return await self._inserts.insert(_row(alert))

    async def pending(self, scope: str) -> list[Alert]:
        return await self.of_incident(scope, "")

    async def assign(self, scope: str, alerts: Iterable[Alert], incident_id: str) -> None:
        from azure.data.tables import UpdateMode

        place = {"PartitionKey": digest(scope), "incident": incident_id}
        rows = [{**place, "RowKey": key} for key in {alert.key for alert in alerts}]
        await self._transact([("update", row, {"mode": UpdateMode.MERGE}) for row in rows])

    async def of_incident(self, scope: str, incident_id: str) -> list[Alert]:
        query = "PartitionKey eq @partition and incident eq @incident"
        parameters = {"partition": digest(scope), "incident": incident_id}
        found: list[Alert] = []
        async with storage(missing_is_empty=True):
            async for row in self._alerts.query_entities(query, parameters=parameters):
                found.append(from_json(unpacked(row)))
        return sorted(found, key=lambda alert: alert.received_at)

    async def purge(self, older_than: datetime) -> int:
        old: defaultdict[str, list[Any]] = defaultdict(list)
        async with storage(missing_is_empty=True):
            rows = self._alerts.query_entities(
                "received_at lt @then", parameters={"then": older_than}, select=["PartitionKey", "RowKey"]
            )
            async for row in rows:
                place = {"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
                old[place["PartitionKey"]].append(("delete", place))
        for partition in old.values():
            await self._transact(partition)
        return sum(map(len, old.values()))

    async def _transact(self, rows: Sequence[Any]) -> None:
        for start in range(0, len(rows), MAX_ROWS):
            async with storage():
                await self._alerts.submit_transaction(rows[start : start + MAX_ROWS])


def _row(alert: Alert) -> dict[str, Any]:
    place = {"PartitionKey": digest(alert.scope), "RowKey": alert.key}
    return {**place, "incident": "", "received_at": alert.received_at, **packed(to_json(alert))}


def to_json(alert: Alert) -> dict[str, Any]:
    plain = {field.name: getattr(alert, field.name) for field in fields(alert)}
    for name in MOMENTS:
        plain[name] = plain[name].isoformat() if plain[name] else None
    return plain


def from_json(data: dict[str, Any]) -> Alert:
    """Fields of a later version are dropped, so that an older process can still read the record."""
    known = {field.name for field in fields(Alert)}
    plain = {name: value for name, value in data.items() if name in known}
    for name in MOMENTS:
        plain[name] = datetime.fromisoformat(plain[name]).astimezone(UTC) if plain.get(name) else None
    return Alert(**{**plain, "run_ids": tuple(plain.get("run_ids", ()))})
