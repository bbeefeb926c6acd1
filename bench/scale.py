"""How throughput grows with instances, and where the time goes.

    python -m bench.scale [--short] [--json]

One, two and four app processes (instances) work the same queues of one storage. Tool calls: sent as fast as they can
be, until each has its reply; replies are counted per call, and Data Factory's own count of requests tells whether any
call was worked twice. Questions: 16 at once, sent to the instances in turn. CPU is each process's own, by the kernel's
count. Instances, stand-ins, storage and this client share the machine's cores. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from base64 import b64decode, b64encode
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from azure.storage.queue.aio import QueueClient

from bench.tool_queue import COLD, tool_queue
from core import clients
from localcloud.launch.children import Child, Children
from localcloud.launch.cloud import Cloud, Options, app_settings, running, start_app
from tools_worker.runtime.catalogue import BY_NAME

LOGS = Path(".localcloud/logs/bench-scale")
TOOL = "adf_pipeline_runs"
QUESTION = "What failed in the last {hours} hours?"
INSTANCES = (1, 2, 4)
AT_ONCE = 16
LATENCY_MS = 50
GIVE_UP_SECONDS = 120
RUN_QUERY = "pipeline_runs_query_by_factory"  # as the stand-in counts it
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Part:
    """A process whose CPU is counted; instances count together as `app`."""

    name: str
    pid: int

    def cpu_seconds(self) -> float:
        stat = (Path("/proc") / str(self.pid) / "stat").read_text(encoding="ascii", errors="replace")
        return cpu_seconds(stat)


def cpu_seconds(stat: str) -> float:
    """User and system time in a line of /proc/<pid>/stat, whose second field may hold blanks and brackets."""
    fields = stat.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass
class Replies:
    """What came back for the calls that were sent, as the client saw it."""

    sent: frozenset[str]
    seen: Counter[str] = field(default_factory=Counter)

    def take(self, correlation: str) -> None:
        self.seen[correlation] += 1

    @property
    def complete(self) -> bool:
        return self.lost == 0

    @property
    def lost(self) -> int:
        return len(self.sent - self.seen.keys())

    @property
    def repeated(self) -> int:
        return sum(count - 1 for call, count in self.seen.items() if call in self.sent)


def worked_twice(queries: int, calls: int, queries_per_call: int) -> int:
    """How many calls' worth of queries Data Factory had beyond one each; negative where some were not asked."""
    return round((queries - calls * queries_per_call) / max(1, queries_per_call))


@asynccontextmanager
async def instances(count: int, latency_ms: float) -> AsyncIterator[tuple[Cloud, list[str], list[Part]]]:
    """A cloud with this many instances of the app on the same storage: the cloud, their addresses, its processes."""
    adf = ("--latency-ms", str(latency_ms))
    options = Options(logs=LOGS, adf_arguments=adf, settings=COLD)
    async with running(options) as cloud, AsyncExitStack() as stack:
        settings = {**app_settings(cloud.storage, cloud.adf, cloud.foundry, cloud.learn), **COLD}
        urls, children = [cloud.url], cloud.children.running()
        for number in range(2, count + 1):
            more = Children(options.root / LOGS / f"instance-{number}")
            stack.push_async_callback(more.stop, 3)
            urls.append(await start_app(replace(options, logs=more.logs), more, cloud.key, settings))
            children += more.running()
        yield cloud, urls, parts(children)


def parts(children: list[Child]) -> list[Part]:
    """A guarded child is the guard's only child, so its own CPU is looked up below it."""
    return [Part(child.spec.name, innermost(child.pid)) for child in children]


def innermost(pid: int) -> int:
    below = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text(encoding="ascii").split()
    return innermost(int(below[0])) if below else pid


def cpu(parts: list[Part]) -> Mapping[str, float]:
    used: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        used[part.name] += part.cpu_seconds()
    return used


async def run_queries(url: str) -> int:
    """How often Data Factory was asked for runs. Definitions are not counted: calls under way share their answers."""
    async with httpx.AsyncClient(trust_env=False) as http:
        counts: Mapping[str, int] = (await http.get(f"{url}/_stats")).json()["requests"]
    return sum(count for name, count in counts.items() if name == RUN_QUERY)


