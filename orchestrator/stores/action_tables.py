"""Actions in Table storage: table `actions`, a partition for each month, a row for each action with all that it holds.

A row is one compare-and-set, and limits of policy are counted over the rows of the last day, so that the month is the
partition: some thousand actions a month are many.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from orchestrator.actions.record import Action
from orchestrator.stores.actions import newest_first, unknown_action
from orchestrator.stores.rows import etag, get, insert, packed, storage, unpacked, write

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

ACTIONS = "actions"
JSON = TypeAdapter(Action)


class TableActionStore:
    """See ActionStore."""

    def __init__(self, tables: TableServiceClient) -> None:
        self._actions = tables.get_table_client(ACTIONS)

    async def create(self, action: Action) -> Action:
        (written,) = await insert(self._actions, action_row(action))
        return replace(action, version=etag(written))

    async def load(self, action_id: str) -> Action:
        async with storage(missing_is_empty=True):
            row = await get(self._actions, _month_of(action_id), action_id)
            if row is not None:
                return _action(row)
        raise unknown_action(action_id)

    async def save(self, action: Action) -> Action:
        return replace(action, version=await write(self._actions, action_row(action), action.version))

    async def active(self) -> list[Action]:
        return newest_first([each async for each in self._where("active eq true", {})])

    async def listed(self, since: datetime, *, limit: int | None = 100) -> list[Action]:
        found: list[Action] = []
        month = datetime.now(UTC)
        while f"{month:%Y%m}" >= f"{since:%Y%m}" and (limit is None or len(found) < limit):
            query = "PartitionKey eq @month and created_at ge @since"
            rows = self._where(query, {"month": f"{month:%Y%m}", "since": since})
            found += newest_first([each async for each in rows])
            month = month.replace(day=1) - timedelta(days=1)
        return found[:limit]

    async def _where(self, query: str, parameters: dict[str, Any]) -> AsyncIterator[Action]:
        async with storage(missing_is_empty=True):
            async for row in self._actions.query_entities(query, parameters=parameters):
                yield _action(row)


def _month_of(action_id: str) -> str:
    return action_id.split("-")[1] if action_id.count("-") == 2 else ""


def action_row(action: Action) -> dict[str, Any]:
    plain = JSON.dump_python(action, mode="json", exclude_defaults=True, exclude={"version"})
    place = {"PartitionKey": _month_of(action.id), "RowKey": action.id}
    return {**place, "active": not action.ended, "created_at": action.created_at, **packed(plain)}


def _action(row: Any) -> Action:
    return replace(JSON.validate_python(unpacked(row)), version=str(row.metadata["etag"]))
