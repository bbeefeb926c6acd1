"""adf_run_pipeline: proposes to run a pipeline by hand, with parameters."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tools_worker.runtime.tools import Arguments, Reply, ToolContext, ToolSpec
from tools_worker.tools.proposing import FACTORY, factory_of_pipeline, propose

MAX_PARAMETERS = 50  # Data Factory's own limit


class RunPipelineArguments(Arguments):
    pipeline: str = Field(min_length=1, max_length=260, description="Name of the pipeline, in any case.")
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        max_length=MAX_PARAMETERS,
        description="Its parameters as a JSON object. What is left out has its default.",
    )
    factory: str | None = Field(default=None, max_length=100, description=FACTORY)


async def adf_run_pipeline(context: ToolContext, args: RunPipelineArguments) -> Reply:
    factory = await factory_of_pipeline(context, args.pipeline, args.factory)
    given = {"pipeline": args.pipeline, "parameters": args.parameters}
    return await propose(context, factory, "run_pipeline", given)


TOOL = ToolSpec(
    name="adf_run_pipeline",
    description=(
        "Proposes to start a new manual run of an Azure Data Factory pipeline with given parameters. A run that "
        "failed is rerun instead. It only proposes: policy and people decide."
    ),
    arguments=RunPipelineArguments,
    run=adf_run_pipeline,
    writes=True,
)
