"""adf_stuck_runs: runs that go on, or wait, far beyond their own usual time, and what they wait for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from core.errors import AppError
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.history import Usual
from tools_worker.datafactory.models import SUCCEEDED, UNFINISHED, ActivityRun, Pipeline, PipelineRun
from tools_worker.datafactory.survey import survey
from tools_worker.datafactory.wording import age, at, count, lasted, listed, sentences, stamp
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

LOOK_BACK = timedelta(days=45)  # a stuck run is not updated: only all that is kept is sure to hold it
USUAL_DAYS = timedelta(days=14)
USUAL_RUNS = 100
MIN_USUAL = 3
LONG_UNKNOWN = timedelta(hours=12)  # without history: longer than most runs, shorter than a lost day
MAX_PIPELINES = 40  # histories read per factory: one call each
MAX_LOOKED_INTO = 10  # runs whose activities are read
MAX_SHOWN = 40
MAX_QUEUED = 100  # ADF refuses more queued runs of one pipeline

Verdict = Literal["stuck", "queued", "unknown", "usual"]


class StuckRunsArguments(Arguments):
    factory: str | None = Field(default=None, max_length=100, description="Name of one data factory. Omit for all.")
    factor: float = Field(default=2.0, ge=1.1, le=100, description="How many times its 95th percentile is too long.")


@dataclass(frozen=True, slots=True)
class Going:
    """A run that has not ended."""

    factory: str
    run: PipelineRun
    usual: Usual | None
    verdict: Verdict
    concurrency: int | None = None
    ahead: tuple[PipelineRun, ...] = ()  # runs in progress of the same pipeline, oldest first
    queued: int = 0  # of the same pipeline
    activities: tuple[ActivityRun, ...] = field(default=())

    @property
    def behind_concurrency(self) -> bool:
        return self.run.status == "Queued" and bool(self.concurrency) and len(self.ahead) >= (self.concurrency or 0)


async def adf_stuck_runs(context: ToolContext, args: StuckRunsArguments) -> Reply:
    factories = await context.factories.chosen(args.factory)
    asked = await survey(factories, lambda factory: _going(factory, args.factor, context.now))
    going = [each for _, found in asked.answers for each in found]
    order = {"stuck": 0, "queued": 1, "unknown": 2, "usual": 3}
    going.sort(key=lambda each: (order[each.verdict], each.run.start or context.now))
    stuck = [each for each in going if each.verdict != "usual"]
    return Reply(
        summary=sentences(
            _summary(going, stuck, [factory.name for factory, _ in asked.answers], context.now), asked.caveat
        ),
        data={
            "unfinished": dict(Counter(f"{each.factory}: {each.run.status}" for each in going)),
            "verdicts": dict(Counter(each.verdict for each in going)),
            "runs": [_shown(each, context.now) for each in going[:MAX_SHOWN]],
            "left_out": max(0, len(going) - MAX_SHOWN),
        },
        evidence=[Evidence("pipeline_run", each.run.run_id, each.factory) for each in going[:MAX_SHOWN]],
        truncated=len(going) > MAX_SHOWN,
        next=[f"adf_activity_runs run_id={each.run.run_id} factory={each.factory}" for each in stuck[:1]],
    )


async def _going(factory: DataFactory, factor: float, now: datetime) -> list[Going]:
    found = await factory.pipeline_runs(now - LOOK_BACK, status=sorted(UNFINISHED), newest_first=False)
    if not found.items:
        return []
    names = sorted({run.pipeline for run in found if run.pipeline})
    definitions, usuals = await asyncio.gather(
        _definitions(factory), asyncio.gather(*(_usual(factory, name, now) for name in names[:MAX_PIPELINES]))
    )
    usual = dict(zip(names, usuals, strict=False))
    judged = [_judged(factory.name, run, found.items, usual, definitions, factor, now) for run in found]
    looked = [each for each in judged if each.verdict != "usual"][:MAX_LOOKED_INTO]
    inside = await asyncio.gather(*(_open_activities(factory, each.run) for each in looked))
    opened = {each.run.run_id: activities for each, activities in zip(looked, inside, strict=True)}
    return [_with(each, opened.get(each.run.run_id, ())) for each in judged]


async def _definitions(factory: DataFactory) -> dict[str, Pipeline]:
    return {pipeline.name: pipeline for pipeline in await factory.pipelines()}


async def _usual(factory: DataFactory, pipeline: str, now: datetime) -> Usual | None:
    runs = await factory.pipeline_runs(now - USUAL_DAYS, status=SUCCEEDED, pipeline=pipeline, limit=USUAL_RUNS)
    usual = Usual.of(runs)
    return usual if usual and usual.number >= MIN_USUAL else None


async def _open_activities(factory: DataFactory, run: PipelineRun) -> tuple[ActivityRun, ...]:
    try:
        found = await factory.activity_runs(run)
    except AppError:  # what one run waits for is a detail: the others are told all the same
        return ()
    return tuple(activity for activity in found if activity.status in ("InProgress", "Queued"))


def _judged(
    factory: str,
    run: PipelineRun,
    unfinished: Sequence[PipelineRun],
    usual: dict[str, Usual | None],
    definitions: dict[str, Pipeline],
    factor: float,
    now: datetime,
) -> Going:
    same = [each for each in unfinished if each.pipeline == run.pipeline and each.run_id != run.run_id]
    definition = definitions.get(run.pipeline)
    return Going(
        factory=factory,
        run=run,
        usual=usual.get(run.pipeline),
        verdict=verdict(run, usual.get(run.pipeline), factor, now),
        concurrency=fields.whole(definition.definition, "concurrency") if definition else None,
        ahead=tuple(each for each in same if each.status != "Queued"),
        queued=sum(each.status == "Queued" for each in (run, *same)),
    )


def verdict(run: PipelineRun, usual: Usual | None, factor: float, now: datetime) -> Verdict:
    """Its age against its own history; the time in the queue is part of a run's time."""
    if run.start is None:
        return "unknown"
    old = (now - run.start).total_seconds()
    if usual is not None and old <= max(usual.p95 * factor, usual.p95 + 300):
        return "usual"
    if usual is None and old <= LONG_UNKNOWN.total_seconds():
        return "unknown"
    return "queued" if run.status == "Queued" else "stuck"


