"""What to do about a cause, in the order to do it, with what it could break. Nothing here is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.diagnosis.causes import Cause
from tools_worker.datafactory.diagnosis.history import History
from tools_worker.datafactory.diagnosis.record import Action, Risk
from tools_worker.datafactory.failures import INSUFFICIENT
from tools_worker.datafactory.models import SUCCEEDED, ActivityRun, PipelineRun
from tools_worker.datafactory.wording import at, safe

_ELSEWHERE = {  # activities whose error only points to a log in another service
    "DatabricksNotebook": "the notebook run's page in Databricks",
    "DatabricksSparkJar": "the run's page in Databricks",
    "DatabricksSparkPython": "the run's page in Databricks",
    "SynapseNotebook": "the notebook's Spark application in Synapse Studio",
    "Custom": "stderr.txt of the task in Azure Batch",
    "AzureMLExecutePipeline": "the run in Azure Machine Learning studio",
    "ExecuteSSISPackage": "the package's execution report in SSISDB",
    "AzureFunctionActivity": "the function's log in Application Insights",
}


_FILE_SINKS = frozenset(
    {"ParquetSink", "DelimitedTextSink", "JsonSink", "AvroSink", "OrcSink", "BinarySink", "BlobSink", "AzureBlobFSSink"}
)


def recommend(cause: Cause, history: History, factory: str, *, gone: bool = False) -> tuple[Action, ...]:
    """`gone`: the pipeline was deleted, so that it cannot be run again as it is."""
    rerun = history.rerun
    if rerun is not None and rerun.status == SUCCEEDED:
        return (_done_already(rerun, factory),)
    if history.since_good is not None:
        check = _check_resolved(history, factory)
        return (check, _rerun_if_missing(cause)) if _reruns_help(cause) else (check,)
    mend = _mend(cause, factory)
    return (mend,) if gone or cause.failure.category == INSUFFICIENT else (mend, _rerun(cause))


def where_to_look(activity: ActivityRun | None) -> str:
    if activity is None:
        return "the run in ADF Studio's monitor"
    page = fields.text(activity.output, "runPageUrl")
    place = _ELSEWHERE.get(activity.type, "the activity's input and output in ADF Studio's monitor")
    return f"{place}, {safe(page, 200)}" if page.startswith("https://") else place


def told_elsewhere(activity: ActivityRun, category: str) -> bool:
    """Whether the exception itself is only in another service: ADF gives its address, or a mere exit code."""
    return bool(fields.text(activity.output, "runPageUrl")) or (category == "user_code" and activity.type in _ELSEWHERE)


def rerun_risk(activity: ActivityRun | None) -> tuple[Risk, str]:
    """Would running this activity again repeat rows? Read from what the activity was told to do."""
    if activity is None or activity.type != "Copy":
        return "medium", "what it does twice depends on the activity, so look at it first"
    sink = fields.mapping(activity.input, "sink")
    behaviour, kind = _write_behaviour(sink), fields.text(sink, "type")
    if behaviour == "upsert":
        return "low", "the sink upserts, so rows are not repeated"
    if fields.text(sink, "preCopyScript"):
        return "low", "a script clears the sink before each copy"
    if fields.text(sink, "sqlWriterStoredProcedureName"):
        return "medium", "a stored procedure writes the rows, so look at what it does with those it has already"
    if behaviour in ("insert", "append") or "sql" in kind.lower() or kind.endswith("TableSink"):
        return "high", "the sink inserts, so rows that were written before the failure would be repeated"
    if kind in _FILE_SINKS:
        return "low", "the sink writes files, which are overwritten"
    return "medium", "whether the sink repeats rows is not known, so look at it first"


def _write_behaviour(sink: Mapping[str, Any]) -> str:
    return (fields.text(sink, "writeBehavior") or fields.text(sink, "copyBehavior")).lower()


def _reruns_help(cause: Cause) -> bool:
    return bool(cause.failure.retry_may_help)


def _done_already(rerun: PipelineRun, factory: str) -> Action:
    return Action(
        what=f"Nothing is left to do for this run: it was run again at {at(rerun.start)} and succeeded, "
        f"run {rerun.run_id}",
        why="A rerun of the same run group works on the same parameters.",
        risk="none",
        tool=f"adf_diagnose_run run_id={rerun.run_id} factory={factory}",
    )


def _check_resolved(history: History, factory: str) -> Action:
    good = history.since_good
    assert good is not None  # asked by the caller
    return Action(
        what=f"Check that nothing is left to do: {good.pipeline} succeeded at {at(good.start)}, run {good.run_id}",
        why="A later run went well, so the cause may be gone; its data may or may not cover the failed run's.",
        risk="none",
        tool=f"adf_compare_runs run_id={history.run.run_id} factory={factory}",
    )


def _mend(cause: Cause, factory: str) -> Action:
    failure = cause.failure
    if failure.fix:
        page = fields.text(cause.activity.output, "runPageUrl") if cause.activity else ""
        there = f" ({where_to_look(cause.activity)})" if page else ""
        return Action(
            what=failure.fix.rstrip(".") + there, why=failure.cause, risk="low", tool=_shown_by(cause, factory)
        )
    return Action(f"Look at {where_to_look(cause.activity)}", failure.reason, "none", _shown_by(cause, factory))


def _shown_by(cause: Cause, factory: str) -> str | None:
    """The call that shows more of what has to be mended; the mending itself is a person's."""
    if cause.failure.category == "integration_runtime":
        return f"adf_integration_runtimes factory={factory}"
    if cause.failure.category == INSUFFICIENT:
        return f"adf_activity_runs run_id={cause.run.run_id} factory={factory}"
    if cause.failure.category in ("expression_parameter", "configuration", "schema_mapping"):
        return f"adf_explain_pipeline pipeline={cause.run.pipeline} factory={factory}"
    return None


def _rerun_if_missing(cause: Cause) -> Action:
    risk, reason = rerun_risk(cause.activity)
    return Action(
        what=f"If its data is still missing, rerun from the failed activity ({reason})",
        why="Such failures tend to pass; a later run may have covered it already.",
        risk=risk,
    )


def _rerun(cause: Cause) -> Action:
    risk, reason = rerun_risk(cause.activity)
    if _reruns_help(cause) and cause.failure.category == "throttling_quota":
        what = f"Rerun from the failed activity once the limit has passed, not at once ({reason})"
        return Action(what=what, why="More requests now would be refused as well.", risk=risk)
    if _reruns_help(cause):
        return Action(what=f"Rerun from the failed activity ({reason})", why="Such failures tend to pass.", risk=risk)
    return Action(
        what=f"Rerun from the failed activity once that is mended, not before ({reason})",
        why="The same failure would come again.",
        risk=risk,
    )
