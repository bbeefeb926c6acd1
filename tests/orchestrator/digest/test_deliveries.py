"""Every store of deliveries keeps the same promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core import clients
from core.settings import Settings
from orchestrator.digest.deliveries import Delivery, DeliveryStore, MemoryDeliveryStore
from orchestrator.digest.delivery_tables import TableDeliveryStore
from orchestrator.stores.rows import Changed

NOW = datetime(2026, 11, 21, 6, 0, 0, 123456, tzinfo=UTC)
pytestmark = pytest.mark.contract


@pytest.fixture
def key() -> str:
    return f"daily-{uuid.uuid4().hex}"


@pytest.fixture(params=["memory", "tables"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[DeliveryStore]:
    if request.param == "memory":
        yield MemoryDeliveryStore()
        return
    settings = Settings.load({"STORAGE": request.getfixturevalue("storage")})
    async with clients.table_service(settings) as tables:
        yield TableDeliveryStore(tables)


async def test_one_that_nobody_began_waits(store: DeliveryStore, key: str) -> None:
    assert await store.load(key) == Delivery(key)


async def test_what_was_written_is_read(store: DeliveryStore, key: str) -> None:
    written = await store.save(replace(await store.load(key), state="making", leased_until=NOW))
    read = await store.load(key)
    assert read == written
    assert (read.state, read.leased_until, type(read.leased_until)) == ("making", NOW, datetime)


async def test_a_lease_that_was_given_up_is_gone(store: DeliveryStore, key: str) -> None:
    making = await store.save(replace(await store.load(key), state="making", leased_until=NOW))
    await store.save(replace(making, state="waiting", leased_until=None))
    read = await store.load(key)
    assert (read.state, read.leased_until) == ("waiting", None)


async def test_of_those_who_begin_at_once_one_succeeds(store: DeliveryStore, key: str) -> None:
    known = await store.load(key)

    async def begin() -> bool:
        try:
            await store.save(replace(known, state="making", leased_until=NOW))
        except Changed:
            return False
        return True

    assert sum(await asyncio.gather(*(begin() for _ in range(5)))) == 1


async def test_whoever_was_overtaken_cannot_write(store: DeliveryStore, key: str) -> None:
    first = await store.save(replace(await store.load(key), state="making", leased_until=NOW))
    await store.save(replace(first, leased_until=NOW + timedelta(minutes=8)))
    with pytest.raises(Changed):
        await store.save(replace(first, state="handed"))
