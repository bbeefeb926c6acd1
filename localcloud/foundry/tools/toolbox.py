"""The tools of one run, by the name the thinker calls them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from localcloud.foundry.records import Json
from localcloud.foundry.thinking.turns import Offer

QUERY_SCHEMA: Json = {
    "type": "object",
    "properties": {"query": {"type": "string", "description": "What to ask the agent, complete in itself."}},
    "required": ["query"],
}


@dataclass(frozen=True)
class Tool:
    kind: str
    offer: Offer
    definition: Json  # of the wire; for mcp that of the server
    asks_approval: bool = False


def static_tools(definitions: Iterable[Json]) -> list[Tool]:
    """Those a definition describes by itself. Kinds that live inside the real service (openapi …) offer nothing."""
    makers = {"azure_function": queue_tool, "function": function_tool, "connected_agent": agent_tool}
    return [makers[d["type"]](d) for d in definitions if d.get("type") in makers]


def queue_tool(definition: Json) -> Tool:
    return Tool("azure_function", offer_of(definition["azure_function"]["function"]), definition["azure_function"])


def function_tool(definition: Json) -> Tool:
    return Tool("function", offer_of(definition["function"]), definition["function"])


def agent_tool(definition: Json) -> Tool:
    agent = definition["connected_agent"]
    return Tool("connected_agent", Offer(agent["name"], agent.get("description") or "", QUERY_SCHEMA), agent)


def offer_of(function: Json) -> Offer:
    return Offer(function["name"], function.get("description") or "", function.get("parameters") or {"type": "object"})
