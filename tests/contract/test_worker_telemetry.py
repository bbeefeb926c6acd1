"""Telemetry under Microsoft's own worker library, which sets it up by itself where it is told to: never twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localcloud.host.worker_library import NotInstallable, ensure
from tests.core.telemetry.test_setup import CONNECTION, STAND_IN

ROOT = Path(__file__).resolve().parents[2]
HOST = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SENDER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
APP = """
import json
import sys

import azure.functions as func

from core.telemetry.messages import processing
from core.telemetry.spans import NOTHING, span

app = func.FunctionApp()


@app.queue_trigger("call", "in", connection="STORAGE")
@app.queue_output("$return", "out", connection="STORAGE")
async def traced(call: func.QueueMessage) -> str:
    imported = any(name.startswith("opentelemetry") for name in sys.modules)
    with processing("in", call) as worked, span("inner") as inner:
        if worked is NOTHING:
            return json.dumps({"on": False, "imported": imported})
        parent, links = worked._inner.parent, worked._inner.links
        return json.dumps({
            "on": True,
            "trace": inner.traceparent[3:35],
            "parent": f"{parent.span_id:016x}" if parent else "",
            "links": [f"{link.context.span_id:016x}" for link in links],
        })
"""
WORKER, OLDER = "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY", "PYTHON_ENABLE_OPENTELEMETRY"
WANTED = {"TELEMETRY": "azure-monitor", "APPLICATIONINSIGHTS_CONNECTION_STRING": CONNECTION}


class Host:
    """A worker process with the sample in it; `setups` counts, from outside, how often telemetry was set up."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._library, self._folder, self._noted = library, folder, folder / "noted"
        package = folder / "stands-in" / "azure" / "monitor" / "opentelemetry"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(STAND_IN)
        (folder / "app").mkdir()
        (folder / "app" / "function_app.py").write_text(APP)

    def report(self, root: Path, *options: str, **settings: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "localcloud.host.worker_library", "--check", "--target", str(self._library)]
        env = {
            "PATH": os.environ["PATH"],
            "NOTED": str(self._noted),
            "PYTHONPATH": f"{self._folder / 'stands-in'}:{ROOT}",
            **settings,
        }
        told = [*command, "--root", str(root), *options]
        done = subprocess.run(told, capture_output=True, text=True, cwd=ROOT, env=env, timeout=60, check=False)
        assert done.stdout.strip(), done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        assert "error" not in answer, answer["error"]
        return answer

    def call(self, content: object = None, **settings: str) -> dict[str, Any]:
        options = ("--invoke", "traced", "--input", json.dumps(content or {}), "--trace-parent", HOST)
        found: dict[str, Any] = json.loads(self.report(self._folder / "app", *options, **settings)["result"])
        return found

    @property
    def setups(self) -> int:
        return len(self._noted.read_text().splitlines()) if self._noted.exists() else 0


@pytest.fixture
def host(tmp_path: Path) -> Host:
    try:
        return Host(ensure(), tmp_path)
    except NotInstallable as exc:
        pytest.skip(str(exc))


@pytest.mark.parametrize(
    "settings",
    [{WORKER: "true"}, {WORKER: "true", **WANTED}, {WORKER: "true", OLDER: "true", **WANTED}],
    ids=["the worker alone", "both asked", "by both names"],
)
def test_what_the_worker_has_set_up_is_used_and_not_set_up_again(host: Host, settings: dict[str, str]) -> None:
    called = host.call(**settings)
    assert (called["on"], host.setups) == (True, 1)
    assert (called["trace"], called["parent"]) == (HOST[3:35], HOST[36:52])  # below the host's span


def test_by_the_older_name_the_worker_sets_up_nothing_and_ours_is_set_up_once(host: Host) -> None:
    """It only hands on the host's trace then."""
    called = host.call(**{OLDER: "true"}, **WANTED)
    assert (called["on"], called["trace"], host.setups) == (True, HOST[3:35], 1)


def test_a_message_of_ours_goes_on_with_its_sender_and_has_a_link_to_the_host(host: Host) -> None:
    called = host.call({"traceparent": SENDER}, **{WORKER: "true"})
    assert (called["trace"], called["parent"]) == (SENDER[3:35], SENDER[36:52])
    assert called["links"] == [HOST[36:52]]


def test_under_a_host_that_asks_for_nothing_it_stays_off(host: Host) -> None:
    assert host.call(APPLICATIONINSIGHTS_CONNECTION_STRING=CONNECTION) == {"on": False, "imported": False}
    assert host.setups == 0


def test_this_app_is_loaded_with_it(host: Host) -> None:
    assert host.report(ROOT, **{WORKER: "true"}, **WANTED)["functions"]
    assert host.setups == 1
