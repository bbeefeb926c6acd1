"""Answer slots: the one reply of each tool call, claimed once and sent as often as the queue delivers the call.

Whoever answers a call (the worker, or the sweeper for a poison message) claims its slot first, by insert-if-absent,
and sends what the slot then holds. So every call gets at least one reply, and all its replies are the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

TABLE = "toolanswers"


class AnswerSlots(Protocol):
    async def find(self, slot: str) -> str | None:
        """The reply this slot holds, if any."""

    async def claim(self, slot: str, reply: str) -> str:
        """Put `reply` into the slot unless it is taken; the reply that the slot now holds."""


class MemoryAnswerSlots:
    def __init__(self) -> None:
        self._replies: dict[str, str] = {}

    async def find(self, slot: str) -> str | None:
        return self._replies.get(slot)

    async def claim(self, slot: str, reply: str) -> str:
        return self._replies.setdefault(slot, reply)


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
            await self._table.create_entity(entity)
        except ResourceExistsError:
            return await self.find(slot) or reply
        except ResourceNotFoundError:  # the very first call of a new installation
            await self._create_table()
            return await self.claim(slot, reply)
        return reply

    async def _create_table(self) -> None:
        from azure.core.exceptions import ResourceExistsError

        try:
            await self._table.create_table()
        except ResourceExistsError:
            return
