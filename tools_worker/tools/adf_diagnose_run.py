"""adf_diagnose_run: why a run failed, down to the activity that really failed, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from tools_worker.datafactory.diagnosis import Diagnosis, Window, diagnose_request
from tools_worker.runtime.periods import Dates
from tools_worker.runtime.tools import Evidence, Reply, ToolContext, ToolSpec

REPEATED = {"evidence", "root_cause_path_text"}


class DiagnoseRunArguments(Dates):
    """`since` and `until` are the window of an alert, which names no run."""

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
        dated = bool(self.since or self.until)
        if self.run_id and (self.pipeline or dated):
            raise ValueError("give run_id alone, or pipeline and perhaps a time window (since, until), not both")
        if not self.run_id and not self.pipeline and not dated:
            raise ValueError(
                "name a run (run_id), a pipeline (pipeline), or the time window of an alert (since, until)"
            )
        return self


async def adf_diagnose_run(context: ToolContext, args: DiagnoseRunArguments) -> Reply:
    found = await diagnose_request(
        context.factories,
        run_id=args.run_id,
        pipeline=args.pipeline,
        factory=args.factory,
        window=Window.of(args.dated(context.now), context.now),
        now=context.now,
    )
    data, summary = found.as_data(), found.summary()
    return Reply(
        summary=summary,
        data=_untold(data, summary),
        evidence=[Evidence(evidence.kind, evidence.id, found.run.factory) for evidence in found.evidence],
        truncated="left_out" in data,
        next=_next(found),
    )


def _untold(data: dict[str, Any], summary: str) -> dict[str, Any]:
    """The data without what the reply says elsewhere: in its summary, its evidence, or as another field."""
    kept = {name: value for name, value in data.items() if name not in REPEATED}
    if str(data.get("cause") or "").rstrip(".") in summary:
        kept.pop("cause", None)
    if "run" in kept:
        kept["run"] = {name: value for name, value in kept["run"].items() if name not in ("start", "end")}
    if "recommended_actions" in kept:
        kept["recommended_actions"] = [_action(each, summary) for each in kept["recommended_actions"]]
    return kept


def _action(action: Mapping[str, Any], summary: str) -> dict[str, Any]:
    """Low is the usual risk; the summary gives the reason of what it proposes."""
    told = action["what"] in summary
    return {
        name: value
        for name, value in action.items()
        if not (name == "risk" and value == "low") and not (name == "why" and told)
    }


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
        "happened, who changed what before it, who waits for it and what to do; also who cancelled a run, and what a "
        "running or queued one is doing. Takes a run id, a pipeline name for its latest failed run, or the time window "
        "of an alert. Use it for why questions."
    ),
    arguments=DiagnoseRunArguments,
    run=adf_diagnose_run,
)
