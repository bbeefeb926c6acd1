"""Which incident an alert belongs to. An alert names a pipeline and a window at best, seldom a run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from orchestrator.alerts.record import Alert
from orchestrator.incidents.record import Incident, RunRef

LAG = timedelta(minutes=15)  # metrics come late: the run may have ended that long before or after the window
WITHOUT_WINDOW = timedelta(hours=2)


def incident_of(alert: Alert, incidents: Iterable[Incident]) -> Incident | None:
    """By run id; else by pipeline and time, or by time alone where none is named: the one whose run ended nearest."""
    known = list(incidents)
    named = set(alert.run_ids)
    for incident in known:
        if named & {run.run_id for run in (*incident.runs, *incident.parents)}:
            return incident
    near = [(distance, incident) for incident in known if (distance := _distance(alert, incident)) is not None]
    return min(near, key=lambda each: (each[0], each[1].id))[1] if near else None


def window(alert: Alert) -> tuple[datetime, datetime]:
    since = alert.since or alert.at - WITHOUT_WINDOW
    return since - LAG, max(alert.until or alert.at, since) + LAG


def _distance(alert: Alert, incident: Incident) -> timedelta | None:
    since, until = window(alert)
    ended = [run.ended_at for run in _meant(alert, incident) if run.ended_at and since <= run.ended_at <= until]
    middle = alert.until or alert.at
    return min((abs(middle - moment) for moment in ended), default=None)


def _meant(alert: Alert, incident: Incident) -> list[RunRef]:
    runs = [*incident.runs, *incident.parents]
    wanted = alert.pipeline.casefold()
    return [run for run in runs if not wanted or run.pipeline.casefold() == wanted]
