"""A call's way to its answer, by the kind of its tool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from localcloud.foundry.records import ToolCall
from localcloud.foundry.tools import azure_function, connected_agent, function, mcp
from localcloud.foundry.tools.toolbox import Tool, static_tools

if TYPE_CHECKING:
    from localcloud.foundry.execution import Execution

Worker = Callable[["Execution", ToolCall, Tool], Awaitable[str]]

WORKERS: dict[str, Worker] = {
    "azure_function": azure_function.work,
    "connected_agent": connected_agent.work,
    "function": function.work,
    "mcp": mcp.work,
}


async def tools_of(execution: Execution) -> dict[str, Tool]:
    """What the run may call, by name. Asking an MCP server for its tools is a step of the run."""
    tools = {tool.offer.name: tool for tool in static_tools(execution.run.tools)}
    for definition in execution.run.tools:
        if definition.get("type") == "mcp":
            for tool in await mcp.list_tools(execution, definition):
                tools.setdefault(tool.offer.name, tool)
    return tools


async def work(execution: Execution, call: ToolCall, tool: Tool | None) -> None:
    """Answer one call. A tool that is not there is told to the thinker, as the service would tell its model."""
    if tool is None:
        execution.answered(call, f"Error: there is no tool named '{call.name}'.")
        return
    execution.answered(call, await WORKERS[tool.kind](execution, call, tool))
