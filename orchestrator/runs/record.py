"""The record of a run, its events, and which states may follow which."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

RunStatus = Literal["queued", "working", "waiting_tool", "needs_approval", "done", "failed", "cancelled", "expired"]
ENDED: frozenset[RunStatus] = frozenset({"done", "failed", "cancelled", "expired"})


@dataclass(frozen=True)
class Run:
    """One question. Times are aware UTC. `owner` is the process that serves it; `attempt` counts its takers."""

    id: str
    question: str
    session_id: str
    created_at: datetime
    deadline_at: datetime
    factory: str = ""
    status: RunStatus = "queued"
    owner: str = ""
    attempt: int = 0
    heartbeat_at: datetime | None = None
    ended_at: datetime | None = None
    conversation: str = ""
    agent_run: str = ""
    answer: str = ""
    answered_by: str = ""
    error_code: str = ""
    error: str = ""
    evidence: tuple[dict[str, str], ...] = ()
    unsupported: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0
    allow_actions: bool = False  # whoever asked wants done what the question asks for
    actions: tuple[str, ...] = ()  # what came of that, by id
    callback_url: str = field(default="", repr=False)  # holds its receiver's signature
    traceparent: str = ""  # of whoever asked: all that is done for it belongs to that trace
    told: str = ""  # "delivered" or "given_up": how the callback, or what was promised elsewhere, went
    events: int = 0  # how many events are stored; the next one gets this number plus one
    version: str = ""  # the store's: for compare-and-set

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def seconds(self) -> float | None:
        return (self.ended_at - self.created_at).total_seconds() if self.ended_at else None

    def abandoned(self, now: datetime, silence: timedelta) -> bool:
        """Nobody serves it: not ended, and no sign of life for longer than `silence`."""
        return not self.ended and now - (self.heartbeat_at or self.created_at) > silence


@dataclass(frozen=True)
class Event:
    """Something that happened in a run. `text` is a sentence for people; `seconds` how long it took, where known."""

    at: datetime
    state: RunStatus
    text: str
    agent: str = ""
    tool: str = ""
    seconds: float | None = None
    seq: int = 0


@dataclass(frozen=True)
class Session:
    """A conversation with a person: questions that share one thread of the agent service."""

    id: str
    created_at: datetime
    conversation: str = ""
    version: str = ""


def new_id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(12)}"


def to_json(record: Run | Event | Session) -> dict[str, Any]:
    """Plain JSON of a record, without the store's version."""
    plain = {key: _encode(value) for key, value in asdict(record).items() if key != "version"}
    return {key: value for key, value in plain.items() if value not in (None, "", (), [])}


def run_from_json(data: dict[str, Any], version: str = "") -> Run:
    return replace(Run(**_decoded(Run, data)), version=version)


def event_from_json(data: dict[str, Any]) -> Event:
    return Event(**_decoded(Event, data))


def session_from_json(data: dict[str, Any], version: str = "") -> Session:
    return replace(Session(**_decoded(Session, data)), version=version)


def _encode(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _decoded(kind: type[Run] | type[Event] | type[Session], data: dict[str, Any]) -> dict[str, Any]:
    """Fields of a later version are dropped, so that an older process can still read the record."""
    known = {each.name for each in fields(kind)}
    return {name: _decode(name, value) for name, value in data.items() if name in known}


def _decode(name: str, value: Any) -> Any:
    if (name.endswith("_at") or name == "at") and isinstance(value, str):
        return datetime.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value
