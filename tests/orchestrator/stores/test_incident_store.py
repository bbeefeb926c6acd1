"""What every store of incidents promises; the same for memory and Table storage."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core import clients
from core.errors import NotFound
from core.settings import Settings
from orchestrator.alerts.record import digest
from orchestrator.incidents.record import Entry, Incident, RunRef
from orchestrator.stores.incident_tables import TableIncidentStore
from orchestrator.stores.incidents import IncidentStore, MemoryIncidentStore
from orchestrator.stores.rows import Changed, Exists

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


def make_incident(opened_at: datetime = NOW, **changes: object) -> Incident:
    made = Incident(
        id=f"inc-{opened_at:%Y%m}-{uuid.uuid4().hex[:12]}",
        kind="failure",
        title="LoadSales failed",
        cause=digest(uuid.uuid4().hex),
        opened_at=opened_at,
        last_seen_at=opened_at,
        factory="adf-prod",
        runs=(RunRef("r-1", "LoadSales", "adf-prod", opened_at),),
        diagnosis={"root_cause_path": [{"name": "CopySales"}], "ä": "ü" * 40_000},
        timeline=(Entry(opened_at, "opened", "It began."),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture(params=["memory", "tables"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[IncidentStore]:
    if request.param == "memory":
        yield MemoryIncidentStore()
        return
    settings = Settings.load({"STORAGE": request.getfixturevalue("storage")})
    async with clients.table_service(settings) as tables:
        yield TableIncidentStore(tables)


async def test_gives_back_what_was_written(store: IncidentStore) -> None:
    written = await store.create(make_incident())
    assert await store.load(written.id) == written
    changed = await store.save(written.told(Entry(NOW, "noted", "x"), severity=1, resolved_at=NOW))
    assert await store.load(written.id) == changed


async def test_an_id_is_taken_once_and_an_unknown_one_says_where_to_look(store: IncidentStore) -> None:
    written = await store.create(make_incident())
    with pytest.raises(Exists):
        await store.create(written)
    for unknown in ("inc-202611-000000000000", "nonsense", "inc-'-"):
        with pytest.raises(NotFound, match="/api/incidents"):
            await store.load(unknown)


async def test_of_many_writers_at_once_one_wins(store: IncidentStore) -> None:
    read = await store.create(make_incident())
    results = await asyncio.gather(
        *(store.save(replace(read, severity=number)) for number in range(4)), return_exceptions=True
    )
    assert sum(isinstance(result, Incident) for result in results) == 1
    assert sum(isinstance(result, Changed) for result in results) == 3


async def test_lists_active_ones_and_those_of_a_period_over_months_newest_first(store: IncidentStore) -> None:
    old = await store.create(make_incident(NOW - timedelta(days=33)))
    over = await store.create(make_incident(NOW - timedelta(days=1), status="resolved"))
    new = await store.create(make_incident())
    ours = {old.id, over.id, new.id}
    assert [each.id for each in await store.active() if each.id in ours] == [new.id, old.id]

    async def listed(**period: datetime) -> list[str]:
        return [each.id for each in await store.listed(**period, limit=1000) if each.id in ours]

    assert await listed(since=NOW - timedelta(days=40), until=NOW + timedelta(days=1)) == [new.id, over.id, old.id]
    assert await listed(since=NOW - timedelta(days=40), until=NOW) == [over.id, old.id]
    assert await listed(since=NOW - timedelta(days=2), until=NOW + timedelta(days=1)) == [new.id, over.id]
    assert len(await store.listed(NOW - timedelta(days=40), NOW + timedelta(days=1), limit=1)) == 1


async def test_a_cause_is_held_by_one_of_many_who_want_it(store: IncidentStore) -> None:
    cause = digest(uuid.uuid4().hex)
    free = await store.holder(cause)
    assert (free.incident_id, free.version) == ("", "")
    results = await asyncio.gather(*(store.hold(free, f"inc-{n}") for n in range(4)), return_exceptions=True)
    assert sum(isinstance(result, Changed) for result in results) == 3
    held = await store.holder(cause)
    assert (await store.hold(held, "inc-next")).incident_id == "inc-next"
    with pytest.raises(Changed):
        await store.hold(held, "inc-late")
