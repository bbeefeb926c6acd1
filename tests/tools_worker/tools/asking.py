"""Calling a tool as the runtime does."""

from __future__ import annotations

import json
from typing import Any

from tests.tools_worker.datafactory.build import NOW
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.runtime.tools import Reply, ToolContext, ToolSpec

PIPELINES = ["LoadSales", "SyncCrm", "Master"]


def prod(**world: Any) -> MemoryDataFactory:
    return MemoryDataFactory("adf-prod", **{"pipelines": PIPELINES, **world})


async def ask(tool: ToolSpec, *factories: MemoryDataFactory, **arguments: Any) -> Reply:
    context = ToolContext(factories=Factories(factories), now=NOW)
    reply = await tool.run(context, tool.arguments.model_validate(arguments))
    assert len(json.dumps(dict(reply.data))) < 48_000  # a queue message holds no more
    return reply


def rows_of(listed: Any) -> list[dict[str, Any]]:
    """The rows of a list in a reply, be it few objects or a table."""
    if isinstance(listed, list):
        return listed
    return [listed.get("all", {}) | dict(zip(listed["columns"], row, strict=True)) for row in listed["rows"]]
