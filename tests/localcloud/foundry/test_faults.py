"""The switches that make the service misbehave."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError

from localcloud.foundry.errors import ApiError
from localcloud.foundry.faults import NAMES, Faults
from localcloud.foundry.stats import Stats
from tests.localcloud.foundry.conftest import Scripted, StandIn, StartStandIn, ToolWorker, agent_tool, foo
from tests.localcloud.foundry.test_connected_agents import Family


async def with_tool(stand_in: StartStandIn, worker: ToolWorker, **settings: Any) -> tuple[StandIn, str]:
    one = await stand_in(Scripted([foo()], "Foo says Bar."), queues=(worker.connection,), **settings)
    return one, (await one.client.create_agent(model="m", tools=[worker.definition])).id


async def test_a_dropped_reply_lets_the_run_expire(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await with_tool(stand_in, worker, action_expires_seconds=0.3)
    await one.arm(no_reply=1)
    async with worker:
        assert (await one.run("?", agent)).status == "expired"
        assert (await one.run("?", agent)).status == "completed"
    assert (await one.stats())["queues"]["dropped"] == 1


async def test_a_malformed_reply_lets_the_run_wait(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await with_tool(stand_in, worker, action_expires_seconds=0.3)
    await one.arm(malformed_reply=1)
    async with worker:
        assert (await one.run("?", agent)).status == "expired"


async def test_a_held_back_reply_arrives_in_the_end(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await with_tool(stand_in, worker)
    await one.arm(late_reply={"count": 1, "ms": 100})
    async with worker:
        began = time.monotonic()
        assert (await one.run("?", agent)).status == "completed"
    assert time.monotonic() - began >= 0.1  # the least it can take, not a measure of speed


async def test_a_reply_read_twice_counts_once(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await with_tool(stand_in, worker)
    await one.arm(duplicate_reply=1)
    async with worker:
        assert (await one.run("?", agent)).status == "completed"
    queues = (await one.stats())["queues"]
    assert (queues["received"], queues["duplicate"]) == (1, 1)


async def test_a_call_can_be_delivered_twice(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one, agent = await with_tool(stand_in, worker, idle_poll_ms=5)
    await one.arm(duplicate_call=1)
    async with worker:
        await one.run("?", agent)
        while not (await one.stats())["queues"].get("duplicate"):
            await asyncio.sleep(0.01)
    assert len({call["CorrelationId"] for call in worker.seen}) == 1
    assert len(worker.seen) == 2


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"run_failed": {"count": 1, "code": "rate_limit_exceeded", "message": "Slow down."}}, "failed"),
        ({"run_expired": 1}, "expired"),
        ({"depth_error": 1}, "failed"),
        ({"content_filter": 1}, "incomplete"),
    ],
)
async def test_runs_end_as_they_are_told_to(stand_in: StartStandIn, fault: dict[str, Any], status: str) -> None:
    one = await stand_in(Scripted("An answer in words."))
    agent = await one.client.create_agent(model="m")
    await one.arm(**fault)
    run = await one.run("?", agent.id)
    assert run.status == status
    assert (await one.run("?", agent.id)).status == "completed"


async def test_a_filtered_answer_is_cut_and_says_why(stand_in: StartStandIn) -> None:
    one = await stand_in(Scripted("An answer in words."))
    await one.arm(content_filter=1)
    run = await one.run("?", (await one.client.create_agent(model="m")).id)
    assert run["incomplete_details"] == {"reason": "content_filter"}
    assert await one.answer(run) == "An answer"


async def test_a_slow_child_holds_its_parent_up(stand_in: StartStandIn) -> None:
    one = await stand_in(Family("Done."))
    child = await one.client.create_agent(model="m")
    parent = await one.client.create_agent(model="m", tools=[agent_tool(child.id)])
    await one.arm(slow_child={"ms": 60_000, "match": child.id})
    thread = await one.client.threads.create()
    run = await one.finish(await one.client.runs.create(thread.id, agent_id=parent.id), until=["in_progress"])
    while (await one.stats())["live"]["runs"] < 2:
        await asyncio.sleep(0.01)
    assert (await one.client.runs.get(thread.id, run.id)).status == "in_progress"


async def test_429_without_retry_after_reaches_the_caller(stand_in: StartStandIn) -> None:
    one = await stand_in()
    await one.arm(http_429={"count": 1, "match": "POST /threads"})
    with pytest.raises(HttpResponseError) as caught:
        await one.client.threads.create()
    assert caught.value.status_code == 429


async def test_429_with_retry_after_is_retried_by_the_sdk(stand_in: StartStandIn) -> None:
    one = await stand_in()
    await one.arm(http_429={"count": 2, "retry_after": 0, "match": "POST /threads"})
    await one.client.threads.create()
    assert (await one.stats())["requests"]["POST /threads"] == 3


async def test_500_before_leaves_no_trace(stand_in: StartStandIn) -> None:
    one = await stand_in()
    await one.arm(http_500={"count": 1, "match": "POST /threads"})
    await one.client.threads.create()
    assert (await one.stats())["live"]["threads"] == 1


async def test_500_after_makes_the_sdk_do_it_twice(stand_in: StartStandIn) -> None:
    one = await stand_in()
    await one.arm(http_500_after={"count": 1, "match": "POST /threads"})
    await one.client.threads.create()
    assert (await one.stats())["live"]["threads"] == 2


@pytest.mark.parametrize(("name", "made"), [("connection_reset", 0), ("connection_reset_after", 1)])
async def test_a_connection_is_dropped_before_or_after_the_work(stand_in: StartStandIn, name: str, made: int) -> None:
    one = await stand_in()
    await one.arm(**{name: 1})
    with pytest.raises(httpx.TransportError):
        await one.http.post("/api/projects/local/threads", json={})
    assert (await one.stats())["live"]["threads"] == made


async def test_faults_can_be_read_and_cleared(stand_in: StartStandIn) -> None:
    one = await stand_in(faults={"http_500": 3})
    assert (await one.http.get("/_faults")).json()["http_500"]["count"] == 3
    assert (await one.http.post("/_faults", json={"clear": True})).json() == {}


@pytest.mark.parametrize("body", [{"no_such_fault": 1}, {"no_reply": "often"}])
async def test_unknown_faults_are_refused(stand_in: StartStandIn, body: dict[str, Any]) -> None:
    answer = await (await stand_in()).http.post("/_faults", json=body)
    assert answer.status_code == 400


def test_a_probability_strikes_as_its_seed_says() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = Faults(Stats(), seed)
        faults.arm({"http_500": {"probability": 0.5}})
        return [faults.take("http_500") is not None for _ in range(40)]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)
    assert 5 < sum(strikes(1)) < 35


def test_a_fault_strikes_only_what_it_names_and_is_used_up() -> None:
    faults = Faults(Stats())
    faults.arm({"http_500": {"count": 1, "match": "POST /threads"}})
    assert faults.take("http_500", "GET /threads") is None
    assert faults.take("http_500", "POST /threads/{thread}/runs") is not None
    assert faults.take("http_500", "POST /threads") is None


def test_every_fault_is_explained() -> None:
    with pytest.raises(ApiError, match=", ".join(list(NAMES)[:3])):
        Faults(Stats()).arm({"nonsense": 1})
