"""adf_run_performance: why one run took the time it took: phases of its copies, slowest path, bottleneck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import Field, model_validator

from core.errors import NotFound, UpstreamError
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.history import Usual
from tools_worker.datafactory.models import SUCCEEDED, ActivityRun, PipelineRun
from tools_worker.datafactory.performance import (
    MEANING,
    THROTTLED,
    Copy,
    copy_of,
    dependencies,
    queue_seconds,
    runtime_name,
    slowest_path,
    waits,
)
from tools_worker.datafactory.period import RETENTION_DAYS, last_hours
from tools_worker.datafactory.selection import Selected, Which, ended_run
from tools_worker.datafactory.wording import at, count, lasted, listed, sentences, stamp
from tools_worker.runtime.periods import Dates, nothing_kept
from tools_worker.runtime.tools import Evidence, Reply, ToolContext, ToolSpec

MAX_COPIES = 8  # of about 400 bytes
USUAL_DAYS = timedelta(days=14)
USUAL_RUNS = 100
MIN_USUAL = 5
WORTH_TELLING = 30  # seconds of one activity in a queue: what is less is the ordinary way of a runtime


class RunPerformanceArguments(Dates):
    run_id: str | None = Field(
        default=None, max_length=100, description="Id (GUID) of the pipeline run. Give this or pipeline."
    )
    pipeline: str | None = Field(
        default=None, max_length=260, description="Name of a pipeline, in any case: one of its ended runs is taken."
    )
    which: Which = Field(
        default="latest", description="Which run of the pipeline. Without dates: first and slowest of today."
    )
    factory: str | None = Field(
        default=None, max_length=100, description="Name of the data factory. Omit to look in all of them."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> RunPerformanceArguments:
        if bool(self.run_id) == bool(self.pipeline):
            raise ValueError("give either run_id or pipeline, and not both")
        return self


async def adf_run_performance(context: ToolContext, args: RunPerformanceArguments) -> Reply:
    if args.run_id:
        located = await context.factories.find_run(args.run_id, args.factory)
        note = f"The run is not in {located.asked!r}, it belongs to {located.factory.name!r}." if located.asked else ""
        run = replace(located.run, run_id=located.run.run_id or args.run_id)  # an answer may lack what was asked by
        return await _told(context, Selected(located.factory, run, note))
    period = args.dated(context.now) or last_hours(24 * RETENTION_DAYS, context.now, args.timezone or "")
    if args.which != "latest" and not period.dated:
        today = context.now.astimezone(period.zone.info).date().isoformat()
        period = args.model_copy(update={"since": today, "until": today}).dated(context.now) or period
    if period.gone:
        return nothing_kept(period, context.now)
    return await _told(
        context, await ended_run(context.factories, args.pipeline or "", args.factory, args.which, period)
    )


async def _told(context: ToolContext, selected: Selected) -> Reply:
    factory, run = selected.factory, selected.run
    found = await factory.activity_runs(run)
    usual = await _usual(factory, run)
    copies = sorted((copy for copy in map(copy_of, found) if copy), key=lambda copy: -_spent(copy.activity))
    waited = [(each, spent) for each, spent in waits(found) if spent >= WORTH_TELLING]
    path = slowest_path(found, await _needs(factory, run))
    slowest = max(path, key=_spent, default=None)
    told = next((copy for copy in copies if slowest and copy.activity.id == slowest.id), None)
    told = told or (copies[0] if copies and (slowest is None or slowest.type in _CONTAINERS) else None)
    child = next((activity.child_run_id for activity in path if activity is slowest), "")
    return Reply(
        summary=sentences(
            selected.note,
            f"The run of {run.pipeline} in {factory.name} started {at(run.start)} "
            f"({run.status or 'status unknown'}, run {run.run_id}) {_took(run, context)}{_against(usual)}.",
            _path_told(path) or "It has no ended activity runs, so nothing can be said about where the time went.",
            _copy_told(told) if told else _no_copy(slowest),
            _queues_told([each for each in waited if told is None or each[0] is not told.activity]),
            "" if found.complete else "Not all activity runs could be read.",
        ),
        data={
            "run_id": run.run_id,
            "factory": factory.name,
            "pipeline": run.pipeline,
            "status": run.status,
            "start": stamp(run.start),
            "end": stamp(run.end),
            "usual_s": {"p50": round(usual.p50), "p95": round(usual.p95)} if usual else None,
            "slowest_path": [_step(activity) for activity in path],
            "bottleneck": _bottleneck(told, slowest),
            "queued": [
                {"activity": each.name, "id": each.id, "seconds": spent, "runtime": runtime_name(each) or None}
                for each, spent in waited[:MAX_COPIES]
            ],
            "queued_left_out": max(0, len(waited) - MAX_COPIES),
            "copies": [_copy_row(copy) for copy in copies[:MAX_COPIES]],
            "copies_left_out": max(0, len(copies) - MAX_COPIES),
        },
        evidence=[
            Evidence("pipeline_run", run.run_id, factory.name),
            *(Evidence("activity_run", activity.id, factory.name) for activity in path if activity.id),
        ],
        truncated=max(len(copies), len(waited)) > MAX_COPIES,
        next=[f"adf_run_performance run_id={child} factory={factory.name}"] if child else [],
    )


_CONTAINERS = frozenset({"ForEach", "Until", "IfCondition", "Switch"})


async def _needs(factory: DataFactory, run: PipelineRun) -> dict[str, list[str]]:
    """Today's definition. Without it the path is the last activity alone, which is still true."""
    try:
        return dependencies((await factory.pipeline(run.pipeline)).definition)
    except (NotFound, UpstreamError):
        return {}


