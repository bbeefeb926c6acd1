"""What makes sure that every action ends, whatever was lost: a timer looks at all that have not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.errors import AppError
from orchestrator.actions.deciding import Desk, is_expired
from orchestrator.actions.record import Action
from orchestrator.stores.actions import ActionStore
from orchestrator.stores.queues import Wishes

log = logging.getLogger("actions")
AGAIN = timedelta(minutes=2)  # while no executor works, its queue is not filled with what is there already
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Rounds:
    """Nothing is executed here: the identity that may change factories is the executor's alone."""

    store: ActionStore
    desk: Desk
    queue: Wishes
    now: Callable[[], datetime]
    _sent: dict[str, datetime] = field(default_factory=dict)  # when a message was last sent for which action

    async def make(self) -> int:
        """How many were taken up."""
        taken = 0
        known = await self.store.active()
        for action in sorted(known, key=_asks):  # a channel that is slow to fail keeps none from being done
            try:
                taken += await self._one(action)
            except AppError as exc:  # of this one; the others are not kept waiting
                log.warning("action=%s outcome=not_taken_up error=%s", action.id, exc)
        await self.queue.drain()
        for gone in self._sent.keys() - {action.id for action in known}:
            del self._sent[gone]
        return taken

    async def _one(self, action: Action) -> bool:
        now = self.now()
        if action.state == "waiting":
            if is_expired(action, now):
                await self.desk.expire(action)
                return True
            return await self.desk.telling.ask(action)
        due = action.owned_until is None or now >= action.owned_until
        if not due or now - self._sent.get(action.id, NEVER) < AGAIN:
            return False
        await self.queue.send(action.id)
        self._sent[action.id] = now
        return True


def _asks(action: Action) -> bool:
    return action.state == "waiting"
