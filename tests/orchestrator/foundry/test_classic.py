"""The classic adapter, with Microsoft's client, against the stand-in of the agent service and a real queue."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.ai.agents.models import ThreadRun
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from core import breaker, clients
from core.errors import NotFound, UpstreamRefused, UpstreamThrottled, UpstreamUnavailable
from core.settings import Settings
from localcloud.launch.children import Children
from localcloud.launch.cloud import Options, start_server
from orchestrator.foundry.classic import ClassicAgentService
from orchestrator.foundry.classic_errors import ConversationBusy
from orchestrator.foundry.port import AgentRef, AgentSpec, QueueTool, SubAgent, Turn

pytestmark = [pytest.mark.contract, pytest.mark.xdist_group("classic")]

INPUT, OUTPUT = "azure-function-weather-input", "azure-function-weather-output"
QUESTION = "What is the weather in Paris?"


@dataclass
class Service:
    port: ClassicAgentService
    url: str
    boss: AgentRef
    spec: AgentSpec

    async def faults(self, **faults: Any) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(f"{self.url}/_faults", json=faults)).raise_for_status()

    async def stats(self) -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False) as http:
            stats: dict[str, Any] = (await http.get(f"{self.url}/_stats")).json()
            return stats

    async def turns(self, key: str, **how: Any) -> list[Turn]:
        conversation = await self.port.open_conversation(key)
        return [turn async for turn in self.port.follow(self.boss, conversation, QUESTION, key, **how)]


def weather(endpoint: str) -> AgentSpec:
    city = {"type": "string", "description": "The city"}
    parameters = {"type": "object", "properties": {"city": city}, "required": ["city"]}
    tool = QueueTool("weather", "Current weather of a city", parameters, INPUT, OUTPUT, endpoint)
    child = AgentSpec("weather_man", "m", "You tell the weather.", (tool,))
    return AgentSpec("boss", "m", "You help.", (SubAgent("Knows the weather of any city.", child),))


async def worker(storage: str) -> None:
    """Answers every call on the tool's queue."""
    async with clients.queue_service(Settings.load({"STORAGE": storage})) as queues:
        calls, replies = queues.get_queue_client(INPUT), queues.get_queue_client(OUTPUT)
        for queue in (calls, replies):
            with suppress(ResourceExistsError):
                await queue.create_queue()
        while True:
            async for message in calls.receive_messages():
                call = json.loads(b64decode(message.content))
                value = json.dumps({"ok": True, "summary": "7 degrees in Paris.", "evidence": [], "seconds": 0.1})
                reply = json.dumps({"Value": value, "CorrelationId": call["CorrelationId"]})
                await replies.send_message(b64encode(reply.encode()).decode())
                await calls.delete_message(message)
            await asyncio.sleep(0.02)


