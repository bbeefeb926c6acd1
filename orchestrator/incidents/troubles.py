"""Incidents of what a check found: how they begin, and what is added to them. Plain rules, no storage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from orchestrator.alerts.record import digest
from orchestrator.incidents.checks.check import Trouble
from orchestrator.incidents.opening import MAX_PIPELINES
from orchestrator.incidents.record import MAX_RUNS, Entry, Incident, RunRef
from tools_worker.datafactory.models import FactoryId, PipelineRun
from tools_worker.datafactory.wording import count, listed

MAX_NAMED = 3


def cause_of(factory: FactoryId, trouble: Trouble) -> str:
    return digest(factory.path.casefold(), trouble.kind, trouble.subject.casefold(), trouble.occasion)


def home_of(trouble: Trouble, known: Iterable[Incident]) -> Incident | None:
    """The incident that this trouble is already on, whichever runs began it."""
    return next((each for each in known if (each.kind, each.resource) == (trouble.kind, trouble.subject)), None)


def of_trouble(trouble: Trouble, factory: FactoryId, incident_id: str, now: datetime) -> Incident:
    return Incident(
        id=incident_id,
        kind=trouble.kind,
        title=trouble.title,
        cause=cause_of(factory, trouble),
        opened_at=now,
        last_seen_at=now,
        factory=factory.name,
        factory_id=factory.path,
        resource=trouble.subject,
        summary=trouble.summary,
        pipelines=trouble.pipelines[:MAX_PIPELINES],
        runs=_refs(trouble.runs, factory.path)[:MAX_RUNS],
        runs_count=len(trouble.runs),
        timeline=(Entry(now, "opened", trouble.summary),),
    )


def with_trouble(incident: Incident, trouble: Trouble, now: datetime) -> Incident:
    """With the runs that are new to it; itself where there are none."""
    known = {ref.run_id for ref in incident.runs}
    fresh = [run for run in trouble.runs if run.run_id not in known]
    if not fresh:
        return incident
    named = listed([f"{run.pipeline} (run {run.run_id})" for run in fresh], MAX_NAMED)
    added = replace(
        incident,
        runs=(*_refs(fresh, incident.factory_id), *incident.runs)[:MAX_RUNS],
        runs_count=incident.runs_count + len(fresh),
        pipelines=tuple(dict.fromkeys([*incident.pipelines, *trouble.pipelines]))[:MAX_PIPELINES],
        summary=trouble.summary,
        last_seen_at=now,
    )
    return added.told(Entry(now, "seen", f"{count(len(fresh), 'more run')} in the same trouble: {named}."))


def _refs(runs: Iterable[PipelineRun], factory: str) -> tuple[RunRef, ...]:
    """A run that has not ended has no end: no alert of a failed run is taken to mean it."""
    return tuple(RunRef(run.run_id, run.pipeline, factory, None if run.unfinished else run.end) for run in runs)