async def _usual(factory: DataFactory, run: PipelineRun) -> Usual | None:
    """What its pipeline took in the weeks before it. Without it the times of this run are still true."""
    if run.start is None:
        return None
    try:
        before = await factory.pipeline_runs(
            run.start - USUAL_DAYS, run.start, status=SUCCEEDED, pipeline=run.pipeline, limit=USUAL_RUNS
        )
    except UpstreamError:
        return None
    usual = Usual.of(each for each in before if each.run_id != run.run_id)
    return usual if usual and usual.number >= MIN_USUAL else None


def _against(usual: Usual | None) -> str:
    if usual is None:
        return ""
    p50, p95 = lasted(round(usual.p50 * 1000)), lasted(round(usual.p95 * 1000))
    return f"; before it {p50} was usual (95th percentile {p95}, {usual.number} runs)"


def _spent(activity: ActivityRun) -> int:
    return activity.duration_ms if activity.duration_ms is not None else -1


def _took(run: PipelineRun, context: ToolContext) -> str:
    if run.duration_ms is not None:
        return f"took {lasted(run.duration_ms)}"
    if run.start and run.unfinished:
        return f"is going since {lasted(int((context.now - run.start).total_seconds() * 1000))}"
    if run.start and run.end:
        return f"took {lasted(int((run.end - run.start).total_seconds() * 1000))}"
    return "took an unknown time"


def _path_told(path: Sequence[ActivityRun]) -> str:
    steps = [f"{activity.name} ({activity.type}) {lasted(activity.duration_ms)}" for activity in path]
    return f"Its end waited for: {', then '.join(steps)}." if steps else ""


def _copy_told(copy: Copy) -> str:
    name = copy.activity.name
    if not copy.phases:
        return f"The output of copy {name} does not tell its phases."
    phases = listed([f"{phase} {lasted(seconds * 1000)}" for phase, seconds in copy.phases.items()], 7)
    how = [count(copy.units, "data integration unit")] if copy.units is not None else []
    how += [count(copy.parallel, "parallel copy")] if copy.parallel is not None else []
    place = f" on integration runtime {copy.runtime!r}" if copy.runtime else ""
    return sentences(
        f"Copy {name}{place}{' with ' + listed(how) if how else ''}: {phases}.",
        _bottleneck_told(copy),
        *(f"The {side} throttled {count(number, 'request')}: {THROTTLED}." for side, number in copy.throttled.items()),
        f"Azure gave {count(copy.tips, 'recommendation')} for this copy (see its details in the portal)."
        if copy.tips
        else "",
    )


