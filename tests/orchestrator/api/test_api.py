"""The HTTP API: what callers get when all is well, and a clear problem when it is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from core.errors import UpstreamThrottled, UpstreamUnavailable
from orchestrator import services
from orchestrator.agents import roster
from orchestrator.agents.lifecycle import Agents
from orchestrator.api import app as api
from orchestrator.foundry.port import Turn, TurnRef
from orchestrator.runs.conductor import Conductor
from orchestrator.runs.intake import Intake
from orchestrator.runs.record import Run
from orchestrator.runs.signals import Signals
from orchestrator.services import Services
from orchestrator.stores.runs import MemoryRunStore
from orchestrator.sweeper import Sweeper
from tests.orchestrator.api.doors import through
from tests.orchestrator.scripted_service import Script, ScriptedService, answer_at_once, answered
from tests.tools_worker.runtime.sample import make_worker
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.runtime import worker


def utc_now() -> datetime:
    return datetime.now(UTC)


class ServedAtOnce:
    """A queue whose messages are served by this process as they come; `down` makes it refuse them."""

    def __init__(self) -> None:
        self.conductor: Conductor | None = None
        self.serving: set[asyncio.Task[None]] = set()
        self.down = False

    async def send(self, run_id: str) -> None:
        if self.down:
            raise UpstreamUnavailable("Queue storage does not answer.")
        assert self.conductor
        self.serving.add(asyncio.create_task(self.conductor.serve(run_id)))


class Caller:
    """The app in this process over in-memory parts, and a client that calls it."""

    def __init__(self, script: Script = answer_at_once) -> None:
        self.store, self.service, self.queue, signals = (
            MemoryRunStore(),
            ScriptedService(script),
            ServedAtOnce(),
            Signals(),
        )
        agents = Agents(self.service, roster.supervisor("gpt-test", "http://queues", ""))
        self.conductor = Conductor(self.store, self.service, agents, signals, utc_now, 0.1)
        self.queue.conductor = self.conductor
        intake = Intake(self.store, self.queue, signals, utc_now, deadline_seconds=30)
        sweeper = Sweeper(self.store, self.service, agents, self.conductor, self.queue, None, utc_now)
        app = self.app = api.build()
        parts = Services(self.store, signals, intake, self.conductor, sweeper)
        factory = MemoryDataFactory("adf-prod", pipelines=["LoadSales", "LoadCustomers"])
        hands = replace(make_worker(), factories=Factories([factory]))
        app.dependency_overrides[services.provided] = lambda: parts
        app.dependency_overrides[worker.provided] = lambda: hands
        transport = httpx.ASGITransport(through("api", app))  # what the app raises, the host would get
        self.http = httpx.AsyncClient(transport=transport, base_url="http://localhost:7071")

    async def ask(self, **body: Any) -> httpx.Response:
        return await self.http.post("/api/ask", json={"question": "What failed?", **body})


@asynccontextmanager
async def calling(script: Script = answer_at_once) -> AsyncIterator[Caller]:
    caller = Caller(script)
    try:
        yield caller
    finally:
        for task in caller.queue.serving:
            task.cancel()
        await asyncio.gather(*caller.queue.serving, return_exceptions=True)
        await caller.http.aclose()


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with calling() as made:
        yield made


async def slow(ref: TurnRef, text: str) -> AsyncIterator[Turn]:
    yield Turn(ref, "working")
    await asyncio.sleep(0.3)
    yield answered(ref, "At last.")


async def endless(ref: TurnRef, text: str) -> AsyncIterator[Turn]:
    yield Turn(ref, "working")
    await asyncio.sleep(60)


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body, once it is a problem of this kind."""
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["detail"]
    assert "Traceback" not in response.text
    return body


async def test_answers_within_the_wait(caller: Caller) -> None:
    response = await caller.ask()
    run = response.json()
    assert response.status_code == 200
    assert (run["status"], run["answer"], run["answered_by"]) == ("done", "Answer to: What failed?", "gpt-test")
    assert run["usage"] == {"input_tokens": 10, "output_tokens": 5}
    assert run["seconds"] >= 0


async def test_a_longer_answer_is_fetched_from_the_location() -> None:
    async with calling(slow) as caller:
        response = await caller.ask(wait_seconds=0)
        assert response.status_code == 202
        assert int(response.headers["Retry-After"]) > 0
        where = response.headers["Location"]
        assert where == f"http://localhost:7071/api/runs/{response.json()['run_id']}"
        while (polled := await caller.http.get(where)).status_code == 202:
            assert polled.headers["Location"] == where
            await asyncio.sleep(0.02)
        assert polled.json()["answer"] == "At last."


async def test_a_waiting_caller_gets_the_answer_as_soon_as_it_is_there() -> None:
    async with calling(slow) as caller:
        response = await caller.ask(wait_seconds=10)
        assert response.json()["answer"] == "At last."


