"""What a check finds, and the incident that it becomes or joins: plain rules, no storage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orchestrator.alerts.record import digest
from orchestrator.incidents.record import MAX_RUNS, Entry, Incident, IncidentKind, RunRef
from tools_worker.datafactory.client import DataFactory

FORGOTTEN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Trouble:
    """`subject` is the run, trigger or pipeline that it is about, `at` its newest sign: an incident that was resolved
    since is not opened again for it. `line` is the sign in one line that stays the same: an incident that is open
    already is told each line once, and stands as this trouble says then. Without one it is told nothing more."""

    kind: IncidentKind
    subject: str
    at: datetime
    title: str
    told: str
    resource: str
    pipelines: tuple[str, ...]
    runs: tuple[RunRef, ...] = ()
    parents: tuple[RunRef, ...] = ()
    line: str = ""
    diagnosis: Mapping[str, Any] = field(default_factory=dict)

    def cause(self, factory: DataFactory) -> str:
        return digest(factory.id.path.casefold(), self.kind, self.subject.casefold())


@dataclass(frozen=True, slots=True)
class Findings:
    """`over`: incidents that have ended, by id, and how; `carried_on` are those of them whose trouble another incident
    goes on with, so that nobody is told of an end. `left_out`: what was not looked at for it would cost too much, in
    words."""

    troubles: tuple[Trouble, ...] = ()
    over: Mapping[str, str] = field(default_factory=dict)
    carried_on: frozenset[str] = frozenset()
    left_out: str = ""


def opened(trouble: Trouble, factory: DataFactory, incident_id: str, now: datetime) -> Incident:
    """Its finding is known as it opens: there is nothing more to diagnose."""
    return Incident(
        id=incident_id,
        kind=trouble.kind,
        title=trouble.title,
        cause=trouble.cause(factory),
        opened_at=now,
        last_seen_at=now,
        status="diagnosed",
        factory=factory.name,
        factory_id=factory.id.path,
        resource=trouble.resource,
        summary=trouble.told,
        diagnosis=trouble.diagnosis,
        pipelines=trouble.pipelines,
        runs=trouble.runs,
        parents=trouble.parents,
        runs_count=len(trouble.runs),
        timeline=(Entry(now, "opened", trouble.line or trouble.told),),
    )


def added(known: Incident, trouble: Trouble, now: datetime) -> Incident:
    """An open incident after a newer sign of its trouble; itself where it was told that already."""
    if known.ended or not trouble.line or any(entry.text == trouble.line for entry in known.timeline):
        return known
    fresh, above = _unknown(known.runs, trouble.runs), _unknown(known.parents, trouble.parents)
    return known.told(
        Entry(now, "seen", trouble.line),
        title=trouble.title,
        summary=trouble.told,
        diagnosis=trouble.diagnosis or known.diagnosis,
        runs=(*fresh, *known.runs)[:MAX_RUNS],
        parents=(*above, *known.parents)[:MAX_RUNS],
        runs_count=known.runs_count + len(fresh),
        last_seen_at=now,
    )


def forgotten(active: Iterable[Incident], now: datetime) -> dict[str, str]:
    """Those that end with a later run, where none has come: by id, and how they are over."""
    how = f"Nothing was seen of it for {FORGOTTEN.days} days."
    return {each.id: how for each in active if now - each.last_seen_at >= FORGOTTEN}


def _unknown(known: tuple[RunRef, ...], refs: tuple[RunRef, ...]) -> tuple[RunRef, ...]:
    there = {ref.run_id for ref in known}
    return tuple(ref for ref in refs if ref.run_id not in there)
