"""One question is one trace, through real queues and processes; and none of it is there while it is off.

The app's process tells each span when it ends (TELEMETRY=console); the test reads them all and compares their shape
with a tree that is written by hand.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.conftest import World
from tests.e2e.test_alerts import event
from tests.e2e.test_doors import receiving
from tests.e2e.test_trouble import begun

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]
ROOT = Path(__file__).resolve().parents[2]
CALLER = "00f067aa0ba902b7"  # the span of whoever asks
QUESTION = "Why did LoadSales fail last night?"
Span = dict[str, Any]

# Kind, name, and what lies below, in the order in which it began. By hand: nothing of this is read from the app.
THE_QUESTION = (
    "server POST /api/ask",
    [
        (
            "producer send run-requests",
            [
                (
                    "consumer process run-requests",
                    [
                        (
                            "internal invoke_workflow question",
                            [
                                (
                                    "client invoke_agent ops_supervisor",
                                    [
                                        (
                                            "client invoke_agent run_investigator",
                                            [("internal execute_tool adf_diagnose_run", [])],
                                        )
                                    ],
                                ),
                                ("producer send callbacks", [("consumer process callbacks", [])]),
                            ],
                        )
                    ],
                )
            ],
        )
    ],
)
THE_TOOL = "consumer process azure-function-adf-diagnose-run-input", "internal execute_tool adf_diagnose_run"


def told(world: World) -> list[Span]:
    """What the app's process has told so far."""
    lines = (world.options.root / world.options.logs / "app" / "app.log").read_text(encoding="utf-8").splitlines()
    read = [json.loads(line.removeprefix("telemetry ")) for line in lines if line.startswith("telemetry ")]
    return [each for each in read if "span" in each]


async def of_trace(world: World, trace: str, last: str) -> list[Span]:
    """The spans of a trace, when the one that ends last has been told."""
    async with asyncio.timeout(20):
        while not any(span["trace"] == trace and span["span"] == last for span in told(world)):
            await asyncio.sleep(0.05)
    return [span for span in told(world) if span["trace"] == trace]


def tree(spans: list[Span], root: Span) -> Any:
    below = sorted((span for span in spans if span["parent"] == root["id"]), key=lambda span: span["at"])
    return f"{root['kind']} {root['span']}", [tree(spans, child) for child in below]


def named(spans: list[Span], name: str) -> Span:
    (found,) = [span for span in spans if span["span"] == name]
    return found


PROBE = """
import asyncio, json, secrets, sys
import function_app
functions = {f.get_function_name(): f.get_user_function() for f in function_app.app.get_functions()}

class Out:
    def set(self, value): self.value = value

async def call():
    from azure.functions.queue import QueueMessage
    out = Out()
    body = json.dumps({"CorrelationId": secrets.token_hex(8), "hours": 24}).encode()
    await functions["adf_pipeline_runs"](QueueMessage(body=body), out)
    return json.loads(json.loads(out.value)["Value"])

reply = asyncio.run(call())
print(json.dumps({"ok": reply["ok"], "trace": "trace" in reply,
    "imported": sorted(m for m in sys.modules if m.startswith(("opentelemetry", "azure.monitor")))}))
sys.stdout.flush()
import os; os._exit(0)
"""


