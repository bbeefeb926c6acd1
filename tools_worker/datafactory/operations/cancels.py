"""Planning a cancellation: of a run that goes on, alone or with the runs that it called."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from core.errors import AppError
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import CANCELLED, ActivityRun, PipelineRun
from tools_worker.datafactory.operations.grounds import Grounds, annotations_of, first
from tools_worker.datafactory.operations.model import Plan
from tools_worker.datafactory.wording import age, at, count, listed, safe

MAX_CHILDREN = 30
DEEPEST = 5
MAX_TOLD = 8


async def plan_cancel(grounds: Grounds) -> Plan:
    """Raises NotFound for a run that the factory does not have."""
    recursive = grounds.given.flag("recursive", otherwise=True)
    live = grounds.live
    run = await live.pipeline_run(grounds.given.name("run_id"))
    refusal = _refused(grounds, run)
    activities: tuple[ActivityRun, ...] = ()
    children: list[PipelineRun] = []
    if not refusal:
        activities, children = await asyncio.gather(_activities(live, run), going_below(live, run))
    pipelines = await live.pipelines()
    return grounds.plan(
        f"Cancel a run of {run.pipeline or 'a pipeline without a name'}"
        + (" and the runs that it called" if recursive and children else ""),
        {"run_id": run.run_id, "pipeline": run.pipeline, "recursive": recursive},
        effects=_effects(grounds, run, activities, children),
        facts={"run": run.run_id, "status": run.status},
        refusal=refusal,
        risk="high" if children and not recursive else "medium",
        pipeline=run.pipeline,
        run_id=run.run_id,
        annotations=annotations_of(next((each for each in pipelines if each.name == run.pipeline), None)),
        repeatable="yes",  # a run that is cancelled can be cancelled no more
    )


async def going_below(live: DataFactory, run: PipelineRun, depth: int = 0) -> list[PipelineRun]:
    """The runs that it called, and that those called, which go on."""
    calls = [each.child_run_id for each in await _activities(live, run) if each.child_run_id][:MAX_CHILDREN]
    read = [each for each in await asyncio.gather(*(_child(live, run_id) for run_id in calls)) if each is not None]
    found = [child for child in read if child.unfinished]
    if depth < DEEPEST:
        for child in tuple(found):
            found += await going_below(live, child, depth + 1)
    return found[:MAX_CHILDREN]


async def _activities(live: DataFactory, run: PipelineRun) -> tuple[ActivityRun, ...]:
    return (await live.activity_runs(run)).items


async def _child(live: DataFactory, run_id: str) -> PipelineRun | None:
    try:
        return await live.pipeline_run(run_id)
    except AppError:  # one that cannot be asked for is not told of; the cancellation does not depend on it
        return None


def _refused(grounds: Grounds, run: PipelineRun) -> str:
    wanted = grounds.given.name_or_none("pipeline")
    ended = f" at {at(run.end)}" if run.end else ""
    return first(
        f"Run {run.run_id} belongs to {run.pipeline or 'a pipeline without a name'}, not to {safe(wanted, 80)}."
        if wanted and wanted.casefold() != run.pipeline.casefold()
        else "",
        f"Run {run.run_id} of {run.pipeline} is being cancelled already."
        if run.status.startswith("Cancel") and run.unfinished
        else "",
        f"Run {run.run_id} of {run.pipeline} was cancelled already{ended}." if run.status in CANCELLED else "",
        f"Run {run.run_id} of {run.pipeline} is not going on: its status is {safe(run.status, 40) or 'unknown'}{ended}."
        if not run.unfinished
        else "",
    )


def _effects(
    grounds: Grounds, run: PipelineRun, activities: Sequence[ActivityRun], children: Sequence[PipelineRun]
) -> tuple[str, ...]:
    recursive = grounds.given.flag("recursive", otherwise=True)
    working = list(dict.fromkeys(each.name for each in activities if each.status in ("InProgress", "Queued")))
    since = f", which is {run.status} for {age(run.start, grounds.now)}" if run.start else f", which is {run.status}"
    named = listed([f"run {child.run_id} of {child.pipeline}" for child in children], MAX_TOLD)
    caller = run.invoked_by
    return (
        f"Run {run.run_id} of {run.pipeline}{since}, is cancelled.",
        f"Cut off in the middle of their work: {listed(working, MAX_TOLD)}." if len(working) > 1 else "",
        f"Cut off in the middle of its work: {working[0]}." if len(working) == 1 else "",
        f"Cancelled with it: {named}." if children and recursive else "",
        f"{count(len(children), 'run')} that it called {'goes' if len(children) == 1 else 'go'} on: {named}."
        if children and not recursive
        else "",
        f"It was called by run {caller.run_id} of {caller.pipeline}, whose activity {caller.name} fails by this."
        if caller.run_id and caller.pipeline
        else "",
        "What it has written by then stays. Nothing runs it again by itself.",
    )
