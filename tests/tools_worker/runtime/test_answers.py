"""Every store of answer slots keeps the same promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from core import clients
from core.settings import Settings
from tools_worker.runtime.answers import AnswerSlots, MemoryAnswerSlots, TableAnswerSlots
from tools_worker.runtime.messages import ToolCall

pytestmark = pytest.mark.contract


@pytest.fixture(params=["memory", "tables"])
async def slots(request: pytest.FixtureRequest) -> AsyncIterator[AnswerSlots]:
    if request.param == "memory":
        yield MemoryAnswerSlots()
        return
    async with clients.table_service(Settings.load({"STORAGE": request.getfixturevalue("storage")})) as tables:
        yield TableAnswerSlots(tables)


def new_slot() -> str:
    return ToolCall(str(uuid.uuid4()), {}).slot("t")


async def test_an_empty_slot_holds_nothing(slots: AnswerSlots) -> None:
    assert await slots.find(new_slot()) is None


async def test_the_first_claim_stays(slots: AnswerSlots) -> None:
    slot = new_slot()
    assert await slots.claim(slot, "first") == "first"
    assert await slots.claim(slot, "second") == "first"
    assert await slots.find(slot) == "first"


async def test_of_many_claims_at_once_all_hear_of_one_winner(slots: AnswerSlots) -> None:
    slot = new_slot()
    heard = await asyncio.gather(*(slots.claim(slot, str(i)) for i in range(10)))
    assert len(set(heard)) == 1


async def test_holds_the_largest_reply_a_queue_can_carry(slots: AnswerSlots) -> None:
    slot, reply = new_slot(), "é" * (49_152 // 2)
    await slots.claim(slot, reply)
    assert await slots.find(slot) == reply


def test_ids_with_characters_that_table_keys_refuse_are_fine() -> None:
    slot = ToolCall("a/b#c?d\\e", {"x": "y/z"}).slot("t")
    assert slot.isalnum()


def test_the_order_of_arguments_does_not_matter() -> None:
    assert ToolCall("1", {"a": 1, "b": 2}).slot("t") == ToolCall("1", {"b": 2, "a": 1}).slot("t")


async def test_old_slots_are_forgotten_and_new_ones_stay(slots: AnswerSlots) -> None:
    old, new = new_slot(), new_slot()
    await slots.claim(old, "old")
    await asyncio.sleep(0.05)
    between = datetime.now(UTC)
    await asyncio.sleep(0.05)
    await slots.claim(new, "new")
    assert await slots.purge(between) >= 1
    assert await slots.find(old) is None
    assert await slots.find(new) == "new"


async def test_purges_no_more_at_once_than_it_is_told(slots: AnswerSlots) -> None:
    for _ in range(5):
        await slots.claim(new_slot(), "reply")
    assert await slots.purge(datetime.now(UTC) + timedelta(minutes=1), most=3) == 3


class Breaking:
    """A table whose first write finds its connection closed, before storage heard of it or after."""

    def __init__(self, table: Any, after: bool) -> None:
        self._table, self._after, self.broken = table, after, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    async def create_entity(self, entity: Any, **options: Any) -> Any:
        if self.broken:
            return await self._table.create_entity(entity, **options)
        self.broken += 1
        if self._after:
            await self._table.create_entity(entity, **options)
            raise ServiceResponseError("Server disconnected")
        raise ServiceRequestError("Can not write request body")


@pytest.mark.parametrize("after", [False, True])
async def test_a_connection_that_breaks_at_a_claim_costs_no_redelivery(
    storage: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with clients.table_service(Settings.load({"STORAGE": storage})) as tables:
        slots, slot = TableAnswerSlots(tables), new_slot()
        await slots.claim(new_slot(), "the table is there")
        breaking = Breaking(slots._table, after)
        monkeypatch.setattr(slots, "_table", breaking)
        assert await slots.claim(slot, "reply") == "reply"
        assert await slots.find(slot) == "reply"
        assert breaking.broken == 1
