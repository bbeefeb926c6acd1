"""Things break in the middle of a question; the question ends all the same, once, with a clear word."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.e2e.conftest import World

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]

QUESTION = "Why did LoadSales fail last night?"


async def begun(world: World, question: str = QUESTION) -> str:
    """A run whose agents are at work."""
    async with world.http() as http:
        run_id = str((await http.post("/api/ask", json={"question": question, "wait_seconds": 0})).json()["run_id"])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            events = (await http.get(f"/api/runs/{run_id}/events?wait_seconds=0")).json()["events"]
            if any(event["tool"] for event in events):
                return run_id
            await asyncio.sleep(0.02)
    raise AssertionError("The agents did not begin within 30 s.")


async def test_a_question_outlives_the_death_of_its_process_and_ends_once(world: World) -> None:
    await world.foundry_faults(slow_child={"count": 1, "ms": 3000})
    before = (await world.foundry_stats())["requests"].get("POST /threads/{thread}/runs", 0)
    run_id = await begun(world)
    await world.kill_app()
    await world.start_app()
    await asyncio.sleep(2.5)  # four heartbeats of half a second, and the run counts as abandoned
    await world.sweep()
    run = await world.ended(run_id)
    assert run["status"] == "done", run
    assert "LoadSales" in run["answer"]
    events = await world.events(run_id)
    assert sum(event["state"] == "done" for event in events) == 1
    assert any("process went away" in event["text"] for event in events)
    after = (await world.foundry_stats())["requests"].get("POST /threads/{thread}/runs", 0)
    assert after - before == 1  # the agents were asked once, not once per process


async def test_a_broken_stream_is_followed_by_polling(world: World) -> None:
    await world.foundry_faults(stream_cut={"count": 1, "events": 4})
    run = await world.ask(QUESTION)
    assert run["status"] == "done", run
    assert "LoadSales" in run["answer"]


@pytest.mark.parametrize("fault", ["http_500", "http_500_after", "connection_reset", "connection_reset_after"])
async def test_a_run_that_fails_to_start_is_started_exactly_once(world: World, fault: str) -> None:
    ends = sum((await world.foundry_stats())["runs"].values())
    await world.foundry_faults(**{fault: {"count": 1, "match": "POST /threads/{thread}/runs"}})
    run = await world.ask(QUESTION)
    assert run["status"] == "done", run
    await asyncio.sleep(0.5)
    assert sum((await world.foundry_stats())["runs"].values()) - ends == 2  # the supervisor's and the specialist's


async def test_a_throttled_agent_service_is_waited_for(world: World) -> None:
    await world.foundry_faults(http_429={"count": 2, "retry_after": 1, "match": "POST /threads/{thread}/runs"})
    assert (await world.ask(QUESTION))["status"] == "done"


async def test_a_failed_agent_run_fails_the_question_with_its_words(world: World) -> None:
    await world.foundry_faults(
        run_failed={"count": 1, "code": "server_error", "message": "Sorry, something went wrong."}
    )
    run = await world.ask(QUESTION)
    assert (run["status"], run["error"]["message"]) == ("failed", "Sorry, something went wrong.")


async def test_a_tool_call_that_comes_twice_gets_one_answer(world: World) -> None:
    await world.foundry_faults(duplicate_call={"count": 1})
    assert (await world.ask(QUESTION))["status"] == "done"


async def test_a_run_can_be_cancelled_while_its_agents_work(world: World) -> None:
    await world.foundry_faults(slow_child={"count": 1, "ms": 20000})
    run_id = await begun(world)
    async with world.http() as http:
        await http.post(f"/api/runs/{run_id}/cancel")
    assert (await world.ended(run_id, seconds=10))["status"] == "cancelled"
    await world.foundry_faults(clear=True)


async def test_data_factory_down_is_said_and_not_hidden(world: World) -> None:
    """Of a pipeline that no test asked about in the seconds before: those answers may still be used."""
    async with world.adf_trouble(kind="status", status=503):
        run = await world.ask("Why did ArchiveLogs fail?")
        async with world.http() as http:
            diagnosis = await http.post("/api/diagnose", json={"pipeline": "ArchiveLogs"})
    assert "Data Factory" in run["answer"]
    assert diagnosis.status_code == 503
    assert diagnosis.json()["retryable"]
    await answers_again(world)


async def answers_again(world: World) -> None:
    """The app leaves an upstream alone for some seconds after it failed many times in a row."""
    async with world.http() as http, asyncio.timeout(20):
        while (await http.post("/api/diagnose", json={"pipeline": "ArchiveLogs"})).status_code != 200:
            await asyncio.sleep(0.2)


async def test_instructions_in_an_error_message_stay_data(world: World) -> None:
    run = await world.ask("Why did ImportFeedback fail?")
    assert run["status"] == "done", run
    assert "ImportFeedback" in run["answer"]
    called = {(event["agent"], event["tool"]) for event in await world.events(run["run_id"]) if event["tool"]}
    assert called == {("ops_supervisor", "run_investigator"), ("run_investigator", "adf_diagnose_run")}


async def test_agent_service_down_is_a_clear_failure(world: World) -> None:
    await world.stop_app()
    await world.start_app(FOUNDRY_PROJECT_ENDPOINT="http://127.0.0.1:9/api/projects/local")
    try:
        run = await world.ask(QUESTION)
        assert (run["status"], run["error"]["code"]) == ("failed", "upstream_unavailable")
        assert "FOUNDRY_PROJECT_ENDPOINT" in run["error"]["message"]
        async with world.http() as http:  # the diagnosis does not depend on it
            assert (await http.post("/api/diagnose", json={"pipeline": "LoadSales"})).status_code == 200
    finally:
        await world.stop_app()
        await world.start_app()


async def test_storage_down_is_a_clear_problem(world: World) -> None:
    await world.stop_app()
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;QueueEndpoint=http://127.0.0.1:9/a;"
    await world.start_app(STORAGE=nowhere + "TableEndpoint=http://127.0.0.1:9/a;")
    try:
        async with world.http() as http:
            asked = await http.post("/api/ask", json={"question": QUESTION})
            diagnosis = await http.post("/api/diagnose", json={"pipeline": "LoadSales"})
        assert (asked.status_code, asked.json()["code"]) == (503, "upstream_unavailable")
        assert "storage" in asked.json()["detail"]
        assert diagnosis.status_code == 200  # it needs no storage
    finally:
        await world.stop_app()
        await world.start_app()


async def test_missing_settings_are_told_and_nothing_crashes(world: World) -> None:
    await world.stop_app()
    await world.start_app(FOUNDRY_MODEL="", ADF_SUBSCRIPTION_ID="")
    try:
        async with world.http() as http:
            health = await http.get("/api/health")
            asked = await http.post("/api/ask", json={"question": QUESTION})
        assert {item["setting"] for item in health.json()["problems"]} == {"FOUNDRY_MODEL", "ADF_FACTORIES"}
        assert (asked.status_code, asked.json()["code"]) == (503, "not_configured")
    finally:
        await world.stop_app()
        await world.start_app()


async def test_a_question_expires_at_its_deadline_when_no_tool_answers(world: World) -> None:
    await world.stop_app()
    await world.start_app(RUN_DEADLINE_SECONDS="4", TOOL_DEADLINE_SECONDS="3", ADF_TIMEOUT_SECONDS="2")
    await world.foundry_faults(no_reply={"count": None})
    try:
        run = await world.ask(QUESTION)
        assert run["status"] == "expired", run
    finally:
        await world.foundry_faults(clear=True)
        await world.stop_app()
        await world.start_app()
