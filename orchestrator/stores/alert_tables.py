"""Alerts in Table storage.

Table `alerts`: a partition per scope, a row per alert, named by the alert's day and key, so that an alert told twice
meets its own row. `incident` is empty as long as the alert belongs to none. Such alerts are looked for each minute, so
only among the rows of the last days, and among those whose day says little, which stand behind them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from orchestrator.alerts.record import Alert, digest
from orchestrator.stores.alerts import AWAITED
from orchestrator.stores.grouped import MAX_ROWS, GroupedInserts
from orchestrator.stores.rows import packed, storage, unpacked
from tools_worker.runtime.worker import utc_now

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

ALERTS = "alerts"
TABLES = (ALERTS,)
PAGE = 200  # the client reads a page at a stroke: a thousand rows would hold up everybody else
PUNCTUAL = timedelta(days=1)
MOMENTS = ("at", "received_at", "since", "until")


class TableAlertStore:
    """See AlertStore."""

    def __init__(self, tables: TableServiceClient, now: Callable[[], datetime] = utc_now) -> None:
        self._alerts = tables.get_table_client(ALERTS)
        self._now = now
        self._inserts = GroupedInserts(self._alerts)

    async def add(self, alert: Alert) -> bool:
        return await self._inserts.insert(_row(alert))

    async def pending(self, scope: str) -> list[Alert]:
        since = self._now() - AWAITED
        query = "PartitionKey eq @partition and RowKey ge @day and incident eq '' and received_at ge @since"
        return await self._found(query, partition=digest(scope), day=f"{since - PUNCTUAL:%Y%m%d}", since=since)

    async def assign(self, scope: str, alerts: Iterable[Alert], incident_id: str) -> None:
        from azure.data.tables import UpdateMode

        place = {"PartitionKey": digest(scope), "incident": incident_id}
        rows = [{**place, "RowKey": key} for key in {_row_key(alert) for alert in alerts}]
        await self._transact([("update", row, {"mode": UpdateMode.MERGE}) for row in rows])

    async def of_incident(self, scope: str, incident_id: str) -> list[Alert]:
        query = "PartitionKey eq @partition and incident eq @incident"
        return await self._found(query, partition=digest(scope), incident=incident_id)

    async def _found(self, query: str, **parameters: str | datetime) -> list[Alert]:
        found: list[Alert] = []
        async with storage(missing_is_empty=True):
            async for row in self._alerts.query_entities(query, parameters=parameters, results_per_page=PAGE):
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
    place = {"PartitionKey": digest(alert.scope), "RowKey": _row_key(alert)}
    return {**place, "incident": "", "received_at": alert.received_at, **packed(to_json(alert))}


def _row_key(alert: Alert) -> str:
    """In the order of days, as long as the alert came soon after its time; else behind them all."""
    punctual = -PUNCTUAL < alert.received_at - alert.at < PUNCTUAL
    return f"{alert.at:%Y%m%d}-{alert.key}" if punctual else f"undated-{alert.key}"


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
