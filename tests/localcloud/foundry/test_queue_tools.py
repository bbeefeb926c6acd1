"""azure_function tools over real storage queues, with a worker of the test behind them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from localcloud.foundry.queues import Binding, address, open_account
from localcloud.foundry.thinking.turns import Call
from tests.localcloud.foundry.conftest import (
    Json,
    Scripted,
    StandIn,
    StartStandIn,
    ToolWorker,
    encoded,
    foo,
    queue_tool,
    recorded_answer,
    shape,
    value_reply,
)


async def asked(stand_in: StartStandIn, worker: ToolWorker, **settings: Any) -> tuple[StandIn, str]:
    """A stand-in whose model calls foo once and then answers, and the agent that has the tool."""
    one = await stand_in(Scripted([foo()], "Foo says Bar."), queues=(worker.connection,), **settings)
    return one, (await one.client.create_agent(model="m", tools=[worker.definition])).id


async def test_the_call_goes_out_flat_with_a_correlation_id(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await asked(stand_in, worker)
    async with worker:
        await one.run("What would foo say?", agent)
    (call,) = worker.seen
    assert call == {"query": "What would foo say?", "CorrelationId": call["CorrelationId"]}


async def test_the_call_can_go_out_wrapped(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await asked(stand_in, worker, message_shape="wrapped")
    async with worker:
        await one.run("What would foo say?", agent)
    (call,) = worker.seen
    assert (call["function_name"], call["function_args"]) == ("foo", {"query": "What would foo say?"})


async def test_an_argument_named_like_the_correlation_id_does_not_win(
    stand_in: StartStandIn, worker: ToolWorker
) -> None:
    one = await stand_in(Scripted([Call("foo", {"CorrelationId": "mine"})], "ok"), queues=(worker.connection,))
    agent = await one.client.create_agent(model="m", tools=[worker.definition])
    async with worker:
        assert (await one.run("?", agent.id)).status == "completed"
    assert worker.seen[0]["CorrelationId"] != "mine"


async def test_the_steps_have_the_shape_of_the_real_service(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await asked(stand_in, worker)
    async with worker:
        run = await one.run("What would foo say?", agent)
    answer = await one.http.get(f"/api/projects/local/threads/{run.thread_id}/runs/{run.id}/steps")
    expected = recorded_answer("classic_azure_function.json", "GET /threads/{id}/runs/{id}/steps")
    assert shape(answer.json()) == shape(expected)


async def test_the_output_in_the_step_is_the_text_of_the_reply(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await asked(stand_in, worker)
    async with worker:
        run = await one.run("What would foo say?", agent)
    call = (await one.steps(run))[0]["step_details"]["tool_calls"][0]["azure_function"]
    assert (call["output"], json.loads(call["arguments"])) == ("Bar", {"query": "What would foo say?"})


async def test_a_value_that_is_no_text_is_handed_on_as_json(stand_in: StartStandIn, worker: ToolWorker) -> None:
    worker.reply = lambda call: [value_reply(call, {"a": 1})]
    one, agent = await asked(stand_in, worker)
    async with worker:
        run = await one.run("?", agent)
    assert (await one.steps(run))[0]["step_details"]["tool_calls"][0]["azure_function"]["output"] == '{"a": 1}'


async def test_requires_action_is_shown_while_the_worker_works(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await asked(stand_in, worker)
    thread = await one.client.threads.create()
    run = await one.finish(await one.client.runs.create(thread.id, agent_id=agent), until=["requires_action"])
    answer = (await one.http.get(f"/api/projects/local/threads/{thread.id}/runs/{run.id}")).json()
    expected = recorded_answer("classic_azure_function.json", "GET /threads/{id}/runs/{id} (2..n")
    assert shape(answer["required_action"]) == shape(expected["required_action"])
    async with worker:
        assert (await one.finish(run)).status == "completed"


async def test_requires_action_lasts_as_long_as_it_is_told_to(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await asked(stand_in, worker, requires_action_ms=60_000)
    thread = await one.client.threads.create()
    async with worker:
        run = await one.client.runs.create(thread.id, agent_id=agent)
        await one.finish(run, until=["requires_action"])
        while not (await one.stats())["queues"].get("received"):
            await asyncio.sleep(0.01)
        assert (await one.client.runs.get(thread.id, run.id)).status == "requires_action"


async def test_several_calls_of_one_turn_are_sent_together(stand_in: StartStandIn, worker: ToolWorker) -> None:
    held: list[Json] = []

    def both_at_once(call: Json) -> Sequence[str]:
        held.append(call)
        return [value_reply(each, each["query"].upper()) for each in held[::-1]] if len(held) == 2 else []

    worker.reply = both_at_once
    one = await stand_in(Scripted([foo("a"), foo("b")], "ok"), queues=(worker.connection,))
    agent = await one.client.create_agent(model="m", tools=[worker.definition])
    async with worker:
        run = await one.run("?", agent.id)
    calls = (await one.steps(run))[0]["step_details"]["tool_calls"]
    assert [call["azure_function"]["output"] for call in calls] == ["A", "B"]


async def test_runs_that_share_an_output_queue_get_their_own_replies(
    stand_in: StartStandIn, worker: ToolWorker
) -> None:
    class Echo:
        async def think(self, prompt: Any) -> Any:
            done = prompt.outcomes
            return Scripted.turn(done[0].output if done else [foo(prompt.messages[0].text)])

    worker.reply = lambda call: [value_reply(call, f"you asked {call['query']}")]
    one = await stand_in(Echo(), queues=(worker.connection,))
    agent = await one.client.create_agent(model="m", tools=[worker.definition])
    async with worker:
        runs = await asyncio.gather(*(one.run(str(n), agent.id) for n in range(8)))
    assert [await one.answer(run) for run in runs] == [f"you asked {n}" for n in range(8)]


STRANGE: dict[str, Callable[[Json], Sequence[str]]] = {
    "duplicate": lambda call: [value_reply(call, "Bar"), value_reply(call, "Baz")],
    "unknown": lambda call: [encoded({"Value": "x", "CorrelationId": "stranger"}), value_reply(call, "Bar")],
    "malformed": lambda call: [encoded(["no object"]), value_reply(call, "Bar")],
}


@pytest.mark.parametrize("kind", STRANGE)
async def test_strange_replies_are_deleted_and_counted(stand_in: StartStandIn, worker: ToolWorker, kind: str) -> None:
    worker.reply = STRANGE[kind]
    one, agent = await asked(stand_in, worker, idle_poll_ms=5)
    async with worker:
        run = await one.run("?", agent)
    while not (await one.stats())["queues"].get(kind):
        await asyncio.sleep(0.01)
    assert (await one.steps(run))[0]["step_details"]["tool_calls"][0]["azure_function"]["output"] == "Bar"
    assert await length(worker, "output") == 0


@pytest.mark.parametrize(
    "text",
    [encoded({"CorrelationId": "x"}), encoded({"Value": "x"}), "not base64!", encoded("text"), "eyJicm9rZW4="],
)
async def test_what_cannot_be_read_counts_as_malformed(stand_in: StartStandIn, worker: ToolWorker, text: str) -> None:
    worker.reply = lambda call: [text, value_reply(call, "Bar")]
    one, agent = await asked(stand_in, worker)
    async with worker:
        assert (await one.run("?", agent)).status == "completed"
    assert (await one.stats())["queues"]["malformed"] == 1


async def test_a_reply_to_a_run_that_gave_up_counts_as_late(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await asked(stand_in, worker, action_expires_seconds=0.1, idle_poll_ms=5)
    assert (await one.run("?", agent)).status == "expired"
    async with worker:
        while not (await one.stats())["queues"].get("late"):
            await asyncio.sleep(0.01)
    assert await length(worker, "output") == 0


async def test_a_strict_service_fails_the_run_on_an_unreadable_reply(
    stand_in: StartStandIn, worker: ToolWorker
) -> None:
    worker.reply = lambda call: [encoded({"CorrelationId": call["CorrelationId"]})]
    one, agent = await asked(stand_in, worker, strict_replies=True)
    async with worker:
        run = await one.run("?", agent)
    assert (run.status, run.last_error and run.last_error.code) == ("failed", "server_error")


async def test_a_queue_endpoint_without_credential_fails_the_run(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one = await stand_in(Scripted([foo()], "ok"), queues=(worker.connection,))
    tool = queue_tool(worker.name, "https://other.queue.core.windows.net")
    run = await one.run("?", (await one.client.create_agent(model="m", tools=[tool])).id)
    assert run.status == "failed"
    assert run.last_error
    assert "No credential for the queue endpoint 'https://other.queue.core.windows.net'" in run.last_error.message


async def test_a_call_too_large_for_a_queue_fails_the_run(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one = await stand_in(Scripted([foo("x" * 49_152)], "ok"), queues=(worker.connection,))
    run = await one.run("?", (await one.client.create_agent(model="m", tools=[worker.definition])).id)
    assert run.status == "failed"


async def test_a_cancelled_run_leaves_no_reader_waiting(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await asked(stand_in, worker)
    thread = await one.client.threads.create()
    run = await one.finish(await one.client.runs.create(thread.id, agent_id=agent), until=["requires_action"])
    await one.client.runs.cancel(thread.id, run.id)
    await one.finish(run)
    assert all(not reader.waiting for reader in one.service.exchange._readers.values())


async def test_every_message_is_logged_with_its_run(stand_in: StartStandIn, worker: ToolWorker, tmp_path: Path) -> None:
    one, agent = await asked(stand_in, worker, log=tmp_path / "log.jsonl")
    async with worker:
        run = await one.run("?", agent)
    sent, received = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert (sent["event"], received["event"]) == ("sent", "received")
    assert sent["run"] == received["run"] == run.id
    assert sent["correlation"] == received["correlation"] == worker.seen[0]["CorrelationId"]
    assert sent["message"] != received["message"]


def test_endpoints_are_the_same_however_they_are_written() -> None:
    assert address("http://localhost:10001/devstoreaccount1/") == address("http://127.0.0.1:10001/devstoreaccount1")
    assert address("https://a.queue.core.windows.net") != address("https://b.queue.core.windows.net")


def test_a_binding_is_read_from_its_definition() -> None:
    tool = queue_tool("foo", "http://127.0.0.1:1/acct")["azure_function"]
    assert Binding.of(tool["input_binding"]) == Binding("http://127.0.0.1:1/acct", "foo-input")


async def length(worker: ToolWorker, side: str) -> int:
    """How many messages a queue holds, the hidden ones included."""
    async with open_account(worker.connection) as account:
        properties = await account.get_queue_client(f"{worker.name}-{side}").get_queue_properties()
        return int(properties.approximate_message_count or 0)