async def test_events_come_in_order_and_resume_after_a_number(caller: Caller) -> None:
    run_id = (await caller.ask()).json()["run_id"]
    seen = (await caller.http.get(f"/api/runs/{run_id}/events")).json()
    assert [event["seq"] for event in seen["events"]] == list(range(1, seen["last"] + 1))
    assert seen["ended"]
    assert seen["events"][-1]["state"] == "done"
    rest = (await caller.http.get(f"/api/runs/{run_id}/events?after={seen['last'] - 1}")).json()
    assert [event["seq"] for event in rest["events"]] == [seen["last"]]


async def test_events_of_a_working_run_wait_for_news() -> None:
    async with calling(slow) as caller:
        run_id = (await caller.ask(wait_seconds=0)).json()["run_id"]
        last, states = 0, []
        while True:
            page = (await caller.http.get(f"/api/runs/{run_id}/events?after={last}")).json()
            states += [event["state"] for event in page["events"]]
            last = page["last"]
            if page["ended"]:
                break
        assert states[-1] == "done"


async def test_a_run_can_be_cancelled() -> None:
    async with calling(endless) as caller:
        run_id = (await caller.ask(wait_seconds=0)).json()["run_id"]
        assert (await caller.http.post(f"/api/runs/{run_id}/cancel")).status_code == 202
        await asyncio.gather(*caller.queue.serving)
        ended = await caller.http.get(f"/api/runs/{run_id}")
        assert (ended.status_code, ended.json()["status"]) == (200, "cancelled")
        assert (await caller.http.post(f"/api/runs/{run_id}/cancel")).status_code == 200


async def test_a_follow_up_stays_in_its_session(caller: Caller) -> None:
    first = (await caller.ask()).json()
    second = (await caller.ask(question="And why?", session_id=first["session_id"])).json()
    assert second["session_id"] == first["session_id"]
    assert len({turn.conversation for turn in caller.service.turns.values()}) == 1


async def test_a_question_is_kept_when_the_queue_is_down(caller: Caller) -> None:
    caller.queue.down = True
    response = await caller.ask(wait_seconds=0)
    assert response.status_code == 202
    assert response.json()["run_id"] in await caller.store.active()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_request"),
        (b"{", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b"[]", 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
        (b'{"question": ""}', 422, "invalid_request"),
        (b'{"question": "   "}', 422, "invalid_request"),
        (b'{"question": 7}', 422, "invalid_request"),
        (b'{"question": "x", "wait_seconds": 111}', 422, "invalid_request"),
        (b'{"question": "x", "wait_seconds": "soon"}', 422, "invalid_request"),
        (b'{"question": "x", "sesion_id": "s"}', 422, "invalid_request"),
        (b'{"question": "x", "session_id": "../s"}', 422, "invalid_request"),
        (b'{"question": "\\ud800"}', 422, "invalid_request"),
        (json.dumps({"question": "x" * 40_000}).encode(), 413, "payload_too_large"),
        (json.dumps({"question": "x" * 31_000}).encode(), 422, "invalid_request"),
        (b'{"question": "x", "session_id": "session-unknown"}', 404, "not_found"),
    ],
)
async def test_bad_questions_get_a_clear_problem(caller: Caller, body: bytes, status: int, code: str) -> None:
    response = await caller.http.post("/api/ask", content=body, headers={"content-type": "application/json"})
    problem(response, status, code)
    assert caller.service.starts == []


async def test_deeply_nested_json_is_no_way_in(caller: Caller) -> None:
    response = await caller.http.post("/api/ask", content=b"[" * 30_000, headers={"content-type": "application/json"})
    problem(response, 400, "invalid_json")


async def test_the_wrong_field_is_named(caller: Caller) -> None:
    response = await caller.ask(wait_seconds=-1)
    assert "wait_seconds" in problem(response, 422, "invalid_request")["detail"]


@pytest.mark.parametrize("path", ["", "/events", "/cancel"])
async def test_an_unknown_run_is_told(caller: Caller, path: str) -> None:
    method = "POST" if path == "/cancel" else "GET"
    assert "run-x" in problem(await caller.http.request(method, f"/api/runs/run-x{path}"), 404, "not_found")["detail"]


async def test_an_unknown_route_and_method_are_told(caller: Caller) -> None:
    problem(await caller.http.get("/api/nothing"), 404, "no_such_route")
    problem(await caller.http.get("/api/ask"), 405, "method_not_allowed")


async def test_an_accepted_question_is_told_where_to_look_though_storage_fails_meanwhile(caller: Caller) -> None:
    load = caller.store.load

    async def fails(run_id: str) -> Run:
        raise UpstreamUnavailable("Table storage does not answer.")

    caller.store.load = fails  # type: ignore[method-assign]
    response = await caller.ask(wait_seconds=5)
    caller.store.load = load  # type: ignore[method-assign]
    assert response.status_code == 202
    assert response.headers["location"].endswith(response.json()["run_id"])


async def sent(caller: Caller, key: str, question: str = "What failed?") -> httpx.Response:
    return await caller.http.post("/api/ask", json={"question": question}, headers={"Idempotency-Key": key})


