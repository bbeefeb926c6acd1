"""How long a question takes, how long a tool call takes, and what importing the app costs.

    python -m bench.ask [--short] [--json]

Starts the local cloud, warms it up, asks. A question counts as lost unless it ends as done with an answer that rests on
evidence. The last line is one JSON object; times are in seconds or milliseconds as their names say.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.tool_queue import COLD, ToolQueue, tool_cloud
from localcloud.launch.cloud import Options, running

LOGS = Path(".localcloud/logs/bench")
QUESTIONS = (
    "Why did LoadSales fail last night?",
    "What failed in the last 24 hours?",
    "Which runs did SyncCrm have in the last 48 hours?",
    "What failed in the last 24 hours, and why?",
)
AT_ONCE = 8
TOOL = "adf_pipeline_runs"


@dataclass
class Asked:
    """Seconds of each question that was answered, and how many were not."""

    seconds: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def count(self) -> int:
        return len(self.seconds) + self.lost


async def ask(http: httpx.AsyncClient, question: str, asked: Asked) -> None:
    started = time.perf_counter()
    response = await http.post("/api/ask", json={"question": question, "wait_seconds": 60})
    took = time.perf_counter() - started
    run = response.json()
    if response.status_code == 200 and run["status"] == "done" and run["evidence"]:
        asked.seconds.append(took)
    else:
        asked.lost += 1
        print(f"lost: {question!r}: {json.dumps(run)[:500]}")


async def questions(rounds: int) -> tuple[Asked, Asked]:
    """(one at a time, eight at a time)."""
    alone, together = Asked(), Asked()
    async with running(Options(logs=LOGS, settings=COLD)) as cloud:
        headers = {"x-functions-key": cloud.key}
        async with httpx.AsyncClient(base_url=cloud.url, headers=headers, timeout=120, trust_env=False) as http:
            for question in QUESTIONS:
                await ask(http, question, Asked())  # warm-up
            for _ in range(rounds):
                for question in QUESTIONS:
                    await ask(http, question, alone)
            for _ in range(rounds):
                batch = [QUESTIONS[i % len(QUESTIONS)] for i in range(AT_ONCE)]
                await asyncio.gather(*(ask(http, question, together) for question in batch))
    return alone, together


async def tool_calls(count: int) -> list[float]:
    """Milliseconds from the call's arrival in the input queue to its reply, without an agent service in between."""
    async with tool_cloud(TOOL) as (tool, _):
        return [await round_trip(tool) for _ in range(count + 5)][5:]


async def round_trip(tool: ToolQueue) -> float:
    started = time.perf_counter()
    value = await tool.call(pipeline="LoadSales", hours=24)
    took = (time.perf_counter() - started) * 1000
    if not json.loads(value)["ok"]:
        raise RuntimeError(f"The tool failed: {value[:500]}")
    return took


IMPORT = """
import resource, time
started = time.perf_counter()
import function_app
function_app.app.get_functions()
print((time.perf_counter() - started) * 1000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def import_cost(times: int = 5) -> tuple[float, float]:
    """(median milliseconds, median MB) of importing and indexing the app in a fresh process, with .pyc files there."""
    found = []
    for _ in range(times + 1):
        out = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True).stdout
        found.append(tuple(float(number) for number in out.split()))
    ms, mb = zip(*found[1:], strict=True)
    return statistics.median(ms), statistics.median(mb)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] if ordered else float("nan")


async def measure(short: bool) -> dict[str, Any]:
    rounds, calls = (3, 20) if short else (12, 100)
    ms, mb = import_cost()
    alone, together = await questions(rounds)
    trips = await tool_calls(calls)
    return {
        "asked": alone.count + together.count,
        "lost": alone.lost + together.lost,
        "question_p50_s": round(percentile(alone.seconds, 0.5), 3),
        "question_p95_s_at_8": round(percentile(together.seconds, 0.95), 3),
        "tool_round_trip_p50_ms": round(percentile(trips, 0.5), 1),
        "import_ms": round(ms),
        "import_mb": round(mb),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer rounds, for CI")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.short))
    if not arguments.json:
        for name, value in figures.items():
            print(f"{name:<28} {value}")
    print(json.dumps(figures))
    sys.exit(1 if figures["lost"] else 0)


if __name__ == "__main__":
    main()
