"""Tool definitions: checked as far as the service's stated rules go, echoed with its defaults filled in."""

from __future__ import annotations

import re
from typing import Any

from localcloud.foundry.errors import bad_request
from localcloud.foundry.records import Json

MAX_TOOLS = 128
FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
AGENT_NAME = re.compile(r"[A-Za-z_]+")  # letters and underscores only
QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


def tools_of(value: Any) -> list[Json]:
    if not isinstance(value, list) or not all(isinstance(tool, dict) and tool.get("type") for tool in value):
        raise bad_request("'tools' must be a list of tool definitions.", param="tools")
    if len(value) > MAX_TOOLS:
        raise bad_request(f"tool_limit_exceeded: an agent has at most {MAX_TOOLS} tools.", param="tools")
    return [checked(tool) for tool in value]


def checked(tool: Json) -> Json:
    try:
        return CHECKS.get(tool["type"], same)(tool)
    except (KeyError, TypeError, AttributeError):
        raise bad_request(f"Invalid tool definition of type '{tool['type']}'.", param="tools") from None


def same(tool: Json) -> Json:
    return tool


def function(tool: Json) -> Json:
    refuse_unless(FUNCTION_NAME, tool["function"]["name"], "function name")
    return {**tool, "function": {"strict": False, **tool["function"]}}


def azure_function(tool: Json) -> Json:
    definition = tool["azure_function"]
    refuse_unless(FUNCTION_NAME, definition["function"]["name"], "function name")
    for side in ("input_binding", "output_binding"):
        refuse_unless(QUEUE_NAME, definition[side]["storage_queue"]["queue_name"], "queue name")
        definition[side]["storage_queue"]["queue_service_endpoint"].strip()
    return tool


def connected_agent(tool: Json) -> Json:
    refuse_unless(AGENT_NAME, tool["connected_agent"]["name"], "connected agent name")
    tool["connected_agent"]["id"].strip()
    return tool


def mcp(tool: Json) -> Json:
    tool["server_label"].strip()
    tool["server_url"].strip()
    return {**tool, "allowed_tools": tool.get("allowed_tools")}


CHECKS = {
    "function": function,
    "azure_function": azure_function,
    "connected_agent": connected_agent,
    "mcp": mcp,
}


def refuse_unless(pattern: re.Pattern[str], text: str, what: str) -> None:
    if not pattern.fullmatch(text):
        raise bad_request(f"Invalid {what} '{text}'. Expected a text that matches '{pattern.pattern}'.", param="tools")
