"""Runs, events and sessions in Table storage.

Table `runs`: one partition per run with the rows `run`, `cancel`, `promise`, `withdrawn` and `event-000001` …, so that
a state change and its events are written in one transaction. Table `activeruns`: one row per run that has not ended, in
16 partitions, for the sweeper. Table `sessions`: one partition per session.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestrator.runs.record import (
    Event,
    Run,
    Session,
    event_from_json,
    run_from_json,
    session_from_json,
    to_json,
)
from orchestrator.stores.rows import Exists, creating, etag, get, insert, packed, storage, unpacked, write
from orchestrator.stores.runs import number, unknown_run, unknown_session

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

RUNS, ACTIVE, SESSIONS = "runs", "activeruns", "sessions"
TABLES = (RUNS, ACTIVE, SESSIONS)
LISTED_SECONDS = 1.0  # a sweeper takes a row off the list whose run it missed twice, with more time than this between


class TableRunStore:
    """See RunStore."""

    def __init__(self, tables: TableServiceClient) -> None:
        self._runs = tables.get_table_client(RUNS)
        self._active = tables.get_table_client(ACTIVE)
        self._sessions = tables.get_table_client(SESSIONS)

    async def create(self, run: Run, *events: Event) -> Run:
        # The active row first: a run that is on no list could be lost, one that is listed too early is only looked at.
        await self._list(run.id)
        began = time.monotonic()
        stored = replace(run, events=len(events))
        results = await insert(self._runs, _run_row(stored), *_event_rows(run, events))
        if time.monotonic() - began > LISTED_SECONDS:
            await self._list(run.id)
        return replace(stored, version=etag(results[0]))

    async def _list(self, run_id: str) -> None:
        await creating(self._active, lambda: self._active.upsert_entity(active_row(run_id)))

    async def load(self, run_id: str) -> Run:
        async with storage():
            entity = await get(self._runs, run_id, "run")
        if entity is None:
            raise unknown_run(run_id)
        return run_from_json(unpacked(entity), entity.metadata["etag"])

    async def save(self, run: Run, *events: Event) -> Run:
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        stored = replace(run, events=run.events + len(events))
        if not events:  # a sign of life needs no transaction
            return replace(stored, version=await write(self._runs, _run_row(stored), run.version))
        condition = {"mode": UpdateMode.REPLACE, "etag": run.version, "match_condition": MatchConditions.IfNotModified}
        new = [("create", row) for row in _event_rows(run, events)]
        rows: list[Any] = [("update", _run_row(stored), condition), *new]
        async with storage():
            results = await self._runs.submit_transaction(rows)
        return replace(stored, version=etag(results[0]))

    async def events(self, run_id: str, after: int = 0) -> list[Event]:
        query = "PartitionKey eq @run and RowKey gt @after and RowKey lt 'event-~'"
        parameters = {"run": run_id, "after": f"event-{after:06d}"}
        async with storage():
            rows = [row async for row in self._runs.query_entities(query, parameters=parameters)]
        return [event_from_json(unpacked(row)) for row in rows]

    async def active(self) -> list[str]:
        ids: list[str] = []
        async with storage(missing_is_empty=True):
            async for row in self._active.list_entities(select=["RowKey"]):
                ids.append(str(row["RowKey"]))
        return ids

    async def settle(self, run_id: str) -> None:
        async with storage(missing_is_empty=True):
            row = active_row(run_id)
            await self._active.delete_entity(row["PartitionKey"], row["RowKey"])

    async def request_cancel(self, run_id: str) -> None:
        async with storage():
            await self._runs.upsert_entity({"PartitionKey": run_id, "RowKey": "cancel"})

    async def cancel_requested(self, run_id: str) -> bool:
        async with storage():
            return await get(self._runs, run_id, "cancel") is not None

    async def withdraw(self, run_id: str) -> None:
        async with storage():
            await self._runs.upsert_entity({"PartitionKey": run_id, "RowKey": "withdrawn"})

    async def withdrawn(self, run_id: str) -> bool:
        async with storage():
            return await get(self._runs, run_id, "withdrawn") is not None

    async def promise_answer(self, run_id: str) -> None:
        async with storage():
            await self._runs.upsert_entity({"PartitionKey": run_id, "RowKey": "promise"})

    async def answer_promised(self, run_id: str) -> bool:
        async with storage():
            return await get(self._runs, run_id, "promise") is not None

    async def open_session(self, session: Session) -> None:
        with suppress(Exists):
            await insert(self._sessions, _session_row(session))

    async def session(self, session_id: str) -> Session:
        async with storage(missing_is_empty=True):
            entity = await get(self._sessions, session_id, "session")
            if entity is not None:
                return session_from_json(unpacked(entity), entity.metadata["etag"])
        raise unknown_session(session_id)

    async def save_session(self, session: Session) -> Session:
        return replace(session, version=await write(self._sessions, _session_row(session), session.version))

    async def conversation_known(self, key: str, conversation: str) -> bool:
        async with storage(missing_is_empty=True):
            entity = await get(self._runs, key, "run")
            if entity is not None:
                run = run_from_json(unpacked(entity))
                return (await self.session(run.session_id)).conversation == conversation
        return False


def _run_row(run: Run) -> dict[str, Any]:
    return {"PartitionKey": run.id, "RowKey": "run", "status": run.status, **packed(to_json(run))}


def _event_rows(run: Run, events: tuple[Event, ...]) -> list[dict[str, Any]]:
    return [
        {"PartitionKey": run.id, "RowKey": f"event-{event.seq:06d}", **packed(to_json(event))}
        for event in number(run, events)
    ]


def _session_row(session: Session) -> dict[str, Any]:
    return {"PartitionKey": session.id, "RowKey": "session", **packed(to_json(session))}


def active_row(run_id: str) -> dict[str, Any]:
    """By which the sweeper finds a run that has not ended."""
    return {"PartitionKey": run_id[-1], "RowKey": run_id}
