"""Doing an operation: one request for one change, sent once. Nothing here or below it ever sends a request again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from core.errors import AppError
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.operations.model import OperationKind, Plan, Receipt
from tools_worker.datafactory.wording import listed

Switch = Literal["start", "stop"]


class NotSent(AppError):
    """Certainly not done: Data Factory was not reached, or it said no."""

    code = "not_sent"
    status = 502
    kind = "network"


class OutcomeUnknown(AppError):
    """It was sent, and no answer tells what became of it. It must be looked up, never sent again."""

    code = "outcome_unknown"
    status = 502
    kind = "network"


@dataclass(frozen=True, slots=True)
class Again:
    """What a rerun starts from. Neither `activity` nor `from_failure`: all of the run."""

    run_id: str
    from_failure: bool = False
    activity: str = ""


class Operations(Protocol):
    """What may be changed in factories. Each method sends one request. Raises NotSent and OutcomeUnknown only."""

    async def create_run(
        self, factory: FactoryId, pipeline: str, parameters: Mapping[str, Any], again: Again | None = None
    ) -> str:
        """The id of the new run. A rerun takes its parameters from the run that it repeats, and joins its group."""
        ...

    async def cancel_run(self, factory: FactoryId, run_id: str, *, recursive: bool) -> None:
        """`recursive`: with the runs that it called."""
        ...

    async def switch_trigger(self, factory: FactoryId, trigger: str, way: Switch) -> None:
        """Accepted when this returns; the trigger's state follows some seconds later."""
        ...

    async def rerun_window(self, factory: FactoryId, trigger: str, trigger_run_id: str) -> None: ...


async def send(operations: Operations, plan: Plan, now: datetime) -> Receipt:
    """Does what was planned. `plan` is of this moment: whoever calls has made sure that it may be done.

    Raises NotSent and OutcomeUnknown. Where several triggers are concerned, and the first were switched when a later
    one could not be, the outcome is unknown too: it is done in part, and the error tells how far it came.
    """
    return await _SENDERS[plan.operation.kind](operations, plan, now)


async def _rerun(operations: Operations, plan: Plan, now: datetime) -> Receipt:
    given = plan.operation.arguments
    mode = given["mode"]
    again = Again(plan.run_id, mode == "from_failure", str(given["activity"]) if mode == "from_activity" else "")
    return Receipt(now, await operations.create_run(factory_of(plan), plan.pipeline, {}, again))


async def _run_pipeline(operations: Operations, plan: Plan, now: datetime) -> Receipt:
    given = plan.operation.arguments["parameters"]
    return Receipt(now, await operations.create_run(factory_of(plan), plan.pipeline, given))


async def _cancel(operations: Operations, plan: Plan, now: datetime) -> Receipt:
    recursive = bool(plan.operation.arguments["recursive"])
    await operations.cancel_run(factory_of(plan), plan.run_id, recursive=recursive)
    return Receipt(now)


async def _rerun_window(operations: Operations, plan: Plan, now: datetime) -> Receipt:
    given = plan.operation.arguments
    await operations.rerun_window(factory_of(plan), given["trigger"], given["trigger_run_id"])
    return Receipt(now)


async def _switch(operations: Operations, plan: Plan, now: datetime) -> Receipt:
    way: Switch = "start" if plan.operation.kind in ("start_trigger", "resume_schedule") else "stop"
    done: list[str] = []
    for trigger in triggers_of(plan):
        try:
            await operations.switch_trigger(factory_of(plan), trigger, way)
        except NotSent as exc:
            if not done:
                raise
            raise OutcomeUnknown(_in_part(way, done, trigger), hint=str(exc)) from exc
        done.append(trigger)
    return Receipt(now, others=tuple(done))


def _in_part(way: Switch, done: list[str], failed: str) -> str:
    return f"Told to {way}: {listed(done, 20)}. Not {failed}, nor any after it."


def triggers_of(plan: Plan) -> tuple[str, ...]:
    """Those that it switches."""
    given = plan.operation.arguments
    return tuple(given["triggers"]) if "triggers" in given else (str(given["trigger"]),)


def factory_of(plan: Plan) -> FactoryId:
    return FactoryId.parse(plan.operation.factory)


_SENDERS: Mapping[OperationKind, Callable[[Operations, Plan, datetime], Awaitable[Receipt]]] = {
    "rerun": _rerun,
    "cancel": _cancel,
    "run_pipeline": _run_pipeline,
    "rerun_window": _rerun_window,
    "start_trigger": _switch,
    "stop_trigger": _switch,
    "pause_schedule": _switch,
    "resume_schedule": _switch,
}
