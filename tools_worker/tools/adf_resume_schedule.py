"""adf_resume_schedule: proposes to start the timed triggers of a pipeline again."""

from __future__ import annotations

from pydantic import Field

from tools_worker.runtime.tools import Arguments, Reply, ToolContext, ToolSpec
from tools_worker.tools.proposing import FACTORY, factory_of_pipeline, propose


class ResumeScheduleArguments(Arguments):
    pipeline: str = Field(min_length=1, max_length=260, description="Name of the pipeline, in any case.")
    triggers: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Names of the triggers to start, such as a pause stopped. Omit where only one is stopped.",
    )
    factory: str | None = Field(default=None, max_length=100, description=FACTORY)


async def adf_resume_schedule(context: ToolContext, args: ResumeScheduleArguments) -> Reply:
    factory = await factory_of_pipeline(context, args.pipeline, args.factory)
    given = {"pipeline": args.pipeline, "triggers": args.triggers}
    return await propose(context, factory, "resume_schedule", given)


TOOL = ToolSpec(
    name="adf_resume_schedule",
    description=(
        "Proposes to resume the paused schedule of an Azure Data Factory pipeline, by starting its timed triggers "
        "again. It only proposes: policy and people decide."
    ),
    arguments=ResumeScheduleArguments,
    run=adf_resume_schedule,
    writes=True,
)
