"""What became of an operation: looked at until its effect is seen in Data Factory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from core.errors import NotFound
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.lateness import window_start
from tools_worker.datafactory.models import CANCELLED, SUCCEEDED, PipelineRun, Trigger, TriggerRun
from tools_worker.datafactory.operations.cancels import going_below
from tools_worker.datafactory.operations.grounds import KEPT
from tools_worker.datafactory.operations.model import Effect, OperationKind, Plan, Receipt
from tools_worker.datafactory.operations.sending import triggers_of
from tools_worker.datafactory.operations.triggering import STARTED
from tools_worker.datafactory.punctuality.backlog import BROKEN
from tools_worker.datafactory.wording import lasted, listed, safe

SKEW = timedelta(seconds=60)  # between our clock and Data Factory's
STOPPED = frozenset({"Stopped", "Disabled"})
MAX_TOLD = 8


async def effect(factory: DataFactory, plan: Plan, receipt: Receipt, now: datetime) -> Effect:
    """What Data Factory shows by now of an operation that it accepted. Raises the Upstream family.

    Done is what was seen to have its effect: the run has ended (`status` says how; one that failed was carried out too,
    and mended nothing), the run is cancelled, the trigger is in the state that was wanted.
    """
    return await _EFFECTS[plan.operation.kind](factory.fresh(), plan, receipt, now)


async def _of_new_run(live: DataFactory, plan: Plan, receipt: Receipt, now: datetime) -> Effect:
    try:
        return of_run(await live.pipeline_run(receipt.id))
    except NotFound:  # it is listed some seconds after it was accepted
        return Effect(
            "unknown", f"Run {receipt.id} was accepted and does not show yet.", settled=False, run_id=receipt.id
        )


def of_run(run: PipelineRun) -> Effect:
    """Of the run that an operation started."""
    about = f"Run {run.run_id} of {run.pipeline}"
    status = safe(run.status, 40) or "in no known state"
    if run.unfinished or not run.status:
        return Effect(
            "unknown", f"{about} was started and is {status}.", settled=False, run_id=run.run_id, status=status
        )
    took = f" after {lasted(run.duration_ms)}" if run.duration_ms is not None else ""
    if run.status == SUCCEEDED:
        return Effect("done", f"{about} succeeded{took}.", settled=True, run_id=run.run_id, status=status)
    told = f"{about} was started and ended {status}{took}: that did not help."
    return Effect("done", told, settled=True, run_id=run.run_id, status=status)


async def _of_cancel(live: DataFactory, plan: Plan, receipt: Receipt, now: datetime) -> Effect:
    return await of_cancelled(live, plan)


async def of_cancelled(live: DataFactory, plan: Plan) -> Effect:
    run = await live.pipeline_run(plan.run_id)
    about, status = f"Run {run.run_id} of {run.pipeline}", safe(run.status, 40)
    if run.unfinished:
        return Effect("unknown", f"{about} is still {status}.", settled=False, run_id=run.run_id, status=status)
    if run.status not in CANCELLED:
        told = f"{about} ended {status} before it could be cancelled."
        return Effect("not_done", told, settled=True, run_id=run.run_id, status=status)
    below = await going_below(live, run) if plan.operation.arguments["recursive"] else []
    if below:
        named = listed([f"{child.run_id} of {child.pipeline} ({child.status})" for child in below], MAX_TOLD)
        told = f"{about} is cancelled; of the runs that it called these still go on: {named}."
        return Effect("unknown", told, settled=False, run_id=run.run_id, status=status)
    return Effect("done", f"{about} is cancelled.", settled=True, run_id=run.run_id, status=status)


async def _of_triggers(live: DataFactory, plan: Plan, receipt: Receipt, now: datetime) -> Effect:
    return of_states(plan, await states_of(live, plan))


async def states_of(live: DataFactory, plan: Plan) -> Mapping[str, str]:
    """Of the triggers that it switches."""
    known = {trigger.name: trigger for trigger in await live.triggers()}
    return {name: _state(known.get(name)) for name in triggers_of(plan)}


def of_states(plan: Plan, states: Mapping[str, str]) -> Effect:
    """Whether all are in the state that was wanted. Else nothing is settled: a state follows later."""
    told = " ".join(f"Trigger {name} is {state}." for name, state in states.items())
    status = next(iter(states.values()), "") if len(set(states.values())) == 1 else "mixed"
    if all(is_wanted(plan, state) for state in states.values()):
        return Effect("done", told, settled=True, status=status)
    return Effect("unknown", told, settled=False, status=status)


def is_wanted(plan: Plan, state: str) -> bool:
    if plan.operation.kind in ("start_trigger", "resume_schedule"):
        return state == STARTED
    return state in STOPPED


def _state(trigger: Trigger | None) -> str:
    if trigger is None:
        return "gone"
    return safe(trigger.state, 40) or "in no known state"


async def _of_window(live: DataFactory, plan: Plan, receipt: Receipt, now: datetime) -> Effect:
    fired = await window_reruns(live, plan, receipt.at, now)
    if not fired:
        told = "Data Factory accepted the window; its new run does not show yet."
        return Effect("unknown", told, settled=False)
    return await of_window(live, fired[0])


async def window_reruns(live: DataFactory, plan: Plan, since: datetime, now: datetime) -> list[TriggerRun]:
    """Later runs of the window that was to be run again, newest first."""
    given = plan.operation.arguments
    runs = (await live.trigger_runs(now - KEPT, trigger=given["trigger"])).items
    old = next((each for each in runs if each.id == given["trigger_run_id"]), None)
    begin = window_start(old) if old else None
    return [
        each
        for each in runs
        if old is not None and each.id not in plan.seen and begin is not None and window_start(each) == begin
        if each.at is not None and each.at >= since - SKEW
    ]


async def of_window(live: DataFactory, fired: TriggerRun) -> Effect:
    found = await asyncio.gather(*(_run_or_none(live, run_id) for run_id in fired.pipelines.values()))
    runs = [run for run in found if run is not None]
    run_id = runs[0].run_id if runs else ""
    status = safe(fired.status, 40) or "in no known state"
    if any(run.unfinished for run in runs) or (fired.status != SUCCEEDED and fired.status not in BROKEN):
        told = f"The window runs again (trigger run {fired.id}) and is {status}."
        return Effect("unknown", told, settled=False, run_id=run_id, status=status)
    if fired.status == SUCCEEDED:
        return Effect("done", f"The window ran again and succeeded (run {run_id}).", True, run_id, status)
    told = f"The window ran again and ended {status} (run {run_id}): that did not help."
    return Effect("done", told, settled=True, run_id=run_id, status=status)


async def _run_or_none(live: DataFactory, run_id: object) -> PipelineRun | None:
    if not isinstance(run_id, str):
        return None
    try:
        return await live.pipeline_run(run_id)
    except NotFound:
        return None


def several(what: str, found: Sequence[str]) -> Effect:
    """More than one thing it may have been: nobody can say which."""
    told = f"{what}, and which of them is this operation's cannot be told: {listed(list(found), MAX_TOLD)}."
    return Effect("unknown", told, settled=True)


_EFFECTS: Mapping[OperationKind, Callable[[DataFactory, Plan, Receipt, datetime], Awaitable[Effect]]] = {
    "rerun": _of_new_run,
    "run_pipeline": _of_new_run,
    "cancel": _of_cancel,
    "rerun_window": _of_window,
    "start_trigger": _of_triggers,
    "stop_trigger": _of_triggers,
    "pause_schedule": _of_triggers,
    "resume_schedule": _of_triggers,
}
