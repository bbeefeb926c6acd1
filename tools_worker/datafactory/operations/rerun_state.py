"""What Data Factory shows of a run that is to be repeated, and whether that forbids it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidArguments, NotFound
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.leaves import attempts
from tools_worker.datafactory.models import CANCELLED, FAILED, SUCCEEDED, ActivityRun, Pipeline, PipelineRun
from tools_worker.datafactory.operations.grounds import KEPT, Grounds, first
from tools_worker.datafactory.operations.repeats import Estate
from tools_worker.datafactory.wording import at, safe

RERUN_STATUSES = frozenset({FAILED, "Cancelled", "Canceled"})
MAX_RUNS = 100  # of a group, and of those that succeeded since
MAX_READ = 10  # runs of a group whose activities are read


@dataclass(frozen=True, slots=True)
class State:
    """What Data Factory shows of the run to be repeated."""

    run: PipelineRun
    pipeline: Pipeline | None  # None: it was deleted
    estate: Estate
    group: tuple[PipelineRun, ...]  # the run and its reruns, newest first
    going: tuple[PipelineRun, ...]  # other runs of the pipeline
    succeeded: tuple[PipelineRun, ...]  # later runs of the pipeline, newest first
    parent: PipelineRun | None
    activities: tuple[ActivityRun, ...]  # of the run itself
    mended: tuple[PipelineRun, ...]  # reruns that succeeded of the runs that it called
    begun: frozenset[str]  # activities that have worked, in any run of the group

    @property
    def newest(self) -> PipelineRun:
        return self.group[0]

    @property
    def failed(self) -> list[ActivityRun]:
        """What did not end well, each at its last attempt."""
        return [
            group.last for group in attempts(self.activities) if group.last.failed or group.last.status in CANCELLED
        ]


async def read_state(grounds: Grounds, run_id: str) -> State:
    live = grounds.live
    run = await live.pipeline_run(run_id)
    since = run.start or grounds.now - KEPT
    (estate, group, going, succeeded, parent) = await asyncio.gather(
        grounds.estate(),
        live.pipeline_runs(since, group=run.group_id or run.run_id, limit=MAX_RUNS),
        grounds.going(run.pipeline),
        live.pipeline_runs(since, pipeline=run.pipeline, status=SUCCEEDED, limit=MAX_RUNS),
        _parent(live, run),
    )
    members = tuple({each.run_id: each for each in (*group, run)}.values())
    known = {each.run_id for each in members}
    read = [run, *(each for each in members if each.run_id != run.run_id)][:MAX_READ]
    activities = await asyncio.gather(*(live.activity_runs(each) for each in read))
    return State(
        run=run,
        pipeline=estate.pipelines.get(run.pipeline),
        estate=estate,
        group=members,
        going=tuple(each for each in going if each.run_id not in known),
        succeeded=tuple(each for each in succeeded if _later(each, run) and each.run_id not in known),
        parent=parent,
        activities=activities[0].items,
        mended=await _mended(live, activities[0].items),
        begun=frozenset(each.name for found in activities for each in found),
    )


async def _parent(live: DataFactory, run: PipelineRun) -> PipelineRun | None:
    if not run.invoked_by.run_id:
        return None
    try:
        return await live.pipeline_run(run.invoked_by.run_id)
    except (NotFound, InvalidArguments):  # gone by now, or no id of a run
        return None


async def _mended(live: DataFactory, activities: Sequence[ActivityRun]) -> tuple[PipelineRun, ...]:
    """A child that was rerun by itself leaves its parent failed, and is called again all the same."""
    called = [each.child_run_id for each in activities if each.failed and each.child_run_id][:MAX_READ]
    found = await asyncio.gather(*(_rerun_well(live, run_id) for run_id in called))
    return tuple(run for runs in found for run in runs)


async def _rerun_well(live: DataFactory, run_id: str) -> list[PipelineRun]:
    try:
        child = await live.pipeline_run(run_id)
    except (NotFound, InvalidArguments):  # gone by now, or no id of a run
        return []
    if not child.group_id or child.start is None:
        return []
    group = await live.pipeline_runs(child.start, group=child.group_id, limit=MAX_RUNS)
    return [each for each in group if _later(each, child) and each.status == SUCCEEDED][:1]


def _later(one: PipelineRun, other: PipelineRun) -> bool:
    return one.start is not None and other.start is not None and one.start > other.start


def refused(grounds: Grounds, state: State) -> str:
    run, wanted = state.run, grounds.given.name_or_none("pipeline")
    return first(
        f"Run {run.run_id} belongs to {run.pipeline or 'a pipeline without a name'}, not to {safe(wanted, 80)}."
        if wanted and wanted.casefold() != run.pipeline.casefold()
        else "",
        _not_failed(run),
        f"Run {run.run_id} began {at(run.start)}: Data Factory keeps runs for {KEPT.days} days, and repeats none older."
        if run.start is not None and run.start < grounds.now - KEPT
        else "",
        f"Pipeline {run.pipeline or 'without a name'} is not in {grounds.live.name} any more: it was deleted."
        if state.pipeline is None
        else "",
        _rerun_already(state),
        _covered(state),
        f"Its parent, run {state.parent.run_id} of {state.parent.pipeline}, is still {state.parent.status} and may "
        "call it again."
        if state.parent is not None and state.parent.unfinished
        else "",
    )


def _not_failed(run: PipelineRun) -> str:
    if run.unfinished:
        return f"Run {run.run_id} of {run.pipeline} is still {run.status}."
    if run.status == SUCCEEDED:
        return f"Run {run.run_id} of {run.pipeline} did not fail: it succeeded."
    if run.status not in RERUN_STATUSES:
        return f"Run {run.run_id} has a status that is not known here ({safe(run.status, 40) or 'none'})."
    return ""


def _rerun_already(state: State) -> str:
    for rerun in (each for each in state.group if _later(each, state.run)):
        if rerun.unfinished:
            return f"It was rerun at {at(rerun.start)} already: run {rerun.run_id} is {rerun.status}."
        if rerun.status == SUCCEEDED:
            return f"It was rerun at {at(rerun.start)} already, and run {rerun.run_id} succeeded."
    if state.run.is_latest is False and not any(_later(each, state.run) for each in state.group):
        return "Data Factory says that it was rerun already, and does not show by which run."
    return ""


def _covered(state: State) -> str:
    """A later run did the same work, with the same parameters. With others it worked on something else."""
    for good in state.succeeded:
        if dict(good.parameters) == dict(state.run.parameters):
            same = " with the same parameters" if good.parameters else ""
            return f"A later run of {state.run.pipeline}{same} succeeded: run {good.run_id}, started {at(good.start)}."
    return ""
