"""New incidents and what is added to known ones: plain rules, no storage."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator.alerts.record import Alert
from orchestrator.incidents import recovery
from orchestrator.incidents.causes import Cause
from orchestrator.incidents.record import MAX_RUNS, Entry, Incident, IncidentKind, RunRef
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.wording import count, listed, spoken

MAX_PIPELINES = 50


def new_id(now: datetime) -> str:
    """The month first: records of a month lie together."""
    return f"inc-{now:%Y%m}-{secrets.token_hex(6)}"


def of_cause(cause: Cause, incident_id: str, now: datetime) -> Incident:
    group = cause.group
    empty = Incident(
        id=incident_id,
        kind="failure",
        title=_title(cause),
        cause=cause.key,
        opened_at=now,
        last_seen_at=now,
        factory=group.factory,
        factory_id=cause.factory_id,
        resource=cause.resource,
        signature=group.failure.signature,
        category=group.failure.category,
        transience=group.failure.transience or "",
        confidence=group.failure.confidence,
    )
    seen = with_runs(empty, group.runs, group.parents, now)
    return replace(seen, timeline=(Entry(now, "opened", f"{seen.title}: {_runs(group.runs)}."),))


def of_alert(alert: Alert, cause: str, incident_id: str, now: datetime, why: str) -> Incident:
    """Where there is no failed run to go by: `why` not."""
    told = f"{alert.title or 'An alert'}: {why.rstrip('.')}."
    kind: IncidentKind = "service_health" if alert.kind == "service_health" else "alert"
    return Incident(
        id=incident_id,
        kind=kind,
        title=alert.title or f"Alert {alert.rule or alert.kind}",
        cause=cause,
        opened_at=now,
        last_seen_at=now,
        factory=alert.factory.rstrip("/").rsplit("/", 1)[-1],
        opened_by=alert.rule,
        summary=told,
        pipelines=(alert.pipeline,) if alert.pipeline else (),
        timeline=(Entry(now, "opened", told),),
    )


def with_runs(
    incident: Incident, runs: Sequence[PipelineRun], parents: Sequence[PipelineRun], now: datetime
) -> Incident:
    """With the runs that are not on it yet; itself where all are. A pipeline that fails again has not recovered."""
    fresh, above = _unknown(incident.runs, runs), _unknown(incident.parents, parents)
    if not fresh and not above:
        return incident
    pipelines = tuple(dict.fromkeys([*incident.pipelines, *(run.pipeline for run in fresh)]))[:MAX_PIPELINES]
    added = replace(
        incident,
        runs=_newest(fresh, incident.runs, incident.factory_id),
        parents=_newest(above, incident.parents, incident.factory_id),
        runs_count=incident.runs_count + len(fresh),
        pipelines=pipelines,
        recovered=tuple(name for name in incident.recovered if name not in {run.pipeline for run in fresh}),
        last_seen_at=now,
    )
    if not fresh:
        return added
    return added.told(Entry(now, "seen", f"{count(len(fresh), 'more run')} failed: {_runs(fresh)}."))


def with_alerts(incident: Incident, alerts: Sequence[Alert], now: datetime) -> Incident:
    """An alert that ended is told; it ends only an incident that is about nothing but alerts (see recovery)."""
    fired = Counter(alert.rule or alert.kind for alert in alerts if alert.fired)
    over = Counter(alert.rule or alert.kind for alert in alerts if not alert.fired)
    entries = [Entry(now, "alert", f"{count(n, 'alert')} of rule {rule!r}.", rule) for rule, n in fired.items()]
    entries += [Entry(now, "alert_over", f"Rule {rule!r} says that it is over.", rule) for rule in over]
    joined = incident.told(
        *entries,
        alerts_count=incident.alerts_count + fired.total(),
        opened_by=incident.opened_by or next(iter(fired), ""),
        last_seen_at=now if fired else incident.last_seen_at,
    )
    newest = max(alerts, key=lambda alert: alert.at)
    if incident.kind in ("alert", "service_health") and not incident.ended and not newest.fired:
        return recovery.resolved(joined, now, newest.rule, "The alert's sender says that it is over.")
    return joined


def _unknown(known: Iterable[RunRef], runs: Iterable[PipelineRun]) -> list[PipelineRun]:
    there = {ref.run_id for ref in known}
    return [run for run in runs if run.run_id not in there]


def _newest(fresh: Iterable[PipelineRun], known: tuple[RunRef, ...], factory: str) -> tuple[RunRef, ...]:
    refs = [RunRef(run.run_id, run.pipeline, factory, run.end or run.updated or run.start) for run in fresh]
    together = sorted([*refs, *known], key=lambda ref: ref.ended_at.timestamp() if ref.ended_at else 0, reverse=True)
    return tuple(together[:MAX_RUNS])


def _title(cause: Cause) -> str:
    names = listed(cause.group.pipelines, 3)
    return f"{names} failed at {cause.resource} ({spoken(cause.group.failure.category)})"


def _runs(runs: Sequence[PipelineRun]) -> str:
    return listed([f"{run.pipeline} (run {run.run_id})" for run in runs], 3)
