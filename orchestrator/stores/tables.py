"""Runs, events and sessions in Table storage.

Table `runs`: one partition per run with the rows `run`, `cancel` and `event-000001` …, so that a state change and its
events are written in one transaction. Table `activeruns`: one row per run that has not ended, in 16 partitions, for the
sweeper. Table `sessions`: one partition per session. Records are JSON in binary properties of 60 KiB, because a table
string holds 32 K characters only.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import UpstreamRefused, UpstreamUnavailable
from orchestrator.runs.record import (
    Event,
    Run,
    Session,
    event_from_json,
    run_from_json,
    session_from_json,
    to_json,
)
from orchestrator.stores.runs import Changed, Exists, number, unknown_run, unknown_session

if TYPE_CHECKING:
    from azure.data.tables.aio import TableClient, TableServiceClient

RUNS, ACTIVE, SESSIONS = "runs", "activeruns", "sessions"
TABLES = (RUNS, ACTIVE, SESSIONS)
CHUNK = 60 * 1024


class TableRunStore:
    """See RunStore."""

    def __init__(self, tables: TableServiceClient) -> None:
        self._runs = tables.get_table_client(RUNS)
        self._active = tables.get_table_client(ACTIVE)
        self._sessions = tables.get_table_client(SESSIONS)

    async def create(self, run: Run, *events: Event) -> Run:
        # The active row first: a run that is on no list could be lost, one that is listed too early is only looked at.
        await _creating(self._active, lambda: self._active.upsert_entity(_active_row(run.id)))
        stored = replace(run, events=len(events))
        rows = [("create", _run_row(stored)), *_event_rows(run, events)]
        results = await _creating(self._runs, lambda: self._runs.submit_transaction(rows))
        return replace(stored, version=_etag(results[0]))

    async def load(self, run_id: str) -> Run:
        async with _storage():
            entity = await _get(self._runs, run_id, "run")
        if entity is None:
            raise unknown_run(run_id)
        return run_from_json(_unpacked(entity), entity.metadata["etag"])

    async def save(self, run: Run, *events: Event) -> Run:
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        stored = replace(run, events=run.events + len(events))
        condition = {"mode": UpdateMode.REPLACE, "etag": run.version, "match_condition": MatchConditions.IfNotModified}
        rows: list[Any] = [("update", _run_row(stored), condition), *_event_rows(run, events)]
        async with _storage():
            results = await self._runs.submit_transaction(rows)
        return replace(stored, version=_etag(results[0]))

    async def events(self, run_id: str, after: int = 0) -> list[Event]:
        query = "PartitionKey eq @run and RowKey gt @after and RowKey lt 'event-~'"
        parameters = {"run": run_id, "after": f"event-{after:06d}"}
        async with _storage():
            rows = [row async for row in self._runs.query_entities(query, parameters=parameters)]
        return [event_from_json(_unpacked(row)) for row in rows]

    async def active(self) -> list[str]:
        ids: list[str] = []
        async with _storage(missing_is_empty=True):
            async for row in self._active.list_entities(select=["RowKey"]):
                ids.append(str(row["RowKey"]))
        return ids

    async def settle(self, run_id: str) -> None:
        async with _storage(missing_is_empty=True):
            row = _active_row(run_id)
            await self._active.delete_entity(row["PartitionKey"], row["RowKey"])

    async def request_cancel(self, run_id: str) -> None:
        async with _storage():
            await self._runs.upsert_entity({"PartitionKey": run_id, "RowKey": "cancel"})

    async def cancel_requested(self, run_id: str) -> bool:
        async with _storage():
            return await _get(self._runs, run_id, "cancel") is not None

    async def open_session(self, session: Session) -> None:
        with suppress(Exists):
            await _creating(self._sessions, lambda: self._sessions.create_entity(_session_row(session)))

    async def session(self, session_id: str) -> Session:
        async with _storage(missing_is_empty=True):
            entity = await _get(self._sessions, session_id, "session")
            if entity is not None:
                return session_from_json(_unpacked(entity), entity.metadata["etag"])
        raise unknown_session(session_id)

    async def save_session(self, session: Session) -> Session:
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        async with _storage():
            written = await self._sessions.update_entity(
                _session_row(session),
                mode=UpdateMode.REPLACE,
                etag=session.version,
                match_condition=MatchConditions.IfNotModified,
            )
        return replace(session, version=str(written["etag"]))

    async def conversation_known(self, key: str, conversation: str) -> bool:
        async with _storage(missing_is_empty=True):
            entity = await _get(self._runs, key, "run")
            if entity is not None:
                run = run_from_json(_unpacked(entity))
                return (await self.session(run.session_id)).conversation == conversation
        return False


@asynccontextmanager
async def _storage(*, missing_is_empty: bool = False) -> AsyncIterator[None]:
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


async def _creating(table: TableClient, write: Callable[[], Awaitable[Any]]) -> Any:
    """Do a write; make the table first where this is the first write of an installation."""
    from azure.core.exceptions import HttpResponseError

    async with _storage():
        try:
            return await write()
        except HttpResponseError as exc:
            if "TableNotFound" not in str(exc):  # error_code is not set by every operation
                raise
        await create_table(table)
        return await write()


async def create_table(table: TableClient) -> None:
    from azure.core.exceptions import ResourceExistsError

    try:
        await table.create_table()
    except ResourceExistsError:
        return


async def _get(table: TableClient, partition: str, row: str) -> Any:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return await table.get_entity(partition, row)
    except ResourceNotFoundError:
        return None


def _run_row(run: Run) -> dict[str, Any]:
    return {"PartitionKey": run.id, "RowKey": "run", "status": run.status, **_packed(to_json(run))}


def _event_rows(run: Run, events: tuple[Event, ...]) -> list[Any]:
    return [
        ("create", {"PartitionKey": run.id, "RowKey": f"event-{event.seq:06d}", **_packed(to_json(event))})
        for event in number(run, events)
    ]


def _session_row(session: Session) -> dict[str, Any]:
    return {"PartitionKey": session.id, "RowKey": "session", **_packed(to_json(session))}


def _active_row(run_id: str) -> dict[str, str]:
    return {"PartitionKey": run_id[-1], "RowKey": run_id}


def _packed(data: Mapping[str, Any]) -> dict[str, bytes]:
    body = json.dumps(data, ensure_ascii=False).encode()
    return {f"body{index}": body[start : start + CHUNK] for index, start in enumerate(range(0, len(body), CHUNK))}


def _unpacked(entity: Mapping[str, Any]) -> dict[str, Any]:
    chunks: list[bytes] = []
    while (part := entity.get(f"body{len(chunks)}")) is not None:
        chunks.append(bytes(part))
    data: dict[str, Any] = json.loads(b"".join(chunks))
    return data


def _etag(result: Mapping[str, Any]) -> str:
    return str(result["etag"])
