"""Planning a rerun: a new run in the group of one that failed, of all of it, of what failed, or from an activity on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools_worker.datafactory.diagnosis import diagnose
from tools_worker.datafactory.leaves import CONTAINERS, EXECUTE_PIPELINE
from tools_worker.datafactory.models import PipelineRun
from tools_worker.datafactory.operations.grounds import (
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
from tools_worker.datafactory.operations.repeats import Repeats, repeats_of
from tools_worker.datafactory.operations.rerun_parts import Part, part_of
from tools_worker.datafactory.operations.rerun_state import State, read_state, refused
from tools_worker.datafactory.wording import at, listed, safe

MODES: Mapping[str, str] = {
    "from_failure": "from its failed activity",
    "whole": "from its beginning",
    "from_activity": "from an activity on",
}
MAX_TOLD = 8  # activities in a sentence


async def plan_rerun(grounds: Grounds) -> Plan:
    """Raises NotFound for a run that the factory does not have."""
    given = grounds.given
    mode = given.choice("mode", MODES, "from_failure")
    state = await read_state(grounds, given.name("run_id"))
    part = part_of(state, mode, given.name_or_none("activity"))
    refusal = first(refused(grounds, state), part.refusal)
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


async def _diagnosed(grounds: Grounds, run: PipelineRun) -> tuple[str, str, str]:
    found = await diagnose(grounds.factory, run, grounds.now)
    return found.root_cause_category or "", found.transience or "", found.confidence


def _repeats(state: State, part: Part) -> Repeats:
    """Of what has worked before: the rest is done for the first time."""
    if state.pipeline is None:
        return Repeats("unknown")
    return repeats_of([step.raw for step in part.again], state.pipeline, state.estate, state.run.parameters)


def _title(state: State, mode: str, arguments: Mapping[str, Any]) -> str:
    how = f"from {arguments['activity']} on" if mode == "from_activity" and arguments["activity"] else MODES[mode]
    return f"Rerun {state.run.pipeline or 'a run'} {how}"


def _effects(state: State, part: Part, repeats: Repeats, repeatable: Repeatable) -> tuple[str, ...]:
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


def _inside(part: Part) -> tuple[str, ...]:
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


def _newer(state: State) -> str:
    if not state.succeeded:
        return ""
    good = state.succeeded[0]
    return f"A later run with other parameters has succeeded: run {good.run_id}, started {at(good.start)}."


def _facts(state: State, part: Part) -> dict[str, str]:
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
