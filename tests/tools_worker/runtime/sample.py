"""A tool and a worker for tests of the runtime: nothing of Data Factory in it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from core.errors import NotFound, UpstreamUnavailable
from tools_worker.datafactory.factories import Factories
from tools_worker.runtime.answers import AnswerSlots, MemoryAnswerSlots
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec
from tools_worker.runtime.worker import Worker

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


class EchoArguments(Arguments):
    text: str = Field(description="What to say.")
    hours: int = Field(default=24, ge=1, le=48, description="How far back to look, in hours.")
    tone: Literal["calm", "loud"] | None = Field(default=None, description="How to say it.")
    fail: Literal["request", "upstream", "bug", "slow"] | None = None
    lines: int = 0


class Echo:
    """Counts how often it was worked, from the outside."""

    def __init__(self) -> None:
        self.worked = 0
        self.spec = ToolSpec("test_echo", "Says it again.", EchoArguments, self.run)

    async def run(self, context: ToolContext, args: EchoArguments) -> Reply:
        self.worked += 1
        match args.fail:
            case "request":
                raise NotFound("No pipeline named 'LoadSale'.", hint="Closest: 'LoadSales'.")
            case "upstream":
                raise UpstreamUnavailable("Data Factory does not answer.")
            case "bug":
                raise KeyError("oops")
            case "slow":
                await asyncio.sleep(60)
        lines = [f"line {i} " + "é" * 100 for i in range(args.lines)]
        evidence = [Evidence("pipeline_run", "run-1", "adf-prod")]
        return Reply(f"{args.text} ({self.worked})", {"lines": lines}, evidence, next=["test_echo text=again"])


def make_worker(answers: AnswerSlots | None = None, *, tool_deadline_seconds: float = 30) -> Worker:
    return Worker(Factories([]), answers or MemoryAnswerSlots(), None, tool_deadline_seconds, lambda: NOW)
