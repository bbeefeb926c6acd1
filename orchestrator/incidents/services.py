"""What watches factories and keeps incidents, built once per event loop, on first use: storage and Data Factory."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from orchestrator.links import Links, own_origin
from tools_worker.runtime import worker
from tools_worker.runtime.worker import utc_now

if TYPE_CHECKING:
    from orchestrator.alerts.wakes import StorageWake
    from orchestrator.incidents.escalation import Escalator
    from orchestrator.incidents.investigator import Investigator
    from orchestrator.stores.incidents import IncidentStore
    from orchestrator.stores.runs import RunStore


@dataclass(frozen=True)
class IncidentServices:
    incidents: IncidentStore
    investigator: Investigator
    escalator: Escalator
    wake: StorageWake
    runs: RunStore


def current() -> IncidentServices:
    """This event loop's. Raises NotConfigured where settings are missing."""
    return _services.get()


def configured() -> IncidentServices | None:
    """`current`, or None where settings are missing."""
    return _services.configured()


async def provided() -> IncidentServices:
    """`current`, as the API's routes ask for it."""
    return current()


def build(settings: Settings) -> IncidentServices:
    from orchestrator.alerts.wakes import StorageWake
    from orchestrator.incidents.checks.rota import CHECKS
    from orchestrator.incidents.escalation import Escalator
    from orchestrator.incidents.explaining import Explainer
    from orchestrator.incidents.investigator import Investigator
    from orchestrator.incidents.narrative import Narrator
    from orchestrator.incidents.severity import by_policy
    from orchestrator.notify.channel import channel
    from orchestrator.policy.reading import PolicyFile
    from orchestrator.runs.intake import Intake, StorageRunQueue
    from orchestrator.runs.signals import Signals
    from orchestrator.stores.alert_tables import TableAlertStore
    from orchestrator.stores.incident_tables import TableIncidentStore
    from orchestrator.stores.queues import Wishes
    from orchestrator.stores.run_tables import TableRunStore
    from orchestrator.stores.scope_tables import TableScopeStore

    settings.require("storage", "adf")
    tables, queues = clients.table_service(settings), clients.queue_service(settings)
    incidents, runs = TableIncidentStore(tables), TableRunStore(tables)
    # With the agent service left unset everything here works, without a model's words.
    agents = settings.incident_narrative and not any(problem.area == "foundry" for problem in settings.problems)
    links = Links(own_origin(settings, os.environ), settings.link_signing_key)
    notifier, policy, wake = channel(settings), PolicyFile.of(os.environ), StorageWake(queues)

    def link(incident_id: str) -> str:
        return links.incident(incident_id, utc_now())

    intake = Intake(runs, StorageRunQueue(queues), Signals(), utc_now, settings.run_deadline_seconds)
    investigator = Investigator(
        factories=worker.current().factories,
        incidents=incidents,
        alerts=TableAlertStore(tables),
        scopes=TableScopeStore(tables),
        explainer=Explainer(
            incidents,
            notifier,
            by_policy(policy.current),
            utc_now,
            link=link,
            narrate=Narrator(intake).ask if agents else None,
            mend=Wishes(queues, "repairs").send,
        ),
        owner=f"watcher-{secrets.token_hex(6)}",
        now=utc_now,
        checks=CHECKS,
        policy=policy.current,
        again=wake.send,
    )
    escalator = Escalator(incidents, notifier, policy.current, utc_now, link)
    return IncidentServices(incidents, investigator, escalator, wake, runs)


_services = PerLoop(lambda: build(Settings.load(os.environ)))
