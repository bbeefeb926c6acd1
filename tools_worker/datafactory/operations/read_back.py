"""After a crash or a lost answer: did Data Factory do it? Looked up, never sent again.

A thing that shows is there. A thing that does not show may come yet, so "not done" is never said sooner than some time
after it was sent. Where several things may be it, nobody can say which, and it is said so.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import CANCELLED, UNFINISHED, PipelineRun
from tools_worker.datafactory.operations.following import (
    SKEW,
    is_wanted,
    of_cancelled,
    of_run,
    of_states,
    of_window,
    several,
    states_of,
    window_reruns,
)
from tools_worker.datafactory.operations.model import Effect, OperationKind, Plan
from tools_worker.datafactory.wording import at, sentences

SETTLES = timedelta(minutes=2)  # a request may be late on its way, and what it did shows some seconds after that
MAX_RUNS = 100
BY_HAND = "manual"


@dataclass(frozen=True, slots=True)
class _Seen:
    """`effect`: what shows of it. Else `told` is what shows in its place; `in_part`: some of it was done."""

    effect: Effect | None = None
    told: str = ""
    in_part: bool = False


async def read_back(
    factory: DataFactory, plan: Plan, since: datetime, now: datetime, *, settles: timedelta = SETTLES
) -> Effect:
    """`since`: when it was about to be sent. Done: it was carried out; where that is not settled, its effect is to be
    followed. Unknown and not settled: look again later. Raises the Upstream family, where nothing could be seen."""
    seen = await _LOOKS[plan.operation.kind](factory.fresh(), plan, since, now)
    if seen.effect is not None:
        return seen.effect if seen.effect.settled else replace(seen.effect, ended="done")
    if now - since < settles:
        text = f"Nothing of it shows yet in Data Factory, since {at(since)}."
        return Effect("unknown", sentences(text, seen.told), settled=False)
    if seen.in_part:
        return Effect("unknown", sentences("It was done in part.", seen.told), settled=True)
    text = f"Data Factory shows nothing of it since {at(since)}, so it was not done."
    return Effect("not_done", sentences(text, seen.told), settled=True)


async def _rerun(live: DataFactory, plan: Plan, since: datetime, now: datetime) -> _Seen:
    """A run in the group of the one that was to be repeated, which was not there when it was planned."""
    old = await live.pipeline_run(plan.run_id)
    found = await live.pipeline_runs(since - SKEW, group=old.group_id or old.run_id, limit=MAX_RUNS)
    new = [run for run in found if run.run_id != old.run_id and run.run_id not in plan.seen and _since(run, since)]
    return _of_one(new, f"{len(new)} reruns of run {old.run_id} began since {at(since)}")


async def _run_pipeline(live: DataFactory, plan: Plan, since: datetime, now: datetime) -> _Seen:
    """A run by hand with these parameters."""
    wanted = plan.operation.arguments["parameters"]
    found = await live.pipeline_runs(since - SKEW, pipeline=plan.pipeline, limit=MAX_RUNS)
    new = [run for run in found if _since(run, since) and run.run_id not in plan.seen and _by_hand(run, wanted)]
    return _of_one(
        new, f"{len(new)} runs of {plan.pipeline} with these parameters were started by hand since {at(since)}"
    )


async def _cancel(live: DataFactory, plan: Plan, since: datetime, now: datetime) -> _Seen:
    found = await of_cancelled(live, plan)
    if found.status in UNFINISHED - CANCELLED:
        return _Seen(told=found.told)
    return _Seen(found)


async def _rerun_window(live: DataFactory, plan: Plan, since: datetime, now: datetime) -> _Seen:
    fired = await window_reruns(live, plan, since, now)
    if len(fired) > 1:
        return _Seen(several(f"{len(fired)} runs of this window began since {at(since)}", [each.id for each in fired]))
    return _Seen(await of_window(live, fired[0]) if fired else None)


async def _switch(live: DataFactory, plan: Plan, since: datetime, now: datetime) -> _Seen:
    states = await states_of(live, plan)
    found = of_states(plan, states)
    if found.ended == "done":
        return _Seen(found)
    return _Seen(told=found.told, in_part=any(is_wanted(plan, state) for state in states.values()))


def _of_one(found: list[PipelineRun], many: str) -> _Seen:
    if len(found) > 1:
        return _Seen(several(many, [run.run_id for run in found]))
    return _Seen(of_run(found[0]) if found else None)


def _since(run: PipelineRun, since: datetime) -> bool:
    return run.start is None or run.start >= since - SKEW


def _by_hand(run: PipelineRun, wanted: Mapping[str, Any]) -> bool:
    by_hand = run.invoked_by.type.casefold() == BY_HAND or run.invoked_by.name.casefold() == BY_HAND
    told = {str(name).casefold(): value for name, value in run.parameters.items()}
    return by_hand and all(_same(value, told.get(name.casefold())) for name, value in wanted.items())


def _same(wanted: Any, told: Any) -> bool:
    """Data Factory tells parameters as text, whatever they are."""
    if wanted == told or not isinstance(told, str):
        return bool(wanted == told)
    if isinstance(wanted, str):
        return False
    try:
        read = json.loads(told if not isinstance(wanted, bool) else told.casefold())
    except ValueError:
        return False
    return bool(read == wanted) and isinstance(read, bool) == isinstance(wanted, bool)


_LOOKS: Mapping[OperationKind, Callable[[DataFactory, Plan, datetime, datetime], Awaitable[_Seen]]] = {
    "rerun": _rerun,
    "run_pipeline": _run_pipeline,
    "cancel": _cancel,
    "rerun_window": _rerun_window,
    "start_trigger": _switch,
    "stop_trigger": _switch,
    "pause_schedule": _switch,
    "resume_schedule": _switch,
}
