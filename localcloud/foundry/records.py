"""Assistants, threads, messages, runs and steps, with the exact JSON the service answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from localcloud.foundry.ids import new_id, unix_now

Json = dict[str, Any]

ACTIVE = frozenset({"queued", "in_progress", "requires_action", "cancelling"})


@dataclass(frozen=True)
class Usage:
    prompt: int = 0
    completion: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt + other.prompt, self.completion + other.completion)

    def as_json(self) -> Json:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_token_details": {"cached_tokens": 0},
        }


@dataclass
class Assistant:
    model: str
    name: str | None = None
    description: str | None = None
    instructions: str | None = None
    tools: list[Json] = field(default_factory=list)
    tool_resources: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    temperature: float = 1.0
    top_p: float = 1.0
    response_format: Any = "auto"
    id: str = field(default_factory=lambda: new_id("asst"))
    created_at: int = field(default_factory=unix_now)

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "object": "assistant",
            "created_at": self.created_at,
            "name": self.name,
            "description": self.description,
            "model": self.model,
            "instructions": self.instructions,
            "tools": self.tools,
            "top_p": self.top_p,
            "temperature": self.temperature,
            "tool_resources": self.tool_resources,
            "metadata": self.metadata,
            "response_format": self.response_format,
        }


@dataclass
class Thread:
    metadata: Json = field(default_factory=dict)
    tool_resources: Json = field(default_factory=dict)
    id: str = field(default_factory=lambda: new_id("thread"))
    created_at: int = field(default_factory=unix_now)

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "object": "thread",
            "created_at": self.created_at,
            "metadata": self.metadata,
            "tool_resources": self.tool_resources,
        }


@dataclass
class Message:
    thread_id: str
    role: str
    content: list[Json]
    assistant_id: str | None = None
    run_id: str | None = None
    attachments: list[Json] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    status: str = "completed"
    completed_at: int | None = None
    id: str = field(default_factory=lambda: new_id("msg"))
    created_at: int = field(default_factory=unix_now)

    @property
    def text(self) -> str:
        return "\n".join(block["text"]["value"] for block in self.content if block.get("type") == "text")

    def as_json(self) -> Json:
        return {**self._head(), **self._body()}

    def as_event(self) -> Json:
        """The stream's form: it alone tells the status."""
        incomplete = self.status == "incomplete"
        state = {
            "status": self.status,
            "incomplete_details": {"reason": "content_filter"} if incomplete else None,
            "incomplete_at": unix_now() if incomplete else None,
            "completed_at": self.completed_at,
        }
        return {**self._head(), **state, **self._body()}

    def _head(self) -> Json:
        return {
            "id": self.id,
            "object": "thread.message",
            "created_at": self.created_at,
            "assistant_id": self.assistant_id,
            "thread_id": self.thread_id,
            "run_id": self.run_id,
        }

    def _body(self) -> Json:
        return {
            "role": self.role,
            "content": self.content,
            "attachments": self.attachments,
            "metadata": self.metadata,
        }


@dataclass
class ToolCall:
    """One call inside a step. `kind` is the wire's type; `extra` are that kind's own fields."""

    kind: str
    name: str
    arguments: str
    output: str | None = None
    extra: Json = field(default_factory=dict)
    id: str = field(default_factory=lambda: new_id("call"))

    def as_json(self) -> Json:
        body = {"name": self.name, "arguments": self.arguments, "output": self.output, **self.extra}
        return {"id": self.id, "type": self.kind, **self._nested(body)}

    def as_required(self) -> Json:
        body = {"name": self.name, "arguments": self.arguments}
        if self.kind == "mcp":
            body = {"arguments": self.arguments, "name": self.name, **self.extra}
        return {"id": self.id, "type": self.kind, **self._nested(body)}

    def _nested(self, body: Json) -> Json:
        return body if self.kind == "mcp" else {self.kind: body}

    def deltas(self, index: int) -> list[Json]:
        """How the stream tells of the call before it is answered: first id and name, then the arguments."""
        first = {"name": self.name, "arguments": "", "output": None}
        head = {"index": index, "id": self.id, "type": self.kind}
        return [
            {**head, **self._nested(first)},
            {"index": index, "type": self.kind, **self._nested({"arguments": self.arguments})},
        ]

    def output_delta(self, index: int) -> Json:
        return {"index": index, "type": self.kind, **self._nested({"output": self.output})}


