"""A question through every layer: HTTP, records, queues, the agent service, the tools, Data Factory."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from orchestrator.agents.roster import SPECIALISTS
from tests.e2e.conftest import World

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def test_why_a_pipeline_failed_is_answered_with_the_run_it_rests_on(world: World) -> None:
    run = await world.ask("Why did LoadSales fail last night?")
    assert run["status"] == "done", run
    assert "LoadSales" in run["answer"]
    (first, *_) = run["evidence"]
    assert first["factory"] == "adf-prod"
    assert first["id"] in run["answer"]
    assert run["unsupported"] == []
    assert run["usage"]["input_tokens"] > 0


async def test_the_evidence_is_a_run_that_data_factory_knows_and_that_failed(world: World) -> None:
    run = await world.ask("Why did LoadSales fail last night?")
    run_id = next(item["id"] for item in run["evidence"] if item["kind"] == "pipeline_run")
    factory = "subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-data-prod/providers/"
    url = f"{world.adf}/{factory}Microsoft.DataFactory/factories/adf-prod/pipelineruns/{run_id}?api-version=2018-06-01"
    async with httpx.AsyncClient(trust_env=False) as http:
        found = (await http.get(url, headers={"Authorization": "Bearer x"})).json()
    assert (found["pipelineName"], found["status"]) == ("LoadSales", "Failed")


async def test_what_failed_is_answered_over_all_pipelines(world: World) -> None:
    run = await world.ask("What failed in the last 24 hours, and why?")
    assert run["status"] == "done", run
    assert "LoadFactSales" in run["answer"]  # the worst: it took two parents down with it
    assert len(set(GUID.findall(run["answer"]))) >= 1
    assert run["unsupported"] == []


async def test_progress_names_the_agents_and_tools_that_worked(world: World) -> None:
    run = await world.ask("Why did LoadSales fail last night?")
    events = await world.events(run["run_id"])
    assert ("run_investigator", "adf_diagnose_run") in {(event["agent"], event["tool"]) for event in events}
    assert "ops_supervisor" in {event["agent"] for event in events}
    assert all(event["seconds"] is not None for event in events if event["tool"] == "adf_diagnose_run")


async def test_a_follow_up_question_keeps_its_context(world: World) -> None:
    first = await world.ask("Why did LoadSales fail last night?")
    second = await world.ask("Which runs did it have in the last 48 hours?", session_id=first["session_id"])
    assert second["status"] == "done", second
    assert "LoadSales" in second["answer"]


async def test_an_unknown_pipeline_gets_the_closest_names(world: World) -> None:
    run = await world.ask("Why did LoadSale fail last night?")
    assert run["status"] == "done", run
    assert "'LoadSales'" in run["answer"]


async def test_an_unknown_factory_gets_the_known_ones(world: World) -> None:
    async with world.http() as http:
        response = await http.post("/api/diagnose", json={"pipeline": "LoadSales", "factory": "adf-pord"})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert "adf-prod" in response.json()["hint"]


async def test_a_run_id_of_another_factory_is_found_where_it_lives(world: World) -> None:
    run = await world.ask("Why did LoadSales fail last night?")
    run_id = next(item["id"] for item in run["evidence"] if item["kind"] == "pipeline_run")
    async with world.http() as http:
        response = await http.post("/api/diagnose", json={"run_id": run_id, "factory": "adf-dev"})
    assert "adf-prod" in response.text


async def test_the_diagnosis_needs_no_model(world: World) -> None:
    async with world.http() as http:
        diagnosis = (await http.post("/api/diagnose", json={"pipeline": "LoadSales"})).json()
    assert diagnosis["root_cause_category"]
    assert diagnosis["root_cause_path"]
    assert diagnosis["evidence"]


async def test_eight_questions_at_once_all_get_answers(world: World) -> None:
    runs = await asyncio.gather(*(world.ask(f"Why did LoadSales fail last night? ({i})") for i in range(8)))
    assert [run["status"] for run in runs] == ["done"] * 8
    assert len({run["run_id"] for run in runs}) == 8


async def test_a_second_question_of_a_session_waits_for_the_first(world: World) -> None:
    first = await world.ask("Why did LoadSales fail last night?")
    both = await asyncio.gather(
        *(world.ask("What failed in the last 24 hours?", session_id=first["session_id"]) for _ in range(2))
    )
    assert [run["status"] for run in both] == ["done", "done"]


async def test_the_agents_were_made_once_for_all_questions(world: World) -> None:
    requests = (await world.foundry_stats())["requests"]
    assert requests["POST /assistants"] == 1 + len(SPECIALISTS)


async def test_without_a_key_nobody_gets_in(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.app_url, trust_env=False) as http:
        assert (await http.post("/api/ask", json={"question": "x"})).status_code == 401
        assert (await http.get("/api/health")).status_code == 401


async def test_the_app_is_well(world: World) -> None:
    async with world.http() as http:
        response = await http.get("/api/health")
    assert (response.status_code, response.json()["problems"]) == (200, [])
