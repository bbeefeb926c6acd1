"""A cell: so many questions, so many at once, and what they cost by the count of the others.

Requests, turns and bytes are the stand-ins' own counts, storage operations are lines of its access log, CPU and memory
are the kernel's.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from bench.compare.arithmetic import Measured
from bench.compare.questions import QUESTIONS, Truth, truths
from bench.compare.systems import Stand

REQUEST = re.compile(r'"(\w+) /devstoreaccount1/([^/? "]*)([^? "]*)')
# The agent service puts calls and takes replies; that it looks for them every 5 ms is its own affair, not a system's.
SERVICE = re.compile(r"(POST|PUT) azure-function-.*-input/messages|(GET|DELETE) azure-function-.*-output/messages")
BEGIN_SECONDS = 1.0


@dataclass(frozen=True)
class Counts:
    model_seconds: float
    adf_seconds: float
    turns: int
    agent_requests: int
    adf_requests: int
    queue_operations: int
    table_operations: int
    bytes_to_model: int
    cpu_seconds: float


async def counts(stand: Stand, http: httpx.AsyncClient) -> Counts:
    foundry, adf = [(await http.get(f"{url}/_stats")).json() for url in (stand.foundry, stand.adf)]
    operations = list(storage_operations(stand.storage_log))
    return Counts(
        model_seconds=foundry["thinking_seconds"],
        adf_seconds=adf["busy_seconds"],
        turns=foundry["turns"],
        agent_requests=sum(foundry["requests"].values()),
        adf_requests=sum(adf["requests"].values()),
        queue_operations=operations.count("queue"),
        table_operations=operations.count("table"),
        bytes_to_model=foundry["tool_output_bytes"],
        cpu_seconds=sum(part.cpu_seconds() for part in stand.parts),
    )


def storage_operations(log: Path) -> Iterator[str]:
    """`queue` or `table`, for each request of the system that is in the access log."""
    for verb, name, rest in REQUEST.findall(log.read_text(encoding="utf-8", errors="replace")):
        if rest.startswith("/messages"):
            if not SERVICE.match(f"{verb} {name}{rest}"):
                yield "queue"
        elif "(" in name or verb != "PUT":
            yield "table"


@dataclass
class Asking:
    """Questions in turn, each answer compared with what Data Factory says."""

    stand: Stand
    truths: dict[str, Truth]
    seconds: list[float]
    wrong: int = 0

    async def ask(self, number: int) -> None:
        text = QUESTIONS[number % len(QUESTIONS)].text
        began = time.perf_counter()
        try:
            reply = await self.stand.ask(text)
        except (httpx.HTTPError, KeyError, ValueError) as exc:
            self.note(text, repr(exc))
        else:
            if not (reply.done and self.truths[text].is_in(reply.text)):
                self.note(text, reply.text)
        self.seconds.append(time.perf_counter() - began)

    def note(self, text: str, said: str) -> None:
        self.wrong += 1
        print(f"{self.stand.system}: wrong: {text!r}: {json.dumps(said)[:600]}")


async def cell(stand: Stand, at_once: int, count: int, alone: Measured | None = None) -> Measured:
    """`at_once` askers share `count` questions; they begin one after another within a second, as people do who do not
    know of each other. `alone` is the cell with one asker: what a request to Data Factory adds to a question's wait."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        asking = Asking(stand, await truths(http, stand.adf), [])
        numbers = iter(range(count))

        async def asker(place: int) -> None:
            await asyncio.sleep(place / at_once * BEGIN_SECONDS)
            for number in numbers:
                await asking.ask(number)

        before, began = await counts(stand, http), time.perf_counter()
        await asyncio.gather(*(asker(place) for place in range(at_once)))
        elapsed = time.perf_counter() - began
        after = await counts(stand, http)
    used: dict[str, Any] = {name: getattr(after, name) - getattr(before, name) for name in Counts.__dataclass_fields__}
    measured = Measured(
        seconds=tuple(asking.seconds),
        wrong=asking.wrong,
        elapsed_seconds=elapsed,
        rss_mb=sum(peak_mb(part.pid) for part in stand.parts),
        adf_request_seconds=alone.alone_request_seconds if alone else 0.0,
        **used,
    )
    return measured if alone else replace(measured, adf_request_seconds=measured.alone_request_seconds)


def peak_mb(pid: int) -> float:
    """The most resident memory the process has had."""
    status = (Path("/proc") / str(pid) / "status").read_text(encoding="ascii", errors="replace")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
