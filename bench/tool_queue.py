"""A tool as the agent service calls it: a message on its input queue, the reply from its output queue."""

from __future__ import annotations

import asyncio
import json
import uuid
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue.aio import QueueClient

from core import clients
from localcloud.launch.children import Children
from localcloud.launch.cloud import (
    UNWATCHED,
    Options,
    adf_arguments,
    app_settings,
    start_app,
    start_server,
    start_storage,
)
from tools_worker.runtime.catalogue import BY_NAME

LOGS = Path(".localcloud/logs/bench-tools")
POLL_SECONDS = 0.002
COLD = {"ADF_CACHE_SECONDS": "0", **UNWATCHED}  # every question pays for all that it reads, and nobody else asks
NOWHERE = "http://127.0.0.1:9"


class ToolQueue:
    """One caller at a time: it takes every reply that it sees."""

    def __init__(self, calls: QueueClient, replies: QueueClient) -> None:
        self._calls, self._replies = calls, replies

    async def call(self, **arguments: Any) -> str:
        """The reply's text, which is JSON."""
        correlation = str(uuid.uuid4())
        message = json.dumps({"CorrelationId": correlation, **arguments})
        await self._calls.send_message(b64encode(message.encode()).decode())
        while True:
            for reply in await self._take():
                if reply["CorrelationId"] == correlation:
                    return str(reply["Value"])
            await asyncio.sleep(POLL_SECONDS)

    async def _take(self) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        async for page in self._replies.receive_messages(messages_per_page=32).by_page():
            async for message in page:
                taken.append(json.loads(b64decode(message.content)))
                await self._replies.delete_message(message)
            break  # the first page only: asking for more costs a request that finds nothing
        return taken


@dataclass(frozen=True)
class AppCloud:
    """Where the parts are: the connection string of storage, the address of Data Factory, the app's process."""

    storage: str
    adf: str
    app_pid: int


@asynccontextmanager
async def app_cloud(*adf: str, settings: Mapping[str, str] | None = None) -> AsyncIterator[AppCloud]:
    """Storage, Data Factory (started with these arguments) and the app (with these settings besides its usual ones),
    with no agent service."""
    options = Options(logs=LOGS, adf_arguments=adf)
    children = Children(options.root / options.logs)
    try:
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(start_storage(options, children))
            serving = group.create_task(start_server(options, children, "adf", adf_arguments(options)))
        storage, url = starting.result(), serving.result()
        usual = app_settings(storage, url, NOWHERE, NOWHERE)
        await start_app(options, children, "key", {**usual, **(settings or {})})
        app = next(child for child in children.running() if child.spec.name == "app")
        yield AppCloud(storage, url, app.pid)
    finally:
        await children.stop(3)


@asynccontextmanager
async def tool_queue(storage: str, tool: str) -> AsyncIterator[ToolQueue]:
    names = (BY_NAME[tool].input_queue, BY_NAME[tool].output_queue)
    calls, replies = (
        QueueClient.from_connection_string(storage, name, transport=clients.transport()) for name in names
    )
    async with calls, replies:
        for queue in (calls, replies):
            with suppress(ResourceExistsError):
                await queue.create_queue()
        yield ToolQueue(calls, replies)


@asynccontextmanager
async def tool_cloud(tool: str, *adf: str) -> AsyncIterator[tuple[ToolQueue, str]]:
    """The tool's queues in a cloud of its own, and the address of Data Factory."""
    async with app_cloud(*adf, settings=COLD) as cloud, tool_queue(cloud.storage, tool) as queue:
        yield queue, cloud.adf
