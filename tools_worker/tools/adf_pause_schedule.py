"""adf_pause_schedule: proposes to stop all timed triggers of a pipeline for a stated time."""

from __future__ import annotations

from pydantic import Field

from tools_worker.datafactory.operations.pauses import LONGEST
from tools_worker.runtime.tools import Arguments, Reply, ToolContext, ToolSpec
from tools_worker.tools.proposing import FACTORY, factory_of_pipeline, propose


class PauseScheduleArguments(Arguments):
    pipeline: str = Field(min_length=1, max_length=260, description="Name of the pipeline, in any case.")
    minutes: int = Field(default=60, ge=1, le=LONGEST, description="For how many minutes.")
    factory: str | None = Field(default=None, max_length=100, description=FACTORY)


async def adf_pause_schedule(context: ToolContext, args: PauseScheduleArguments) -> Reply:
    factory = await factory_of_pipeline(context, args.pipeline, args.factory)
    return await propose(context, factory, "pause_schedule", {"pipeline": args.pipeline, "minutes": args.minutes})


TOOL = ToolSpec(
    name="adf_pause_schedule",
    description=(
        "Proposes to pause the schedule of an Azure Data Factory pipeline for some minutes, by stopping its timed "
        "triggers. It only proposes: policy and people decide."
    ),
    arguments=PauseScheduleArguments,
    run=adf_pause_schedule,
    writes=True,
)
