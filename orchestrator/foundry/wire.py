"""Classic wire JSON (assistants, threads, runs, steps) to the port's types. Pure, and tolerant of what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from core.telemetry import carrying
from orchestrator.foundry.port import (
    AgentRef,
    AgentSpec,
    Call,
    CallKind,
    McpServer,
    QueueTool,
    SubAgent,
    TurnRef,
    TurnStatus,
    Usage,
)

Json = Mapping[str, Any]

KINDS: dict[str, CallKind] = {
    "azure_function": "queue",
    "connected_agent": "agent",
    "mcp": "mcp",
    "function": "function",
}
STATUSES: dict[str, TurnStatus] = {
    "queued": "working",
    "in_progress": "working",
    "cancelling": "working",
    "completed": "done",
    "failed": "failed",
    "incomplete": "failed",
    "cancelled": "cancelled",
    "expired": "expired",
}


def tool_definition(tool: QueueTool | McpServer | SubAgent, sub_agents: Mapping[str, AgentRef]) -> dict[str, Any]:
    match tool:
        case QueueTool():
            return {"type": "azure_function", "azure_function": _azure_function(tool)}
        case SubAgent():
            ref = sub_agents[tool.agent.name]
            about = {"id": ref.id, "name": ref.name, "description": tool.description}
            return {"type": "connected_agent", "connected_agent": about}
        case McpServer():
            allowed = {"allowed_tools": list(tool.allowed_tools)} if tool.allowed_tools else {}
            return {"type": "mcp", "server_label": tool.label, "server_url": tool.url, **allowed}


def _azure_function(tool: QueueTool) -> dict[str, Any]:
    def binding(queue: str) -> dict[str, Any]:
        where = {"queue_service_endpoint": tool.queue_endpoint, "queue_name": queue}
        return {"type": "storage_queue", "storage_queue": where}

    return {
        "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        "input_binding": binding(tool.input_queue),
        "output_binding": binding(tool.output_queue),
    }


def agent_body(spec: AgentSpec, sub_agents: Mapping[str, AgentRef], metadata: Mapping[str, str]) -> dict[str, Any]:
    return {
        "model": spec.model,
        "name": spec.name,
        "instructions": spec.instructions,
        "tools": [tool_definition(tool, sub_agents) for tool in spec.tools],
        "metadata": dict(metadata),
    }


def run_body(agent: AgentRef, text: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """The question travels inside the run: one request starts both, and neither exists without the other."""
    body: dict[str, Any] = {
        "assistant_id": agent.id,
        "additional_messages": [{"role": "user", "content": text}],
        "metadata": dict(metadata),
        "stream": True,
    }
    if agent.mcp_labels:
        # Set per run: the approval mode on an agent has no effect.
        approvals = [{"server_label": label, "headers": {}, "require_approval": "never"} for label in agent.mcp_labels]
        body["tool_resources"] = {"mcp": approvals}
    return body


def status(run: Json) -> TurnStatus:
    """A status we do not know counts as working: the deadline ends it."""
    if run.get("status") == "requires_action":
        action = run.get("required_action") or {}
        return "needs_approval" if action.get("type") == "submit_tool_approval" else "waiting_tool"
    return STATUSES.get(str(run.get("status")), "working")


def error(run: Json) -> tuple[str, str]:
    """(code, message) of a run that went wrong, ('', '') of one that did not."""
    last = run.get("last_error") or {}
    if last:
        return str(last.get("code") or "failed"), str(last.get("message") or "")
    incomplete = run.get("incomplete_details") or {}
    if run.get("status") == "incomplete" or incomplete:
        return "incomplete", str(incomplete.get("reason") or "the model's answer was cut off")
    return "", ""


def usage(run: Json) -> Usage:
    counted = run.get("usage") or {}
    return Usage(_number(counted.get("prompt_tokens")), _number(counted.get("completion_tokens")))


def calls(steps: Iterable[Json]) -> tuple[Call, ...]:
    """The tool calls of a run's steps, which are in order of creation."""
    return tuple(call for step in steps for call in step_calls(step))


def step_calls(step: Json) -> list[Call]:
    details = step.get("step_details") or {}
    if details.get("type") != "tool_calls":
        return []
    return [_call(item, step) for item in details.get("tool_calls") or [] if isinstance(item, Mapping)]


def _call(item: Json, step: Json) -> Call:
    kind = KINDS.get(str(item.get("type")), "other")
    # MCP calls carry their fields on top; every other kind in an object named after its type.
    inner = item if kind == "mcp" else item.get(str(item.get("type"))) or {}
    ended = step.get("status") not in (None, "in_progress")
    output, trace = _text(inner.get("output")), ""
    if output is not None and kind == "queue":
        output, trace = carrying.out_of_reply(output)
    return Call(
        id=str(item.get("id") or ""),
        kind=kind,
        name=str(inner.get("name") or item.get("type") or ""),
        arguments=arguments(inner.get("arguments")),
        output=output,
        ended=ended,
        error=_text((step.get("last_error") or {}).get("message")) or "",
        turn=_child(inner) if kind == "agent" else None,
        trace=trace,
        began_at=_time(step, "created_at"),
        ended_at=_time(step, "completed_at", "failed_at", "cancelled_at", "expired_at"),
    )


def arguments(raw: Any) -> Mapping[str, Any]:
    """Arguments as an object. The second generation wraps them in function_args; a broken text is kept under `text`."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw) if raw.strip() else {}
        except ValueError:
            return {"text": raw}
    if not isinstance(raw, Mapping):
        return {}
    inner = raw.get("function_args")
    return inner if isinstance(inner, Mapping) else raw


def _child(inner: Json) -> TurnRef | None:
    conversation, turn = inner.get("thread_id"), inner.get("run_id")
    return TurnRef(str(conversation), str(turn)) if conversation and turn else None


def message_text(messages: Iterable[Json]) -> str:
    """The texts of the agent's messages, oldest first, as one."""
    texts = []
    for message in messages:
        if message.get("role") in ("assistant", "agent"):
            parts = [part.get("text") or {} for part in message.get("content") or [] if part.get("type") == "text"]
            texts.append("\n".join(str(part.get("value") or "") for part in parts))
    return "\n\n".join(text for text in texts if text)


def _text(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(value)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _time(step: Json, *names: str) -> datetime | None:
    """The first of these fields that holds unix seconds."""
    given = (value for name in names if isinstance(value := step.get(name), int) and 10**9 < value < 2**33)
    return next((datetime.fromtimestamp(value, UTC) for value in given), None)


def merge_step_delta(step: dict[str, Any], delta: Json) -> None:
    """Apply a streamed delta to the step seen so far: ids and names come first, arguments in pieces, then output."""
    details = ((delta.get("delta") or {}).get("step_details")) or {}
    known = step.setdefault("step_details", {"type": "tool_calls", "tool_calls": []})
    items = known.setdefault("tool_calls", [])
    for piece in details.get("tool_calls") or []:
        index = _number(piece.get("index"))
        while len(items) <= index:
            items.append({})
        _merge_call(items[index], piece)


def _merge_call(item: dict[str, Any], piece: Json) -> None:
    for key, value in piece.items():
        if isinstance(value, Mapping):
            _merge_call(item.setdefault(key, {}), value)
        elif key == "arguments" and isinstance(value, str):
            item[key] = (item.get(key) or "") + value
        elif value is not None and key != "index":
            item[key] = value
