"""Runs that go on, or wait in a queue, far beyond their usual time; each is over when its run ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from core.errors import NotFound
from orchestrator.incidents.checks.trouble import Findings, Trouble
from orchestrator.incidents.checks.turn import Turn
from orchestrator.incidents.record import Incident, RunRef
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.masking import mask
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.stall_words import told, within
from tools_worker.datafactory.stalls import MAX_LOOKED_INTO, Going, fetch_going
from tools_worker.datafactory.wording import at, count

FACTOR = 2.0  # times its 95th percentile
NEVER = datetime.max.replace(tzinfo=UTC)
MAX_FOLLOWED = 10  # incidents whose run is asked for, one query each
LISTS = 2  # what goes on, and the definitions


async def stuck(factory: DataFactory, turn: Turn) -> Findings:
    histories = turn.queries - LISTS - MAX_FOLLOWED - MAX_LOOKED_INTO
    going = await fetch_going(factory, FACTOR, turn.now, histories)
    bad = [each for each in going if each.verdict in ("stuck", "queued")]
    found = [_joined(each, turn.active) or _trouble(factory, each, turn.now) for each in _told_of(bad)]
    unfinished = {each.run.run_id for each in going}
    gone = [each for each in turn.active if each.runs and each.runs[0].run_id not in unfinished][:MAX_FOLLOWED]
    ends = {each.id: await _end(factory, each.runs[0].run_id) for each in gone}
    over = {incident_id: how for incident_id, how in ends.items() if how}
    return Findings(tuple(found), over, left_out=_left_out(going, histories))


def _left_out(going: Iterable[Going], histories: int) -> str:
    unread = len({each.run.pipeline for each in going}) - histories
    return f"{count(unread, 'pipeline')} not held against their history" if unread > 0 else ""


def _told_of(bad: Sequence[Going]) -> list[Going]:
    """The outermost; and of a pipeline's runs that wait one behind another the first."""
    outermost = [each for each in bad if not within(each, bad)]
    first: dict[str, Going] = {}
    for each in sorted(outermost, key=lambda each: each.run.start or NEVER):
        if each.verdict == "queued":
            first.setdefault(each.run.pipeline, each)
    return [each for each in outermost if each.verdict != "queued" or first[each.run.pipeline] is each]


def _joined(each: Going, active: Sequence[Incident]) -> Trouble | None:
    """Where the child that it waits for was told before: it has one cause with that, and is told with it."""
    below = {step.run.run_id for step in each.chain[1:]} | ({each.waits_for.run_id} if each.waits_for else set())
    child = next((known for known in active if known.runs and known.runs[0].run_id in below), None)
    if child is None:
        return None
    run = each.run
    return Trouble(
        kind="stuck",
        subject=child.runs[0].run_id,
        at=run.start or child.opened_at,
        title=child.title,
        told=child.summary,
        resource=child.resource,
        pipelines=child.pipelines,
        parents=(RunRef(run.run_id, run.pipeline, child.factory_id),),
        line=f"{run.pipeline} (run {run.run_id}) waits for it, and goes on far beyond its usual time, too.",
    )


def _trouble(factory: DataFactory, each: Going, now: datetime) -> Trouble:
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
        runs=(RunRef(run.run_id, run.pipeline, factory.id.path),),
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
