"""Puts a copy back into storage that is empty, or is emptied on request. Nothing that is there is ever overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.backup import entities, manifest
from infra.backup.saving import TABLES
from orchestrator.actions.record import Entry
from orchestrator.runs.record import run_from_json
from orchestrator.stores.action_tables import ACTIONS, JSON, action_row
from orchestrator.stores.audit_tables import AUDIT
from orchestrator.stores.rows import create_table, unpacked
from orchestrator.stores.run_tables import ACTIVE, RUNS, active_row

if TYPE_CHECKING:
    from azure.data.tables.aio import TableClient, TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient

MOST_ROWS, MOST_BYTES = 100, 3_000_000  # of a transaction: Azure takes 100 rows and 4 MiB
AT_ONCE = 16
Row = dict[str, Any]


class NotEmpty(Exception):
    """Something is there already. Says what."""


@dataclass
class Restored:
    """Rows and files put back; those that were there already; runs that were under way; actions, see `_unsure`."""

    put: int = 0
    there: int = 0
    files: int = 0
    under_way: list[str] = field(default_factory=list)
    unsure: int = 0


@dataclass(frozen=True)
class Target:
    tables: TableServiceClient
    blobs: BlobServiceClient | None


async def restore(target: Target, folder: Path, *, go_on: bool = False) -> Restored:
    """`go_on`: an earlier try was broken off, so what is there stays. Raises Spoilt, NotEmpty, azure.core's errors."""
    copy = await asyncio.to_thread(manifest.read, folder)
    if target.blobs is None:
        raise NotEmpty("No blob service is set (STORAGE__blobServiceUri): the audit trail could not be proven.")
    if not go_on:
        await _refuse_used(target, copy)
    done = Restored()
    for name in (each for each in copy.files if each.startswith(f"{manifest.BLOBS}/")):
        await _blob(target.blobs, name, await asyncio.to_thread((folder / name).read_bytes), done)
    for name in copy.rows:
        rows = _rows(folder / manifest.TABLES / f"{name}.jsonl")
        if name == ACTIONS:
            rows = _unsure(rows, datetime.fromisoformat(copy.begun_at), done)
        await _table(target.tables.get_table_client(name), rows, done)
    runs = _rows(folder / manifest.TABLES / f"{RUNS}.jsonl") if RUNS in copy.rows else ()
    done.under_way = [str(row["PartitionKey"]) for row in runs if _is_under_way(row)]
    await _table(target.tables.get_table_client(ACTIVE), (active_row(each) for each in done.under_way), Restored())
    return done


async def clear(tables: TableServiceClient) -> int:
    """Take all rows away but those of the audit trail, which nobody takes away: another's chains stand beside it.

    The tables stay: one that is deleted cannot be made again for a while. How many rows."""
    from azure.core.exceptions import ResourceNotFoundError

    gone = 0
    for name in (*(each for each in TABLES if each != AUDIT), ACTIVE):
        table = tables.get_table_client(name)
        try:
            keys = [row async for row in table.list_entities(select=["PartitionKey", "RowKey"])]
        except ResourceNotFoundError:
            continue
        for _, partition in groupby(keys, key=lambda row: str(row["PartitionKey"])):
            rows = list(partition)
            for start in range(0, len(rows), MOST_ROWS):
                await table.submit_transaction([("delete", row) for row in rows[start : start + MOST_ROWS]])
        gone += len(keys)
    return gone


async def _refuse_used(target: Target, copy: manifest.Manifest) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    for name in copy.rows:
        try:
            async for _ in target.tables.get_table_client(name).list_entities(results_per_page=1):
                raise NotEmpty(f"The table {name!r} holds rows already: a copy goes into storage that is empty.")
        except ResourceNotFoundError:
            continue


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from (entities.entity(line) for line in file)


def _unsure(rows: Iterable[Row], copied: datetime, done: Restored) -> Iterator[Row]:
    """What was to be sent may have been sent since it was copied: it is looked up, as if its sender had died then. The
    end of a pause may be sent twice, and must be sent."""
    for row in rows:
        action = JSON.validate_python(unpacked(row))
        if action.state == "queued" and not action.follows:
            done.unsure += 1
            told = Entry(copied, "unsure", "Put back from a copy: it may have been sent since, and is looked up.")
            free = action.told(told, state="sending", sent_at=copied, owner="", owned_until=None)
            yield action_row(free)
        else:
            yield row


def _is_under_way(row: Row) -> bool:
    return row["RowKey"] == "run" and not run_from_json(unpacked(row)).ended


async def _table(table: TableClient, rows: Iterable[Row], done: Restored) -> None:
    await create_table(table)
    waiting: list[Awaitable[tuple[int, int]]] = []
    for _, partition in groupby(rows, key=lambda row: row["PartitionKey"]):
        for batch in _batches(partition):
            waiting.append(_put(table, batch))
            if len(waiting) == AT_ONCE:
                await _counted(waiting, done)
    await _counted(waiting, done)


async def _counted(waiting: list[Awaitable[tuple[int, int]]], done: Restored) -> None:
    for put, there in await asyncio.gather(*waiting):
        done.put, done.there = done.put + put, done.there + there
    waiting.clear()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        weight = len(entities.line(row))
        if batch and (len(batch) == MOST_ROWS or size + weight > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += weight
    if batch:
        yield batch


async def _put(table: TableClient, rows: Sequence[Row]) -> tuple[int, int]:
    """How many were put, and how many were there: then all of a transaction is refused, and they go one by one."""
    from azure.core.exceptions import ResourceExistsError
    from azure.data.tables import TableTransactionError

    if len(rows) > 1:
        try:
            await table.submit_transaction([("create", row) for row in rows])
            return len(rows), 0
        except TableTransactionError as exc:
            if exc.status_code != 409:
                raise
    put = 0
    for row in rows:
        try:
            await table.create_entity(row)
            put += 1
        except ResourceExistsError:
            continue
    return put, len(rows) - put


async def _blob(blobs: BlobServiceClient, name: str, data: bytes, done: Restored) -> None:
    from azure.core.exceptions import ResourceExistsError

    _, container, blob = name.split("/", 2)
    client = blobs.get_container_client(container)
    with suppress(ResourceExistsError):
        await client.create_container()
    try:
        await client.upload_blob(blob, data, overwrite=False)
        done.files += 1
    except ResourceExistsError:
        there = await (await client.download_blob(blob)).readall()
        if there != data:
            raise NotEmpty(f"The blob {container}/{blob} is there already, and holds something else.") from None
        done.there += 1
