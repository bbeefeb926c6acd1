"""What makes sure that every action ends, whatever was lost: a timer looks at all that have not."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core.errors import AppError
from orchestrator.actions.deciding import Desk, is_expired
from orchestrator.actions.record import Action
from orchestrator.stores.actions import ActionStore
from orchestrator.stores.queues import poisoned, send

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueServiceClient

log = logging.getLogger("actions")
QUEUE = "actions"


class ActionQueue:
    def __init__(self, queues: QueueServiceClient) -> None:
        self._queue = queues.get_queue_client(QUEUE)
        self._poison = queues.get_queue_client(f"{QUEUE}-poison")

    async def send(self, action_id: str, delay_seconds: int = 0) -> None:
        await send(self._queue, {"action_id": action_id}, delay_seconds)

    async def drain(self) -> int:
        """Put away what the host gave up on: the records stand, and the rounds take them up."""
        return len([message async for message in poisoned(self._poison)])


def read(body: bytes) -> str:
    """Of a message of the queue: the action."""
    return str(json.loads(body)["action_id"])


@dataclass(frozen=True)
class Rounds:
    """`ask` tells people of an action that waits for them; nothing where they were told. Nothing is executed here: the
    identity that may change factories is the executor's alone."""

    store: ActionStore
    desk: Desk
    queue: ActionQueue
    now: Callable[[], datetime]

    async def make(self) -> int:
        """How many were taken up."""
        taken = 0
        for action in await self.store.active():
            try:
                taken += await self._one(action)
            except AppError as exc:  # of this one; the others are not kept waiting
                log.warning("action=%s outcome=not_taken_up error=%s", action.id, exc)
        await self.queue.drain()
        return taken

    async def _one(self, action: Action) -> bool:
        now = self.now()
        if action.state == "waiting":
            if is_expired(action, now):
                await self.desk.expire(action)
                return True
            return await self.desk.telling.ask(action)
        if action.owned_until is None or now >= action.owned_until:
            await self.queue.send(action.id)
            return True
        return False
