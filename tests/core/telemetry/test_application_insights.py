"""What Application Insights gets of our spans and metrics, by the conversion of Azure Monitor's own exporter.

It gives some spans other names, drops attributes of the general conventions, and reads others for itself:
docs/telemetry.md tells it, and the log queries rest on it.
"""

from __future__ import annotations

import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, cast

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
from tests.tools_worker.datafactory.test_tracing import QUERY
from tools_worker.datafactory.tracing import asking

ROOT = Path(__file__).resolve().parents[3]
QUEUE = "run-requests"


def shown(recorded: Recorded, name: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Its table, its columns, its customDimensions."""
    envelope = _convert_span_to_envelope(recorded.span(name))
    told = envelope.data.base_data.as_dict()
    return envelope.data.base_type, told, told["properties"]


def test_a_request_to_data_factory_is_a_dependency_named_by_its_operation() -> None:
    with (
        recording() as recorded,
        asking("POST", QUERY, "https://management.azure.com") as one,
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
    envelope: Any = _convert_point_to_envelope(point, names.DATA_FACTORY_SECONDS)
    told = envelope.data.base_data.as_dict()
    (data,) = told["metrics"]
    assert {key: data[key] for key in ("name", "value", "count", "min", "max")} == {
        "name": "adf_ops.data_factory.duration",
        "value": 3.0,
        "count": 2,
        "min": 0.5,
        "max": 2.5,
    }
    assert told["properties"] == {"adf_ops.data_factory.operation": "factories", "http.response.status_code": "429"}


class Ingestion(http.server.ThreadingHTTPServer):
    """Stands in for the address that Application Insights takes telemetry at: what it was sent, item by item."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.items: list[dict[str, Any]] = []

    @property
    def connection(self) -> str:
        own = f"http://127.0.0.1:{self.server_port}/"
        return f"InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint={own};LiveEndpoint={own}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [item["data"]["baseData"] for item in self.items if item["data"]["baseType"] == kind]


class _Taking(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        items = json.loads(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
        cast(Ingestion, self.server).items += items
        answer = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


SENDING = """
import logging, os
from core.telemetry import metrics, names
from core.telemetry.spans import span
from localcloud.host import telemetry
with span(names.processing("actions"), "consumer"):
    logging.getLogger("actions").warning("action=%s outcome=done", "act-1")
metrics.count(names.POISONED, 3, {names.QUEUE: "actions"})
telemetry.flush()
from opentelemetry import _logs
_logs.get_logger_provider().force_flush()
os._exit(0)
"""


def test_spans_metrics_and_lines_of_the_log_arrive_by_the_real_distribution(tmp_path: Path) -> None:
    with Ingestion() as ingestion:
        threading.Thread(target=ingestion.serve_forever, daemon=True).start()
        env = {
            "PATH": os.environ["PATH"],
            "TELEMETRY": "azure-monitor",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": ingestion.connection,
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
            "NO_PROXY": "*",
            "TMPDIR": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-c", SENDING], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        ingestion.shutdown()
    assert [item["name"] for item in ingestion.of("RequestData")] == ["process actions"]
    sent = {point["name"]: point["value"] for item in ingestion.of("MetricData") for point in item["metrics"]}
    assert sent["adf_ops.queue.poisoned"] == 3
    assert [item["message"] for item in ingestion.of("MessageData")] == ["action=act-1 outcome=done"]
    (line,) = [item for item in ingestion.items if item["data"]["baseType"] == "MessageData"]
    (worked,) = [item for item in ingestion.items if item["data"]["baseType"] == "RequestData"]
    assert line["tags"]["ai.operation.id"] == worked["tags"]["ai.operation.id"]  # the line belongs to the trace
