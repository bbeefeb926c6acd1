"""Rows that are put into Table storage if they are not there, also where storage's answer was lost.

The SDK repeats no POST whose connection broke. One that was kept too long breaks at its next use, and then nobody knows
whether the rows were written: they are written again, and where something is there by then it is compared with what was
to be written. A POST that was answered with 500 or 503 the SDK does repeat, and storage may have carried out that one
too. Rows that two writers may want to insert must therefore differ where it matters who was first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineResponse
    from azure.data.tables.aio import TableClient

PAUSES_SECONDS = (0.0, 0.1, 0.4)


async def insert(table: TableClient, *rows: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All of the rows or none of them; more than one must be of one partition. Each one's metadata, with its `etag`.

    Raises azure.core's errors: ResourceExistsError (TableTransactionError of several rows) where one is there already.
    """
    from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

    unsure = False

    def answered(response: PipelineResponse[Any, Any]) -> None:
        nonlocal unsure
        unsure = unsure or response.http_response.status_code >= 500

    for pause in (*PAUSES_SECONDS, None):
        try:
            return await _write(table, rows, answered)
        except (ServiceRequestError, ServiceResponseError):
            if pause is None:
                raise
            unsure = True
            await asyncio.sleep(pause)
        except HttpResponseError as exc:
            if unsure and exc.status_code == 409 and (written := await _written(table, rows)):
                return written
            raise
    raise AssertionError("the last try returns or raises")


async def _write(
    table: TableClient, rows: tuple[Mapping[str, Any], ...], answered: Callable[[PipelineResponse[Any, Any]], None]
) -> list[Mapping[str, Any]]:
    """`answered` is told of each answer, also of those upon which the SDK asks again."""
    if len(rows) == 1:
        return [await table.create_entity(dict(rows[0]), raw_response_hook=answered)]
    creates = [("create", dict(row)) for row in rows]
    return list(await table.submit_transaction(creates, raw_response_hook=answered))


async def _written(table: TableClient, rows: tuple[Mapping[str, Any], ...]) -> list[Mapping[str, Any]] | None:
    """The metadata of the rows, where each of them is there as it was to be written."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        found = await asyncio.gather(*(table.get_entity(row["PartitionKey"], row["RowKey"]) for row in rows))
    except ResourceNotFoundError:
        return None
    if all(there.get(name) == value for row, there in zip(rows, found, strict=True) for name, value in row.items()):
        return [there.metadata for there in found]
    return None