@dataclass
class Step:
    thread_id: str
    run_id: str
    assistant_id: str
    type: str
    details: Json = field(default_factory=dict)
    calls: list[ToolCall] = field(default_factory=list)
    status: str = "in_progress"
    usage: Usage | None = None
    last_error: Json | None = None
    cancelled_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    id: str = field(default_factory=lambda: new_id("step"))
    created_at: int = field(default_factory=unix_now)

    def as_json(self) -> Json:
        return self._json(expires_at=None)

    def as_event(self, expires_at: int | None) -> Json:
        """The stream's form: it alone tells when the step's run expires."""
        return self._json(expires_at=expires_at)

    def _json(self, expires_at: int | None) -> Json:
        return {
            "id": self.id,
            "object": "thread.run.step",
            "created_at": self.created_at,
            "run_id": self.run_id,
            "assistant_id": self.assistant_id,
            "thread_id": self.thread_id,
            "type": self.type,
            "status": self.status,
            "cancelled_at": self.cancelled_at,
            "completed_at": self.completed_at,
            "expires_at": expires_at,
            "failed_at": self.failed_at,
            "last_error": self.last_error,
            "step_details": self.step_details(),
            "usage": self.usage.as_json() if self.usage else None,
        }

    def step_details(self) -> Json:
        if self.type != "tool_calls":
            return {"type": self.type, **self.details}
        return {"type": "tool_calls", "tool_calls": [call.as_json() for call in self.calls]}

    def end(self, status: str, error: Json | None = None) -> None:
        self.status, self.last_error = status, error
        field_name = {"completed": "completed_at", "failed": "failed_at", "cancelled": "cancelled_at"}.get(status)
        if field_name:
            setattr(self, field_name, unix_now())


@dataclass
class Run:
    thread_id: str
    assistant_id: str
    model: str
    instructions: str
    tools: list[Json]
    tool_resources: Json
    metadata: Json
    options: Json  # temperature, top_p and the like: accepted and echoed
    expires_at: int | None
    depth: int = 0  # 0: asked by the caller; 1: a connected agent's run
    status: str = "queued"
    started_at: int | None = None
    cancelled_at: int | None = None
    failed_at: int | None = None
    completed_at: int | None = None
    required_action: Json | None = None
    last_error: Json | None = None
    incomplete_details: Json | None = None
    usage: Usage | None = None
    secret_headers: Json = field(default_factory=dict)  # server label → headers; never told again
    id: str = field(default_factory=lambda: new_id("run"))
    created_at: int = field(default_factory=unix_now)

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "object": "thread.run",
            "created_at": self.created_at,
            "assistant_id": self.assistant_id,
            "thread_id": self.thread_id,
            "status": self.status,
            "started_at": self.started_at,
            "expires_at": self.expires_at,
            "cancelled_at": self.cancelled_at,
            "failed_at": self.failed_at,
            "completed_at": self.completed_at,
            "required_action": self.required_action,
            "last_error": self.last_error,
            "model": self.model,
            "instructions": self.instructions,
            "tools": self.tools,
            "tool_resources": self.tool_resources,
            "metadata": self.metadata,
            "temperature": self.options.get("temperature", 1.0),
            "top_p": self.options.get("top_p", 1.0),
            "max_completion_tokens": self.options.get("max_completion_tokens"),
            "max_prompt_tokens": self.options.get("max_prompt_tokens"),
            "truncation_strategy": self.options.get("truncation_strategy", {"type": "auto", "last_messages": None}),
            "incomplete_details": self.incomplete_details,
            "usage": self.usage.as_json() if self.usage else None,
            "response_format": self.options.get("response_format", "auto"),
            "tool_choice": self.options.get("tool_choice", "auto"),
            "parallel_tool_calls": self.options.get("parallel_tool_calls", True),
        }