@pytest.fixture
async def service(storage: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    options = Options(logs=tmp_path)
    children = Children(tmp_path)
    working = asyncio.create_task(worker(storage))
    try:
        url = await start_server(options, children, "foundry", ("--queues", storage, *getattr(request, "param", ())))
        port = ClassicAgentService(f"{url}/api/projects/local")
        spec = weather(clients.queue_endpoint(Settings.load({"STORAGE": storage})))
        (tool,) = spec.tools
        assert isinstance(tool, SubAgent)
        child = await port.create_agent(tool.agent, {})
        boss = await port.create_agent(spec, {child.name: child})
        yield Service(port, url, boss, spec)
        await port.close()
    finally:
        working.cancel()
        await children.stop(3)


async def test_follows_a_run_with_its_specialist_to_the_answer(service: Service) -> None:
    turns = await service.turns("run-1")
    last = turns[-1]
    assert (last.status, [turn.ended for turn in turns].count(True)) == ("done", 1)
    assert "7 degrees in Paris." in last.text
    (asked,) = last.calls
    assert (asked.kind, asked.name, asked.ended) == ("agent", "weather_man", True)
    (called,) = asked.calls
    assert (called.kind, called.name, called.ended) == ("queue", "weather", True)
    assert last.usage.input_tokens > 0
    assert any(turn.calls and turn.calls[0].arguments and not turn.calls[0].ended for turn in turns)


async def test_a_streamed_question_costs_few_requests(service: Service) -> None:
    await service.turns("run-1")
    requests = (await service.stats())["requests"]
    counted = {route: n for route, n in requests.items() if not route.endswith("/assistants")}
    assert sum(counted.values()) <= 4, counted  # thread, run, the specialist's steps and the end of their list


async def test_resuming_adopts_the_run_that_was_started(service: Service) -> None:
    conversation = await service.port.open_conversation("run-1")
    follow = service.port.follow
    first = [turn async for turn in follow(service.boss, conversation, QUESTION, "run-1")][-1]
    again = [turn async for turn in follow(service.boss, conversation, QUESTION, "run-1", resume=True)][-1]
    assert (again.ref, again.text, again.usage, again.calls) == (first.ref, first.text, first.usage, first.calls)


async def test_resuming_starts_a_run_that_never_was(service: Service) -> None:
    assert (await service.turns("run-1", resume=True))[-1].status == "done"


@pytest.mark.parametrize("fault", ["http_500", "http_500_after", "connection_reset", "connection_reset_after"])
async def test_a_start_in_doubt_is_not_repeated(service: Service, fault: str) -> None:
    await service.faults(**{fault: {"count": 1, "match": "POST /threads/{thread}/runs"}})
    turns = await service.turns("run-1")
    assert turns[-1].status == "done"
    conversation = turns[-1].ref.conversation
    runs = [run async for run in service.port._client.runs.list(conversation)]
    assert len(runs) == 1


async def test_a_cut_stream_is_replaced_by_polling(service: Service) -> None:
    await service.faults(stream_cut={"count": 1, "events": 5})
    turns = await service.turns("run-1")
    assert turns[-1].status == "done"
    assert "7 degrees" in turns[-1].text


async def test_a_throttled_start_says_for_how_long(service: Service) -> None:
    await service.faults(http_429={"count": 1, "retry_after": 3, "match": "POST /threads/{thread}/runs"})
    with pytest.raises(UpstreamThrottled) as caught:
        await service.turns("run-1")
    assert caught.value.retry_after_seconds == 3


async def test_a_busy_conversation_is_told_apart(service: Service) -> None:
    await service.faults(slow_child={"count": 1, "ms": 2000})
    conversation = await service.port.open_conversation("run-1")
    async with aclosing(service.port.follow(service.boss, conversation, QUESTION, "run-1")) as first:
        await anext(first)
        with pytest.raises(ConversationBusy):
            await anext(service.port.follow(service.boss, conversation, QUESTION, "run-2"))


async def test_cancels_a_run_and_does_not_mind_an_ended_one(service: Service) -> None:
    await service.faults(slow_child={"count": 1, "ms": 5000})
    conversation = await service.port.open_conversation("run-1")
    turns = []
    async for turn in service.port.follow(service.boss, conversation, QUESTION, "run-1"):
        turns.append(turn)
        if len(turns) == 1:
            await service.port.cancel(turn.ref)
    assert turns[-1].status == "cancelled"
    await service.port.cancel(turns[-1].ref)


async def test_a_run_that_is_being_cancelled_already_is_no_trouble(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(thread: str, run: str) -> None:
        raise HttpResponseError("Cannot cancel run with status 'cancelling'.")

    async def cancelling(thread: str, run: str) -> ThreadRun:
        return ThreadRun({"id": run, "status": "cancelling"})

    (*_, last) = await service.turns("run-1")
    monkeypatch.setattr(service.port._client.runs, "cancel", refused)
    monkeypatch.setattr(service.port._client.runs, "get", cancelling)
    await service.port.cancel(last.ref)


@pytest.mark.parametrize("service", [("--early-child-ids",)], indirect=True)
async def test_cancels_the_runs_of_sub_agents_too(service: Service) -> None:
    """Where the service names them before they end."""
    await service.faults(slow_child={"count": 1, "ms": 5000})
    conversation = await service.port.open_conversation("run-1")
    async with aclosing(service.port.follow(service.boss, conversation, QUESTION, "run-1")) as turns:
        async for turn in turns:
            if turn.calls and turn.calls[0].arguments:
                await service.port.cancel(turn.ref)
                break
    assert (await service.stats())["requests"]["POST /threads/{thread}/runs/{run}/cancel"] == 2


async def test_finds_the_turn_of_a_key_and_no_other(service: Service) -> None:
    (*_, last) = await service.turns("run-1")
    assert await service.port.find(last.ref.conversation, "run-1") == last.ref
    assert await service.port.find(last.ref.conversation, "run-2") is None


async def test_an_agent_or_thread_that_is_gone_is_not_found(service: Service) -> None:
    with pytest.raises(NotFound):
        await anext(service.port.follow(service.boss, "thread_" + "0" * 24, QUESTION, "run-1"))
    conversation = await service.port.open_conversation("run-1")
    with pytest.raises(NotFound):
        await anext(service.port.follow(replace(service.boss, id="asst_" + "0" * 24), conversation, QUESTION, "run-1"))


async def test_finds_its_agents_and_threads_again_and_no_others(service: Service) -> None:
    await service.port._client.create_agent(model="m", name="somebody else's")
    records = await service.port.agents()
    assert [record.ref.name for record in records] == ["boss", "weather_man"]
    assert records[0].ref == service.boss
    conversation = await service.port.open_conversation("run-1")
    await service.port._client.threads.create()
    now = datetime.now(UTC)
    ago, later = now - timedelta(minutes=1), now + timedelta(seconds=5)
    assert await service.port.conversations(ago, later) == [(conversation, "run-1")]
    assert await service.port.conversations(ago, ago) == []
    assert await service.port.conversations(later, later) == []
    await service.port.forget_conversation(conversation)
    await service.port.forget_conversation(conversation)
    assert await service.port.conversations(ago, later) == []


async def test_sees_all_conversations_of_a_busy_hour(service: Service) -> None:
    """A page holds 100. What lay on the second was never tidied up."""
    opened = {await service.port.open_conversation(f"run-{number}") for number in range(105)}
    now = datetime.now(UTC)
    found = await service.port.conversations(now - timedelta(hours=1), now + timedelta(seconds=5))
    assert {conversation for conversation, _ in found} == opened


async def test_a_service_that_cannot_be_reached_is_unavailable() -> None:
    port = ClassicAgentService("http://127.0.0.1:9/api/projects/local")
    with pytest.raises(UpstreamUnavailable, match="cannot be reached"):
        await port.open_conversation("run-1")
    await port.close()


async def test_a_refused_identity_is_told_which_role_it_needs() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"error":{"code":"PermissionDenied","message":"no"}}'
        head = f"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = ClassicAgentService(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/projects/p")
        with pytest.raises(UpstreamRefused, match="Foundry User"):
            await port.agents()
        await port.close()


async def test_a_service_that_does_not_answer_is_left_alone_and_that_is_said() -> None:
    port = ClassicAgentService("http://127.0.0.1:9/api/projects/p")  # nobody listens on the discard port
    try:
        for _ in range(breaker.FAILURES):
            with pytest.raises(UpstreamUnavailable, match="cannot be reached"):
                await port.open_conversation("run-1")
        with pytest.raises(UpstreamUnavailable, match="The agent service is not answering since"):
            await port.open_conversation("run-1")
    finally:
        await port.close()


async def test_two_deployments_in_one_project_leave_each_other_alone(service: Service) -> None:
    ours, theirs = (ClassicAgentService(f"{service.url}/api/projects/local", deployment=name) for name in ("a", "b"))
    try:
        await ours.create_agent(AgentSpec("mine", "m", "You help."), {})
        thread = await ours.open_conversation("run-1")
        later = datetime.now(UTC) + timedelta(hours=1)
        ago = later - timedelta(hours=2)
        assert [record.ref.name for record in await ours.agents()] == ["mine"]
        assert await theirs.agents() == []
        assert (thread, "run-1") in await ours.conversations(ago, later)
        assert await theirs.conversations(ago, later) == []
    finally:
        await ours.close()
        await theirs.close()
