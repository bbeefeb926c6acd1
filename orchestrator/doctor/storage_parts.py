"""The queues, tables and containers that the app works with, and who uses which queue how.

python -m orchestrator.doctor --make-storage      makes those that are missing, and changes nothing else
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from core import clients
from core.settings import Settings
from orchestrator.alerts import wakes
from orchestrator.digest.delivery_tables import DIGESTS
from orchestrator.runs import endings, intake
from orchestrator.stores.action_tables import ACTIONS
from orchestrator.stores.alert_tables import ALERTS
from orchestrator.stores.audit_tables import AUDIT
from orchestrator.stores.incident_tables import CAUSES, INCIDENTS
from orchestrator.stores.run_tables import ACTIVE, RUNS, SESSIONS
from orchestrator.stores.scope_tables import SCOPES
from orchestrator.stores.sealed_blobs import CONTAINER
from tools_worker.runtime.answers import TABLE as TOOL_ANSWERS
from tools_worker.runtime.catalogue import TOOLS


@dataclass(frozen=True, slots=True)
class Queue:
    """`own`: the app sends and takes. `calls`: the agent service sends, the app takes. `replies`: the other way."""

    name: str
    use: Literal["own", "calls", "replies"]


QUEUES = (
    *(Queue(name, "own") for name in (intake.QUEUE, endings.QUEUE, wakes.QUEUE, "actions", "repairs")),
    *(Queue(tool.input_queue, "calls") for tool in TOOLS),
    *(Queue(tool.output_queue, "replies") for tool in TOOLS),
)
TABLES = (ACTIONS, ACTIVE, ALERTS, AUDIT, CAUSES, DIGESTS, INCIDENTS, RUNS, SCOPES, SESSIONS, TOOL_ANSWERS)
CONTAINERS = (CONTAINER,)


async def make_missing(settings: Settings) -> None:
    """Raises NotConfigured, and what storage raises."""
    settings.require("storage")
    async with clients.queue_service(settings) as queues, clients.table_service(settings) as tables:
        wanted: list[Awaitable[object]] = [queues.get_queue_client(each.name).create_queue() for each in QUEUES]
        await asyncio.gather(*map(_made, [*wanted, *(tables.create_table(name) for name in TABLES)]))
    if settings.has_blobs:
        async with clients.blob_service(settings) as blobs:
            await asyncio.gather(*(_made(blobs.create_container(name)) for name in CONTAINERS))


async def _made(creation: Awaitable[object]) -> None:
    from azure.core.exceptions import ResourceExistsError

    with suppress(ResourceExistsError):
        await creation
