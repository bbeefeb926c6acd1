"""The audit trail in Table storage.

Table `audit`: a partition for each chain, named by its id, which begins with the day; a row for each line, named by its
number. So a line is stored once, a chain is written in transactions, and a period is a range of partitions.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from orchestrator.stores.audit import LAST, MAX_ROWS, Row, Wanted, row_key
from orchestrator.stores.rows import insert, storage

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

AUDIT = "audit"
TABLES = (AUDIT,)
PAGE = 500  # the client reads a page at a stroke
MARKS = ("at", "kind", "actor", "actor_id", "subject", "factory")
RANGE = "PartitionKey ge @first and PartitionKey lt @end"


class TableAuditStore:
    """See AuditStore."""

    def __init__(self, tables: TableServiceClient) -> None:
        self._table = tables.get_table_client(AUDIT)

    async def insert(self, rows: Sequence[Row]) -> None:
        await insert(self._table, *(_entity(row) for row in rows))

    async def rows(self, first: str = "", end: str = LAST) -> AsyncIterator[Row]:
        async for row in self._query(RANGE, {"first": first, "end": end}):
            yield row

    async def of_chain(self, chain: str, after: int = 0) -> AsyncIterator[Row]:
        query = "PartitionKey eq @chain and RowKey gt @after"
        async for row in self._query(query, {"chain": chain, "after": row_key(after)}):
            yield row

    async def next_chain(self, after: str) -> str:
        query = "PartitionKey gt @after"
        async with storage(missing_is_empty=True):
            found = self._table.query_entities(
                query, parameters={"after": after}, select=["PartitionKey"], results_per_page=1
            )
            async for entity in found:
                return str(entity["PartitionKey"])
        return ""

    async def search(self, first: str, end: str, wanted: Wanted, limit: int) -> list[Row]:
        query, parameters = _wanted(wanted)
        period, found = {"first": first, "end": end}, list[Row]()
        async with aclosing(self._query(" and ".join((RANGE, *query)), {**period, **parameters})) as rows:
            async for row in rows:
                found.append(row)
                if len(found) == limit:
                    break
        return found

    async def purge(self, chain: str) -> int:
        places = [{"PartitionKey": row.chain, "RowKey": row.key} async for row in self.of_chain(chain)]
        for start in range(0, len(places), MAX_ROWS):
            deletes = [("delete", place) for place in places[start : start + MAX_ROWS]]
            async with storage(missing_is_empty=True):
                await self._table.submit_transaction(deletes)
        return len(places)

    async def _query(self, query: str, parameters: Mapping[str, str]) -> AsyncGenerator[Row, None]:
        async with storage(missing_is_empty=True):
            async for entity in self._table.query_entities(query, parameters=dict(parameters), results_per_page=PAGE):
                yield _row(entity)


def _wanted(wanted: Wanted) -> tuple[list[str], dict[str, str]]:
    query, parameters = [f"{name} eq @{name}" for name in wanted.equal], dict(wanted.equal)
    for name, condition in (  # the client puts parameters in where a word begins with @
        ("since", "at ge @since"),
        ("until", "at lt @until"),
        ("who", "( actor eq @who or actor_id eq @who )"),
    ):
        value = wanted.actor if name == "who" else getattr(wanted, name)
        if value:
            query.append(condition)
            parameters[name] = value
    return query, parameters


def _entity(row: Row) -> dict[str, Any]:
    return {"PartitionKey": row.chain, "RowKey": row.key, "line": row.line, **row.marks}


def _row(entity: Mapping[str, Any]) -> Row:
    """Whatever stands there: it may have been tampered with."""
    line = entity.get("line")
    found = {name: str(entity.get(name, "")) for name in MARKS}
    return Row(str(entity["PartitionKey"]), str(entity["RowKey"]), line if isinstance(line, bytes) else b"", found)
