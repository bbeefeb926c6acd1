"""Tool calls that the agent service would never put like this: at the size limit, stale, twice, or not calls at all."""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from azure.storage.queue.aio import QueueClient

from bench.chaos.world import TOOL_DEADLINE_SECONDS
from core import clients
from tools_worker.runtime.catalogue import BY_NAME

if TYPE_CHECKING:
    from bench.chaos.world import World

TOOL = BY_NAME["adf_pipeline_runs"]
QUEUE_BYTES = 65_536  # of a message as it is put, base64 included


async def put(world: World, *contents: str, hidden_seconds: int = 0) -> None:
    """Past the proxy: these messages are the storm, not what it strikes."""
    connection = world.direct
    queue = QueueClient.from_connection_string(connection, TOOL.input_queue, transport=clients.transport())
    async with queue:
        for content in contents:
            await queue.send_message(content, visibility_timeout=hidden_seconds)


def message(world: World, **arguments: Any) -> str:
    """A call of ours, noted as one that must be answered."""
    correlation = f"chaos-{uuid.uuid4()}"
    world.witness.called.add(correlation)
    return encoded({"CorrelationId": correlation, **arguments})


def encoded(body: dict[str, Any]) -> str:
    return b64encode(json.dumps(body).encode()).decode()


async def delivered_twice(world: World) -> None:
    content = message(world, pipeline="LoadSales", hours=24)
    await put(world, content, content)


async def stale(world: World) -> None:
    await put(world, message(world, pipeline="LoadSales"), hidden_seconds=int(TOOL_DEADLINE_SECONDS) + 3)


async def at_the_size_limit(world: World) -> None:
    room = QUEUE_BYTES * 3 // 4 - len(json.dumps({"CorrelationId": f"chaos-{uuid.uuid4()}", "pipeline": ""})) - 3
    await put(world, message(world, pipeline="x" * room))


async def not_a_call(world: World) -> None:
    """Nobody waits for an answer to these; they must keep nobody else waiting."""
    await put(world, "not base64 at all", encoded({"hours": 24}), b64encode(b"[[[").decode())


KINDS: tuple[Callable[[World], Awaitable[None]], ...] = (delivered_twice, stale, at_the_size_limit, not_a_call)
