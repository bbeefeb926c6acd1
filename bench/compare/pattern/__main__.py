"""python -m bench.compare.pattern: the common pattern's side of the conversation, behind one route for the bench.

A synchronous function, as in the public samples, on so many THREADS. There it shares its process
with the tools' functions, and six questions at once would leave no thread for the tools that they wait for; so it has
a process of its own here.

For each question: a connected agent, a parent, a thread, a message and a run are made, the run is polled every second
(the SDK's `create_and_process`), the answer is read, and all is deleted again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from azure.ai.agents import AgentsClient
from azure.ai.agents.models import (
    AzureFunctionStorageQueue,
    AzureFunctionTool,
    ConnectedAgentTool,
    MessageRole,
    RunStatus,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.compare.pattern.plain_http import AllowHttp, FixedToken
from localcloud.serve import serve

PARENT = (
    "You are an assistant for Azure Data Factory. Use the connected agent to find out about pipelines and their runs, "
    "then answer the question briefly, with pipeline names and run ids."
)
CHILD = (
    "You look things up in Azure Data Factory with your tools. Report pipeline names, run ids and error messages "
    "exactly. A name alone is a pipeline: pass it as pipeline_name."
)
CHILD_FOR = (
    "Looks things up in Azure Data Factory: which runs a pipeline had and why they failed, what failed in the last "
    "hours, the activities of a run."
)
HOURS = {"type": "integer", "minimum": 1, "maximum": 1080, "description": "How many hours to look back. Default 24."}
About = tuple[str, str, dict[str, Any], list[str]]
TOOLS: tuple[About, ...] = (
    (
        "get_pipeline_runs",
        "The runs of one pipeline in the last hours: run ids, status, times.",
        {"pipeline_name": {"type": "string", "description": "The name of the pipeline."}, "hours": HOURS},
        ["pipeline_name"],
    ),
    ("get_failed_runs", "What failed in the last hours: all failed pipeline runs.", {"hours": HOURS}, []),
    (
        "get_activity_runs",
        "The activities of one pipeline run, with input, output and the error that says why it failed.",
        {"run_id": {"type": "string", "description": "The id of the pipeline run."}},
        ["run_id"],
    ),
)


def queue_tool(name: str, description: str, properties: dict[str, Any], required: list[str]) -> AzureFunctionTool:
    def queue(kind: str) -> AzureFunctionStorageQueue:
        return AzureFunctionStorageQueue(
            queue_name=f"azure-function-{name.replace('_', '-')}-{kind}", storage_service_endpoint=os.environ["QUEUES"]
        )

    parameters = {"type": "object", "properties": properties, "required": required}
    return AzureFunctionTool(name, description, parameters, queue("input"), queue("output"))


class Pattern:
    def __init__(self) -> None:
        self._model = os.environ["FOUNDRY_MODEL"]
        self._client = AgentsClient(
            os.environ["FOUNDRY_PROJECT_ENDPOINT"], FixedToken(), per_call_policies=[AllowHttp()]
        )

    def answer(self, question: str) -> dict[str, str]:
        with self._agents() as parent, self._thread() as thread:
            self._client.messages.create(thread, role="user", content=question)
            run = self._client.runs.create_and_process(thread, agent_id=parent)
            said = self._client.messages.get_last_message_text_by_role(thread, MessageRole.AGENT)
            return {"run": run.id, "status": RunStatus(run.status).value, "answer": said.text.value if said else ""}

    @contextmanager
    def _agents(self) -> Iterator[str]:
        tools = [definition for about in TOOLS for definition in queue_tool(*about).definitions]
        child = self._client.create_agent(model=self._model, name="adf_agent", instructions=CHILD, tools=tools)
        connected = ConnectedAgentTool(child.id, "adf_agent", CHILD_FOR)
        parent = self._client.create_agent(
            model=self._model, name="assistant", instructions=PARENT, tools=list(connected.definitions)
        )
        try:
            yield parent.id
        finally:
            self._client.delete_agent(parent.id)
            self._client.delete_agent(child.id)

    @contextmanager
    def _thread(self) -> Iterator[str]:
        thread = self._client.threads.create()
        try:
            yield thread.id
        finally:
            self._client.threads.delete(thread.id)


def app() -> Starlette:
    pattern = Pattern()
    threads = ThreadPoolExecutor(int(os.environ["THREADS"]))

    async def ask(request: Request) -> JSONResponse:
        question = (await request.json())["question"]
        loop = asyncio.get_running_loop()
        return JSONResponse(await loop.run_in_executor(threads, pattern.answer, question))

    return Starlette(routes=[Route("/ask", ask, methods=["POST"])])


if __name__ == "__main__":
    asyncio.run(serve(app(), exit_with_stdin=True))
