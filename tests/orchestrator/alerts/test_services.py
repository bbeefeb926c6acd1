"""The intake as it is built from settings: over real storage, or none that answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from core import clients
from core.errors import NotConfigured, UpstreamUnavailable
from core.settings import Settings
from orchestrator.alerts import services, shapes
from orchestrator.alerts.intake import AlertIntake, Taken
from orchestrator.alerts.wakes import StorageWake
from orchestrator.stores.alert_tables import TableAlertStore
from orchestrator.stores.scope_tables import TableScopeStore
from tests.orchestrator.alerts.samples import SAMPLES

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ENDPOINTS = "TableEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;"
NOWHERE = f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;{ENDPOINTS}"


@asynccontextmanager
async def intake_over(connection: str) -> AsyncIterator[AlertIntake]:
    settings = Settings.load({"STORAGE": connection})
    async with clients.table_service(settings) as tables, clients.queue_service(settings) as queues:
        yield AlertIntake(TableAlertStore(tables), TableScopeStore(tables), StorageWake(queues), lambda: NOW)


async def test_every_shape_is_kept_once_in_real_storage(storage: str) -> None:
    alerts = shapes.read(list(SAMPLES.values()), NOW)
    different = len({(alert.scope, alert.key) for alert in alerts})
    async with intake_over(storage) as intake:
        assert await intake.take(alerts) == Taken(different, len(alerts) - different)
        assert await intake.take(alerts) == Taken(0, len(alerts))


async def test_storage_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(clients.TABLE_PATIENCE, "retry_total", 0)
    async with intake_over(NOWHERE) as intake:
        with pytest.raises(UpstreamUnavailable, match="Table storage cannot be reached"):
            await intake.take(shapes.read(SAMPLES["metric"], NOW))


def test_needs_storage_and_nothing_else() -> None:
    with pytest.raises(NotConfigured, match="STORAGE"):
        services.build(Settings.load({}))
