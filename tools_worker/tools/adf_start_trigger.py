"""adf_start_trigger: proposes to start a trigger that is stopped."""

from __future__ import annotations

from pydantic import Field

from tools_worker.runtime.tools import Arguments, Reply, ToolContext, ToolSpec
from tools_worker.tools.proposing import FACTORY, factory_of_trigger, propose


class StartTriggerArguments(Arguments):
    trigger: str = Field(min_length=1, max_length=260, description="Name of the trigger, in any case.")
    factory: str | None = Field(default=None, max_length=100, description=FACTORY)


async def adf_start_trigger(context: ToolContext, args: StartTriggerArguments) -> Reply:
    factory = await factory_of_trigger(context, args.trigger, args.factory)
    return await propose(context, factory, "start_trigger", {"trigger": args.trigger})


TOOL = ToolSpec(
    name="adf_start_trigger",
    description=(
        "Proposes to start (to enable) an Azure Data Factory trigger that is stopped. It only proposes: policy "
        "and people decide."
    ),
    arguments=StartTriggerArguments,
    run=adf_start_trigger,
    writes=True,
)
