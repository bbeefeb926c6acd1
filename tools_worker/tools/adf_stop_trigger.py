"""adf_stop_trigger: proposes to stop a trigger that is started."""

from __future__ import annotations

from pydantic import Field

from tools_worker.runtime.tools import Arguments, Reply, ToolContext, ToolSpec
from tools_worker.tools.proposing import FACTORY, factory_of_trigger, propose


class StopTriggerArguments(Arguments):
    trigger: str = Field(min_length=1, max_length=260, description="Name of the trigger, in any case.")
    factory: str | None = Field(default=None, max_length=100, description=FACTORY)


async def adf_stop_trigger(context: ToolContext, args: StopTriggerArguments) -> Reply:
    factory = await factory_of_trigger(context, args.trigger, args.factory)
    return await propose(context, factory, "stop_trigger", {"trigger": args.trigger})


TOOL = ToolSpec(
    name="adf_stop_trigger",
    description=(
        "Proposes to stop (to disable) an Azure Data Factory trigger that is started. It only proposes: policy "
        "and people decide."
    ),
    arguments=StopTriggerArguments,
    run=adf_stop_trigger,
    writes=True,
)
