"""What Application Insights gets of our spans and metrics, by the conversion of Azure Monitor's own exporter.

It gives some spans other names, drops attributes of the general conventions, and reads others for itself:
docs/telemetry.md tells it, and the log queries rest on it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.functions.queue import QueueMessage
from azure.monitor.opentelemetry.exporter.export.metrics._exporter import _convert_point_to_envelope
from azure.monitor.opentelemetry.exporter.export.trace._exporter import _convert_span_to_envelope

from core.errors import NotFound
from core.telemetry import metrics, names
from core.telemetry.messages import processing, sending
from core.telemetry.spans import span
from orchestrator.runs.tracing import Following
from tests.orchestrator.runs.test_tracing import AGENT, WORK, tool, turn
from tests.orchestrator.test_tracing import asked
from tests.recorded import Recorded, recording
from tools_worker.datafactory.tracing import asking

QUEUE = "run-requests"


def shown(recorded: Recorded, name: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Its table, its columns, its customDimensions."""
    envelope = _convert_span_to_envelope(recorded.span(name))
    told = envelope.data.base_data.as_dict()
    return envelope.data.base_type, told, told["properties"]


def test_a_request_to_data_factory_is_a_dependency_named_by_its_operation() -> None:
    with (
        recording() as recorded,
        asking("POST", "/factories/f/queryPipelineRuns", "https://management.azure.com") as one,
    ):
        one.answered(200)
    table, told, dimensions = shown(recorded, "POST queryPipelineRuns")
    assert (table, told["name"], told["type"]) == ("RemoteDependencyData", "POST /queryPipelineRuns", "HTTP")
    assert (told["target"], told["resultCode"], told["success"]) == ("management.azure.com", "200", True)
    assert dimensions == {
        "adf_ops.data_factory.operation": "queryPipelineRuns",
        "adf_ops.data_factory.reused": "False",
        "adf_ops.data_factory.throttled": "False",
    }


def test_a_message_is_a_dependency_of_its_sender_and_a_request_of_whoever_works_on_it() -> None:
    with recording() as recorded:
        with sending(QUEUE, {"run_id": "r"}) as envelope:
            pass
        with span("of the host"), processing(QUEUE, QueueMessage(id="m", body=json.dumps(envelope).encode())):
            pass
    assert shown(recorded, "send run-requests")[0] == "RemoteDependencyData"
    table, told, dimensions = shown(recorded, "process run-requests")
    assert (table, told["name"], told["success"]) == ("RequestData", "process run-requests", True)
    assert set(dimensions) == {"adf_ops.attempt", "_MS.links"}  # what the general conventions name is dropped


def test_what_failed_says_by_which_code_in_an_attribute_of_ours() -> None:
    def fail() -> None:
        with span("work", "consumer"):
            raise NotFound("No pipeline 'Payroll'.")

    with recording() as recorded, pytest.raises(NotFound):
        fail()
    _, told, dimensions = shown(recorded, "work")
    assert (told["success"], dimensions) == (False, {"adf_ops.error": "not_found"})


def test_an_agent_and_its_tools_keep_their_names_and_the_link() -> None:
    with recording() as recorded:
        spans = Following(AGENT, "gpt-test", "thread_1")
        spans.seen(turn(tool(output='{"ok":true}', ended=True, trace=WORK), status="done"))
        spans.end()
    table, told, dimensions = shown(recorded, "invoke_agent ops_supervisor")
    assert (table, told["name"], told["type"]) == (
        "RemoteDependencyData",
        "invoke_agent ops_supervisor",
        "GenAI | azure.ai.openai",
    )
    assert dimensions["gen_ai.agent.name"] == "ops_supervisor"
    _, told, dimensions = shown(recorded, "execute_tool adf_failures")
    assert (told["name"], told["type"]) == ("execute_tool adf_failures", "InProc")
    assert json.loads(dimensions["_MS.links"]) == [{"operation_Id": WORK[3:35], "id": WORK[36:52]}]


async def test_a_request_at_our_door_is_named_by_its_route() -> None:
    with recording() as recorded:
        await asked("POST", "/api/runs/run-secret/cancel?sig=hush")
    table, told, _ = shown(recorded, "POST /api/runs/{run_id}/cancel")
    assert (table, told["name"]) == ("RequestData", "POST /api/runs/{run_id}/cancel")
    assert "hush" not in json.dumps(told)
    assert "run-secret" not in json.dumps(told)


def test_a_metric_keeps_every_attribute() -> None:
    with recording() as recorded:
        metrics.record(names.DATA_FACTORY_SECONDS, 2.5, {names.DATA_FACTORY_OPERATION: "factories", names.STATUS: 429})
        metrics.record(names.DATA_FACTORY_SECONDS, 0.5, {names.DATA_FACTORY_OPERATION: "factories", names.STATUS: 429})
        point = recorded.point(names.DATA_FACTORY_SECONDS)
    told = _convert_point_to_envelope(point, names.DATA_FACTORY_SECONDS).data.base_data.as_dict()
    (data,) = told["metrics"]
    assert {key: data[key] for key in ("name", "value", "count", "min", "max")} == {
        "name": "adf_ops.data_factory.duration",
        "value": 3.0,
        "count": 2,
        "min": 0.5,
        "max": 2.5,
    }
    assert told["properties"] == {"adf_ops.data_factory.operation": "factories", "http.response.status_code": "429"}
