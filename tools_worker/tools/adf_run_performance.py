"""adf_run_performance: why one run took the time it took: phases of its copies, slowest path, bottleneck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from core.errors import NotFound, UpstreamError
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import ActivityRun, PipelineRun
from tools_worker.datafactory.performance import (
    MEANING,
    THROTTLED,
    Copy,
    copy_of,
    dependencies,
    queue_seconds,
    slowest_path,
)
from tools_worker.datafactory.wording import at, count, lasted, listed, sentences, stamp
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec

MAX_COPIES = 15  # of about 400 bytes


class RunPerformanceArguments(Arguments):
    run_id: str = Field(min_length=1, max_length=100, description="Id (GUID) of the pipeline run.")
    factory: str | None = Field(
        default=None, max_length=100, description="Name of the data factory. Omit to look in all of them."
    )


async def adf_run_performance(context: ToolContext, args: RunPerformanceArguments) -> Reply:
    located = await context.factories.find_run(args.run_id, args.factory)
    factory, run = located.factory, located.run
    found = await factory.activity_runs(run)
    copies = sorted((copy for copy in map(copy_of, found) if copy), key=lambda copy: -_spent(copy.activity))
    path = slowest_path(found, await _needs(factory, run))
    slowest = max(path, key=_spent, default=None)
    told = next((copy for copy in copies if slowest and copy.activity.id == slowest.id), None)
    told = told or (copies[0] if copies and (slowest is None or slowest.type in _CONTAINERS) else None)
    summary = sentences(
        f"The run is not in {located.asked!r}, it belongs to {factory.name!r}." if located.asked else "",
        f"The run of {run.pipeline} in {factory.name} started {at(run.start)} "
        f"({run.status or 'status unknown'}, run {args.run_id}) {_took(run, context)}.",
        _path_told(path) or "It has no ended activity runs, so nothing can be said about where the time went.",
        _copy_told(told) if told else _no_copy(slowest),
        "" if found.complete else "Not all activity runs could be read.",
    )
    child = next((activity.child_run_id for activity in path if activity is slowest), "")
    return Reply(
        summary=summary,
        data={
            "run_id": args.run_id,
            "pipeline": run.pipeline,
            "status": run.status,
            "start": stamp(run.start),
            "end": stamp(run.end),
            "slowest_path": [_step(activity) for activity in path],
            "bottleneck": _bottleneck(told, slowest),
            "copies": [_copy_row(copy) for copy in copies[:MAX_COPIES]],
            "copies_left_out": max(0, len(copies) - MAX_COPIES),
        },
        evidence=[
            Evidence("pipeline_run", args.run_id, factory.name),
            *(Evidence("activity_run", activity.id, factory.name) for activity in path if activity.id),
        ],
        truncated=len(copies) > MAX_COPIES,
        next=[f"adf_run_performance run_id={child} factory={factory.name}"] if child else [],
    )


_CONTAINERS = frozenset({"ForEach", "Until", "IfCondition", "Switch"})


async def _needs(factory: DataFactory, run: PipelineRun) -> dict[str, list[str]]:
    """Today's definition. Without it the path is the last activity alone, which is still true."""
    try:
        return dependencies((await factory.pipeline(run.pipeline)).definition)
    except (NotFound, UpstreamError):
        return {}


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
    phases = listed([f"{phase} {seconds} s" for phase, seconds in copy.phases.items()], 7)
    how = [count(copy.units, "data integration unit")] if copy.units is not None else []
    how += [count(copy.parallel, "parallel copy")] if copy.parallel is not None else []
    return sentences(
        f"Copy {name}{' with ' + listed(how) if how else ''}: {phases}.",
        f"Bottleneck of {name}: {copy.bottleneck}: {MEANING[copy.bottleneck]}." if copy.bottleneck else "",
        *(f"The {side} throttled {count(number, 'request')}: {THROTTLED}." for side, number in copy.throttled.items()),
        f"Azure gave {count(copy.tips, 'recommendation')} for this copy (see its details in the portal)."
        if copy.tips
        else "",
    )


def _no_copy(slowest: ActivityRun | None) -> str:
    if slowest is None:
        return ""
    waited = queue_seconds(slowest)
    queued = f", {waited} s of it in the queue of the integration runtime" if waited else ""
    where = "its child run tells where" if slowest.child_run_id else "its output does not tell where inside it"
    return f"Most of it is {slowest.name} ({lasted(slowest.duration_ms)}{queued}); {where}."


def _bottleneck(copy: Copy | None, slowest: ActivityRun | None) -> dict[str, Any] | None:
    if copy is not None and copy.bottleneck:
        return {"activity": copy.activity.name, "phase": copy.bottleneck, "seconds": copy.phases[copy.bottleneck]}
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
        "throughput_kb_s": copy.throughput_kbps,
        "data_integration_units": copy.units,
        "parallel_copies": copy.parallel,
        "throttled": dict(copy.throttled) or None,
    }
    return {key: value for key, value in row.items() if value is not None}


TOOL = ToolSpec(
    name="adf_run_performance",
    description=(
        "Tells where the time of one Azure Data Factory run went: the slowest path through its activities, and for "
        "copies queue, time to first byte, pre-copy script, reading, writing, throttling, data integration units; "
        "names the bottleneck. Takes a run id. Use it for why-is-it-slow questions."
    ),
    arguments=RunPerformanceArguments,
    run=adf_run_performance,
)
