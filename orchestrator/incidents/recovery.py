"""When is a failure over? When every pipeline that failed has run well since: not when an alert says so.

Azure Monitor calls an alert resolved when no new failure came in its window, which is also so where nobody tried again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orchestrator.incidents.record import Entry, Incident
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.wording import listed


def with_good_runs(incident: Incident, good: Iterable[PipelineRun], now: datetime) -> Incident:
    """The incident after these runs went well; itself where they say nothing about it."""
    better = {run.pipeline: run for run in good if _is_later(run, incident)}
    fresh = [name for name in better if name not in incident.recovered]
    if not fresh:
        return incident
    recovered = (*incident.recovered, *fresh)
    told = Entry(now, "recovered", f"{listed(fresh)} ran well again (run {better[fresh[0]].run_id}).")
    if set(incident.pipelines) - set(recovered):
        return incident.told(told, recovered=recovered)
    return resolved(incident.told(told, recovered=recovered), now, "", f"{listed(recovered)} ran well again.")


def resolved(incident: Incident, now: datetime, by: str, resolution: str) -> Incident:
    entry = Entry(now, "resolved", resolution, by)
    return incident.told(entry, status="resolved", resolved_at=now, resolved_by=by, resolution=resolution)


def _is_later(run: PipelineRun, incident: Incident) -> bool:
    """Started after the last failure of its pipeline had ended; a rerun of a run counts like any other."""
    failed = [each.ended_at for each in incident.runs if each.pipeline == run.pipeline and each.ended_at]
    return bool(failed) and run.start is not None and run.start >= max(failed)
