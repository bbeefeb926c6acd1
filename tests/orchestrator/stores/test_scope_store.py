"""Every store of scopes keeps the same promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core import clients
from core.settings import Settings
from orchestrator.stores.scope_tables import TableScopeStore
from orchestrator.stores.scopes import MemoryScopeStore, ScopeStore

NOW = datetime(2026, 11, 21, 3, 0, 0, 123456, tzinfo=UTC)
SOON = NOW + timedelta(minutes=2)


@pytest.fixture
def name() -> str:
    return f"{uuid.uuid4().hex}-é'"


@pytest.fixture(params=["memory", "tables"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ScopeStore]:
    if request.param == "memory":
        yield MemoryScopeStore()
        return
    settings = Settings.load({"STORAGE": request.getfixturevalue("storage")})
    async with clients.table_service(settings) as tables:
        yield TableScopeStore(tables)


pytestmark = pytest.mark.contract


async def test_one_owner_at_a_time_has_the_lease(store: ScopeStore, name: str) -> None:
    leases = await asyncio.gather(*(store.lease(name, f"owner-{number}", NOW, SOON) for number in range(5)))
    assert sum(lease is not None for lease in leases) == 1


async def test_the_owner_may_lease_again(store: ScopeStore, name: str) -> None:
    assert await store.lease(name, "me", NOW, SOON)
    again = await store.lease(name, "me", NOW, SOON + timedelta(minutes=1))
    assert again is not None
    assert again.leased_until == SOON + timedelta(minutes=1)


async def test_a_lease_that_ran_out_can_be_taken_over(store: ScopeStore, name: str) -> None:
    first = await store.lease(name, "dead", NOW, SOON)
    assert first is not None
    second = await store.lease(name, "me", SOON + timedelta(seconds=1), SOON + timedelta(minutes=2))
    assert second is not None
    assert second.owner == "me"
    assert not await store.release(first)  # it may not end what is no longer its own
    assert await store.release(second)


async def test_keeps_how_far_was_read(store: ScopeStore, name: str) -> None:
    scope = await store.lease(name, "me", NOW, SOON)
    assert scope is not None
    assert scope.read_until is None
    assert await store.release(replace(scope, read_until=NOW))
    again = await store.lease(name, "me", NOW, SOON)
    assert again is not None
    assert (again.read_until, type(again.read_until)) == (NOW, datetime)


async def test_keeps_when_each_check_was_made(store: ScopeStore, name: str) -> None:
    scope = await store.lease(name, "me", NOW, SOON)
    assert scope is not None
    assert scope.checked == {}
    await store.release(replace(scope, checked={"stuck": NOW, "missed": SOON}))
    await store.want(name)
    again = await store.lease(name, "me", NOW, SOON)
    assert again is not None
    assert again.checked == {"stuck": NOW, "missed": SOON}


async def test_a_wish_while_somebody_looks_is_told_at_the_release(store: ScopeStore, name: str) -> None:
    await store.want(name)
    scope = await store.lease(name, "me", NOW, SOON)
    assert scope is not None
    await store.want(name)
    assert not await store.release(scope)
    again = await store.lease(name, "me", NOW, SOON)
    assert again is not None
    assert await store.release(again)


async def test_wishes_do_not_take_the_lease_away(store: ScopeStore, name: str) -> None:
    scope = await store.lease(name, "me", NOW, SOON)
    await asyncio.gather(*(store.want(name) for _ in range(20)))
    assert scope is not None
    assert await store.lease(name, "another", NOW, SOON) is None


async def test_a_released_scope_is_free(store: ScopeStore, name: str) -> None:
    scope = await store.lease(name, "me", NOW, SOON)
    assert scope is not None
    await store.release(scope)
    assert await store.lease(name, "another", NOW, SOON) is not None


async def test_leases_and_releases_succeed_in_a_storm_of_wishes(store: ScopeStore, name: str) -> None:
    async def wish() -> None:
        for _ in range(20):
            await store.want(name)

    async def look() -> None:
        scope = await store.lease(name, "me", NOW, SOON)
        assert scope is not None
        await store.release(replace(scope, read_until=NOW))

    await asyncio.gather(wish(), wish(), look())
    scope = await store.lease(name, "me", NOW, SOON)
    assert scope is not None
    assert scope.read_until == NOW


async def test_lists_all_scopes(store: ScopeStore, name: str) -> None:
    await store.want(name)
    await store.lease(name + "-2", "me", NOW, SOON)
    assert {name, name + "-2"} <= {scope.name for scope in await store.all()}
