"""What the app asks of an agent service, in plain types. No SDK type crosses this line.

An agent has tools; a conversation holds messages; a turn is one run of an agent on a conversation. Turn states:
working, waiting_tool, needs_approval; and the ends: done, failed, cancelled, expired.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

TurnStatus = Literal["working", "waiting_tool", "needs_approval", "done", "failed", "cancelled", "expired"]
ENDED: frozenset[TurnStatus] = frozenset({"done", "failed", "cancelled", "expired"})
CallKind = Literal["queue", "agent", "mcp", "function", "other"]


@dataclass(frozen=True)
class QueueTool:
    """A tool that a queue-triggered function answers. `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    input_queue: str
    output_queue: str
    queue_endpoint: str


@dataclass(frozen=True)
class McpServer:
    label: str
    url: str
    allowed_tools: tuple[str, ...] = ()


@dataclass(frozen=True)
class SubAgent:
    """Another agent, called like a tool with one text. It cannot have sub-agents of its own."""

    description: str
    agent: AgentSpec


@dataclass(frozen=True)
class AgentSpec:
    name: str
    model: str
    instructions: str
    tools: tuple[QueueTool | McpServer | SubAgent, ...] = ()

    def fingerprint(self, sub_agent_ids: Sequence[str] = ()) -> str:
        """Changes when anything the agent service is told about this agent changes, its sub-agents' ids included."""
        told = json.dumps([asdict(self), list(sub_agent_ids)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class AgentRef:
    id: str
    name: str
    fingerprint: str
    mcp_labels: tuple[str, ...] = ()  # servers whose approval mode each run must state


@dataclass(frozen=True)
class TurnRef:
    conversation: str
    id: str


@dataclass(frozen=True)
class Call:
    """One tool call of a turn. `output` is text as the model got it; `calls` and `turn` are a sub-agent's own."""

    id: str
    kind: CallKind
    name: str
    arguments: Mapping[str, Any]
    output: str | None = None
    ended: bool = False
    error: str = ""
    turn: TurnRef | None = None
    calls: tuple[Call, ...] = ()
    trace: str = ""  # traceparent of the tool's own work, which its reply named
    began_at: datetime | None = None  # by the service's clock, in whole seconds
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens, a turn's own and its sub-agents' together."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)


@dataclass(frozen=True)
class Turn:
    """A turn as last seen. `error_code` and `error` are the service's own words."""

    ref: TurnRef
    status: TurnStatus
    text: str = ""
    calls: tuple[Call, ...] = ()
    usage: Usage = Usage()
    error_code: str = ""
    error: str = ""

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def all_calls(self) -> Iterator[Call]:
        """Every call of the turn and of its sub-agents, in order."""
        return walk(self.calls)


def walk(calls: Sequence[Call]) -> Iterator[Call]:
    for call in calls:
        yield call
        yield from walk(call.calls)


@dataclass(frozen=True)
class AgentRecord:
    """An agent that exists in the service and was made by this app."""

    ref: AgentRef
    created_at: datetime


class AgentService(Protocol):
    """All methods raise core.errors: NotFound, UpstreamThrottled, UpstreamUnavailable, UpstreamRefused."""

    async def agents(self) -> list[AgentRecord]:
        """The agents of this app, newest first."""

    async def create_agent(self, spec: AgentSpec, sub_agents: Mapping[str, AgentRef]) -> AgentRef:
        """Make an agent. `sub_agents` maps the name of each SubAgent's agent to its reference."""

    async def delete_agent(self, agent_id: str) -> None: ...

    async def open_conversation(self, key: str) -> str:
        """A new conversation, marked with `key`. The id."""

    async def conversations(self, since: datetime, until: datetime) -> list[tuple[str, str]]:
        """This app's conversations that were opened in the period, as (id, key)."""

    async def forget_conversation(self, conversation: str) -> None: ...

    def follow(
        self, agent: AgentRef, conversation: str, text: str, key: str, *, resume: bool = False
    ) -> AsyncGenerator[Turn, None]:
        """Start the turn of `key` with `text` and follow it to its end; with `resume`, adopt it where it was started.

        Yields the turn at each change. Never starts a second turn for one key. Ends only with the turn: whoever calls
        sets the deadline and cancels.
        """

    async def find(self, conversation: str, key: str) -> TurnRef | None:
        """The turn that was started for `key`, where the service knows one."""

    async def reject(self, turn: TurnRef) -> None:
        """Say no to the tool calls this turn wants approved."""

    async def cancel(self, turn: TurnRef) -> None:
        """Cancel the turn and those of its sub-agents; silently nothing where they have ended."""

    async def close(self) -> None: ...
