"""python -m bench.compare.floor: one agent whose function tools are answered in this process. No queue, no specialist.

The least that a question can cost through this service: the agent is made once, a thread and a run are all that a
question needs, the run's own events say when a tool is wanted, and our tools answer as compactly as in the app.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.ai.agents.aio import AgentsClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from core import clients
from core.errors import AppError
from core.settings import Settings
from localcloud.serve import serve
from orchestrator.foundry.classic_stream import RawEvents
from tools_worker.datafactory.sdk import open_factories
from tools_worker.runtime import arguments, replies
from tools_worker.runtime.catalogue import BY_NAME
from tools_worker.runtime.tools import ToolContext
from tools_worker.runtime.worker import utc_now

INSTRUCTIONS = (
    "You are the operations assistant for Azure Data Factory. Use your tools; report names, times and run ids exactly. "
    "A name alone is a pipeline: pass it as pipeline."
)
# What the specialists that such questions go to have in the app; with more, one agent chooses worse.
OFFERED = (
    "adf_failures",
    "adf_pipeline_runs",
    "adf_run_history",
    "adf_diagnose_run",
    "adf_activity_runs",
    "adf_compare_runs",
)


class Floor:
    def __init__(self, settings: Settings) -> None:
        endpoint = settings.foundry_endpoint
        self._model = settings.foundry_model
        self._factories = open_factories(settings)
        self._client = AgentsClient(
            endpoint,
            clients.credential(endpoint),
            transport=clients.transport(),
            per_call_policies=clients.loopback_policies(endpoint),
        )
        self._agent = ""

    async def open(self) -> None:
        tools = [
            {
                "type": "function",
                "function": {"name": t.name, "description": t.description, "parameters": arguments.schema(t.arguments)},
            }
            for t in (BY_NAME[name] for name in OFFERED)
        ]
        body: Any = {"model": self._model, "name": "floor", "instructions": INSTRUCTIONS, "tools": tools}
        self._agent = (await self._client.create_agent(body)).id

    async def answer(self, question: str) -> dict[str, str]:
        thread = (await self._client.threads.create()).id
        events = await self._run(thread, question)
        while True:
            run, text = await told(events)
            if run["status"] != "requires_action":
                return {"run": run["id"], "status": run["status"], "answer": text}
            calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
            outputs = await asyncio.gather(*(self._call(call["function"]) for call in calls))
            events = await self._submit(thread, run["id"], calls, outputs)

    async def _run(self, thread: str, question: str) -> RawEvents:
        said = {"role": "user", "content": question}
        body: Any = {"assistant_id": self._agent, "additional_messages": [said], "stream": True}
        events = RawEvents()
        await self._client.runs.stream(thread, body, stream=True, event_handler=events)
        return events

    async def _submit(self, thread: str, run: str, calls: list[Any], outputs: list[str]) -> RawEvents:
        handed = [{"tool_call_id": call["id"], "output": output} for call, output in zip(calls, outputs, strict=True)]
        body: Any = {"tool_outputs": handed, "stream": True}
        events = RawEvents()
        await self._client.runs.submit_tool_outputs_stream(thread, run, body, event_handler=events, stream=True)
        return events

    async def _call(self, function: dict[str, str]) -> str:
        tool = BY_NAME[function["name"]]
        try:
            given = arguments.parse(tool, json.loads(function["arguments"]))
            reply = await tool.run(ToolContext(self._factories, utc_now()), given)
        except AppError as exc:
            return replies.failure(exc)
        return replies.success(reply, 0, lambda _: True)


async def told(events: RawEvents) -> tuple[dict[str, Any], str]:
    """What a stream says to its end: the run as it was last, and the answer's text."""
    run: dict[str, Any] = {}
    text = ""
    async for name, data in events:
        if name.startswith("thread.run.") and not name.startswith("thread.run.step."):
            run = data
        elif name == "thread.message.completed":
            text = "".join(part["text"]["value"] for part in data["content"] if part["type"] == "text")
    return run, text


def app() -> Starlette:
    floor = Floor(Settings.load(os.environ))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await floor.open()
        yield

    async def ask(request: Request) -> JSONResponse:
        return JSONResponse(await floor.answer((await request.json())["question"]))

    return Starlette(routes=[Route("/ask", ask, methods=["POST"])], lifespan=lifespan)


if __name__ == "__main__":
    asyncio.run(serve(app(), exit_with_stdin=True))
