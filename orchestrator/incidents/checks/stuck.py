"""Runs that go on, or wait in a queue, far beyond their usual time; each is over when its run ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from core.errors import NotFound
from orchestrator.incidents.checks.trouble import Findings, Trouble
from orchestrator.incidents.record import Incident, RunRef
from orchestrator.policy.model import Policy
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.masking import mask
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.stall_words import told, within
from tools_worker.datafactory.stalls import Going, fetch_going
from tools_worker.datafactory.wording import at

FACTOR = 2.0  # times its 95th percentile
NEVER = datetime.max.replace(tzinfo=UTC)
MAX_FOLLOWED = 10  # incidents whose run is asked for, one query each


async def stuck(
    factory: DataFactory, active: Sequence[Incident], policy: Policy, since: datetime, now: datetime
) -> Findings:
    going = await fetch_going(factory, FACTOR, now)
    bad = [each for each in going if each.verdict in ("stuck", "queued")]
    found = [_trouble(each, now) for each in _told_of(bad)]
    unfinished = {each.run.run_id for each in going}
    gone = [each for each in active if each.runs and each.runs[0].run_id not in unfinished][:MAX_FOLLOWED]
    ends = {each.id: await _end(factory, each.runs[0].run_id) for each in gone}
    return Findings(tuple(found), {incident_id: how for incident_id, how in ends.items() if how})


def _told_of(bad: Sequence[Going]) -> list[Going]:
    """The outermost; and of a pipeline's runs that wait one behind another the first."""
    outermost = [each for each in bad if not within(each, bad)]
    first: dict[str, Going] = {}
    for each in sorted(outermost, key=lambda each: each.run.start or NEVER):
        if each.verdict == "queued":
            first.setdefault(each.run.pipeline, each)
    return [each for each in outermost if each.verdict != "queued" or first[each.run.pipeline] is each]


def _trouble(each: Going, now: datetime) -> Trouble:
    run = each.run
    state = "is queued far beyond its usual time" if each.verdict == "queued" else "runs far beyond its usual time"
    return Trouble(
        kind="stuck",
        subject=run.run_id,
        at=run.start or now,
        title=f"{run.pipeline} {state}",
        told=mask(told(each, now)),
        resource=each.deepest.activity.name if each.deepest else run.pipeline,
        pipelines=(run.pipeline,),
        runs=(RunRef(run.run_id, run.pipeline, each.factory),),
    )


async def _end(factory: DataFactory, run_id: str) -> str:
    """Empty where it goes on after all: a list that was cut, or that came late."""
    try:
        run: PipelineRun = await factory.pipeline_run(run_id)
    except NotFound:
        return f"Data Factory no longer knows run {run_id}."
    if run.unfinished:
        return ""
    return f"Run {run_id} ended {run.status or 'in an unknown status'}, {at(run.end or run.updated)}."
