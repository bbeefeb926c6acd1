"""What a check finds, and the incident that it becomes: plain rules, no storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator.alerts.record import digest
from orchestrator.incidents.record import Entry, Incident, IncidentKind, RunRef
from tools_worker.datafactory.client import DataFactory


@dataclass(frozen=True, slots=True)
class Trouble:
    """`subject` is the run or the trigger that it is about, `at` its newest sign: an incident that was resolved since
    is not opened again for it."""

    kind: IncidentKind
    subject: str
    at: datetime
    title: str
    told: str
    resource: str
    pipelines: tuple[str, ...]
    runs: tuple[RunRef, ...] = ()

    def cause(self, factory: DataFactory) -> str:
        return digest(factory.id.path.casefold(), self.kind, self.subject.casefold())


@dataclass(frozen=True, slots=True)
class Findings:
    """`over`: incidents that have ended, by id, and how."""

    troubles: tuple[Trouble, ...] = ()
    over: Mapping[str, str] | None = None


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
        pipelines=trouble.pipelines,
        runs=trouble.runs,
        runs_count=len(trouble.runs),
        timeline=(Entry(now, "opened", trouble.told),),
    )
