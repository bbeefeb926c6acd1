"""MCP tools against the documentation server, with raw definitions as azure-ai-agents 1.1.0 needs them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.ai.agents.models import ThreadRun

from localcloud.foundry.thinking.turns import Call
from localcloud.learn.server import create_app
from tests.localcloud.foundry.conftest import (
    Json,
    Scripted,
    StandIn,
    StartStandIn,
    recorded_answer,
    served,
    shape,
)

NEVER, ALWAYS = "never", "always"
SEARCH = Call("microsoft_docs_search", {"query": "error 2200"})


@pytest.fixture
async def docs() -> AsyncIterator[Json]:
    """The definition of a documentation server that runs."""
    async with served(create_app()) as url:
        yield {"type": "mcp", "server_label": "docs", "server_url": f"{url}/mcp"}


def resources(approval: Any, **headers: str) -> Json:
    return {"mcp": [{"server_label": "docs", "headers": headers, "require_approval": approval}]}


async def started(one: StandIn, tool: Json, tool_resources: Json | None = None) -> ThreadRun:
    agent, thread = await one.client.create_agent(model="m", tools=[tool]), await one.client.threads.create()
    body = {"assistant_id": agent.id, **({"tool_resources": tool_resources} if tool_resources else {})}
    return await one.client.runs.create(thread.id, body)


async def decide(one: StandIn, run: ThreadRun, *, approve: bool) -> Json:
    assert run.required_action
    calls = run.required_action["submit_tool_approval"]["tool_calls"]
    body = {"tool_approvals": [{"tool_call_id": call["id"], "approve": approve} for call in calls]}
    url = f"/api/projects/local/threads/{run.thread_id}/runs/{run.id}/submit_tool_outputs"
    answer: Json = (await one.http.post(url, json=body)).json()
    return answer


async def test_a_run_that_needs_no_approval_calls_the_server(stand_in: StartStandIn, docs: Json) -> None:
    thinker = Scripted([SEARCH], "It is a copy that failed.")
    one = await stand_in(thinker)
    run = await one.finish(await started(one, docs, resources(NEVER)))
    assert run.status == "completed"
    assert "Error 2200: a copy activity failed" in thinker.prompts[1].outcomes[0].output


async def test_the_steps_are_the_tool_list_the_calls_and_the_message(stand_in: StartStandIn, docs: Json) -> None:
    one = await stand_in(Scripted([SEARCH], "Done."))
    run = await one.finish(await started(one, docs, resources(NEVER)))
    listing, calls, message = await one.steps(run)
    assert [listing["type"], calls["type"], message["type"]] == ["activities", "tool_calls", "message_creation"]
    (activity,) = listing["step_details"]["activities"]
    assert set(activity["tools"]) == {"microsoft_docs_search", "microsoft_docs_fetch"}
    assert activity["tools"]["microsoft_docs_search"]["parameters"]["required"] == ["query"]
    (call,) = calls["step_details"]["tool_calls"]
    assert (call["type"], call["name"], call["server_label"]) == ("mcp", "microsoft_docs_search", "docs")


async def test_the_thinker_is_offered_only_the_allowed_tools(stand_in: StartStandIn, docs: Json) -> None:
    thinker = Scripted("Hi.")
    one = await stand_in(thinker)
    await one.finish(await started(one, {**docs, "allowed_tools": ["microsoft_docs_fetch"]}))
    assert [offer.name for offer in thinker.prompts[0].offers] == ["microsoft_docs_fetch"]


async def test_approval_is_asked_for_when_nothing_is_said(stand_in: StartStandIn, docs: Json) -> None:
    one = await stand_in(Scripted([SEARCH], "Done."))
    run = await one.finish(await started(one, docs), until=["requires_action"])
    expected = recorded_answer("classic_mcp_approval.json", "GET /threads/{id}/runs/{id}")
    assert run.required_action
    assert shape(run.required_action.as_dict()) == shape(expected["required_action"])


async def test_an_approved_call_is_made(stand_in: StartStandIn, docs: Json) -> None:
    thinker = Scripted([SEARCH], "Done.")
    one = await stand_in(thinker)
    run = await one.finish(await started(one, docs, resources(ALWAYS)), until=["requires_action"])
    answer = await decide(one, run, approve=True)
    assert answer["status"] == "in_progress"
    assert (await one.finish(run)).status == "completed"
    assert "results" in thinker.prompts[1].outcomes[0].output


async def test_a_refused_call_is_not_made(stand_in: StartStandIn, docs: Json) -> None:
    thinker = Scripted([SEARCH], "Done.")
    one = await stand_in(thinker)
    run = await one.finish(await started(one, docs, resources(ALWAYS)), until=["requires_action"])
    await decide(one, run, approve=False)
    assert (await one.finish(run)).status == "completed"
    assert "was not approved" in thinker.prompts[1].outcomes[0].output


async def test_the_answer_to_an_approval_shows_the_tool_as_never_and_later_reads_do_not(
    stand_in: StartStandIn, docs: Json
) -> None:
    one = await stand_in(Scripted([SEARCH], "Done."))
    run = await one.finish(await started(one, docs, resources(ALWAYS)), until=["requires_action"])
    answer = await decide(one, run, approve=True)
    never = {"never": {"tool_names": ["microsoft_docs_search"]}}
    assert answer["tool_resources"]["mcp"][0]["require_approval"] == never
    later = await one.finish(run)
    assert later["tool_resources"]["mcp"][0]["require_approval"] == ALWAYS


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        ({"never": {"tool_names": ["microsoft_docs_search"]}}, False),
        ({"never": {"tool_names": ["microsoft_docs_fetch"]}}, True),
        ({"always": {"tool_names": ["microsoft_docs_fetch"]}}, False),
        ({"always": {"tool_names": ["microsoft_docs_search"]}}, True),
    ],
)
async def test_approval_can_be_ruled_tool_by_tool(stand_in: StartStandIn, docs: Json, rule: Json, asks: bool) -> None:
    one = await stand_in(Scripted([SEARCH], "Done."))
    run = await one.finish(await started(one, docs, resources(rule)), until=["requires_action", "completed"])
    assert (run.status == "requires_action") is asks


async def test_header_values_are_never_told(stand_in: StartStandIn, docs: Json) -> None:
    one = await stand_in(Scripted([SEARCH], "Done."))
    run = await one.finish(await started(one, docs, resources(NEVER, Secret="123456")))
    assert run["tool_resources"]["mcp"][0]["headers"] == {"Secret": "REDACTED"}
    answer = await one.http.get(f"/api/projects/local/threads/{run.thread_id}/runs")
    assert "123456" not in answer.text


async def test_a_tool_that_raises_is_told_to_the_model(stand_in: StartStandIn, docs: Json) -> None:
    thinker = Scripted([Call("microsoft_docs_fetch", {"url": "https://nowhere"})], "Sorry.")
    one = await stand_in(thinker)
    run = await one.finish(await started(one, docs, resources(NEVER)))
    assert run.status == "completed"
    assert thinker.prompts[1].outcomes[0].output.startswith("Error:")


async def test_a_server_that_is_not_there_fails_the_run(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    gone = {"type": "mcp", "server_label": "docs", "server_url": "http://127.0.0.1:9/mcp"}
    run = await one.finish(await started(one, gone))
    assert run.status == "failed"
    assert run.last_error
    assert "The MCP server 'http://127.0.0.1:9/mcp' could not be used" in run.last_error.message
