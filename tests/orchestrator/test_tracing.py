"""A trace goes from the door to whoever serves the question, and on when its process has died."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from core.telemetry import carrying, names
from core.telemetry.setup import using
from core.telemetry.spans import span
from orchestrator.api import app as api
from orchestrator.runs.endings import Endings
from orchestrator.runs.intake import Intake
from orchestrator.runs.record import Run, run_from_json, to_json
from orchestrator.runs.signals import Signals
from orchestrator.stores.queues import send
from orchestrator.stores.runs import MemoryRunStore
from tests.orchestrator.api.doors import by_path
from tests.orchestrator.test_sweeper import Night
from tests.recorded import Recorded, own, recording

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ELSEWHERE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def trace_of(recorded: Recorded, name: str) -> str:
    return f"{own(recorded.span(name)).trace_id:032x}"


# The door


async def asked(method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(by_path(api.build()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        return await http.request(method, path, json=body, headers=headers)


async def test_a_request_that_may_change_something_goes_on_with_its_callers_trace() -> None:
    with recording() as recorded:
        response = await asked("POST", "/api/runs/run-secret/cancel?sig=hush", traceparent=ELSEWHERE)
    (door,) = recorded.spans  # and the framework tells none of its own
    assert door.name == "POST /api/runs/{run_id}/cancel"
    assert door.kind.name == "SERVER"
    assert door.parent is not None
    assert f"00-{own(door).trace_id:032x}-{door.parent.span_id:016x}-01" == ELSEWHERE
    told = dict(door.attributes or {})
    assert told["http.route"] == "/api/runs/{run_id}/cancel"
    assert told["http.response.status_code"] == response.status_code
    assert "hush" not in str(told)
    assert "run-secret" not in str(told)


async def test_below_a_host_that_has_a_span_for_the_request_it_is_a_part_of_that() -> None:
    with recording() as recorded, span("of the host", "server"):
        await asked("POST", "/api/ask", {}, traceparent=ELSEWHERE)
    assert recorded.tree("of the host") == ("of the host", [("POST /api/ask", [])])
    assert recorded.span("POST /api/ask").kind.name == "INTERNAL"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_a_request_that_only_looks_has_no_span(method: str) -> None:
    with recording() as recorded:
        await asked(method, "/api/health")
    assert recorded.spans == []


async def test_an_address_that_does_not_exist_is_not_told() -> None:
    with recording() as recorded:
        assert (await asked("POST", "/api/nowhere/at-all")).status_code == 404
    assert [span.name for span in recorded.spans] == ["POST (no such route)"]


async def test_a_method_that_nobody_knows_is_not_told() -> None:
    with recording() as recorded:
        await asked("PAYROLL-SECRET", "/api/ask")
    (door,) = recorded.spans
    assert door.name.startswith("_OTHER ")
    assert "PAYROLL" not in f"{door.name} {dict(door.attributes or {})}"


@pytest.mark.parametrize("told", ["", "garbage", ELSEWHERE.upper(), f"{ELSEWHERE}, {ELSEWHERE}"])
async def test_a_caller_that_names_no_trace_begins_one(told: str) -> None:
    with recording() as recorded:
        await asked("POST", "/api/ask", {}, traceparent=told)
    assert recorded.span("POST /api/ask").parent is None


# The record


class Sent:
    def __init__(self) -> None:
        self.traces: list[str] = []

    async def send(self, run_id: str, attempt: int = 0, delay_seconds: int = 0) -> None:
        self.traces.append(carrying.current()[3:35])

    async def revive(self) -> int:
        return 0


async def taken_in() -> tuple[Run, Sent]:
    sent = Sent()
    intake = Intake(MemoryRunStore(), sent, Signals(), lambda: NOW, deadline_seconds=30)
    return await intake.ask("Why?"), sent


async def test_a_run_remembers_the_trace_of_whoever_asked() -> None:
    with recording() as recorded, span("asked"):
        run, sent = await taken_in()
    assert run.traceparent[3:35] == trace_of(recorded, "asked")
    assert sent.traces == [run.traceparent[3:35]]
    assert run_from_json(to_json(run)).traceparent == run.traceparent
    with using(None):
        assert (await taken_in())[0].traceparent == ""


def test_a_record_of_an_earlier_version_has_no_trace() -> None:
    run = Run("run-1", "q", "session-1", NOW, NOW + timedelta(minutes=5))
    assert "traceparent" not in to_json(run)
    assert run_from_json(to_json(run)).traceparent == ""


async def test_a_run_whose_process_died_is_sent_again_in_its_own_trace() -> None:
    night, sent = Night(), Sent()
    object.__setattr__(night.sweeper, "queue", sent)
    await night.run(traceparent=ELSEWHERE)
    night.now += timedelta(seconds=60)
    with recording(), span("a timer"):
        assert await night.sweeper.runs() == {"resent": 1}
    assert sent.traces == [ELSEWHERE[3:35]]


@pytest.mark.parametrize("expired", [True, False], ids=["expired", "ended before"])
async def test_whoever_is_told_of_an_end_is_told_in_the_runs_trace(expired: bool) -> None:
    night, sent = Night(), Sent()
    night.sweeper.conductor.endings = Endings(night.store, sent)
    ended: dict[str, Any] = {} if expired else {"status": "done", "ended_at": night.now, "answer": "Two failed."}
    await night.run(traceparent=ELSEWHERE, callback_url="https://example.logic.azure.com/x", **ended)
    night.now += timedelta(minutes=10)
    with recording(), span("a timer"):
        await night.sweeper.runs()
    assert sent.traces == [ELSEWHERE[3:35]]


async def test_a_run_is_measured_when_it_ends_and_not_again_when_it_is_settled() -> None:
    night = Night()
    await night.run(traceparent=ELSEWHERE)
    night.now += timedelta(minutes=10)
    with recording() as recorded:
        assert await night.sweeper.runs() == {"expired": 1}
        await night.sweeper.conductor.endings.settle(await night.stored())
        ((about, seconds),) = recorded.metric(names.QUESTION_SECONDS)
    assert (about, seconds) == ({"adf_ops.outcome": "expired"}, 600.0)


# The queue


class Queue:
    queue_name = "run-requests"

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def send_message(self, message: str, visibility_timeout: int = 0) -> None:
        self.bodies.append(json.loads(b64decode(message)))


async def test_every_message_of_ours_carries_its_trace() -> None:
    queue: Any = Queue()
    with recording() as recorded:
        await send(queue, {"run_id": "r"}, 5)
    with using(None):
        await send(queue, {"run_id": "r"}, 5)
    sent = own(recorded.span("send run-requests"))
    assert queue.bodies == [
        {"run_id": "r", "traceparent": f"00-{sent.trace_id:032x}-{sent.span_id:016x}-01", "delay_seconds": 5},
        {"run_id": "r"},
    ]
