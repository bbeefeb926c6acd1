"""A tool behind two storage queues: the run shows requires_action while the reply is awaited."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from localcloud.foundry.queues import Binding
from localcloud.foundry.records import ToolCall
from localcloud.foundry.tools.toolbox import Tool

if TYPE_CHECKING:
    from localcloud.foundry.execution import Execution


async def work(execution: Execution, call: ToolCall, tool: Tool) -> str:
    execution.wait(call)
    source, target = Binding.of(tool.definition["input_binding"]), Binding.of(tool.definition["output_binding"])
    asking = execution.service.exchange.ask(call.name, json.loads(call.arguments), source, target, execution.run.id)
    reply, _ = await asyncio.gather(asking, shown_long_enough(execution))
    execution.arrived(call)
    return reply


async def shown_long_enough(execution: Execution) -> None:
    await asyncio.sleep(execution.service.settings.requires_action_ms / 1000)
