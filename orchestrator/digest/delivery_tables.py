"""Deliveries in Table storage: the table `digests`, a row for each digest that was due; some 400 a year, which stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from orchestrator.digest.deliveries import Delivery, State
from orchestrator.stores.rows import get, storage, write

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

DIGESTS = "digests"
TABLES = (DIGESTS,)
ROW = "delivery"


class TableDeliveryStore:
    """See DeliveryStore."""

    def __init__(self, tables: TableServiceClient) -> None:
        self._digests = tables.get_table_client(DIGESTS)

    async def load(self, key: str) -> Delivery:
        async with storage(missing_is_empty=True):
            row = await get(self._digests, key, ROW)
            if row is not None:
                return _delivery(key, row)
        return Delivery(key)

    async def save(self, delivery: Delivery) -> Delivery:
        return replace(delivery, version=await write(self._digests, _row(delivery), delivery.version))


def _row(delivery: Delivery) -> dict[str, Any]:
    lease = {"leased_until": delivery.leased_until} if delivery.leased_until else {}
    return {"PartitionKey": delivery.key, "RowKey": ROW, "state": delivery.state, **lease}


def _delivery(key: str, row: Any) -> Delivery:
    until = row.get("leased_until")
    # A plain datetime: the SDK gives a kind of its own, which is equal but carries more.
    lease = datetime.fromisoformat(until.isoformat()) if isinstance(until, datetime) else None
    return Delivery(key, cast("State", str(row["state"])), lease, str(row.metadata["etag"]))