def probe(settings: Mapping[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, cwd=ROOT, env=dict(settings), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


async def test_while_it_is_off_a_whole_tool_call_imports_nothing_of_it(world: World) -> None:
    off = await asyncio.to_thread(probe, world.settings)
    assert off == {"ok": True, "trace": False, "imported": []}
    on = await asyncio.to_thread(probe, world.settings | {"TELEMETRY": "console"})
    assert (on["ok"], on["trace"]) == (True, True)
    assert "opentelemetry.sdk.trace" in on["imported"]


async def test_while_it_is_off_nothing_is_told(world: World) -> None:
    assert (await world.ask(QUESTION))["status"] == "done"
    assert told(world) == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def traced(world: World) -> AsyncIterator[World]:
    """The same app, which tells its spans; it has answered a question before, so that its agents are made."""
    await world.stop_app()
    await world.start_app(TELEMETRY="console")
    assert (await world.ask("What failed in the last 24 hours?"))["status"] == "done"
    yield world
    await world.stop_app()
    await world.start_app()


async def ask(world: World, **body: Any) -> tuple[str, dict[str, Any]]:
    """The trace that the caller named, and the run."""
    trace = secrets.token_hex(16)
    async with world.http() as http:
        asked = {"question": QUESTION, "wait_seconds": 60, **body}
        run = (await http.post("/api/ask", json=asked, headers={"traceparent": f"00-{trace}-{CALLER}-01"})).json()
    assert run["status"] == "done", run
    return trace, run


async def test_one_question_is_one_trace_of_a_known_shape(traced: World) -> None:
    async with receiving() as (url, _):
        trace, run = await ask(traced, callback_url=url)
        spans = await of_trace(traced, trace, "process callbacks")
    door = named(spans, "POST /api/ask")
    assert door["parent"] == CALLER
    assert tree(spans, door) == THE_QUESTION
    assert len(spans) == 9  # and nothing else is in the trace
    assert not any(span["failed"] for span in spans)
    agent = named(spans, "invoke_agent ops_supervisor")["attributes"]
    assert agent["gen_ai.operation.name"] == "invoke_agent"
    assert agent["gen_ai.request.model"] == run["answered_by"]
    assert agent["gen_ai.usage.input_tokens"] == run["usage"]["input_tokens"]
    assert agent["gen_ai.conversation.id"].startswith("thread_")
    workflow = named(spans, "invoke_workflow question")["attributes"]
    assert (workflow["adf_ops.run.id"], workflow["adf_ops.outcome"]) == (run["run_id"], "done")


async def test_a_call_of_a_tool_has_a_link_to_the_trace_of_its_work(traced: World) -> None:
    """For the message between them was written by the agent service, which carries no trace."""
    trace, _ = await ask(traced)
    called = named(await of_trace(traced, trace, "process run-requests"), "execute_tool adf_diagnose_run")
    (link,) = called["links"]
    assert link["trace"] != trace
    spans = [span for span in told(traced) if span["trace"] == link["trace"]]
    (delivered,) = [span for span in spans if not span["parent"]]
    shape, [(work, asked)] = tree(spans, delivered)
    assert (shape, work) == THE_TOOL
    assert named(spans, "execute_tool adf_diagnose_run")["id"] == link["id"]
    assert {below[0].split()[0] for below in asked} == {"client"}  # requests to Data Factory
    assert len(spans) == 2 + len(asked)
    assert named(spans, "execute_tool adf_diagnose_run")["attributes"]["adf_ops.correlation"]


async def test_times_lie_within_those_of_the_caller(traced: World) -> None:
    trace, _ = await ask(traced)
    spans = await of_trace(traced, trace, "process run-requests")
    agents = named(spans, "invoke_agent ops_supervisor")
    for name in ("invoke_agent run_investigator", "execute_tool adf_diagnose_run"):
        span = named(spans, name)
        assert agents["at"] <= span["at"] + 1e-6
        assert span["at"] + span["seconds"] <= agents["at"] + agents["seconds"] + 1e-6
        assert span["seconds"] > 0


async def test_what_was_asked_and_answered_is_in_no_span(traced: World) -> None:
    trace, run = await ask(traced)
    await of_trace(traced, trace, "process run-requests")
    everything = json.dumps(told(traced))
    assert "last night" not in everything
    assert "LoadSales" not in everything
    for item in run["evidence"]:
        assert item["id"] not in everything


async def test_a_question_goes_on_in_its_trace_when_its_process_dies(traced: World) -> None:
    await traced.foundry_faults(slow_child={"count": 1, "ms": 3000})
    asked = time.time()
    run_id = await begun(traced)
    (door,) = [span for span in told(traced) if span["span"] == "send run-requests" and span["at"] >= asked]
    await traced.kill_app()
    await traced.start_app(TELEMETRY="console")
    await asyncio.sleep(2.5)  # four heartbeats of half a second, and the run counts as abandoned
    await traced.sweep()
    assert (await traced.ended(run_id))["status"] == "done"
    spans = await of_trace(traced, door["trace"], "process run-requests")
    sent = named(spans, "send run-requests")  # by the sweeper of the second process
    assert tree(spans, sent)[1][0][0] == "consumer process run-requests"
    assert named(spans, "invoke_workflow question")["attributes"]["adf_ops.attempt"] == 2


async def test_an_alert_is_one_trace_from_its_sender_to_the_look_at_what_it_is_about(traced: World) -> None:
    trace = secrets.token_hex(16)
    async with traced.http() as http:
        headers = {"traceparent": f"00-{trace}-{CALLER}-01"}
        response = await http.post("/api/alerts/event-grid", json=[event()], headers=headers)
        assert response.status_code == 202
    spans = await of_trace(traced, trace, "process watch-requests")
    by_id = {span["id"]: span for span in spans}
    chain = [named(spans, "look_at_factory")]
    while chain[-1]["parent"] in by_id:
        chain.append(by_id[chain[-1]["parent"]])
    assert [f"{span['kind']} {span['span']}" for span in reversed(chain)] == [
        "server POST /api/alerts/event-grid",
        "internal take_alerts",
        "producer send watch-requests",
        "consumer process watch-requests",
        "internal look_at_factory",
    ]
