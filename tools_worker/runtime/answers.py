"""Answer slots: the one reply of each tool call, claimed once and sent as often as the queue delivers the call.

Whoever answers a call (the worker, or the sweeper for a poison message) claims its slot first, by insert-if-absent,
and sends what the slot then holds. So every call gets at least one reply, and all its replies are the same bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from core.inserts import insert

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

TABLE = "toolanswers"
KEPT = timedelta(days=2)  # far longer than a call can be delivered again before it is stale
MAX_PURGED, AT_ONCE = 2000, 16


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AnswerSlots(Protocol):
    async def find(self, slot: str) -> str | None:
        """The reply this slot holds, if any."""

    async def claim(self, slot: str, reply: str) -> str:
        """Put `reply` into the slot unless it is taken; the reply that the slot now holds."""

    async def purge(self, older_than: datetime, most: int = MAX_PURGED) -> int:
        """Forget slots claimed before a time, at most so many. How many."""


class MemoryAnswerSlots:
    def __init__(self, now: Callable[[], datetime] = _utc_now) -> None:
        self._replies: dict[str, str] = {}
        self._claimed: dict[str, datetime] = {}
        self._now = now

    async def find(self, slot: str) -> str | None:
        return self._replies.get(slot)

    async def claim(self, slot: str, reply: str) -> str:
        self._claimed.setdefault(slot, self._now())
        return self._replies.setdefault(slot, reply)

    async def purge(self, older_than: datetime, most: int = MAX_PURGED) -> int:
        old = [slot for slot, at in self._claimed.items() if at < older_than][:most]
        for slot in old:
            del self._claimed[slot], self._replies[slot]
        return len(old)


class TableAnswerSlots:
    """In Table storage, spread over 4,096 partitions. Replies are binary: a table string holds 32 K characters only."""

    def __init__(self, tables: TableServiceClient) -> None:
        self._table = tables.get_table_client(TABLE)

    async def find(self, slot: str) -> str | None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            entity = await self._table.get_entity(slot[:3], slot)
        except ResourceNotFoundError:
            return None
        return bytes(entity["reply"]).decode()

    async def claim(self, slot: str, reply: str) -> str:
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

        entity = {"PartitionKey": slot[:3], "RowKey": slot, "reply": reply.encode()}
        try:
            await insert(self._table, entity)
        except ResourceExistsError:
            return await self.find(slot) or reply
        except ResourceNotFoundError:  # the very first call of a new installation
            await self._create_table()
            return await self.claim(slot, reply)
        return reply

    async def purge(self, older_than: datetime, most: int = MAX_PURGED) -> int:
        """By the service's own time of writing, which no clock of ours can get wrong."""
        from azure.core.exceptions import ResourceNotFoundError

        old: list[tuple[str, str]] = []
        rows = self._table.query_entities(
            "Timestamp lt @before", parameters={"before": older_than}, select=["PartitionKey", "RowKey"]
        )
        try:
            async for row in rows:
                old.append((row["PartitionKey"], row["RowKey"]))
                if len(old) >= most:
                    break
        except ResourceNotFoundError:  # no tool was ever called
            return 0
        for start in range(0, len(old), AT_ONCE):
            await asyncio.gather(*(self._table.delete_entity(*key) for key in old[start : start + AT_ONCE]))
        return len(old)

    async def _create_table(self) -> None:
        from azure.core.exceptions import ResourceExistsError

        try:
            await self._table.create_table()
        except ResourceExistsError:
            return
