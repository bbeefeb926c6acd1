"""What all stores in Table storage share: its failures as ours, compare-and-set, records as JSON in binary properties.

Records are JSON in binary properties of 60 KiB, because a table string holds 32 K characters only; a row holds 1 MiB.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from core import inserts
from core.errors import UpstreamRefused, UpstreamUnavailable

if TYPE_CHECKING:
    from azure.data.tables.aio import TableClient

CHUNK = 60 * 1024


class Changed(Exception):
    """Somebody else wrote the record since it was read: read it again and decide anew."""


class Exists(Exception):
    """There is a record of this id already."""


@asynccontextmanager
async def storage(*, missing_is_empty: bool = False) -> AsyncIterator[None]:
    """Storage's failures as ours. `missing_is_empty` leaves the block silently where a table or row does not exist."""
    from azure.core.exceptions import (
        HttpResponseError,
        ResourceNotFoundError,
        ServiceRequestError,
        ServiceResponseError,
    )

    try:
        yield
    except ResourceNotFoundError:
        if not missing_is_empty:
            raise
    except HttpResponseError as exc:
        if exc.status_code == 412 or getattr(exc, "error_code", "") == "UpdateConditionNotSatisfied":
            raise Changed(str(exc.message)) from exc
        if exc.status_code in (401, 403):
            hint = "Give the app's identity Storage Table Data Contributor on the storage account."
            raise UpstreamRefused("Table storage refused the app's identity.", hint=hint) from exc
        if exc.status_code in (408, 429) or (exc.status_code or 0) >= 500:
            raise UpstreamUnavailable("Table storage does not answer.", hint="Try again in a minute.") from exc
        if exc.status_code == 409 and "EntityAlreadyExists" in str(exc):
            raise Exists from exc
        raise
    except (ServiceRequestError, ServiceResponseError) as exc:
        raise UpstreamUnavailable("Table storage cannot be reached.", hint="Try again in a minute.") from exc


async def creating(table: TableClient, write: Callable[[], Awaitable[Any]]) -> Any:
    """Do a write; make the table first where this is the first write of an installation."""
    from azure.core.exceptions import HttpResponseError

    async with storage():
        try:
            return await write()
        except HttpResponseError as exc:
            if "TableNotFound" not in str(exc):  # error_code is not set by every operation
                raise
        await create_table(table)
        return await write()


async def insert(table: TableClient, *rows: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """See core.inserts; makes the table first where there is none. Raises Exists."""
    return list(await creating(table, lambda: inserts.insert(table, *rows)))


async def write(table: TableClient, row: Mapping[str, Any], version: str) -> str:
    """Put the row in the place of its version; as a new one where that is empty. The version it has now. Raises Changed
    where somebody else wrote it."""
    from azure.core import MatchConditions
    from azure.data.tables import UpdateMode

    if not version:
        try:
            (written,) = await insert(table, row)
        except Exists as exc:
            raise Changed(row["RowKey"]) from exc
        return etag(written)
    async with storage():
        return etag(
            await table.update_entity(
                dict(row), mode=UpdateMode.REPLACE, etag=version, match_condition=MatchConditions.IfNotModified
            )
        )


async def create_table(table: TableClient) -> None:
    from azure.core.exceptions import ResourceExistsError

    try:
        await table.create_table()
    except ResourceExistsError:
        return


async def get(table: TableClient, partition: str, row: str) -> Any:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return await table.get_entity(partition, row)
    except ResourceNotFoundError:
        return None


def packed(data: Mapping[str, Any]) -> dict[str, bytes]:
    body = json.dumps(data, ensure_ascii=False).encode()
    return {f"body{index}": body[start : start + CHUNK] for index, start in enumerate(range(0, len(body), CHUNK))}


def unpacked(entity: Mapping[str, Any]) -> dict[str, Any]:
    chunks: list[bytes] = []
    while (part := entity.get(f"body{len(chunks)}")) is not None:
        chunks.append(bytes(part))
    data: dict[str, Any] = json.loads(b"".join(chunks))
    return data


def etag(result: Mapping[str, Any]) -> str:
    return str(result["etag"])
