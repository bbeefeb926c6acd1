"""What watches factories and keeps incidents, built once per event loop, on first use: storage and Data Factory."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from tools_worker.runtime import worker
from tools_worker.runtime.worker import utc_now

if TYPE_CHECKING:
    from orchestrator.alerts.wakes import Wake
    from orchestrator.incidents.investigator import Investigator
    from orchestrator.stores.incidents import IncidentStore


@dataclass(frozen=True)
class IncidentServices:
    incidents: IncidentStore
    investigator: Investigator
    wake: Wake


def current() -> IncidentServices:
    """This event loop's. Raises NotConfigured where settings are missing."""
    return _services.get()


async def provided() -> IncidentServices:
    """`current`, as the API's routes ask for it."""
    return current()


def build(settings: Settings) -> IncidentServices:
    from orchestrator.alerts.wakes import StorageWake
    from orchestrator.incidents.explaining import Explainer
    from orchestrator.incidents.investigator import Investigator
    from orchestrator.incidents.severity import plain
    from orchestrator.notify.channel import channel
    from orchestrator.stores.alert_tables import TableAlertStore
    from orchestrator.stores.incident_tables import TableIncidentStore
    from orchestrator.stores.scope_tables import TableScopeStore

    settings.require("storage", "adf")
    tables = clients.table_service(settings)
    incidents = TableIncidentStore(tables)
    investigator = Investigator(
        factories=worker.current().factories,
        incidents=incidents,
        alerts=TableAlertStore(tables),
        scopes=TableScopeStore(tables),
        explainer=Explainer(incidents, channel(settings), plain, utc_now),
        owner=f"watcher-{secrets.token_hex(6)}",
        now=utc_now,
    )
    return IncidentServices(incidents, investigator, StorageWake(clients.queue_service(settings)))


_services = PerLoop(lambda: build(Settings.load(os.environ)))
