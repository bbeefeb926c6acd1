"""The record of an incident, its timeline, and which states may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

IncidentState = Literal["open", "investigating", "diagnosed", "acting", "escalated", "resolved"]
IncidentKind = Literal[
    "failure", "stuck", "slow", "missed", "late", "sla_risk", "masked", "zero_rows", "service_health", "alert"
]
MAX_RUNS = 200  # named in a record; the rest is counted
MAX_ENTRIES = 200  # of a timeline: what lies after its first quarter makes room


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline. `what` is stable, for programs; `who` a person, or the part of the app that acted."""

    at: datetime
    what: str
    text: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class RunRef:
    """A pipeline run that failed, or is in trouble, because of the cause."""

    run_id: str
    pipeline: str
    factory: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """How far a playbook has come. `actions` are those of the step that is being done, `failed` the runs that
    failed in the attempt before. Once it is `over` nothing more is done by itself."""

    playbook: str
    step: int = 0
    since: datetime | None = None  # the step began
    next_at: datetime | None = None
    attempts: int = 0
    refusals: int = 0
    actions: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    over: bool = False
    outcome: str = ""
    suggestion: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are aware UTC. `severity` is 0, the worst, to 4. `cause` is what it is folded by: see `causes`.

    `runs` are the innermost runs that failed, newest first; `parents` failed only because of these. `diagnosis` is the
    reply data of the diagnosis, `summary` its sentences. `notified` names the messages that were sent.
    """

    id: str
    kind: IncidentKind
    title: str
    cause: str
    opened_at: datetime
    last_seen_at: datetime
    status: IncidentState = "open"
    severity: int = 3
    severity_reason: str = ""
    opened_by: str = ""  # the alert rule, or the watcher
    factory: str = ""
    factory_id: str = ""  # its resource id, where it is known
    pipelines: tuple[str, ...] = ()  # of `runs`
    recovered: tuple[str, ...] = ()  # those of them that ran well since
    runs: tuple[RunRef, ...] = ()
    parents: tuple[RunRef, ...] = ()
    runs_count: int = 0
    alerts_count: int = 0
    resource: str = ""  # what failed: an activity, a linked service, a trigger
    signature: str = ""
    category: str = ""
    transience: str = ""
    confidence: str = ""
    summary: str = ""
    diagnosis: Mapping[str, Any] = field(default_factory=dict)
    diagnosis_tries: int = 0  # in vain
    diagnose_after: datetime | None = None  # not before
    narrative_run: str = ""  # the run of the agents that put it in words
    similar: tuple[str, ...] = ()  # earlier incidents of the same kind
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    assigned_to: str = ""
    repair: Repair | None = None
    escalated: int = 0  # how many steps of the escalation path were taken
    resolved_at: datetime | None = None
    resolved_by: str = ""
    resolution: str = ""
    notified: tuple[str, ...] = ()
    timeline: tuple[Entry, ...] = ()
    entries_left_out: int = 0
    version: str = ""  # the store's: for compare-and-set

    @property
    def ended(self) -> bool:
        return self.status == "resolved"

    def told(self, *entries: Entry, **changes: Any) -> Incident:
        """With these lines on its timeline and these changes."""
        timeline = (*self.timeline, *entries)
        excess = len(timeline) - MAX_ENTRIES
        if excess > 0:  # how it began and how it stands matter most
            timeline = timeline[: MAX_ENTRIES // 4] + timeline[MAX_ENTRIES // 4 + excess :]
        left_out = self.entries_left_out + max(0, excess)
        return replace(self, timeline=timeline, entries_left_out=left_out, **changes)
