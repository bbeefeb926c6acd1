"""A tool the client works: the run waits until its output is submitted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from localcloud.foundry.errors import RunFailed
from localcloud.foundry.records import ToolCall
from localcloud.foundry.tools.toolbox import Tool

if TYPE_CHECKING:
    from localcloud.foundry.execution import Execution


async def work(execution: Execution, call: ToolCall, tool: Tool) -> str:
    if execution.run.depth:
        # Nobody polls a connected agent's run: the service does not support local functions there.
        raise RunFailed("server_error", f"Function '{call.name}' cannot be called inside a connected agent.")
    output: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    execution.outputs[call.id] = output
    execution.wait(call)
    await asyncio.sleep(0)  # all calls of the turn are registered before the client is told
    execution.ask_client()
    try:
        return await output
    finally:
        execution.outputs.pop(call.id, None)
        execution.arrived(call)