async def test_a_question_sent_twice_under_one_key_is_one_run(caller: Caller) -> None:
    first, second = (await sent(caller, "k1")).json(), (await sent(caller, "k1")).json()
    assert first == second
    assert len(caller.service.starts) == 1


async def test_a_storm_of_one_key_is_one_run(caller: Caller) -> None:
    runs = await asyncio.gather(*(sent(caller, "k2") for _ in range(20)))
    assert len({run.json()["run_id"] for run in runs}) == 1
    assert len(caller.service.starts) == 1


async def test_other_keys_are_other_runs(caller: Caller) -> None:
    assert (await sent(caller, "k3")).json()["run_id"] != (await sent(caller, "k4")).json()["run_id"]


async def test_a_key_does_not_do_for_another_question(caller: Caller) -> None:
    await sent(caller, "k5")
    problem(await sent(caller, "k5", "What succeeded?"), 409, "conflict")


async def test_a_diagnosis_wants_a_run_or_a_pipeline(caller: Caller) -> None:
    assert "run_id" in problem(await caller.http.post("/api/diagnose", json={}), 422, "invalid_arguments")["hint"]


async def test_a_diagnosis_offers_the_closest_pipeline(caller: Caller) -> None:
    response = await caller.http.post("/api/diagnose", json={"pipeline": "LoadSale"})
    assert "'LoadSales'" in problem(response, 404, "not_found")["hint"]


async def test_a_diagnosis_takes_the_window_of_an_alert(caller: Caller) -> None:
    window = {"since": "2000-01-01T00:00:00Z", "until": "2000-01-01T01:00:00Z"}
    response = await caller.http.post("/api/diagnose", json={"pipeline": "LoadSales", **window})
    assert "45 days" in problem(response, 404, "not_found")["detail"]


async def test_a_window_that_cannot_be_read_is_told(caller: Caller) -> None:
    response = await caller.http.post("/api/diagnose", json={"since": "yesterday"})
    assert "neither a date nor a time" in problem(response, 422, "invalid_arguments")["detail"]


async def test_a_diagnosis_knows_no_such_factory(caller: Caller) -> None:
    response = await caller.http.post("/api/diagnose", json={"pipeline": "LoadSales", "factory": "adf-pord"})
    assert "'adf-prod'" in problem(response, 404, "not_found")["hint"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UpstreamUnavailable("Table storage does not answer.", hint="Try again."), 503, "upstream_unavailable"),
        (UpstreamThrottled("Slow down.", retry_after_seconds=7), 503, "upstream_throttled"),
        (KeyError("secret detail"), 500, "internal_error"),
    ],
)
async def test_failures_of_ours_are_told_without_a_trace(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    async def failing(run_id: str) -> None:
        raise error

    monkeypatch.setattr(caller.store, "load", failing)
    response = await caller.http.get("/api/runs/run-1")
    problem(response, status, code)
    assert "secret detail" not in response.text
    if code == "upstream_throttled":
        assert response.headers["Retry-After"] == "7"


async def test_health_lists_what_is_missing(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORAGE", "FOUNDRY_PROJECT_ENDPOINT", "FOUNDRY_MODEL", "ADF_FACTORIES", "ADF_SUBSCRIPTION_ID"):
        monkeypatch.delenv(name, raising=False)
    response = await caller.http.get("/api/health")
    assert response.status_code == 503
    assert {"STORAGE", "FOUNDRY_MODEL"} <= {item["setting"] for item in response.json()["problems"]}


async def test_health_tells_what_nobody_has_switched_on(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_SIGNING_KEY", "k" * 32)
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "False")
    monkeypatch.delenv("CALLBACK_SIGNING_KEY", raising=False)
    off = {item["setting"]: item["area"] for item in (await caller.http.get("/api/health")).json()["off"]}
    assert (off["CALLBACK_SIGNING_KEY"], off["WEBSITE_AUTH_ENABLED"]) == ("callbacks", "persons")
    assert "LINK_SIGNING_KEY" not in off


async def test_missing_settings_are_a_problem_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORAGE", "FOUNDRY_PROJECT_ENDPOINT", "FOUNDRY_MODEL", "ADF_FACTORIES", "ADF_SUBSCRIPTION_ID"):
        monkeypatch.delenv(name, raising=False)
    transport = httpx.ASGITransport(through("api", api.build()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:7071") as http:
        body = problem(await http.post("/api/ask", json={"question": "x"}), 503, "not_configured")
    assert "STORAGE" in body["detail"]


async def test_the_description_of_the_api_is_valid_and_complete(caller: Caller) -> None:
    description = (await caller.http.get("/api/openapi.json")).json()
    validate(description)
    assert description["openapi"].startswith("3.1")
    operations = [operation["operationId"] for path in description["paths"].values() for operation in path.values()]
    assert {"runs_ask", "runs_get", "runs_events", "runs_cancel", "diagnosis_make", "health_get"} <= set(operations)
    assert {"alerts_azure_monitor", "alerts_event_grid", "alerts_plain"} <= set(operations)
