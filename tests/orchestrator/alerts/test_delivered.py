"""An event that comes through the trigger is the same alert as over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.functions import meta
from azure.functions.eventgrid import EventGridEventInConverter

from orchestrator.alerts import delivered, shapes

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SOURCE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DataFactory/factories/adf-1"


@pytest.mark.parametrize(
    "event",
    [
        {"id": "1", "topic": SOURCE, "eventType": "RunFailed", "eventTime": "2026-11-21T02:59:00.1234567Z", "data": {}},
        {"id": "1", "topic": SOURCE, "eventType": "RunFailed", "subject": "x", "data": {"run_id": "run-1234"}},
        {"id": "1", "specversion": "1.0", "source": SOURCE, "type": "RunFailed", "time": "2026-11-21T02:59:00Z"},
        {
            "id": "1",
            "specversion": "1.0",
            "source": SOURCE,
            "type": "RunFailed",
            "subject": "x",
            "data": {"status": "OK"},
        },
    ],
)
def test_is_read_as_over_http(event: dict[str, Any]) -> None:
    handed = EventGridEventInConverter.decode(meta.Datum(json.dumps(event), "json"), trigger_metadata=None)
    (alert,) = shapes.read(delivered.body(handed), NOW, "event-grid")
    assert [alert] == shapes.read(event, NOW, "event-grid")
    assert alert.factory == SOURCE
