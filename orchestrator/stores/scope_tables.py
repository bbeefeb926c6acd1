"""Scopes in Table storage: the table `scopes`, a partition with one row for each.

A wish is written blindly, so that a storm of them never waits for one another; leases and their ends are
compare-and-set, decided anew when a wish came between.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.errors import UpstreamUnavailable
from orchestrator.alerts.record import digest
from orchestrator.stores.rows import Changed, creating, get, storage, write
from orchestrator.stores.scopes import Scope

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

SCOPES = "scopes"
TABLES = (SCOPES,)
ROW = "scope"
TRIES = 20  # each is lost only to somebody else's write
LONGEST_WAIT_SECONDS = 0.2


class TableScopeStore:
    """See ScopeStore."""

    def __init__(self, tables: TableServiceClient) -> None:
        self._scopes = tables.get_table_client(SCOPES)

    async def want(self, name: str) -> None:
        # Any number but the one that was there: nobody needs to read it first.
        row = {**_place(name), "name": name, "wanted": str(secrets.randbits(62) + 1)}
        await creating(self._scopes, lambda: self._scopes.upsert_entity(row))

    async def lease(self, name: str, owner: str, now: datetime, until: datetime) -> Scope | None:
        def taken(known: Scope) -> Scope | None:
            held = known.owner and known.owner != owner and known.leased_until and known.leased_until > now
            return None if held else replace(known, owner=owner, leased_until=until)

        return await self._change(name, taken)

    async def release(self, scope: Scope) -> bool:
        settled = False

        def freed(known: Scope) -> Scope | None:
            nonlocal settled
            settled = known.owner == scope.owner and known.wanted == scope.wanted
            if known.owner != scope.owner:
                return None
            return replace(
                known,
                owner="",
                leased_until=None,
                read_until=scope.read_until,
                checked=scope.checked,
                served=scope.wanted,
            )

        await self._change(scope.name, freed)
        return settled

    async def all(self) -> list[Scope]:
        found: list[Scope] = []
        async with storage(missing_is_empty=True):
            async for row in self._scopes.list_entities():
                found.append(_scope(row))
        return sorted(found, key=lambda scope: scope.name)

    async def _change(self, name: str, decide: Callable[[Scope], Scope | None]) -> Scope | None:
        for _ in range(TRIES):
            known = await self._load(name)
            changed = decide(known)
            if changed is None:
                return None
            try:
                return replace(changed, version=await write(self._scopes, _row(changed), changed.version))
            except Changed:
                await asyncio.sleep(random.uniform(0, LONGEST_WAIT_SECONDS))
        raise UpstreamUnavailable(f"Too many write to the scope {name!r} at once.", hint="Try again in a minute.")

    async def _load(self, name: str) -> Scope:
        async with storage():
            row = await get(self._scopes, digest(name), ROW)
        return _scope(row) if row is not None else Scope(name)


def _place(name: str) -> dict[str, str]:
    return {"PartitionKey": digest(name), "RowKey": ROW}


def _row(scope: Scope) -> dict[str, Any]:
    plain = {
        "name": scope.name,
        "wanted": str(scope.wanted),  # a number of a table has 32 bits unless told otherwise
        "served": str(scope.served),
        "owner": scope.owner,
        "leased_until": scope.leased_until,
        "read_until": scope.read_until,
        "checked": json.dumps({name: at.isoformat() for name, at in scope.checked.items()}),
    }
    return {**_place(scope.name), **{name: value for name, value in plain.items() if value is not None}}


def _scope(row: Mapping[str, Any]) -> Scope:
    return Scope(
        name=str(row["name"]),
        wanted=int(row.get("wanted", 0)),
        served=int(row.get("served", 0)),
        owner=str(row.get("owner", "")),
        leased_until=_moment(row.get("leased_until")),
        read_until=_moment(row.get("read_until")),
        checked={name: datetime.fromisoformat(at) for name, at in json.loads(row.get("checked", "{}")).items()},
        version=str(row.metadata["etag"]),  # type: ignore[attr-defined]
    )


def _moment(value: Any) -> datetime | None:
    """A plain datetime: the SDK gives a kind of its own, which is equal but carries more."""
    return datetime.fromisoformat(value.isoformat()) if isinstance(value, datetime) else None