def _with(each: Going, activities: tuple[ActivityRun, ...]) -> Going:
    return Going(
        each.factory, each.run, each.usual, each.verdict, each.concurrency, each.ahead, each.queued, activities
    )


def _summary(going: Sequence[Going], stuck: Sequence[Going], factories: Sequence[str], now: datetime) -> str:
    where = listed([repr(name) for name in factories])
    if not going:
        return f"No run is queued or in progress in {where}."
    head = f"{count(len(going), 'unfinished run')} in {where}"
    bad = [each for each in stuck if each.verdict != "unknown"]
    verdict = f"{len(bad)} of them far beyond their usual time" if bad else "none beyond its usual time"
    unknown = [each for each in stuck if each.verdict == "unknown"]
    return sentences(
        f"{head}, {verdict}.",
        *(_told(each, now) for each in bad[:5]),
        f"{len(bad) - 5} more in the data." if len(bad) > 5 else "",
        f"{count(len(unknown), 'run')} cannot be judged, for want of successful runs to measure by: "
        f"{listed([f'{each.run.pipeline} (run {each.run.run_id})' for each in unknown], 3)}."
        if unknown
        else "",
        *_full_queues(going),
    )


def _told(each: Going, now: datetime) -> str:
    run = each.run
    old = age(run.start, now) if run.start else "an unknown time"
    usual = f"; usually {lasted(round(each.usual.p50 * 1000))}" if each.usual else "; no history to measure by"
    state = "has been queued" if run.status == "Queued" else f"has been {run.status}"
    head = f"{run.pipeline} in {each.factory} {state} for {old} since {at(run.start)}{usual} (run {run.run_id})"
    return f"{head}{_why(each, now)}."


def _why(each: Going, now: datetime) -> str:
    if each.behind_concurrency:
        first = each.ahead[0]
        return (
            f", behind its concurrency of {each.concurrency}: run {first.run_id} has the place since {at(first.start)}"
        )
    waiting = [activity for activity in each.activities if activity.status == "Queued"]
    if waiting:
        return f", its activity {waiting[0].name} is queued, so its integration runtime has no room or no node"
    if each.activities:
        last = each.activities[-1]
        since = f" for {age(last.start, now)}" if last.start else ""
        return f", in activity {last.name} ({last.type or 'type unknown'}){since}"
    return ", with no activity in progress" if each.run.status == "InProgress" else ""


def _full_queues(going: Sequence[Going]) -> list[str]:
    queues = {(each.factory, each.run.pipeline): each.queued for each in going}
    return [
        f"The queue of {pipeline} in {factory} holds {number} runs: {MAX_QUEUED} are the most, more are refused."
        for (factory, pipeline), number in queues.items()
        if number >= MAX_QUEUED * 0.8
    ]


def _shown(each: Going, now: datetime) -> dict[str, Any]:
    run = each.run
    return {
        "factory": each.factory,
        "pipeline": run.pipeline,
        "run_id": run.run_id,
        "status": run.status,
        "verdict": each.verdict,
        "start": stamp(run.start),
        "age_s": round((now - run.start).total_seconds()) if run.start else None,
        "usual_p50_s": round(each.usual.p50) if each.usual else None,
        "usual_p95_s": round(each.usual.p95) if each.usual else None,
        "concurrency": each.concurrency,
        "behind": [other.run_id for other in each.ahead[:5]] if each.behind_concurrency else [],
        "in_activities": [activity.name for activity in each.activities[:5]],
    }


TOOL = ToolSpec(
    name="adf_stuck_runs",
    description=(
        "Finds Azure Data Factory runs that are stuck: queued or in progress far beyond their own usual time, what "
        "they wait for (pipeline concurrency, the integration runtime's queue, an activity), and queues that are "
        "nearly full, in all factories."
    ),
    arguments=StuckRunsArguments,
    run=adf_stuck_runs,
)
