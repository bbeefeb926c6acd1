"""Everything the orchestrator works with, built once per event loop, on first use."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from orchestrator.runs.signals import Signals
from tools_worker.runtime.worker import utc_now

if TYPE_CHECKING:
    from orchestrator.runs.conductor import Conductor
    from orchestrator.runs.intake import Intake
    from orchestrator.stores.runs import RunStore
    from orchestrator.sweeper import Sweeper


@dataclass(frozen=True)
class Services:
    store: RunStore
    signals: Signals
    intake: Intake
    conductor: Conductor
    sweeper: Sweeper


_services = PerLoop(lambda: build(Settings.load(os.environ)))


def current() -> Services:
    """This event loop's services. Raises NotConfigured where settings are missing."""
    return _services.get()


def configured() -> Services | None:
    """`current`, or None where settings are missing."""
    return _services.configured()


async def provided() -> Services:
    """`current`, as the API's routes ask for it."""
    return current()


def build(settings: Settings) -> Services:
    from orchestrator.actions import services as actions
    from orchestrator.actions.binding import Binder
    from orchestrator.agents import roster
    from orchestrator.agents.lifecycle import Agents
    from orchestrator.audit import services as audit
    from orchestrator.audit.questions import Questions
    from orchestrator.foundry.classic import ClassicAgentService
    from orchestrator.runs.conductor import Conductor
    from orchestrator.runs.endings import Endings, StorageEndingQueue
    from orchestrator.runs.intake import Intake, StorageRunQueue
    from orchestrator.stores.run_tables import TableRunStore
    from orchestrator.sweeper import Sweeper

    settings.require("storage", "foundry")
    store = TableRunStore(clients.table_service(settings))
    queues = clients.queue_service(settings)
    # What a deployment is: the storage account that holds its records and its tools' queues.
    deployment = hashlib.sha256(clients.queue_endpoint(settings).encode()).hexdigest()[:12]
    service = ClassicAgentService(
        settings.foundry_endpoint, deployment=deployment, api_version=settings.foundry_api_version
    )
    spec = roster.supervisor(settings.foundry_model, clients.queue_endpoint(settings), settings.learn_mcp_url)
    agents, signals, queue = Agents(service, spec), Signals(), StorageRunQueue(queues)
    endings = Endings(store, StorageEndingQueue(queues), Questions(audit.ready))
    acting = actions.configured()  # without Data Factory's settings agents propose in vain
    binder = Binder(acting.proposer, acting.store, utc_now, acting.desk.telling.link) if acting else None
    conductor = Conductor(store, service, agents, signals, utc_now, settings.heartbeat_seconds, endings, binder)
    return Services(
        store=store,
        signals=signals,
        intake=Intake(store, queue, signals, utc_now, settings.run_deadline_seconds),
        conductor=conductor,
        sweeper=Sweeper(store, service, agents, conductor, queue, queues, utc_now),
    )
