"""What every store of actions promises; the same for memory and Table storage."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import clients
from core.errors import NotFound
from core.settings import Settings
from orchestrator.actions.record import Action, Approval, Entry, Requester, Terms
from orchestrator.stores.action_tables import TableActionStore
from orchestrator.stores.actions import ActionStore, MemoryActionStore
from orchestrator.stores.rows import Changed, Exists
from tools_worker.datafactory.operations.model import Operation, Plan, Receipt

NOW = datetime.now(UTC).replace(microsecond=0)
GIVEN = {"pipeline": "LoadSales", "parameters": {"name": "ä" * 20_000, "full": True, "days": [1, 2.5, None]}}


def make_action(created_at: datetime = NOW, **changes: Any) -> Action:
    plan = Plan(
        operation=Operation("run_pipeline", "/factories/adf-prod", GIVEN),
        title="Run LoadSales",
        effects=("A new run of LoadSales starts.",),
        facts={"pipeline": "LoadSales"},
        risk="medium",
        pipelines=("LoadSales",),
    )
    made = Action(
        id=f"A-{created_at:%Y%m}-{uuid.uuid4().hex[:16]}",
        plan=plan,
        requester=Requester("person", "ana", "id-ana", ("operator",), "ui"),
        created_at=created_at,
        state="waiting",
        asked="0" * 64,
        terms=Terms(("approver",), 1, True, created_at + timedelta(hours=1)),
        approvals=(Approval(created_at, "bea", "id-bea", plan.digest, ("approver",)),),
        receipt=Receipt(created_at, "new-1", ("Nightly",)),
        timeline=(Entry(created_at, "proposed", "It was wanted."),),
    )
    return replace(made, **changes)


@pytest.fixture(params=["memory", "tables"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ActionStore]:
    if request.param == "memory":
        yield MemoryActionStore()
        return
    settings = Settings.load({"STORAGE": request.getfixturevalue("storage")})
    async with clients.table_service(settings) as tables:
        yield TableActionStore(tables)


async def test_gives_back_what_was_written_to_the_digest(store: ActionStore) -> None:
    written = await store.create(make_action())
    read = await store.load(written.id)
    assert (read, read.plan.digest) == (written, written.plan.digest)


async def test_an_id_is_taken_once_and_an_unknown_one_says_where_to_look(store: ActionStore) -> None:
    written = await store.create(make_action())
    with pytest.raises(Exists):
        await store.create(written)
    with pytest.raises(NotFound, match="/api/actions"):
        await store.load("A-202611-0000000000000000")


async def test_of_two_who_write_on_what_they_read_one_is_told_to_read_again(store: ActionStore) -> None:
    written = await store.create(make_action())
    await store.save(replace(written, state="queued"))
    with pytest.raises(Changed):
        await store.save(replace(written, state="declined"))
    assert (await store.load(written.id)).state == "queued"


async def test_what_is_over_is_no_longer_active_and_still_listed(store: ActionStore) -> None:
    over, going = await store.create(make_action()), await store.create(make_action())
    await store.save(over.over("declined", NOW, "No."))
    active = {each.id for each in await store.active()}
    assert (over.id in active, going.id in active) == (False, True)
    assert {over.id, going.id} <= {each.id for each in await store.listed(NOW - timedelta(hours=1), limit=None)}


async def test_lists_the_newest_first_over_months_and_without_a_limit_all(store: ActionStore) -> None:
    days = [await store.create(make_action(NOW - timedelta(days=number))) for number in (0, 20, 40, 60)]
    ids = [each.id for each in days]
    since = NOW - timedelta(days=50)
    everything = [each.id for each in await store.listed(since, limit=None) if each.id in ids]
    assert everything == ids[:3]
    assert len(await store.listed(since, limit=2)) == 2
