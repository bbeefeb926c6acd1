"""What the tool worker works with: settings, ADF, answer slots, queues. Built once, on first use."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from tools_worker.datafactory.factories import Factories
from tools_worker.runtime.answers import AnswerSlots, TableAnswerSlots

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueServiceClient


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Worker:
    factories: Factories
    answers: AnswerSlots
    queues: Callable[[], QueueServiceClient] | None  # opened by the sweeper alone; the host reads the others
    tool_deadline_seconds: float
    now: Callable[[], datetime] = utc_now


_workers = PerLoop(lambda: build(Settings.load(os.environ)))


def current() -> Worker:
    """This event loop's worker. Raises NotConfigured where settings are missing."""
    return _workers.get()


def configured() -> Worker | None:
    """`current`, or None where settings are missing."""
    return _workers.configured()


async def provided() -> Worker:
    """`current`, as an API's routes ask for it."""
    return current()


def build(settings: Settings) -> Worker:
    from tools_worker.datafactory.sdk import open_factories

    settings.require("storage", "adf")
    return Worker(
        factories=open_factories(settings),
        answers=TableAnswerSlots(clients.table_service(settings)),
        queues=cache(partial(clients.queue_service, settings)),
        tool_deadline_seconds=settings.tool_deadline_seconds,
    )
