"""Who did what, over a log of which any event is spoilt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.tools_worker.datafactory.build import NOW, ago, guid, make_run
from tests.tools_worker.properties.mutation import spoilt
from tests.tools_worker.tools.asking import ask
from tools_worker.datafactory import activity_log, fields
from tools_worker.datafactory.client import Found
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import Change
from tools_worker.tools.adf_changes import TOOL

EXAMPLES = max(10, settings().max_examples // 3)
WAYS: list[tuple[dict[str, Any], int]] = [
    ({}, 4),
    ({"pipeline": "LoadSales"}, 3),
    ({"name": "LoadSales", "person": "ada"}, 3),
    ({"kind": "pipelineruns", "operation": "cancel"}, 1),
]


class Logged(MemoryDataFactory):
    """Reads events as Azure sends them; one without a time is there too."""

    raw: Any = None

    async def changes(self, since: datetime, until: datetime | None = None) -> Found[Change]:
        known = (activity_log.change_of(event, self.id) for event in fields.items(self.raw, "value"))
        return Found(tuple(activity_log.once_each(change for change in known if change is not None)))


def world(raw: Any) -> Logged:
    runs = [make_run(1), make_run(2, start=ago(hours=30), status="Succeeded"), make_run(3, status="Cancelled")]
    factory = Logged("adf-prod", pipelines=["LoadSales"], runs=runs)
    factory.raw = raw
    return factory


def event(number: int, below: str, operation: str, **more: Any) -> dict[str, Any]:
    return {
        "correlationId": guid(100 + number),
        "eventDataId": guid(200 + number),
        "eventTimestamp": f"{NOW:%Y-%m-%d}T0{number}:00:00.1234567Z",
        "caller": "ada@contoso.example",
        "operationName": {"value": f"Microsoft.DataFactory/factories/{operation}"},
        "status": {"value": "Succeeded"},
        "resourceId": f"{MemoryDataFactory('adf-prod').id.path}/{below}",
        **more,
    }


LOG = {
    "value": [
        event(1, "pipelines/LoadSales", "pipelines/write"),
        event(2, f"pipelineruns/{guid(3)}", "pipelineruns/cancel/action"),
        event(3, "triggers/Nightly", "triggers/stop/action", caller=guid(9)),
        event(4, "pipelines/LoadSales", "pipelines/createrun/action", status={"value": "Failed"}),
    ]
}


@pytest.mark.parametrize(("way", "total"), WAYS)
async def test_a_sound_log_is_answered(way: dict[str, Any], total: int) -> None:
    reply = await ask(TOOL, world(LOG), **way)
    assert reply.data["total"] == total


@pytest.mark.parametrize("way", [way for way, _ in WAYS])
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(raw=spoilt(LOG))
async def test_a_spoilt_log_is_answered(way: dict[str, Any], raw: Any) -> None:
    reply = await ask(TOOL, world(raw), **way)
    assert len(reply.summary) < 8_000
    assert all(evidence.id for evidence in reply.evidence)