async def tool_calls(cloud: Cloud, working: list[Part], calls: int) -> dict[str, Any]:
    """Sent and answered by all instances. No two calls ask about the same hours, so that none shares an answer."""
    async with tool_queue(cloud.storage, TOOL) as warm:
        for _ in range(8 * sum(part.name == "app" for part in working)):
            await warm.call(pipeline="LoadSales", hours=24)
        before = await run_queries(cloud.adf)
        await warm.call(pipeline="LoadSales", hours=24)
        per_call = await run_queries(cloud.adf) - before
    names = (BY_NAME[TOOL].input_queue, BY_NAME[TOOL].output_queue)
    inward, outward = (
        QueueClient.from_connection_string(cloud.storage, name, transport=clients.transport()) for name in names
    )
    async with inward, outward:
        asked, used, began = await run_queries(cloud.adf), cpu(working), time.perf_counter()
        replies = Replies(frozenset(f"call-{number}" for number in range(calls)))
        reading = asyncio.create_task(read(outward, replies))
        await send(inward, calls)
        await asyncio.wait({reading}, timeout=GIVE_UP_SECONDS)
        seconds = time.perf_counter() - began
        reading.cancel()
        spent = {name: round((now - used[name]) * 1000 / calls, 1) for name, now in cpu(working).items()}
        await asyncio.sleep(0.5)  # what would be answered twice is answered by now
        await take(outward, replies)
    return {
        "per_second": round(calls / seconds, 1),
        "lost": replies.lost,
        "repeated": replies.repeated,
        "worked_twice": worked_twice(await run_queries(cloud.adf) - asked, calls, per_call),
        "run_queries_per_call": per_call,
        "cpu_ms_per_call": spent,
    }


async def send(queue: QueueClient, calls: int) -> None:
    async def one(number: int) -> None:
        call = {"CorrelationId": f"call-{number}", "pipeline": "LoadSales", "hours": 30 + number}
        await queue.send_message(b64encode(json.dumps(call).encode()).decode())

    for start in range(0, calls, AT_ONCE):
        await asyncio.gather(*(one(number) for number in range(start, min(calls, start + AT_ONCE))))


async def read(queue: QueueClient, replies: Replies) -> None:
    while not replies.complete:
        await take(queue, replies)
        await asyncio.sleep(0.02)


async def take(queue: QueueClient, replies: Replies) -> None:
    async for page in queue.receive_messages(messages_per_page=32).by_page():
        messages = [message async for message in page]
        await asyncio.gather(*(queue.delete_message(message) for message in messages))
        for message in messages:
            replies.take(str(json.loads(b64decode(message.content))["CorrelationId"]))
        break


async def questions(cloud: Cloud, urls: list[str], working: list[Part], count: int) -> dict[str, Any]:
    """`AT_ONCE` askers, each asking the instances in turn."""
    headers = {"x-functions-key": cloud.key}
    numbers = iter(range(count))
    lost = 0
    async with httpx.AsyncClient(headers=headers, timeout=120, trust_env=False) as http:

        async def ask(number: int) -> bool:
            body = {"question": QUESTION.format(hours=24 + number % 48), "wait_seconds": 60}
            response = await http.post(f"{urls[number % len(urls)]}/api/ask", json=body)
            return response.status_code == 200 and response.json()["status"] == "done"

        async def asker() -> None:
            nonlocal lost
            for number in numbers:
                lost += not await ask(number)

        for number in range(2 * len(urls)):
            await ask(number)  # warm-up
        used, began = cpu(working), time.perf_counter()
        await asyncio.gather(*(asker() for _ in range(AT_ONCE)))
        seconds = time.perf_counter() - began
        spent = {name: round((now - used[name]) * 1000 / count) for name, now in cpu(working).items()}
    return {"per_minute": round(count / seconds * 60), "lost": lost, "cpu_ms_per_question": spent}


async def measure(short: bool) -> dict[str, Any]:
    calls, asked = (
        (80, 8) if short else (300, 64)
    )  # more calls would meet the app's own pace: 800 a minute for a factory
    found: dict[str, Any] = {"cores": os.cpu_count(), "adf_latency_ms": LATENCY_MS, "instances": {}}
    for count in INSTANCES[:2] if short else INSTANCES:
        async with instances(count, LATENCY_MS) as (cloud, urls, working):
            tools = await tool_calls(cloud, working, calls)
            found["instances"][str(count)] = {"tools": tools, "questions": await questions(cloud, urls, working, asked)}
    return found | totals(found["instances"])


def totals(found: Mapping[str, Any]) -> dict[str, Any]:
    first, last = next(iter(found)), list(found)[-1]
    growth = found[last]["tools"]["per_second"] / found[first]["tools"]["per_second"]
    return {
        "lost": sum(each["tools"]["lost"] + each["questions"]["lost"] for each in found.values()),
        "worked_twice": sum(abs(each["tools"]["worked_twice"]) for each in found.values()),
        "ratio_tools_last_to_first": round(growth, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer rounds, for CI")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.short))
    if not arguments.json:
        for count, each in figures["instances"].items():
            print(f"{count} instances\n  tools      {each['tools']}\n  questions  {each['questions']}")
    print(json.dumps(figures))
    sys.exit(1 if figures["lost"] or figures["worked_twice"] else 0)


if __name__ == "__main__":
    main()
