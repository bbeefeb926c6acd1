"""From an operation that somebody wants to a plan: what it would do, and what the factory shows that it rests on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from core.errors import InvalidArguments
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.operations.arguments import Given
from tools_worker.datafactory.operations.cancels import plan_cancel
from tools_worker.datafactory.operations.grounds import Grounds
from tools_worker.datafactory.operations.model import Operation, OperationKind, Plan
from tools_worker.datafactory.operations.pauses import plan_pause, plan_resume
from tools_worker.datafactory.operations.reruns import plan_rerun
from tools_worker.datafactory.operations.starts import plan_run
from tools_worker.datafactory.operations.switches import plan_start, plan_stop
from tools_worker.datafactory.operations.windows import plan_window

_PLANS: Mapping[OperationKind, Callable[[Grounds], Awaitable[Plan]]] = {
    "rerun": plan_rerun,
    "cancel": plan_cancel,
    "run_pipeline": plan_run,
    "start_trigger": plan_start,
    "stop_trigger": plan_stop,
    "rerun_window": plan_window,
    "pause_schedule": plan_pause,
    "resume_schedule": plan_resume,
}


async def plan(factory: DataFactory, operation: Operation, now: datetime) -> Plan:
    """Changes nothing, and reads the factory as it is now. The same operation on the same state has the same digest.

    What exists and must not be changed so gives a plan with a refusal. Raises NotFound for what does not exist,
    InvalidArguments, and the Upstream family where the factory cannot be read.
    """
    given = Given.of(operation)
    named = FactoryId.read(operation.factory)
    if named is None or named.path.casefold() != factory.id.path.casefold():
        raise InvalidArguments(f"{operation.factory!r} is not the resource id of {factory.name!r}.")
    return await _PLANS[operation.kind](Grounds(factory.fresh(), factory, given, now))
