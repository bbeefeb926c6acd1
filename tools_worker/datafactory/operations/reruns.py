"""Planning a rerun: a new run in the group of one that failed, of all of it, of what failed, or from an activity on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import InvalidArguments, NotFound
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.definitions import Step, steps
from tools_worker.datafactory.diagnosis import diagnose
from tools_worker.datafactory.leaves import CONTAINERS, EXECUTE_PIPELINE, attempts
from tools_worker.datafactory.models import CANCELLED, FAILED, SUCCEEDED, ActivityRun, Pipeline, PipelineRun
from tools_worker.datafactory.operations.grounds import (
    KEPT,
    RISKS,
    Grounds,
    annotations_of,
    beside,
    definitions_fact,
    first,
    ids,
    repeating,
    works_beside,
)
from tools_worker.datafactory.operations.model import Plan, Repeatable
from tools_worker.datafactory.operations.repeats import Estate, Repeats, repeats_of
from tools_worker.datafactory.wording import at, listed, safe

MODES: Mapping[str, str] = {
    "from_failure": "from its failed activity",
    "whole": "from its beginning",
    "from_activity": "from an activity on",
}
RERUN_STATUSES = frozenset({FAILED, "Cancelled", "Canceled"})
MAX_RUNS = 100  # of a group, and of those that succeeded since
MAX_TOLD = 8  # activities in a sentence
MAX_READ = 10  # runs of a group whose activities are read


@dataclass(frozen=True, slots=True)
class _State:
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


@dataclass(frozen=True, slots=True)
class _Part:
    """The activities of the pipeline's own level that the rerun takes, and those that it leaves out."""

    taken: tuple[Step, ...] = ()
    left: tuple[Step, ...] = ()
    refusal: str = ""
    again: tuple[Step, ...] = field(default=())  # of `taken`: those that have worked before


async def plan_rerun(grounds: Grounds) -> Plan:
    """Raises NotFound for a run that the factory does not have."""
    given = grounds.given
    mode = given.choice("mode", MODES, "from_failure")
    state = await _read(grounds, given.name("run_id"))
    part = _part(state, mode, given.name_or_none("activity"))
    refusal = first(_refused(grounds, state), part.refusal)
    repeats = _repeats(state, part)
    repeatable: Repeatable = repeats.repeatable
    if state.pipeline is not None and works_beside(state.going, state.pipeline) and repeatable == "yes":
        repeatable = "unknown"  # two at once may write over each other
    arguments = {"run_id": state.run.run_id, "pipeline": state.run.pipeline, "mode": mode}
    if mode == "from_activity":
        arguments["activity"] = part.taken[0].name if part.taken else given.name_or_none("activity")
    category, transience, confidence = await _diagnosed(grounds, state.run) if not refusal else ("", "", "")
    return grounds.plan(
        _title(state, mode, arguments),
        arguments,
        effects=_effects(state, part, repeats, repeatable),
        facts=_facts(state, part),
        refusal=refusal,
        risk=RISKS[repeatable],
        pipeline=state.run.pipeline,
        run_id=state.run.run_id,
        annotations=annotations_of(state.pipeline),
        repeatable=repeatable,
        category=category,
        transience=transience,
        confidence=confidence,
        seen=tuple(each.run_id for each in state.group),
    )


