"""adf_rerun_window: proposes to run a failed tumbling window again, under its own trigger."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from core.errors import InvalidArguments, NotFound
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.lateness import window_start
from tools_worker.datafactory.models import TriggerRun
from tools_worker.datafactory.period import RETENTION_DAYS
from tools_worker.datafactory.punctuality.backlog import BROKEN
from tools_worker.datafactory.wording import at, listed
from tools_worker.runtime.tools import Arguments, Reply, ToolContext, ToolSpec
from tools_worker.tools.proposing import FACTORY, factory_of_trigger, propose

MAX_NAMED = 5


class RerunWindowArguments(Arguments):
    trigger: str = Field(min_length=1, max_length=260, description="Name of the tumbling window trigger, in any case.")
    trigger_run_id: str | None = Field(
        default=None, max_length=100, description="Id of the trigger run that failed. Omit where one window failed."
    )
    factory: str | None = Field(default=None, max_length=100, description=FACTORY)


async def adf_rerun_window(context: ToolContext, args: RerunWindowArguments) -> Reply:
    factory = await factory_of_trigger(context, args.trigger, args.factory)
    run_id = args.trigger_run_id or await _failed(context, factory, args.trigger)
    return await propose(context, factory, "rerun_window", {"trigger": args.trigger, "trigger_run_id": run_id})


async def _failed(context: ToolContext, factory: DataFactory, trigger: str) -> str:
    """The trigger run of the one window that failed. Raises NotFound for none, InvalidArguments for several."""
    live = factory.fresh()
    name = next((each.name for each in await live.triggers() if each.name.casefold() == trigger.casefold()), trigger)
    runs = await live.trigger_runs(context.now - timedelta(days=RETENTION_DAYS), trigger=name)
    newest: dict[str, TriggerRun] = {}
    for run in runs:  # newest first: only the last run of a window counts
        newest.setdefault(str(window_start(run) or run.id), run)
    broken = [run for run in newest.values() if run.status in BROKEN and window_start(run) is not None]
    if not broken:
        raise NotFound(f"No window of {name!r} in {factory.name!r} has failed in the last {RETENTION_DAYS} days.")
    if len(broken) > 1:
        named = listed([f"{run.id} (from {at(window_start(run))})" for run in broken], MAX_NAMED)
        raise InvalidArguments(f"{len(broken)} windows of {name!r} failed: say which one.", hint=f"Runs: {named}.")
    return broken[0].id


TOOL = ToolSpec(
    name="adf_rerun_window",
    description=(
        "Proposes to rerun one failed window of an Azure Data Factory trigger that has windows. It only proposes: "
        "policy and people decide."
    ),
    arguments=RerunWindowArguments,
    run=adf_rerun_window,
    writes=True,
)
