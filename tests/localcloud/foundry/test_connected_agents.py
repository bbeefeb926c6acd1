"""Agents as tools of agents: a run of their own, one level deep."""

from __future__ import annotations

from typing import Any

from localcloud.foundry.records import Usage
from localcloud.foundry.thinking.turns import Call, Prompt, Turn
from tests.localcloud.foundry.conftest import (
    Json,
    Scripted,
    StandIn,
    StartStandIn,
    ToolWorker,
    agent_tool,
    foo,
    function_tool,
    recorded_answer,
    shape,
)


class Family:
    """A thinker for a parent that asks its adviser once, and for a child that does as it is told."""

    def __init__(self, *child: Turn | str | list[Call]) -> None:
        self.child = Scripted(*child)
        self.parent = Scripted(
            Turn(calls=(Call("adviser", {"query": "Microsoft stock price"}),), usage=Usage(10, 1)),
            Turn(text="It is $350.", usage=Usage(20, 2)),
        )

    async def think(self, prompt: Prompt) -> Turn:
        return await (self.parent if prompt.top_level else self.child).think(prompt)


async def family(one: StandIn, **child: Any) -> str:
    adviser = await one.client.create_agent(model="m", name="kid", **child)
    return (await one.client.create_agent(model="m", tools=[agent_tool(adviser.id)])).id


def child_of(step: Json) -> Json:
    found: Json = step["step_details"]["tool_calls"][0]["connected_agent"]
    return found


async def test_the_childs_last_words_are_the_output_of_the_call(stand_in: StartStandIn) -> None:
    one = await stand_in(Family("The price is $350."))
    run = await one.run("What is it?", await family(one))
    assert await one.answer(run) == "It is $350."
    assert child_of((await one.steps(run))[0])["output"] == "The price is $350."


async def test_the_steps_have_the_shape_of_the_real_service(stand_in: StartStandIn) -> None:
    one = await stand_in(Family("The price is $350."))
    run = await one.run("What is it?", await family(one))
    answer = await one.http.get(f"/api/projects/local/threads/{run.thread_id}/runs/{run.id}/steps")
    expected = recorded_answer("classic_connected_agent.json", "GET /threads/{id}/runs/{id}/steps")
    assert shape(answer.json()) == shape(expected)


async def test_the_child_sees_only_the_query(stand_in: StartStandIn) -> None:
    thinker = Family("The price is $350.")
    one = await stand_in(thinker)
    await one.run("What is it?", await family(one))
    assert [said.text for said in thinker.child.prompts[0].messages] == ["Microsoft stock price"]


async def test_the_childs_run_can_be_read_and_its_usage_is_its_own(stand_in: StartStandIn) -> None:
    one = await stand_in(Family(Turn(text="$350.", usage=Usage(500, 50))))
    run = await one.run("What is it?", await family(one))
    ids = child_of((await one.steps(run))[0])
    child = await one.client.runs.get(ids["thread_id"], ids["run_id"])
    assert child.usage
    assert run.usage
    assert (child.usage.total_tokens, run.usage.total_tokens) == (550, 33)


async def test_the_parent_stays_in_progress_while_its_child_waits(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one = await stand_in(Family([foo()], "Bar."), queues=(worker.connection,), early_child_ids=True)
    parent = await family(one, tools=[worker.definition])
    thread = await one.client.threads.create()
    run = await one.client.runs.create(thread.id, agent_id=parent)
    ids: Json = {}
    while "run_id" not in ids:
        steps = await one.steps(run)
        ids = child_of(steps[0]) if steps else {}
    child = await one.client.runs.get(ids["thread_id"], ids["run_id"])
    await one.finish(child, until=["requires_action"])
    assert (await one.client.runs.get(thread.id, run.id)).status == "in_progress"
    async with worker:
        assert (await one.finish(run)).status == "completed"


async def test_the_childs_ids_are_shown_only_once_it_is_done(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one = await stand_in(Family([foo()], "Bar."), queues=(worker.connection,))
    parent = await family(one, tools=[worker.definition])
    thread = await one.client.threads.create()
    run = await one.client.runs.create(thread.id, agent_id=parent)
    steps: list[Json] = []
    while not steps:
        steps = await one.steps(run)
    assert "run_id" not in child_of(steps[0])
    async with worker:
        assert "run_id" in child_of((await one.steps(await one.finish(run)))[0])


async def test_cancelling_the_parent_ends_the_child(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one = await stand_in(Family([foo()], "Bar."), queues=(worker.connection,))
    parent = await family(one, tools=[worker.definition])
    thread = await one.client.threads.create()
    run = await one.client.runs.create(thread.id, agent_id=parent)
    while not (await one.stats())["queues"].get("sent"):
        pass
    await one.client.runs.cancel(thread.id, run.id)
    await one.finish(run)
    while (await one.stats())["live"]["runs"]:
        pass
    assert (await one.stats())["runs"] == {"cancelled": 2}


async def test_a_childs_child_is_too_deep(stand_in: StartStandIn) -> None:
    one = await stand_in(Family([Call("adviser", {"query": "deeper"})], "never"))
    grandchild = await one.client.create_agent(model="m")
    parent = await family(one, tools=[agent_tool(grandchild.id)])
    run = await one.run("What is it?", parent)
    assert run.status == "failed"
    assert run.last_error
    assert run.last_error.message == "Assistant Tool Call Depth Error"


async def test_a_function_of_the_client_cannot_be_called_by_a_child(stand_in: StartStandIn) -> None:
    thinker = Family([Call("clock", {})], "never")
    one = await stand_in(thinker)
    await one.run("What is it?", await family(one, tools=[function_tool()]))
    assert "cannot be called inside a connected agent" in thinker.parent.prompts[1].rounds[0][0].output


async def test_the_parent_is_told_how_its_child_failed(stand_in: StartStandIn) -> None:
    thinker = Family("never")
    one = await stand_in(thinker)
    parent = await family(one)
    adviser = next(a.id for a in one.service.store.assistants.values() if a.name == "kid")
    del one.service.store.assistants[adviser]
    run = await one.run("What is it?", parent)
    assert run.status == "completed"
    assert "no longer exists" in thinker.parent.prompts[1].rounds[0][0].output
