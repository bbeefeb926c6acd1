"""Rows are inserted once and for sure, whichever end of the connection breaks first."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from core import clients, inserts
from core.settings import Settings

pytestmark = pytest.mark.contract
TABLE = "inserts"


class Breaking:
    """A table whose first writes find their connection closed, before storage heard of them or after."""

    def __init__(self, table: Any, times: int, after: bool) -> None:
        self._table, self.left, self._after = table, times, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    async def create_entity(self, entity: Any, **options: Any) -> Any:
        return await self._broken(self._table.create_entity, entity, options)

    async def submit_transaction(self, operations: Any, **options: Any) -> Any:
        return await self._broken(self._table.submit_transaction, operations, options)

    async def _broken(self, write: Any, what: Any, options: Any) -> Any:
        if not self.left:
            return await write(what, **options)
        self.left -= 1
        if not self._after:
            raise ServiceRequestError("Server disconnected")
        try:
            await write(what, **options)
        finally:
            raise ServiceResponseError("Connection reset by peer")


@pytest.fixture
async def table(storage: str) -> AsyncIterator[Any]:
    async with clients.table_service(Settings.load({"STORAGE": storage})) as tables:
        await tables.create_table_if_not_exists(TABLE)
        yield tables.get_table_client(TABLE)


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    partition = str(uuid.uuid4())
    plain = {"n": 7, "text": "é", "body": b"\x00\xff", "at": datetime(2026, 3, 1, 4, 5, 6, 789000, tzinfo=UTC), **more}
    return [{"PartitionKey": partition, "RowKey": f"r{index}", **plain} for index in range(count)]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("after", [False, True])
async def test_a_connection_that_breaks_costs_nothing(table: Any, after: bool, count: int) -> None:
    wanted = rows(count)
    breaking: Any = Breaking(table, 2, after)
    written = await inserts.insert(breaking, *wanted)
    there = [await table.get_entity(row["PartitionKey"], row["RowKey"]) for row in wanted]
    assert [row["etag"] for row in written] == [row.metadata["etag"] for row in there]
    assert [row["body"] for row in there] == [b"\x00\xff"] * count
    assert breaking.left == 0


def late_transport() -> Any:
    """Storage carries out what is posted first, and says that it took too long."""
    transport = clients.transport()
    usual, failures = transport.send, ["500"]

    async def send(request: Any, **options: Any) -> Any:
        response = await usual(request, **options)
        if request.method == "POST" and failures:
            response.status_code = int(failures.pop())
        return response

    transport.send = send
    return transport


@pytest.mark.parametrize("count", [1, 3])
async def test_what_storage_wrote_and_called_a_failure_is_a_write_of_ours(
    table: Any, storage: str, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    late = late_transport()
    monkeypatch.setattr(clients, "transport", lambda: late)
    wanted = rows(count)
    async with clients.table_service(Settings.load({"STORAGE": storage})) as tables:
        written = await inserts.insert(tables.get_table_client(TABLE), *wanted)
    there = [await table.get_entity(row["PartitionKey"], row["RowKey"]) for row in wanted]
    assert [row["etag"] for row in written] == [row.metadata["etag"] for row in there]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("breaks", [0, 1])
async def test_what_another_put_there_is_no_write_of_ours(table: Any, count: int, breaks: int) -> None:
    wanted = rows(count)
    breaking: Any = Breaking(table, breaks, after=False)
    await table.create_entity({**wanted[-1], "text": "somebody else's"})
    with pytest.raises(HttpResponseError) as refused:
        await inserts.insert(breaking, *wanted)
    assert refused.value.status_code == 409
    assert (await table.get_entity(wanted[-1]["PartitionKey"], wanted[-1]["RowKey"]))["text"] == "somebody else's"


async def test_the_same_row_is_refused_where_nothing_broke(table: Any) -> None:
    (row,) = rows(1)
    await table.create_entity(row)
    with pytest.raises(HttpResponseError):
        await inserts.insert(table, row)


async def test_gives_up_where_storage_stays_away(table: Any) -> None:
    breaking: Any = Breaking(table, 9, after=False)
    with pytest.raises(ServiceRequestError):
        await inserts.insert(breaking, *rows(1))
    assert breaking.left == 9 - 4
