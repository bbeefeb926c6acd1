"""Runs: their states, what they refuse, how they are cancelled and when they expire."""

from __future__ import annotations

import asyncio

import pytest
from azure.ai.agents.models import AgentThreadCreationOptions, ThreadMessageOptions, TruncationObject
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from localcloud.foundry.records import Usage
from localcloud.foundry.thinking.turns import Call, Turn
from tests.localcloud.foundry.conftest import (
    Scripted,
    StartStandIn,
    ToolWorker,
    foo,
    function_tool,
    recorded_answer,
    shape,
)


async def test_a_run_has_the_shape_of_the_real_service(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    agent, thread = await one.client.create_agent(model="m", tools=[function_tool()]), await one.client.threads.create()
    body = {"assistant_id": agent.id, "stream": False}
    answer = (await one.http.post(f"/api/projects/local/threads/{thread.id}/runs", json=body)).json()
    expected = recorded_answer("classic_azure_function.json", "POST /threads/{id}/runs")
    for each in (answer, expected):
        each.pop("tools")
    assert shape({**answer, "instructions": ""}) == shape(expected)
    assert answer["expires_at"] - answer["created_at"] == 1800


async def test_a_run_ends_with_an_answer_and_its_usage(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted(Turn(text="Hi.", usage=Usage(7, 2))))
    run = await one.run("Hello", (await one.client.create_agent(model="m")).id)
    assert (run.status, await one.answer(run)) == ("completed", "Hi.")
    assert run.usage
    assert (run.usage.prompt_tokens, run.usage.completion_tokens, run.usage.total_tokens) == (7, 2, 9)
    assert (run["expires_at"], run.required_action) == (None, None)


async def test_the_run_overrides_the_agent_and_adds_to_its_instructions(stand_in: StartStandIn) -> None:
    thinker = Scripted("Hi.")
    one = await stand_in(thinker)
    agent = await one.client.create_agent(model="m", instructions="Be brief.", tools=[function_tool()])
    await one.run("Hello", agent.id, additional_instructions="Be kind.", model="n", tools=[])
    prompt = thinker.prompts[0]
    assert (prompt.instructions, prompt.model, prompt.offers) == ("Be brief.\nBe kind.", "n", ())


async def test_additional_messages_come_before_the_answer(stand_in: StartStandIn) -> None:
    thinker = Scripted("Hi.")
    one = await stand_in(thinker)
    agent, thread = await one.client.create_agent(model="m"), await one.client.threads.create()
    added = [
        ThreadMessageOptions(role="assistant", content="Earlier."),
        ThreadMessageOptions(role="user", content="Now?"),
    ]
    run = await one.client.runs.create(thread.id, agent_id=agent.id, additional_messages=added)
    await one.finish(run)
    assert [said.text for said in thinker.prompts[0].messages] == ["Earlier.", "Now?"]


async def test_truncation_leaves_the_last_messages(stand_in: StartStandIn) -> None:
    thinker = Scripted("Hi.")
    one = await stand_in(thinker)
    agent = await one.client.create_agent(model="m")
    thread = await one.client.threads.create(
        messages=[ThreadMessageOptions(role="user", content=str(n)) for n in range(5)]
    )
    strategy = TruncationObject(type="last_messages", last_messages=2)
    await one.finish(await one.client.runs.create(thread.id, agent_id=agent.id, truncation_strategy=strategy))
    assert [said.text for said in thinker.prompts[0].messages] == ["3", "4"]


async def test_tool_choice_none_hides_the_tools(stand_in: StartStandIn) -> None:
    thinker = Scripted("Hi.")
    one = await stand_in(thinker)
    agent = await one.client.create_agent(model="m", tools=[function_tool()])
    await one.run("Hello", agent.id, tool_choice="none")
    assert thinker.prompts[0].offers == ()


async def test_a_thread_and_its_run_can_be_made_at_once(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    agent = await one.client.create_agent(model="m")
    thread = AgentThreadCreationOptions(messages=[ThreadMessageOptions(role="user", content="Hello")])
    run = await one.client.create_thread_and_run(agent_id=agent.id, thread=thread, metadata={"ours": "1"})
    done = await one.finish(run)
    assert (done.status, done.metadata) == ("completed", {"ours": "1"})


async def test_the_runs_of_a_thread_are_found_again_by_their_metadata(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    agent = await one.client.create_agent(model="m")
    run = await one.run("Hello", agent.id, metadata={"ours": "42"})
    assert [found.metadata["ours"] async for found in one.client.runs.list(run.thread_id)] == ["42"]


async def test_a_runs_metadata_can_be_changed(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    run = await one.run("Hello", (await one.client.create_agent(model="m")).id)
    await one.client.runs.update(run.thread_id, run.id, metadata={"seen": "yes"})
    assert (await one.client.runs.get(run.thread_id, run.id)).metadata == {"seen": "yes"}


async def test_a_busy_thread_takes_neither_messages_nor_runs(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted([Call("clock", {})]))
    agent = await one.client.create_agent(model="m", tools=[function_tool()])
    thread = await one.client.threads.create()
    run = await one.client.runs.create(thread.id, agent_id=agent.id)
    with pytest.raises(HttpResponseError, match=f"Can't add messages to {thread.id} while a run {run.id} is active"):
        await one.client.messages.create(thread.id, role="user", content="more")
    with pytest.raises(HttpResponseError, match=f"already has an active run {run.id}"):
        await one.client.runs.create(thread.id, agent_id=agent.id)


async def test_a_run_of_an_unknown_agent_is_not_started(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    thread = await one.client.threads.create()
    with pytest.raises(ResourceNotFoundError, match="No assistant found"):
        await one.client.runs.create(thread.id, agent_id="asst_unknown")
    assert [run.id async for run in one.client.runs.list(thread.id)] == []


async def test_a_cancelled_run_passes_through_cancelling(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted([Call("clock", {})]))
    agent, thread = await one.client.create_agent(model="m", tools=[function_tool()]), await one.client.threads.create()
    run = await one.client.runs.create(thread.id, agent_id=agent.id)
    await one.finish(run, until=["requires_action"])
    assert (await one.client.runs.cancel(thread.id, run.id)).status == "cancelling"
    done = await one.finish(run)
    assert done.status == "cancelled"
    assert done["cancelled_at"]
    assert [step["status"] for step in await one.steps(done)] == ["cancelled"]


async def test_a_run_can_be_cancelled_before_it_begins(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."), turn_ms=60_000)
    agent, thread = await one.client.create_agent(model="m"), await one.client.threads.create()
    run = await one.client.runs.create(thread.id, agent_id=agent.id)
    await one.client.runs.cancel(thread.id, run.id)
    assert (await one.finish(run)).status == "cancelled"


async def test_an_ended_run_cannot_be_cancelled(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    run = await one.run("Hello", (await one.client.create_agent(model="m")).id)
    with pytest.raises(HttpResponseError, match="Cannot cancel run with status 'completed'"):
        await one.client.runs.cancel(run.thread_id, run.id)


async def test_deleting_a_thread_ends_its_run(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one = await stand_in(Scripted([foo()]), queues=(worker.connection,))
    agent, thread = (
        await one.client.create_agent(model="m", tools=[worker.definition]),
        await one.client.threads.create(),
    )
    run = await one.client.runs.create(thread.id, agent_id=agent.id)
    await one.finish(run, until=["requires_action"])
    await one.client.threads.delete(thread.id)
    await asyncio.sleep(0.05)
    assert (await one.stats())["runs"] == {"cancelled": 1}


async def test_a_run_nobody_answers_expires(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted([Call("clock", {})]), action_expires_seconds=0.2)
    agent = await one.client.create_agent(model="m", tools=[function_tool()])
    run = await one.run("Hello", agent.id)
    assert run.status == "expired"
    assert [step["status"] for step in await one.steps(run)] == ["expired"]


async def test_waiting_for_an_action_lengthens_the_life_of_a_run(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted([Call("clock", {})]))
    agent, thread = await one.client.create_agent(model="m", tools=[function_tool()]), await one.client.threads.create()
    run = await one.finish(await one.client.runs.create(thread.id, agent_id=agent.id), until=["requires_action"])
    assert run["expires_at"] - run["created_at"] == 36000


async def test_a_call_of_a_tool_that_is_not_there_is_told_to_the_model(stand_in: StartStandIn) -> None:
    thinker = Scripted([Call("nonsense", {})], "Sorry.")
    one = await stand_in(thinker)
    await one.run("Hello", (await one.client.create_agent(model="m")).id)
    assert "no tool named 'nonsense'" in thinker.prompts[1].rounds[0][0].output


async def test_a_run_that_never_comes_to_an_answer_fails(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted([Call("nonsense", {})]))
    run = await one.run("Hello", (await one.client.create_agent(model="m")).id)
    assert (run.status, run.last_error and run.last_error.code) == ("failed", "server_error")


async def test_a_bug_of_the_thinker_ends_the_run_as_the_service_would(stand_in: StartStandIn) -> None:
    class Broken:
        async def think(self, prompt: object) -> Turn:
            raise ValueError("bug")

    one = await stand_in(Broken())
    run = await one.run("Hello", (await one.client.create_agent(model="m")).id)
    assert run.status == "failed"
    assert run.last_error
    assert run.last_error.message == "Sorry, something went wrong."


async def test_a_reset_forgets_everything(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted([Call("clock", {})]))
    agent = await one.client.create_agent(model="m", tools=[function_tool()])
    thread = await one.client.threads.create()
    await one.client.runs.create(thread.id, agent_id=agent.id)
    await one.http.post("/_reset")
    assert (await one.stats())["live"] == {"agents": 0, "threads": 0, "runs": 0}