def _bottleneck_told(copy: Copy) -> str:
    if not copy.bottleneck:
        return ""
    share = f" ({copy.share:.0%} of its time)" if copy.share is not None else ""
    slow = f", slowed by the throttling of the {copy.slowed_by}" if copy.slowed_by else f": {MEANING[copy.bottleneck]}"
    return f"Bottleneck of {copy.activity.name}: {copy.bottleneck}{share}{slow}."


def _queues_told(waited: Sequence[tuple[ActivityRun, int]]) -> str:
    if not waited:
        return ""
    total = sum(spent for _, spent in waited)
    longest, spent = waited[0]
    if len(waited) == 1:
        place = repr(runtime_name(longest)) if runtime_name(longest) else "an integration runtime"
        return f"{longest.name} waited {lasted(spent * 1000)} in the queue of {place}."
    runtimes = listed(sorted({repr(name) for each, _ in waited if (name := runtime_name(each))}), 3)
    return (
        f"{count(len(waited), 'activity')} waited in the queue of {runtimes or 'an integration runtime'}, "
        f"{lasted(total * 1000)} together, {longest.name} longest with {lasted(spent * 1000)}."
    )


def _no_copy(slowest: ActivityRun | None) -> str:
    if slowest is None:
        return ""
    waited = queue_seconds(slowest)
    queued = f", {lasted(waited * 1000)} of it in the queue of the integration runtime" if waited else ""
    where = "its child run tells where" if slowest.child_run_id else "its output does not tell where inside it"
    return f"Most of it is {slowest.name} ({lasted(slowest.duration_ms)}{queued}); {where}."


def _bottleneck(copy: Copy | None, slowest: ActivityRun | None) -> dict[str, Any] | None:
    if copy is not None and copy.bottleneck:
        found = {"activity": copy.activity.name, "phase": copy.bottleneck, "seconds": copy.phases[copy.bottleneck]}
        return found | ({"throttled_by": copy.slowed_by} if copy.slowed_by else {})
    return {"activity": slowest.name, "phase": None} if slowest else None


def _step(activity: ActivityRun) -> dict[str, Any]:
    return {
        "activity": activity.name,
        "type": activity.type,
        "status": activity.status,
        "start": stamp(activity.start),
        "seconds": None if activity.duration_ms is None else round(activity.duration_ms / 1000),
        "queue_seconds": queue_seconds(activity),
        "child_run_id": activity.child_run_id or None,
    }


def _copy_row(copy: Copy) -> dict[str, Any]:
    row: dict[str, Any] = {
        "activity": copy.activity.name,
        "id": copy.activity.id,
        "status": copy.activity.status,
        "seconds": None if copy.activity.duration_ms is None else round(copy.activity.duration_ms / 1000),
        "phases_s": dict(copy.phases) or None,
        "bottleneck": copy.bottleneck or None,
        "runtime": copy.runtime or None,
        "throughput_kb_s": copy.throughput_kbps,
        "data_integration_units": copy.units,
        "parallel_copies": copy.parallel,
        "throttled": dict(copy.throttled) or None,
    }
    return {key: value for key, value in row.items() if value is not None}


TOOL = ToolSpec(
    name="adf_run_performance",
    description=(
        "Tells where the time of one Azure Data Factory run went, beside what is usual: the slowest path through its "
        "activities, and for copies queue of the integration runtime, time to first byte, pre-copy script, reading, "
        "writing, throttling, data integration units; names the bottleneck. Takes a run id, or a pipeline for its "
        "latest, first or slowest run. Use it for why-is-it-slow questions."
    ),
    arguments=RunPerformanceArguments,
    run=adf_run_performance,
)
