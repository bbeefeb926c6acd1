"""Functions the client works: requires_action, submitted outputs, and the SDK's own loop around them."""

from __future__ import annotations

import pytest
from azure.ai.agents.models import AsyncFunctionTool, AsyncToolSet, ThreadRun, ToolOutput
from azure.core.exceptions import HttpResponseError

from localcloud.foundry.thinking.turns import Call
from tests.localcloud.foundry.conftest import Scripted, StandIn, StartStandIn, function_tool, recorded_answer, shape


async def waiting(one: StandIn) -> ThreadRun:
    agent, thread = await one.client.create_agent(model="m", tools=[function_tool()]), await one.client.threads.create()
    run = await one.client.runs.create(thread.id, agent_id=agent.id)
    return await one.finish(run, until=["requires_action"])


def calls_of(run: ThreadRun) -> list[str]:
    assert run.required_action
    return [call["id"] for call in run.required_action["submit_tool_outputs"]["tool_calls"]]


async def test_submitted_outputs_reach_the_model(stand_in: StartStandIn) -> None:
    thinker = Scripted([Call("clock", {}), Call("clock", {"zone": "UTC"})], "Noon.")
    one = await stand_in(thinker)
    run = await waiting(one)
    outputs = [ToolOutput(tool_call_id=key, output=f"12:0{n}") for n, key in enumerate(calls_of(run))]
    await one.client.runs.submit_tool_outputs(run.thread_id, run.id, tool_outputs=outputs)
    assert (await one.finish(run)).status == "completed"
    assert [outcome.output for outcome in thinker.prompts[1].outcomes] == ["12:00", "12:01"]


async def test_the_answer_to_a_submission_shows_the_run_queued(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted([Call("clock", {})], "Noon."))
    run = await waiting(one)
    body = {"stream": False, "tool_outputs": [{"tool_call_id": calls_of(run)[0], "output": "12:00"}]}
    url = f"/api/projects/local/threads/{run.thread_id}/runs/{run.id}/submit_tool_outputs"
    answer = (await one.http.post(url, json=body)).json()
    expected = recorded_answer("classic_function_submit.json", "POST /threads/{id}/runs/{id}/submit_tool_outputs")
    assert answer["status"] == expected["status"] == "queued"
    assert shape({**answer, "tools": []}) == shape({**expected, "tools": []})


async def test_outputs_for_other_calls_are_refused(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted([Call("clock", {})], "Noon."))
    run = await waiting(one)
    wrong = [ToolOutput(tool_call_id="call_other", output="12:00")]
    with pytest.raises(HttpResponseError, match="Expected tool outputs for call_ids"):
        await one.client.runs.submit_tool_outputs(run.thread_id, run.id, tool_outputs=wrong)


async def test_a_run_that_does_not_wait_takes_no_outputs(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    run = await one.run("?", (await one.client.create_agent(model="m")).id)
    with pytest.raises(HttpResponseError, match="'completed' do not accept tool outputs"):
        await one.client.runs.submit_tool_outputs(run.thread_id, run.id, tool_outputs=[ToolOutput(tool_call_id="x")])


async def test_the_sdk_works_its_functions_by_itself(stand_in: StartStandIn) -> None:
    async def clock() -> str:
        """Tells the time."""
        return "12:00"

    thinker = Scripted([Call("clock", {})], "Noon.")
    one = await stand_in(thinker)
    toolset = AsyncToolSet()
    toolset.add(AsyncFunctionTool({clock}))
    one.client.enable_auto_function_calls(toolset)
    agent = await one.client.create_agent(model="m", toolset=toolset)
    thread = await one.client.threads.create()
    run = await one.client.runs.create_and_process(thread.id, agent_id=agent.id, polling_interval=0)
    assert run.status == "completed"
    assert thinker.prompts[1].outcomes[0].output == "12:00"
