"""adf_rerun: proposes to run a failed run again, from where it failed or from its beginning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools_worker.runtime.tools import Arguments, Reply, ToolContext, ToolSpec
from tools_worker.tools.proposing import FACTORY, propose, run_of


class RerunArguments(Arguments):
    run_id: str | None = Field(
        default=None, max_length=100, description="Id (GUID) of the failed pipeline run. Give this or pipeline."
    )
    pipeline: str | None = Field(
        default=None, max_length=260, description="Name of a pipeline, in any case: its latest failed run is meant."
    )
    mode: Literal["from_failure", "whole", "from_activity"] = Field(
        default="from_failure", description="Where it begins: at what failed, at its beginning, or at an activity."
    )
    activity: str | None = Field(
        default=None, max_length=260, description="With from_activity: the activity to begin with."
    )
    factory: str | None = Field(default=None, max_length=100, description=FACTORY)


async def adf_rerun(context: ToolContext, args: RerunArguments) -> Reply:
    target = await run_of(context, args.run_id, args.pipeline, args.factory)
    given = {"run_id": target.run.run_id, "pipeline": args.pipeline, "mode": args.mode, "activity": args.activity}
    return await propose(context, target.factory, "rerun", _told(given), target.notes)


def _told(given: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in given.items() if value}


TOOL = ToolSpec(
    name="adf_rerun",
    description=(
        "Proposes to rerun a failed Azure Data Factory pipeline run from its failed activity, as a whole, or from "
        "an activity on. It only proposes: policy and people decide."
    ),
    arguments=RerunArguments,
    run=adf_rerun,
    writes=True,
)
