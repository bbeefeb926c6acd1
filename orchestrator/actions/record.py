"""The record of an action: an operation that somebody proposed, who decides on it, and what became of it.

One record holds all of it, so that every step is one compare-and-set: an approval counts once, an action is sent once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from tools_worker.datafactory.operations.model import Operation, Plan, Receipt

ActionState = Literal[
    "waiting",  # for people
    "queued",  # allowed or approved, nothing done yet
    "sending",  # told to Data Factory, or just about to be
    "following",  # accepted by Data Factory, its effect not seen yet
    "done",
    "not_done",
    "unknown",  # Data Factory may have done it or not; what it showed is told
    "refused",  # what Data Factory shows forbids it
    "denied",  # policy forbids it
    "declined",  # a person said no
    "expired",  # nobody said yes in time
    "withdrawn",
]
ENDED: frozenset[ActionState] = frozenset(
    {"done", "not_done", "unknown", "refused", "denied", "declined", "expired", "withdrawn"}
)
Channel = Literal["api", "ui", "question", "playbook"]
MAX_ENTRIES = 60


@dataclass(frozen=True, slots=True)
class Requester:
    """Who wants it. Only a `person` has roles; `kind` is otherwise key, teams, or playbook. `callers` are the names by
    which rules know it."""

    kind: Literal["key", "person", "teams", "playbook"]
    name: str
    id: str = ""
    roles: tuple[str, ...] = ()
    channel: Channel = "api"
    agent: bool = False  # a model chose it, on behalf of somebody who had allowed it

    @property
    def callers(self) -> frozenset[str]:
        return frozenset({self.kind, *self.roles, *(("agent",) if self.agent else ())})


@dataclass(frozen=True, slots=True)
class Terms:
    """What must be agreed before it is done. Nothing: policy allows it by itself."""

    roles: tuple[str, ...] = ()  # one of them
    approvals: int = 0
    four_eyes: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's yes, to exactly the plan with this digest."""

    at: datetime
    by: str
    by_id: str
    digest: str
    roles: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    what: str
    text: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Times are aware UTC. `plan` is what was shown to whoever decides; what is done is planned anew and must be the
    same. `sent_at` is written before anything is sent, and never twice."""

    id: str
    plan: Plan
    requester: Requester
    created_at: datetime
    state: ActionState
    asked: str = ""  # a digest of the operation as it was proposed; the plan's has names as they are spelled
    why: str = ""
    rule: str = ""
    rule_why: str = ""
    terms: Terms = Terms()
    approvals: tuple[Approval, ...] = ()
    incident_id: str = ""
    follows: str = ""  # the action that it brings to its end: a schedule is resumed for which a pause was allowed
    not_before: datetime | None = None
    run_id: str = ""  # of ours: the question in which it was proposed
    session_id: str = ""
    owner: str = ""  # the process that executes it
    owned_until: datetime | None = None
    sent_at: datetime | None = None
    receipt: Receipt | None = None
    started_run: str = ""  # Data Factory's
    started_status: str = ""
    outcome: str = ""  # a sentence
    ended_at: datetime | None = None
    notified: tuple[str, ...] = ()
    timeline: tuple[Entry, ...] = ()
    version: str = ""  # the store's: for compare-and-set

    @property
    def operation(self) -> Operation:
        return self.plan.operation

    @property
    def wanted_since(self) -> datetime:
        """Since when nothing but the app itself keeps it from being done."""
        return max([self.created_at, *(each.at for each in self.approvals), self.not_before or self.created_at])

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def told(self, *entries: Entry, **changes: Any) -> Action:
        """With these lines on its timeline, the newest of many, and these changes."""
        return replace(self, timeline=(*self.timeline, *entries)[-MAX_ENTRIES:], **changes)

    def over(self, state: ActionState, at: datetime, outcome: str, who: str = "", **changes: Any) -> Action:
        return self.told(Entry(at, state, outcome, who), state=state, outcome=outcome, ended_at=at, **changes)


def proposal_digest(operation: Operation) -> str:
    """The same for the same proposal. It tells nothing of what was proposed, which may be a secret that is not kept."""
    told = [operation.kind, operation.factory.casefold(), operation.arguments]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def action_id(created_at: datetime, *parts: str) -> str:
    """The same for the same parts: a call that is found twice is one action."""
    told = "\n".join(parts).encode()
    return f"A-{created_at:%Y%m}-{hashlib.sha256(told).hexdigest()[:16]}"
