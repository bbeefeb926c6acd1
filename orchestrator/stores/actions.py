"""The store of actions, as a port; and its in-memory twin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from core.errors import NotFound
from orchestrator.actions.record import Action
from orchestrator.stores.rows import Changed, Exists


class ActionStore(Protocol):
    """Raises UpstreamUnavailable when storage does not answer."""

    async def create(self, action: Action) -> Action:
        """Raises Exists."""

    async def load(self, action_id: str) -> Action:
        """Raises NotFound."""

    async def save(self, action: Action) -> Action:
        """Write it, if nobody wrote since it was read. Raises Changed."""

    async def active(self) -> list[Action]:
        """All that have not ended, newest first."""

    async def listed(self, since: datetime, *, limit: int | None = 100) -> list[Action]:
        """Proposed since, newest first. No limit: all of them."""


class MemoryActionStore:
    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}

    async def create(self, action: Action) -> Action:
        if action.id in self._actions:
            raise Exists(action.id)
        self._actions[action.id] = replace(action, version="1")
        return self._actions[action.id]

    async def load(self, action_id: str) -> Action:
        if action_id not in self._actions:
            raise unknown_action(action_id)
        return self._actions[action_id]

    async def save(self, action: Action) -> Action:
        if self._actions[action.id].version != action.version:
            raise Changed(action.id)
        self._actions[action.id] = replace(action, version=str(int(action.version) + 1))
        return self._actions[action.id]

    async def active(self) -> list[Action]:
        return newest_first(each for each in self._actions.values() if not each.ended)

    async def listed(self, since: datetime, *, limit: int | None = 100) -> list[Action]:
        return newest_first(each for each in self._actions.values() if each.created_at >= since)[:limit]


def newest_first(actions: Iterable[Action]) -> list[Action]:
    return sorted(actions, key=lambda action: (action.created_at, action.id), reverse=True)


def unknown_action(action_id: str) -> NotFound:
    return NotFound(f"There is no action {action_id[:60]!r}.", hint="GET /api/actions lists them.")
