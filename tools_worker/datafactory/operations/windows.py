"""Planning that a tumbling window is run again: one that failed, under its own trigger."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from core.errors import InvalidArguments, NotFound
from tools_worker.datafactory import fields
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.definitions import started_by, steps
from tools_worker.datafactory.diagnosis import diagnose
from tools_worker.datafactory.lateness import window_start
from tools_worker.datafactory.models import SUCCEEDED, Pipeline, PipelineRun, Trigger, TriggerRun
from tools_worker.datafactory.operations.grounds import (
    KEPT,
    RISKS,
    Grounds,
    definitions_fact,
    first,
    repeating,
)
from tools_worker.datafactory.operations.model import Plan
from tools_worker.datafactory.operations.repeats import Estate, Repeats, repeats_of
from tools_worker.datafactory.operations.triggering import TUMBLING, concerned, state_fact, waiting_for
from tools_worker.datafactory.punctuality.backlog import BROKEN
from tools_worker.datafactory.schedules import Tumbling
from tools_worker.datafactory.schedules.tumbling import moment_of
from tools_worker.datafactory.wording import at, listed, safe


@dataclass(frozen=True, slots=True)
class _State:
    trigger: Trigger
    fired: TriggerRun
    others: tuple[TriggerRun, ...]  # of the same window, newest first
    run: PipelineRun | None  # the one that it started
    rerun: PipelineRun | None  # of that, by itself: succeeded
    pipeline: Pipeline | None
    estate: Estate
    begun: frozenset[str]


async def plan_window(grounds: Grounds) -> Plan:
    """Raises NotFound for a trigger, or for a run of it, that is not there."""
    trigger = await grounds.trigger(grounds.given.name("trigger"))
    state = await _read(grounds, trigger, grounds.given.name("trigger_run_id"))
    refusal = _refused(state)
    repeats = _repeats(state)
    category = transience = confidence = ""
    if not refusal and state.run is not None:
        found = await diagnose(grounds.factory, state.run, grounds.now)
        category, transience = found.root_cause_category or "", found.transience or ""
        confidence = found.confidence
    triggers = await grounds.live.triggers()
    return grounds.plan(
        f"Rerun the window {_window(state.fired)} of {trigger.name}",
        {"trigger": trigger.name, "trigger_run_id": state.fired.id},
        effects=(
            f"The window {_window(state.fired)} of {trigger.name} runs again, with its own parameters: a new run of "
            f"{listed(started_by(trigger)) or 'no pipeline'} starts, from its beginning.",
            _waits(trigger, waiting_for(trigger.name, triggers)),
            f"Its run was rerun by itself since, and run {state.rerun.run_id} succeeded: that work is done again."
            if state.rerun
            else "",
            repeating(repeats),
        ),
        facts=_facts(state, repeats),
        refusal=refusal,
        risk=RISKS[repeats.repeatable],
        run_id=state.run.run_id if state.run else "",
        repeatable=repeats.repeatable,
        category=category,
        transience=transience,
        confidence=confidence,
        seen=(state.fired.id, *(each.id for each in state.others)),
        **concerned([trigger], state.estate.pipelines.values()),
    )


async def _read(grounds: Grounds, trigger: Trigger, run_id: str) -> _State:
    live = grounds.live
    runs, estate = await asyncio.gather(live.trigger_runs(grounds.now - KEPT, trigger=trigger.name), grounds.estate())
    fired = next((each for each in runs if each.id == run_id), None)
    if fired is None:
        raise NotFound(
            f"No run of trigger {trigger.name!r} in {live.name!r} has the id {run_id!r}.",
            hint=f"Trigger runs are kept for {KEPT.days} days; adf_missed_runs names the windows that failed.",
        )
    begin = window_start(fired)
    same = tuple(each for each in runs if begin is not None and window_start(each) == begin and each.id != fired.id)
    name = next(iter(started_by(trigger)), "")
    run = await _started(live, fired, name)
    activities = await live.activity_runs(run) if run is not None else ()
    return _State(
        trigger=trigger,
        fired=fired,
        others=same,
        run=run,
        rerun=await _rerun_well(live, run),
        pipeline=estate.pipelines.get(name),
        estate=estate,
        begun=frozenset(each.name for each in activities),
    )


async def _started(live: DataFactory, fired: TriggerRun, pipeline: str) -> PipelineRun | None:
    run_id = fired.pipelines.get(pipeline)
    if not isinstance(run_id, str):
        return None
    try:
        return await live.pipeline_run(run_id)
    except (NotFound, InvalidArguments):
        return None


async def _rerun_well(live: DataFactory, run: PipelineRun | None) -> PipelineRun | None:
    if run is None or run.start is None:
        return None
    group = await live.pipeline_runs(run.start, group=run.group_id or run.run_id, limit=100)
    return next((each for each in group if each.run_id != run.run_id and each.status == SUCCEEDED), None)


def _refused(state: _State) -> str:
    trigger, fired = state.trigger, state.fired
    later = [each for each in state.others if each.at and fired.at and each.at > fired.at]
    newest = later[0] if later else None
    return first(
        f"Trigger {trigger.name} is no tumbling window trigger: only windows can be run again."
        if trigger.type != TUMBLING or window_start(fired) is None
        else "",
        f"This window was run again already: trigger run {newest.id} is {_state(newest)}."
        if newest and newest.status not in BROKEN
        else "",
        f"This window was run again since, and that failed too: rerun trigger run {newest.id}." if newest else "",
        f"The window {_window(fired)} did not fail: it is {_state(fired)}." if fired.status not in BROKEN else "",
        f"{trigger.name} starts a pipeline that does not exist any more." if state.pipeline is None else "",
    )


def _state(fired: TriggerRun) -> str:
    return safe(fired.status, 40) or "in no known state"


def _repeats(state: _State) -> Repeats:
    if state.pipeline is None:
        return Repeats("unknown")
    own = [step for step in steps(state.pipeline.definition) if step.depth == 0 and step.name in state.begun]
    given = state.run.parameters if state.run is not None else {}
    return repeats_of([step.raw for step in own], state.pipeline, state.estate, given)


def _facts(state: _State, repeats: Repeats) -> dict[str, str]:
    told = {
        "trigger": state.trigger.name,
        "state": state_fact(state.trigger),
        "window": _window(state.fired),
        "trigger run": f"{state.fired.id} ({state.fired.status or 'status unknown'})",
        "run": f"{state.run.run_id} ({state.run.status or 'status unknown'})" if state.run else "none to be seen",
    }
    if state.rerun is not None:
        told["rerun by itself"] = state.rerun.run_id
    if state.pipeline is not None:
        told["definitions"] = definitions_fact(state.pipeline, repeats.children, state.estate)
    return told


def _window(fired: TriggerRun) -> str:
    begin = window_start(fired)
    ends = (moment_of(fields.text(source, "windowEndTime")) for source in (fired.properties, fired.dimension))
    end = next((moment for moment in ends if moment is not None), None)
    return f"{at(begin)} to {at(end)}" if end else f"from {at(begin)}"


def _waits(trigger: Trigger, waiting: list[str]) -> str:
    tumbling = Tumbling.of(trigger.definition)
    itself = ["its own later windows"] if tumbling is not None and tumbling.waits_for_itself else []
    named = [*itself, *(f"windows of {name}" for name in waiting)]
    return f"If it succeeds, {listed(named)} that wait for it start too." if named else ""
