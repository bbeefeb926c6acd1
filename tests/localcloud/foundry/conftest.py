"""A stand-in on a free port, the SDK's client of it, and a worker behind its queues."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from azure.ai.agents.aio import AgentsClient
from azure.ai.agents.models import ThreadRun
from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.storage.queue.aio import QueueClient

from localcloud.foundry.app import create_app
from localcloud.foundry.queues import first_page, open_account
from localcloud.foundry.service import Service
from localcloud.foundry.settings import Settings
from localcloud.foundry.thinking.turns import Call, Prompt, Thinker, Turn
from localcloud.serve import free_socket

Json = dict[str, Any]
RECORDED = Path(__file__).resolve().parents[3] / ".." / "shared" / "foundry" / "recorded"
ENDED = ("completed", "failed", "cancelled", "expired", "incomplete")


class Authorize(SansIOHTTPPolicy[Any, Any]):
    """The SDK's own policy refuses plain http."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = "Bearer local"


class Credential:
    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("local", 2**31)

    async def close(self) -> None:
        return

    async def __aenter__(self) -> Credential:
        return self

    async def __aexit__(self, *_: object) -> None:
        return


class Scripted:
    """A thinker that says what a test tells it to, turn by turn, and keeps what it was shown."""

    def __init__(self, *turns: Turn | str | Sequence[Call]) -> None:
        self.turns = [self.turn(each) for each in turns]
        self.prompts: list[Prompt] = []

    @staticmethod
    def turn(each: Turn | str | Sequence[Call]) -> Turn:
        if isinstance(each, Turn):
            return each
        return Turn(text=each) if isinstance(each, str) else Turn(calls=tuple(each))

    async def think(self, prompt: Prompt) -> Turn:
        self.prompts.append(prompt)
        return self.turns[min(len(self.prompts), len(self.turns)) - 1]


@dataclass
class StandIn:
    """A running stand-in with a client of it."""

    url: str
    service: Service
    client: AgentsClient
    http: httpx.AsyncClient

    @property
    def project(self) -> str:
        return f"{self.url}/api/projects/local"

    async def run(self, question: str, agent_id: str, **options: Any) -> ThreadRun:
        """Ask on a fresh thread and wait for the end."""
        thread = await self.client.threads.create()
        await self.client.messages.create(thread.id, role="user", content=question)
        return await self.finish(await self.client.runs.create(thread.id, agent_id=agent_id, **options))

    async def finish(self, run: ThreadRun, *, until: Sequence[str] = ENDED) -> ThreadRun:
        for _ in range(2000):
            if run.status in until:
                return run
            await asyncio.sleep(0.005)
            run = await self.client.runs.get(run.thread_id, run.id)
        raise AssertionError(f"run stays {run.status}")

    async def answer(self, run: ThreadRun) -> str:
        texts = [m async for m in self.client.messages.list(run.thread_id, run_id=run.id)]
        return str(texts[0].text_messages[0].text.value) if texts else ""

    async def steps(self, run: ThreadRun) -> list[Json]:
        """The steps of a run, oldest first."""
        found = [step.as_dict() async for step in self.client.run_steps.list(run.thread_id, run.id)]
        return found[::-1]

    async def arm(self, **faults: Any) -> None:
        (await self.http.post("/_faults", json=faults)).raise_for_status()

    async def stats(self) -> Json:
        body: Json = (await self.http.get("/_stats")).json()
        return body


StartStandIn = Callable[..., Awaitable[StandIn]]


