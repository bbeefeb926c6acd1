"""Runs that succeeded, or still go on, far slower than usual, but are not stuck; over when a later run is as usual.

One incident for each pipeline. What is usual is told by the runs before, without those that the incident is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.incidents.checks.stuck import FACTOR
from orchestrator.incidents.checks.trouble import Findings, Trouble, forgotten
from orchestrator.incidents.checks.turn import Turn
from orchestrator.incidents.record import Incident, RunRef
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.history import Usual
from tools_worker.datafactory.models import SUCCEEDED, PipelineRun
from tools_worker.datafactory.punctuality.agreed import ended_at
from tools_worker.datafactory.punctuality.checks import (
    LATE_SECONDS,
    MIN_USUAL,
    USUAL_DAYS,
    USUAL_RUNS,
    Late,
    beyond,
    took,
)
from tools_worker.datafactory.stalls import LOOK_BACK, verdict
from tools_worker.datafactory.wording import at, count, lasted

OVERLAP = timedelta(minutes=10)  # Data Factory shows the end of a run some minutes late
NOT_YET_STUCK = timedelta(minutes=30)  # a run that will be stuck that soon is told once, as that
MAX_RUNS = 500  # that ended since the last turn; a query for each hundred
LISTS = 6  # what ended, and what goes on
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """The runs of one, oldest first, and the incident that it has."""

    name: str
    runs: tuple[PipelineRun, ...]
    incident: Incident | None

    @property
    def told_of(self) -> frozenset[str]:
        return frozenset(ref.run_id for ref in self.incident.runs) if self.incident else frozenset()

    def long(self, now: datetime) -> bool:
        """Only then is its history asked for: what ended soon is not slow."""
        return any(took(run, now) > LATE_SECONDS for run in self.runs)


async def slow(factory: DataFactory, turn: Turn) -> Findings:
    pipelines = _by_pipeline(await _seen(factory, turn), turn.active)
    long = sorted((each for each in pipelines if each.long(turn.now)), key=lambda each: _rank(factory, each, turn))
    usuals = await _usuals(factory, long[: turn.queries - LISTS])
    found, over, stuck = list[Trouble](), forgotten(turn.active, turn.now), set[str]()
    for each in pipelines:
        usual = usuals.get(each.name)
        late = _late(factory, each, usual, turn.now)
        if trouble := _trouble(factory, each, late, turn.now):
            found.append(trouble)
        elif each.incident and (run_id := _stuck_by_now(each, usual, turn.now)):
            over[each.incident.id] = f"Run {run_id} is stuck by now, and told as that."
            stuck.add(each.incident.id)
        elif each.incident and (how := _end(each, each.incident, late, usual, turn.now)):
            over[each.incident.id] = how
    unread = len(long) - len(usuals)
    left_out = f"{count(unread, 'pipeline')} with long runs not held against their history" if unread else ""
    return Findings(tuple(found), over, frozenset(stuck), left_out)


async def _seen(factory: DataFactory, turn: Turn) -> list[PipelineRun]:
    """What goes on is not updated: it may have begun long before."""
    ended, going = await asyncio.gather(
        factory.pipeline_runs(turn.since - OVERLAP, turn.now, status=SUCCEEDED, limit=MAX_RUNS),
        factory.pipeline_runs(turn.now - LOOK_BACK, status="InProgress"),
    )
    return [run for run in (*ended, *going) if run.start is not None and run.pipeline]


def _by_pipeline(runs: Iterable[PipelineRun], active: Sequence[Incident]) -> list[_Pipeline]:
    incidents = {each.resource: each for each in active}
    found: dict[str, list[PipelineRun]] = {}
    for run in sorted(runs, key=lambda each: each.start or NEVER):
        found.setdefault(run.pipeline, []).append(run)
    return [_Pipeline(name, tuple(own), incidents.get(name)) for name, own in found.items()]


def _rank(factory: DataFactory, each: _Pipeline, turn: Turn) -> tuple[bool, int, float]:
    return (
        each.incident is None,
        turn.severity(factory.name, each.name),
        -max(took(run, turn.now) for run in each.runs),
    )


async def _usuals(factory: DataFactory, pipelines: Sequence[_Pipeline]) -> Mapping[str, Usual | None]:
    found = await asyncio.gather(*(_usual(factory, each) for each in pipelines))
    return {each.name: usual for each, usual in zip(pipelines, found, strict=True)}


async def _usual(factory: DataFactory, each: _Pipeline) -> Usual | None:
    """Before the runs that are judged, for a slow one would count as usual itself."""
    first = min(run.start for run in each.runs if run.start)
    before = await factory.pipeline_runs(
        first - USUAL_DAYS, first, status=SUCCEEDED, pipeline=each.name, limit=USUAL_RUNS
    )
    judged = each.told_of | {run.run_id for run in each.runs}
    usual = Usual.of(run for run in before if run.run_id not in judged)
    return usual if usual and usual.number >= MIN_USUAL else None


def _late(factory: DataFactory, each: _Pipeline, usual: Usual | None, now: datetime) -> list[Late]:
    """Its slow runs, oldest first."""
    judged = [Late(factory.name, run, took(run, now), usual) for run in each.runs if usual]
    return [late for late in judged if beyond(late) and not _is_stuck(late.run, late.usual, now + NOT_YET_STUCK)]


def _is_stuck(run: PipelineRun, usual: Usual, then: datetime) -> bool:
    return run.unfinished and verdict(run, usual, FACTOR, then) in ("stuck", "queued")


def _trouble(factory: DataFactory, each: _Pipeline, late: Sequence[Late], now: datetime) -> Trouble | None:
    """Where a run after the slow ones was as usual, they are history."""
    ended = [run for run in each.runs if not run.unfinished]
    if not late or (ended and not late[-1].run.unfinished and ended[-1] is not late[-1].run):
        return None
    newest = late[-1].run
    return Trouble(
        kind="slow",
        subject=each.name,
        at=newest.start or now,
        title=f"{each.name} takes longer than usual",
        told=f"{_told(late[-1])}.",
        resource=each.name,
        pipelines=(each.name,),
        runs=tuple(RunRef(one.run.run_id, each.name, factory.id.path, ended_at(one.run)) for one in reversed(late)),
        line=f"Run {newest.run_id}, started {at(newest.start)}, is slower than usual.",
    )


def _told(late: Late) -> str:
    run, usual = late.run, late.usual
    verb = "has run for" if run.unfinished else "took"
    return (
        f"{run.pipeline} in {late.factory} {verb} {_lasted(late.took)} (run {run.run_id}, started {at(run.start)}); "
        f"usually {_lasted(usual.p50)}, and 95 of 100 runs take at most {_lasted(usual.p95)}"
    )


def _stuck_by_now(each: _Pipeline, usual: Usual | None, now: datetime) -> str:
    """The id of a run that was told as slow; empty where none is stuck."""
    told = (run for run in each.runs if run.run_id in each.told_of)
    return next((run.run_id for run in told if usual and _is_stuck(run, usual, now)), "")


def _end(each: _Pipeline, told: Incident, late: Sequence[Late], usual: Usual | None, now: datetime) -> str:
    """How the incident is over; empty where it is not."""
    known = each.told_of | {one.run.run_id for one in late}
    for run in reversed(each.runs):
        judged = usual is not None or took(run, now) <= LATE_SECONDS
        later = (ended_at(run) or NEVER) > told.last_seen_at
        if judged and later and not run.unfinished and run.run_id not in known:
            return f"{each.name} took {_lasted(took(run, now))} again (run {run.run_id})."
    return ""


def _lasted(seconds: float) -> str:
    return lasted(round(seconds * 1000))
