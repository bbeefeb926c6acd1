"""Telemetry is set up at its first use, where somebody wants it, and never twice.

Each case is a process of its own, because a process can be set up but once. What stands for Azure's distribution notes
each call in a file, from outside of everything that is tried, and sets up the SDK as the real one does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
CONNECTION = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
STAND_IN = """
import json, os

def configure_azure_monitor(**given):
    sampling = {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}
    with open(os.environ["NOTED"], "a") as noted:
        noted.write(json.dumps({**given, **sampling}) + "\\n")
    if os.environ.get("BREAKS"):
        raise RuntimeError("broken")
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
    metrics.set_meter_provider(MeterProvider())
"""
USE = """
import json, logging, sys
logging.basicConfig()
from core.telemetry import metrics, names
from core.telemetry.setup import is_set_up
from core.telemetry.spans import NOTHING, span
for _ in range(3):
    with span("work") as traced:
        on = traced is not NOTHING
        kept = bool(traced.traceparent)
    metrics.count(names.POISONED, 1, {names.QUEUE: "actions"})
imported = any(name.startswith("opentelemetry") for name in sys.modules)
print(json.dumps({"on": on, "kept": kept, "imported": imported, "set_up": is_set_up()}))
"""
BY_AN_AGENT = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
"""
BY_THE_WORKER = """
from azure.monitor.opentelemetry import configure_azure_monitor
configure_azure_monitor(connection_string="the worker's")
"""


class Process:
    def __init__(self, folder: Path) -> None:
        self.noted = folder / "noted"
        package = folder / "azure" / "monitor" / "opentelemetry"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(STAND_IN)
        self.folder = folder
        self.stderr = ""

    def run(self, before: str = "", **settings: str) -> dict[str, Any]:
        env = {"PATH": os.environ["PATH"], "NOTED": str(self.noted), "PYTHONPATH": f"{self.folder}:{ROOT}", **settings}
        command = [sys.executable, "-c", before + USE]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        self.stderr = done.stderr
        (line,) = done.stdout.splitlines()  # and nothing else is on standard output
        found: dict[str, Any] = json.loads(line)
        return found

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Of what stands for Azure's distribution."""
        return list(map(json.loads, self.noted.read_text().splitlines())) if self.noted.exists() else []


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path)


OFF = {"on": False, "kept": False, "imported": False, "set_up": False}
ON = {"on": True, "kept": True, "imported": True, "set_up": True}


def test_it_is_off_and_nothing_is_imported_unless_somebody_switches_it_on(process: Process) -> None:
    assert process.run(APPLICATIONINSIGHTS_CONNECTION_STRING=CONNECTION) == OFF
    assert process.calls == []


def test_the_console_gets_lines_on_standard_error(process: Process) -> None:
    assert process.run(TELEMETRY=" Console ") == ON
    told = [json.loads(line.removeprefix("telemetry ")) for line in process.stderr.splitlines() if "telemetry" in line]
    assert [each["span"] for each in told if "span" in each] == ["work"] * 3
    (poisoned,) = [each for each in told if each.get("metric") == "adf_ops.queue.poisoned"]
    assert (poisoned["value"], poisoned["attributes"]) == (3, {"messaging.destination.name": "actions"})
    assert process.calls == []


def test_azure_monitor_is_set_up_once_without_instrumentations(process: Process) -> None:
    assert process.run(TELEMETRY="azure-monitor", APPLICATIONINSIGHTS_CONNECTION_STRING=CONNECTION) == ON
    (call,) = process.calls
    assert call["connection_string"] == CONNECTION
    options = call["instrumentation_options"]
    assert options
    assert all(option == {"enabled": False} for option in options.values())
    assert (call["OTEL_TRACES_SAMPLER"], call["OTEL_TRACES_SAMPLER_ARG"]) == ("microsoft.fixed_percentage", "1.0")
    assert len(call) == 4  # the exporter finds its identity by itself


def test_without_a_connection_string_it_stays_off_and_says_so(process: Process) -> None:
    assert process.run(TELEMETRY="azure-monitor") == OFF
    assert "APPLICATIONINSIGHTS_CONNECTION_STRING" in process.stderr
    assert process.stderr.count("not_started") == 1


@pytest.mark.parametrize("wanted", ["", "console", "azure-monitor"])
@pytest.mark.parametrize("flag", ["true", "1", "YES"])
def test_where_the_worker_has_set_it_up_ours_goes_there_and_nothing_is_set_up_again(
    process: Process, wanted: str, flag: str
) -> None:
    settings = {
        "TELEMETRY": wanted,
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": flag,
        "APPLICATIONINSIGHTS_CONNECTION_STRING": CONNECTION,
    }
    assert process.run(BY_THE_WORKER, **settings) == ON
    assert [call["connection_string"] for call in process.calls] == ["the worker's"]


def test_where_the_worker_should_have_set_it_up_and_has_not_it_stays_off(process: Process) -> None:
    settings = {"TELEMETRY": "azure-monitor", "APPLICATIONINSIGHTS_CONNECTION_STRING": CONNECTION}
    assert process.run(PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY="true", **settings) == OFF
    assert process.calls == []
    assert "worker" in process.stderr


@pytest.mark.parametrize("wanted", ["", "console", "azure-monitor"])
def test_a_provider_that_is_there_is_used_and_nothing_is_set_up(process: Process, wanted: str) -> None:
    assert process.run(BY_AN_AGENT, TELEMETRY=wanted, APPLICATIONINSIGHTS_CONNECTION_STRING=CONNECTION) == ON
    assert process.calls == []
    assert "telemetry {" not in process.stderr


def test_off_keeps_ours_out_of_what_others_have_set_up(process: Process) -> None:
    assert not process.run(BY_AN_AGENT, TELEMETRY="off")["on"]


def test_a_setup_that_fails_leaves_the_app_at_work(process: Process) -> None:
    settings = {"TELEMETRY": "azure-monitor", "APPLICATIONINSIGHTS_CONNECTION_STRING": CONNECTION, "BREAKS": "1"}
    assert not process.run(**settings)["on"]
    assert len(process.calls) == 1  # and is not tried again with each span
    assert "not_started" in process.stderr


def test_the_real_distribution_takes_what_it_is_given(tmp_path: Path) -> None:
    """And then asks for a token of the identity that the platform's setting names, before it sends anything."""
    script = """
import os, sys
sys.argv = [""]
from core.telemetry.setup import providers
from core.telemetry.spans import span
found = providers()
with span("work") as traced:
    kept = bool(traced.traceparent)
from azure.core.settings import settings
from azure.monitor.opentelemetry.exporter.export._base import _get_authentication_credential
print(type(found.traces).__name__, kept, settings.tracing_implementation(),
      type(_get_authentication_credential()).__name__)
sys.stdout.flush()
os._exit(0)  # nothing is sent
"""
    connection = f"{CONNECTION};IngestionEndpoint=http://127.0.0.1:9/"
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TELEMETRY": "azure-monitor",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": connection,
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "ClientId=00000000-0000-0000-0000-000000000001;Authorization=AAD",
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        "TMPDIR": str(tmp_path),
    }
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.split() == ["TracerProvider", "True", "None", "ManagedIdentityCredential"], done.stderr
