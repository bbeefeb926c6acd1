"""adf_diagnose_run: why a run failed, down to the activity that really failed, and what to do about it."""

from __future__ import annotations

from pydantic import Field, model_validator

from tools_worker.datafactory.diagnosis import Diagnosis, diagnose_request
from tools_worker.runtime.tools import Arguments, Evidence, Reply, ToolContext, ToolSpec


class DiagnoseRunArguments(Arguments):
    run_id: str | None = Field(
        default=None, max_length=100, description="Id (GUID) of the pipeline run to diagnose. Give this or pipeline."
    )
    pipeline: str | None = Field(
        default=None,
        max_length=260,
        description="Name of a pipeline, in any case: its latest failed run is diagnosed. Give this or run_id.",
    )
    factory: str | None = Field(
        default=None, max_length=100, description="Name of the data factory. Omit to look in all of them."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> DiagnoseRunArguments:
        if self.run_id and self.pipeline:
            raise ValueError("give run_id or pipeline, not both")
        if not self.run_id and not self.pipeline:
            raise ValueError("name a run (run_id) or a pipeline (pipeline)")
        return self


async def adf_diagnose_run(context: ToolContext, args: DiagnoseRunArguments) -> Reply:
    found = await diagnose_request(
        context.factories, run_id=args.run_id, pipeline=args.pipeline, factory=args.factory, now=context.now
    )
    data = found.as_data()
    return Reply(
        summary=found.summary(),
        data=data,
        evidence=[Evidence(evidence.kind, evidence.id, found.run.factory) for evidence in found.evidence],
        truncated="left_out" in data,
        next=_next(found),
    )


def _next(found: Diagnosis) -> list[str]:
    """The activities of the run where it happened."""
    runs = [step.id for step in found.root_cause_path if step.kind == "pipeline" and step.id]
    run_id = runs[-1] if runs else found.run.run_id
    return [f"adf_activity_runs run_id={run_id} factory={found.run.factory}"] if run_id else []


TOOL = ToolSpec(
    name="adf_diagnose_run",
    description=(
        "Explains why an Azure Data Factory pipeline run failed: follows child pipelines, loops and retries down to "
        "the activity that really failed, and tells its error, cause, category, whether a rerun helps, how often it "
        "happened and what to do. Takes a run id, or a pipeline name for its latest failed run. Use it for why "
        "questions."
    ),
    arguments=DiagnoseRunArguments,
    run=adf_diagnose_run,
)
