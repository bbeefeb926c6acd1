"""Tools of a Model Context Protocol server: listed in a step, approved where the run says so, called."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from localcloud.foundry.errors import RunFailed
from localcloud.foundry.ids import new_id
from localcloud.foundry.records import Json, ToolCall, Usage
from localcloud.foundry.thinking.turns import Offer
from localcloud.foundry.tools.toolbox import Tool

if TYPE_CHECKING:
    from mcp import Client

    from localcloud.foundry.execution import Execution

CALL_SECONDS = 60  # longer calls are reported to fail in the service too


async def list_tools(execution: Execution, definition: Json) -> list[Tool]:
    label = definition["server_label"]
    execution.step = step = execution.open_step("activities", {"activities": []})
    step.usage = Usage()
    listed = await fetch_tools(execution, definition)
    allowed = definition.get("allowed_tools")
    shown = [tool for tool in listed if not allowed or tool.name in allowed]
    described = {tool.name: {"description": tool.description, "parameters": tool.parameters} for tool in shown}
    activity = {"id": new_id("activity"), "type": "mcp_list_tools", "server_label": label, "tools": described}
    step.details = {"activities": [activity]}
    execution.close_step("completed")
    return [Tool("mcp", offer, definition, needs_approval(execution, label, offer.name)) for offer in shown]


async def work(execution: Execution, call: ToolCall, tool: Tool) -> str:
    if tool.asks_approval and not await approved(execution, call):
        return f"Error: the call of '{call.name}' was not approved."
    async with connected(execution, tool.definition) as client:
        result = await client.call_tool(call.name, json.loads(call.arguments), read_timeout_seconds=CALL_SECONDS)
        text = "\n".join(block.text for block in result.content if block.type == "text")
        return f"Error: {text}" if result.is_error else text


async def approved(execution: Execution, call: ToolCall) -> bool:
    decision: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    execution.approvals[call.id] = decision
    execution.wait(call)
    await asyncio.sleep(0)  # all calls of the turn are registered before the client is told
    execution.ask_client()
    try:
        return await decision
    finally:
        execution.approvals.pop(call.id, None)
        execution.arrived(call)


def needs_approval(execution: Execution, label: str, name: str) -> bool:
    """As the run's tool_resources say; always, when they say nothing."""
    servers = execution.run.tool_resources.get("mcp") or []
    rule: Any = next((s.get("require_approval") for s in servers if s["server_label"] == label), None)
    if isinstance(rule, dict):
        never = (rule.get("never") or {}).get("tool_names", [])
        always = (rule.get("always") or {}).get("tool_names")
        return bool(name in always if always is not None else name not in never)
    return bool(rule != "never")


async def fetch_tools(execution: Execution, definition: Json) -> list[Offer]:
    async with connected(execution, definition) as client:
        listed = await client.list_tools()
        return [Offer(tool.name, tool.description or "", dict(tool.input_schema)) for tool in listed.tools]


def preload() -> None:
    """Import what a first MCP call needs: about a second that no run should wait for."""
    import_module("httpx2")
    import_module("mcp.client.streamable_http")
    trusted()


@cache
def trusted() -> ssl.SSLContext:
    """Read once: it takes longer than the rest of a call to a server nearby."""
    return ssl.create_default_context()


@asynccontextmanager
async def connected(execution: Execution, definition: Json) -> AsyncIterator[Client]:
    """A client of the definition's server. Whatever goes wrong on the way there fails the run."""
    import httpx2  # only runs with such tools pay for these imports
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    url = definition["server_url"]
    trust = trusted()
    headers = execution.run.secret_headers.get(definition["server_label"], {})
    try:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=CALL_SECONDS, trust_env=False, verify=trust) as http,
            # The handshake every server knows; finding out about newer ways first costs twice the time.
            Client(streamable_http_client(url, http_client=http), mode="legacy") as client,
        ):
            yield client
    except RunFailed:
        raise
    except Exception as error:  # the library raises groups of many kinds
        raise RunFailed("server_error", f"The MCP server '{url}' could not be used: {plain(error)}") from error


def plain(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