async def _read(grounds: Grounds, run_id: str) -> _State:
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
    return _State(
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


async def _diagnosed(grounds: Grounds, run: PipelineRun) -> tuple[str, str, str]:
    found = await diagnose(grounds.factory, run, grounds.now)
    return found.root_cause_category or "", found.transience or "", found.confidence


def _later(one: PipelineRun, other: PipelineRun) -> bool:
    return one.start is not None and other.start is not None and one.start > other.start


# Whether it may be done


def _refused(grounds: Grounds, state: _State) -> str:
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


def _rerun_already(state: _State) -> str:
    for rerun in (each for each in state.group if _later(each, state.run)):
        if rerun.unfinished:
            return f"It was rerun at {at(rerun.start)} already: run {rerun.run_id} is {rerun.status}."
        if rerun.status == SUCCEEDED:
            return f"It was rerun at {at(rerun.start)} already, and run {rerun.run_id} succeeded."
    if state.run.is_latest is False and not any(_later(each, state.run) for each in state.group):
        return "Data Factory says that it was rerun already, and does not show by which run."
    return ""


def _covered(state: _State) -> str:
    """A later run did the same work, with the same parameters. With others it worked on something else."""
    for good in state.succeeded:
        if dict(good.parameters) == dict(state.run.parameters):
            same = " with the same parameters" if good.parameters else ""
            return f"A later run of {state.run.pipeline}{same} succeeded: run {good.run_id}, started {at(good.start)}."
    return ""


# Which activities it takes


def _part(state: _State, mode: str, activity: str) -> _Part:
    if state.pipeline is None:
        return _Part()
    found = steps(state.pipeline.definition)
    own = [step for step in found if step.depth == 0 and fields.text(step.raw, "state") != "Inactive"]
    begins, refusal = _begins(state, mode, activity, own, found)
    if refusal:
        return _Part(refusal=refusal)
    names = {step.name for step in own} if begins is None else _with_those_after(begins, own)
    taken = sorted(
        (step for step in own if step.name in names), key=lambda step: begins is None or step.name not in begins
    )
    left = tuple(step for step in own if step.name not in names)
    return _Part(tuple(taken), left, again=tuple(step for step in taken if step.name in state.begun))


def _begins(
    state: _State, mode: str, activity: str, own: Sequence[Step], found: Sequence[Step]
) -> tuple[set[str] | None, str]:
    """Where it begins (None: at the beginning), or why it cannot."""
    if mode == "whole":
        return None, ""
    names = {step.name for step in own}
    if mode == "from_failure":
        begins = {run.name for run in state.failed} & names
        where = f"No failed activity of {state.run.pipeline} is to be seen in run {state.run.run_id}, so that nothing "
        return begins, "" if begins else f"{where}says where to begin; it can be rerun whole."
    wanted = next((step for step in found if step.name.casefold() == activity.casefold()), None) if activity else None
    if wanted is None:
        told = f"has no activity {safe(activity, 80)}" if activity else "needs the activity to begin with"
        return None, f"{state.run.pipeline} {told}. It has {listed(sorted(names), 10)}."
    if wanted.name not in names:
        return (
            None,
            f"{wanted.name} is inside {wanted.inside} or switched off: a rerun begins at {_above(wanted, found)}.",
        )
    return {wanted.name}, ""


def _above(step: Step, found: Sequence[Step]) -> str:
    """The activity of the pipeline's own level that holds it."""
    by_name = {each.name: each for each in found}
    for _ in found:
        if not step.inside or step.inside not in by_name:
            break
        step = by_name[step.inside]
    return step.name


def _with_those_after(begins: set[str], own: Sequence[Step]) -> set[str]:
    names = set(begins)
    while more := {step.name for step in own if any(name in names for name, _ in step.waits_for)} - names:
        names |= more
    return names


def _repeats(state: _State, part: _Part) -> Repeats:
    """Of what has worked before: the rest is done for the first time."""
    if state.pipeline is None:
        return Repeats("unknown")
    return repeats_of([step.raw for step in part.again], state.pipeline, state.estate, state.run.parameters)


# What is told of it


def _title(state: _State, mode: str, arguments: Mapping[str, Any]) -> str:
    how = f"from {arguments['activity']} on" if mode == "from_activity" and arguments["activity"] else MODES[mode]
    return f"Rerun {state.run.pipeline or 'a run'} {how}"


def _effects(state: _State, part: _Part, repeats: Repeats, repeatable: Repeatable) -> tuple[str, ...]:
    run, pipeline = state.run, state.pipeline
    if pipeline is None:
        return ()
    names = [step.name for step in part.again]
    new = [step.name for step in part.taken if step not in part.again]
    return (
        f"A new run of {run.pipeline} starts, in the group of run {run.run_id}.",
        f"It runs {listed(names, MAX_TOLD)} again." if names else "",
        f"Then for the first time {listed(new, MAX_TOLD)}." if new and names else "",
        f"It runs {listed(new, MAX_TOLD)}." if new and not names else "",
        f"It leaves out {listed([step.name for step in part.left], MAX_TOLD)}." if part.left else "",
        *_inside(part),
        _parameters(run),
        beside(state.going, pipeline),
        f"It was called by run {state.parent.run_id} of {state.parent.pipeline}, which stays {state.parent.status}."
        if state.parent is not None
        else "",
        _newer(state),
        *(f"{each.pipeline} was rerun by itself since, and run {each.run_id} succeeded." for each in state.mended),
        repeating(repeats, at_once=repeatable != repeats.repeatable),
    )


def _inside(part: _Part) -> tuple[str, ...]:
    loops = [step.name for step in part.again if step.type in ("ForEach", "Until")]
    chosen = [step.name for step in part.again if step.type in CONTAINERS and step.name not in loops]
    called = [step.child for step in part.again if step.type == EXECUTE_PIPELINE and step.child]
    return (
        f"All rounds of {listed(loops, MAX_TOLD)} run again, those too that succeeded." if loops else "",
        f"{listed(chosen, MAX_TOLD)} decides anew." if len(chosen) == 1 else "",
        f"{listed(chosen, MAX_TOLD)} decide anew." if len(chosen) > 1 else "",
        f"Called again as a whole: {listed(called, MAX_TOLD)}." if called else "",
    )


def _parameters(run: PipelineRun) -> str:
    if not run.parameters:
        return "It takes no parameters."
    names = listed([safe(str(name), 60) for name in sorted(run.parameters)], MAX_TOLD)
    return f"It takes the parameters of that run: {names}."


def _newer(state: _State) -> str:
    if not state.succeeded:
        return ""
    good = state.succeeded[0]
    return f"A later run with other parameters has succeeded: run {good.run_id}, started {at(good.start)}."


def _facts(state: _State, part: _Part) -> dict[str, str]:
    """Text of ours, names and ids. A value of a parameter is what somebody wrote: masked and cut."""
    failed = [f"{each.name or 'unnamed'} ({each.id or 'no id'})" for each in state.failed]
    values = [f"{safe(str(name), 60)}={safe(str(value), 80)}" for name, value in sorted(state.run.parameters.items())]
    told = {
        "run": state.run.run_id,
        "status": state.run.status,
        "newest run of its group": f"{state.newest.run_id} ({state.newest.status or 'status unknown'})",
        "failed activities": listed(failed, MAX_TOLD) or "none to be seen",
        "other runs going on": ids(state.going),
        "parameters": listed(values, 20) or "none",
    }
    if state.mended:
        told["children rerun since"] = ids(state.mended)
    if state.pipeline is not None:
        taken = [step.raw for step in part.taken]
        called = repeats_of(taken, state.pipeline, state.estate, state.run.parameters).children
        told["definitions"] = definitions_fact(state.pipeline, called, state.estate)
    return told
