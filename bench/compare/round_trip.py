"""A tool call's way through the queues, beside the least that two queues can take: nobody works, both sides poll."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from bench.ask import round_trip
from bench.compare.arithmetic import percentile
from bench.tool_queue import COLD, app_cloud, tool_queue
from core import clients

TOOL = "adf_pipeline_runs"
POLL_SECONDS = 0.005
WARM_UP = 5


async def measure(count: int) -> dict[str, float]:
    """Milliseconds in the median, and the ratio. The two are taken in turn, from the same storage."""
    ours, raw = [], []
    async with (
        app_cloud(settings=COLD) as cloud,
        tool_queue(cloud.storage, TOOL) as tool,
        raw_queues(cloud.storage) as (calls, replies),
    ):
        for _ in range(WARM_UP + count):
            ours.append(await round_trip(tool))
            raw.append(await raw_trip(calls, replies))
    ours_p50, raw_p50 = percentile(ours[WARM_UP:], 0.5), percentile(raw[WARM_UP:], 0.5)
    return {
        "tool_p50_ms": round(ours_p50, 1),
        "raw_p50_ms": round(raw_p50, 1),
        "round_trip_to_raw": round(ours_p50 / raw_p50, 2),
    }


@asynccontextmanager
async def raw_queues(storage: str) -> AsyncIterator[tuple[QueueClient, QueueClient]]:
    calls, replies = (
        QueueClient.from_connection_string(storage, name, transport=clients.transport())
        for name in ("raw-calls", "raw-replies")
    )
    async with calls, replies:
        await asyncio.gather(calls.create_queue(), replies.create_queue())
        yield calls, replies


async def raw_trip(calls: QueueClient, replies: QueueClient) -> float:
    began = time.perf_counter()
    working = asyncio.create_task(work(calls, replies))
    await calls.send_message(b64encode(json.dumps({"CorrelationId": "raw"}).encode()).decode())
    await take(replies)
    await working
    return (time.perf_counter() - began) * 1000


async def work(calls: QueueClient, replies: QueueClient) -> None:
    message = await take(calls)
    await replies.send_message(message.content)


async def take(queue: QueueClient) -> QueueMessage:
    while True:
        async for page in queue.receive_messages(messages_per_page=32).by_page():
            async for message in page:
                await queue.delete_message(message)
                return message
            break
        await asyncio.sleep(POLL_SECONDS)
