"""Pipelines that will not have ended well by the time that the policy agrees (`finish_by`), told before it is broken.

One incident for each agreed time: at risk, then perhaps broken; over when a run ends well, be it late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.incidents.checks.trouble import Findings, Trouble
from orchestrator.incidents.checks.turn import Turn
from orchestrator.incidents.record import Incident, RunRef
from orchestrator.policy.globs import fits
from orchestrator.policy.model import Importance
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.history import Usual
from tools_worker.datafactory.lateness import GRACE
from tools_worker.datafactory.models import SUCCEEDED, PipelineRun
from tools_worker.datafactory.punctuality.agreed import LEAD, Held, ended_at, held
from tools_worker.datafactory.stalls import MIN_USUAL, USUAL_DAYS, USUAL_RUNS
from tools_worker.datafactory.wording import age, at, count, lasted

AHEAD = timedelta(hours=8)  # looked forward: what takes longer is told as late as that


@dataclass(frozen=True, slots=True)
class _Deadline:
    """One agreed time of one pipeline, and how it stands. `run`: the newest that tried."""

    factory: DataFactory
    pipeline: str
    entry: Importance
    due: datetime
    usual: Usual | None
    run: PipelineRun | None
    now: datetime

    @property
    def broken(self) -> bool:
        return self.due <= self.now

    @property
    def going(self) -> PipelineRun | None:
        return self.run if self.run is not None and self.run.unfinished else None

    @property
    def expected(self) -> datetime | None:
        """When it can be done: a run that goes on needs what is left to its median, then to its 95th percentile, and
        beyond that as long as a new one. None where nothing tells how long it takes."""
        if self.usual is None:
            return None
        if self.going is not None and self.going.start is not None:
            ends = [self.going.start + timedelta(seconds=each) for each in (self.usual.p50, self.usual.p95)]
            if left := [end for end in ends if end >= self.now]:
                return left[0]
        return self.now + timedelta(seconds=self.usual.p50)

    @property
    def troubled(self) -> bool:
        return self.broken or (self.expected is not None and self.expected > self.due)


async def deadlines(factory: DataFactory, turn: Turn) -> Findings:
    entries = [each for each in turn.policy.importance if _hot(factory.name, each, turn)]
    if not entries and not turn.active:
        return Findings()
    names = [pipeline.name for pipeline in await factory.pipelines()] if entries else []
    watched = {name: entry for name in names if (entry := turn.policy.importance_of(factory.name, name)) in entries}
    wanted = {*watched, *(each.resource for each in turn.active)}
    chosen = sorted(wanted, key=lambda name: _rank(name, factory, turn))
    looked = chosen[: turn.queries - 1]
    runs = dict(zip(looked, await asyncio.gather(*(_runs(factory, name, turn) for name in looked)), strict=True))
    found = [
        _trouble(each)
        for name in looked
        if name in watched
        for each in _deadlines(factory, name, watched[name], runs[name], turn)
    ]
    over = {each.id: how for each in turn.active if (how := _end(each, runs.get(each.resource, ())))}
    left = len(chosen) - len(looked)
    return Findings(tuple(found), over, left_out=f"{count(left, 'pipeline')} with an agreed time" if left else "")


def _hot(factory: str, entry: Importance, turn: Turn) -> bool:
    """An agreed time has passed since the last turn, or comes soon."""
    return fits(factory, entry.factory) and next(_dues(entry, turn), None) is not None


def _dues(entry: Importance, turn: Turn) -> Iterator[datetime]:
    return entry.dues(turn.since - GRACE, turn.now + AHEAD)


def _rank(name: str, factory: DataFactory, turn: Turn) -> tuple[bool, int, str]:
    return name not in {each.resource for each in turn.active}, turn.severity(factory.name, name), name


async def _runs(factory: DataFactory, pipeline: str, turn: Turn) -> tuple[PipelineRun, ...]:
    """Those of now and those that tell what is usual, at one go."""
    found = await factory.pipeline_runs(turn.now - USUAL_DAYS, pipeline=pipeline, limit=USUAL_RUNS)
    return found.items


def _deadlines(
    factory: DataFactory, name: str, entry: Importance, runs: Sequence[PipelineRun], turn: Turn
) -> Iterator[_Deadline]:
    """Those that are at risk or broken. A pipeline that only a glob fits, and that never runs, is not waited for."""
    if not runs and name.casefold() not in {glob.casefold() for glob in entry.pipelines}:
        return
    usual = Usual.of(runs)
    if usual is not None and usual.number < MIN_USUAL:
        usual = None
    dues = [(due.date(), due) for due in _dues(entry, turn)]
    for one in held(runs, dues, turn.now):
        deadline = _Deadline(factory, name, entry, one.due, usual, one.run, turn.now)
        if not _kept(one) and deadline.troubled:
            yield deadline


def _kept(one: Held) -> bool:
    return one.state in ("met", "late")


def _trouble(each: _Deadline) -> Trouble:
    """What a person closed is not opened again for the same agreed time."""
    agreed = f"{each.entry.finish_by:%H:%M} ({each.entry.timezone})"
    verb = "missed" if each.broken else "may miss"
    run = each.run
    return Trouble(
        kind="sla_risk",
        subject=f"{each.pipeline} {each.due.isoformat()}",
        at=each.due - LEAD,
        title=f"{each.pipeline} {verb} its agreed time, {agreed}",
        told=f"{each.pipeline} in {each.factory.name} has to end well by {at(each.due)}, {agreed}. {_state(each)}",
        resource=each.pipeline,
        pipelines=(each.pipeline,),
        runs=(RunRef(run.run_id, run.pipeline, each.factory.id.path, ended_at(run)),) if run else (),
        line=f"{'Broken' if each.broken else 'At risk'}: no run has ended well for {at(each.due)}.",
    )


def _state(each: _Deadline) -> str:
    run = each.run
    if run is None:
        told = "No run has begun."
    elif run.unfinished:
        since = f" for {age(run.start, each.now)}" if run.start else ""
        told = f"Run {run.run_id} has been {run.status}{since}."
    else:
        told = f"Its newest run {run.run_id} ended {run.status or 'in an unknown status'}, {at(ended_at(run))}."
    if each.usual is None or each.expected is None:
        return f"{told} How long it takes is not known."
    return f"{told} It usually takes {lasted(round(each.usual.p50 * 1000))}: {at(each.expected)} at the earliest."


def _end(incident: Incident, runs: Sequence[PipelineRun]) -> str:
    """None had ended well as it opened, so that any that did since serves it."""
    since = incident.opened_at - GRACE
    ends = [(end, run) for run in runs if run.status == SUCCEEDED and (end := ended_at(run)) and end > since]
    if not ends:
        return ""
    end, run = min(ends, key=lambda each: each[0])
    return f"{incident.resource} ended well, {at(end)} (run {run.run_id})."
