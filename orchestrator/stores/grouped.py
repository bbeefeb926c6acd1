"""Rows that many callers insert at once, written together: a storm costs a transaction for each dozen of them.

A row that comes alone is written at once. Those that come while one of their partition is being written wait for it,
and are then written in one transaction. Each caller hears of its own row. A transaction is refused whole for one row
that exists, so that the last rows are remembered: what is told twice is mostly told twice soon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.stores.rows import Exists, insert

if TYPE_CHECKING:
    from azure.data.tables.aio import TableClient

Row = Mapping[str, Any]
Waiting = tuple[Row, "asyncio.Future[bool]"]
MAX_ROWS = 100  # of a transaction
MAX_REMEMBERED = 10_000
TRIES = 5  # a transaction is refused for one row that exists, and tried without it; then they go one by one


class GroupedInserts:
    def __init__(self, table: TableClient) -> None:
        self._table = table
        self._waiting: dict[str, list[Waiting]] = {}
        self._writers: dict[str, asyncio.Task[None]] = {}
        self._there: dict[tuple[str, str], None] = {}  # in the order in which they were written

    async def insert(self, row: Row) -> bool:
        """False where it exists. Raises what the write of its group raised."""
        partition, key = _place(row)
        if (partition, key) in self._there:
            return False
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(partition, []).append((row, done))
        if partition not in self._writers:
            self._writers[partition] = asyncio.create_task(self._serve(partition))
        return await done

    async def _serve(self, partition: str) -> None:
        try:
            while waiting := self._waiting.pop(partition, []):
                if waiting[MAX_ROWS:]:
                    self._waiting[partition] = waiting[MAX_ROWS:]
                await self._answer(waiting[:MAX_ROWS])
        finally:
            del self._writers[partition]

    async def _answer(self, group: Sequence[Waiting]) -> None:
        rows = {str(row["RowKey"]): row for row, _ in reversed(group)}  # of the same row told twice, the first
        try:
            new = await self._write(rows)
        except Exception as exc:  # noqa: BLE001 - it is raised where somebody waits for it
            for _, done in group:
                if not done.done():
                    done.set_exception(exc)
            return
        for row, done in group:
            place = _place(row)
            if not done.done():  # its caller may have gone
                done.set_result(place[1] in new)
            new.discard(place[1])
            self._there[place] = None
        while len(self._there) > MAX_REMEMBERED:
            del self._there[next(iter(self._there))]

    async def _write(self, rows: dict[str, Row]) -> set[str]:
        """The keys of those that did not exist."""
        left, new = dict(rows), set[str]()
        for _ in range(TRIES):
            if len(left) < 2:
                break
            try:
                await insert(self._table, *left.values())
                return new | set(left)
            except Exists as exc:
                key = list(left)[_index(exc)]
                if await self._write_one(left.pop(key)):  # asked again alone: storage may not say which one it was
                    new.add(key)
        found = await asyncio.gather(*map(self._write_one, left.values()))
        return new | {key for key, is_new in zip(left, found, strict=True) if is_new}

    async def _write_one(self, row: Row) -> bool:
        try:
            await insert(self._table, row)
        except Exists:
            return False
        return True


def _place(row: Row) -> tuple[str, str]:
    return str(row["PartitionKey"]), str(row["RowKey"])


def _index(exc: Exists) -> int:
    """Of the row for which storage refused the transaction; 0 where it does not say."""
    return int(getattr(exc.__cause__, "index", None) or 0)
