"""Event streams: names and shapes in the order of the real service, in frames the SDK's parser can read."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from azure.ai.agents.models import ListSortOrder

from localcloud.foundry.stream import text_pieces
from localcloud.foundry.thinking.turns import Call
from tests.localcloud.foundry.conftest import (
    Scripted,
    StandIn,
    StartStandIn,
    ToolWorker,
    foo,
    function_tool,
    recorded,
    shape,
)


def events_of(text: str) -> list[tuple[str, Any]]:
    frames = [frame.split("\n", 1) for frame in text.strip().split("\n\n")]
    found = [(head.removeprefix("event: "), data.removeprefix("data: ")) for head, data in frames]
    return [(name, data if name == "done" else json.loads(data)) for name, data in found]


def without_repeats(names: list[str]) -> list[str]:
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


async def streamed(one: StandIn, agent_id: str) -> str:
    thread = await one.client.threads.create()
    body = {"assistant_id": agent_id, "stream": True}
    answer = await one.http.post(f"/api/projects/local/threads/{thread.id}/runs", json=body)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    return answer.text


async def foo_stream(stand_in: StartStandIn, worker: ToolWorker) -> str:
    one = await stand_in(Scripted([foo()], "Foo says Bar."), queues=(worker.connection,))
    agent = await one.client.create_agent(model="m", tools=[worker.definition], instructions="Help.")
    async with worker:
        return await streamed(one, agent.id)


async def test_the_events_come_in_the_order_of_the_real_service(stand_in: StartStandIn, worker: ToolWorker) -> None:
    ours = [name for name, _ in events_of(await foo_stream(stand_in, worker))]
    theirs = [name for name, _ in events_of(recorded("classic_azure_function_stream.sse"))]
    assert without_repeats(ours) == without_repeats(theirs)


async def test_every_event_has_the_shape_of_the_real_service(stand_in: StartStandIn, worker: ToolWorker) -> None:
    def shapes(text: str) -> dict[str, Any]:
        firsts: dict[str, Any] = {}
        for name, data in events_of(text):
            if isinstance(data, dict):
                firsts.setdefault(name, shape({**data, "tools": [], "tool_resources": {}, "step_details": {}}))
        return firsts

    assert shapes(await foo_stream(stand_in, worker)) == shapes(recorded("classic_azure_function_stream.sse"))


async def test_the_deltas_of_a_call_are_those_of_the_real_service(stand_in: StartStandIn, worker: ToolWorker) -> None:
    def deltas(text: str) -> list[Any]:
        return [shape(data["delta"]) for name, data in events_of(text) if name == "thread.run.step.delta"]

    assert deltas(await foo_stream(stand_in, worker)) == deltas(recorded("classic_azure_function_stream.sse"))


async def test_frames_end_with_line_feeds_and_are_never_comments(stand_in: StartStandIn, worker: ToolWorker) -> None:
    text = await foo_stream(stand_in, worker)
    assert "\r" not in text
    assert not any(line.startswith(":") for line in text.split("\n"))
    assert text.endswith("event: done\ndata: [DONE]\n\n")


async def test_the_sdk_reads_the_stream_to_its_end(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one = await stand_in(Scripted([foo()], "Foo says Bar."), queues=(worker.connection,))
    agent = await one.client.create_agent(model="m", tools=[worker.definition])
    thread = await one.client.threads.create()
    async with worker, await one.client.runs.stream(thread.id, agent_id=agent.id) as stream:
        names = [event async for event, _, _ in stream]
    assert names[0] == "thread.run.created"
    assert names[-2:] == ["thread.run.completed", "done"]


async def test_the_pieces_of_a_message_add_up_to_it(stand_in: StartStandIn) -> None:
    text = "Three of forty-one runs failed.\n\nLoad it again: " + "word " * 800
    one = await stand_in(Scripted(text))
    events = events_of(await streamed(one, (await one.client.create_agent(model="m")).id))
    pieces = [data["delta"]["content"][0]["text"]["value"] for name, data in events if name == "thread.message.delta"]
    assert "".join(pieces) == text


@pytest.mark.parametrize("text", ["", "one", "one two three four five", "x" * 5000, "a b " * 3000])
def test_a_text_is_cut_into_few_pieces(text: str) -> None:
    pieces = text_pieces(text)
    assert "".join(pieces) == text
    assert len(pieces) <= 201


async def test_a_function_call_ends_the_stream_and_the_submission_opens_the_next(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted([Call("clock", {})], "Noon."))
    agent = await one.client.create_agent(model="m", tools=[function_tool()])
    first = events_of(await streamed(one, agent.id))
    assert [name for name, _ in first][-2:] == ["thread.run.requires_action", "done"]
    run = first[-2][1]
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    body = {"stream": True, "tool_outputs": [{"tool_call_id": call["id"], "output": "12:00"}]}
    answer = await one.http.post(
        f"/api/projects/local/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs", json=body
    )
    names = [name for name, _ in events_of(answer.text)]
    assert names[:4] == [
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.step.delta",
        "thread.run.step.completed",
    ]
    assert names[-2:] == ["thread.run.completed", "done"]


async def test_a_stream_begins_with_the_thread_when_it_is_made_with_the_run(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    agent = await one.client.create_agent(model="m")
    answer = await one.http.post("/api/projects/local/threads/runs", json={"assistant_id": agent.id, "stream": True})
    assert events_of(answer.text)[0][0] == "thread.created"


async def test_a_failure_is_streamed(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."))
    await one.arm(run_failed={"count": 1, "code": "rate_limit_exceeded", "message": "Too much."})
    events = events_of(await streamed(one, (await one.client.create_agent(model="m")).id))
    assert [name for name, _ in events][-2:] == ["thread.run.failed", "done"]
    assert events[-2][1]["last_error"] == {"code": "rate_limit_exceeded", "message": "Too much."}


async def test_the_run_goes_on_when_its_stream_breaks_off(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("Hi."), turn_ms=30)
    await one.arm(stream_cut={"count": 1, "events": 3})
    agent, thread = await one.client.create_agent(model="m"), await one.client.threads.create()
    body = {"assistant_id": agent.id, "stream": True}
    with pytest.raises(httpx.RemoteProtocolError):
        await one.http.post(f"/api/projects/local/threads/{thread.id}/runs", json=body)
    run = await anext(one.client.runs.list(thread.id, order=ListSortOrder.DESCENDING))
    assert (await one.finish(run)).status == "completed"