@pytest.fixture
async def stand_in() -> AsyncIterator[StartStandIn]:
    """Starts stand-ins: `await stand_in(thinker, output_poll_ms=1, …)`."""
    async with AsyncExitStack() as stack:

        async def start(thinker: Thinker | None = None, **settings: Any) -> StandIn:
            return await stack.enter_async_context(running(Service.build(Settings(**settings), thinker)))

        yield start


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[StandIn]:
    async with served(create_app(service)) as url:
        client = AgentsClient(
            endpoint=f"{url}/api/projects/local",
            credential=Credential(),
            authentication_policy=Authorize(),
            retry_backoff_factor=0.01,
        )
        http = httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer local"}, trust_env=False)
        async with client, http:
            yield StandIn(url, service, client, http)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    sock = free_socket()
    config = uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[sock])  # without uvicorn's own loop, which looks for its end only now and then
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        await asyncio.sleep(0.01)  # until the clients' connections are seen to be closed
        await server.shutdown(sockets=[sock])


@dataclass
class ToolWorker:
    """Answers one queue tool; `reply` makes the texts of its replies from each input, none for no reply."""

    connection: str
    name: str
    reply: Callable[[Json], Sequence[str]] = field(default=lambda call: [value_reply(call, "Bar")])
    seen: list[Json] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    @property
    def endpoint(self) -> str:
        return next(part[14:] for part in self.connection.split(";") if part.startswith("QueueEndpoint="))

    @property
    def definition(self) -> Json:
        return queue_tool(self.name, self.endpoint)

    async def __aenter__(self) -> ToolWorker:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _work(self) -> None:
        async with open_account(self.connection) as account:
            source = account.get_queue_client(f"{self.name}-input")
            target = account.get_queue_client(f"{self.name}-output")
            while True:
                await self._drain(source, target)
                await asyncio.sleep(0.005)

    async def _drain(self, source: QueueClient, target: QueueClient) -> None:
        with suppress(ResourceNotFoundError):
            for message in await first_page(source):
                call = json.loads(base64.b64decode(message.content))
                self.seen.append(call)
                await source.delete_message(message)
                for text in self.reply(call):
                    await target.send_message(text)


def value_reply(call: Json, value: Any) -> str:
    return encoded({"Value": value, "CorrelationId": call["CorrelationId"]})


def encoded(body: Any) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


def queue_tool(name: str, endpoint: str, properties: Json | None = None) -> Json:
    """A tool whose name is that of its queues; in calls it is `foo`."""
    parameters = {"type": "object", "properties": properties or {"query": {"type": "string"}}}
    return {
        "type": "azure_function",
        "azure_function": {
            "function": {"name": "foo", "description": "Get answers from the foo bot.", "parameters": parameters},
            "input_binding": binding(endpoint, f"{name}-input"),
            "output_binding": binding(endpoint, f"{name}-output"),
        },
    }


def binding(endpoint: str, queue: str) -> Json:
    return {"type": "storage_queue", "storage_queue": {"queue_service_endpoint": endpoint, "queue_name": queue}}


def function_tool(name: str = "clock", **properties: Json) -> Json:
    function = {
        "name": name,
        "description": "Tells the time.",
        "parameters": {"type": "object", "properties": properties},
    }
    return {"type": "function", "function": function}


def agent_tool(agent_id: str, name: str = "adviser", description: str = "Advises.") -> Json:
    return {"type": "connected_agent", "connected_agent": {"id": agent_id, "name": name, "description": description}}


@pytest.fixture
def worker(storage: str) -> ToolWorker:
    """A worker on queues of its own; enter it to let it work."""
    return ToolWorker(storage, f"foo-{uuid.uuid4().hex[:12]}")


def recorded(name: str) -> Any:
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"no recordings of the real service at {RECORDED}")
    return json.loads(path.read_text(encoding="utf-8")) if name.endswith(".json") else path.read_text(encoding="utf-8")


def recorded_answer(name: str, request: str) -> Json:
    """The whole answer to the first recorded request of that name."""
    entry = next(e for e in recorded(name)["entries"] if e["request"].startswith(request) and "response_body" in e)
    body: Json = entry["response_body"]
    return body


def shape(value: Any) -> Any:
    """The keys and types of a JSON value, without its content."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def foo(query: str = "What would foo say?") -> Call:
    return Call("foo", {"query": query})
