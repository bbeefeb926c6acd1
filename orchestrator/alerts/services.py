"""What takes alerts in, built once per event loop, on first use: it needs storage, and nothing else."""

from __future__ import annotations

import gc
import os

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from orchestrator.alerts.intake import AlertIntake
from tools_worker.runtime.worker import utc_now


def current() -> AlertIntake:
    """This event loop's. Raises NotConfigured where settings are missing."""
    return _intake.get()


async def provided() -> AlertIntake:
    """`current`, as the API's routes ask for it."""
    return current()


def build(settings: Settings) -> AlertIntake:
    from orchestrator.alerts.wakes import StorageWake
    from orchestrator.stores.alert_tables import TableAlertStore
    from orchestrator.stores.scope_tables import TableScopeStore

    settings.require("storage")
    tables = clients.table_service(settings)
    wake = StorageWake(clients.queue_service(settings))
    return AlertIntake(TableAlertStore(tables), TableScopeStore(tables), wake, utc_now)


def _build() -> AlertIntake:
    intake = build(Settings.load(os.environ))
    # What is loaded by now stays. A full collection that looks at all of it again holds up every request for a tenth
    # of a second, several times in a storm.
    gc.freeze()
    return intake


_intake = PerLoop(_build)
