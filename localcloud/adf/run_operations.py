"""Pipeline runs and activity runs: query, get, start, run again, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from localcloud.adf import orders, queries, rendering
from localcloud.adf.arm import ArmError, bad_request
from localcloud.adf.calls import Call, Operation
from localcloud.adf.clock import stamp
from localcloud.adf.definitions import Pipeline
from localcloud.adf.ledger import Ledger
from localcloud.adf.simulated import ActivityRun, PipelineRun

MOST_QUEUED = 100


async def query_pipeline_runs(call: Call) -> Response:
    living, now = call.factory, call.now
    query = queries.read_query(queries.PIPELINE_RUNS, call.body())
    runs = living.ledger.updated_between(query.after, query.before, now) if query else []

    def render(run: PipelineRun) -> dict[str, Any]:
        return rendering.pipeline_run(run, living.ledger, living.factory, now)

    return JSONResponse(queries.answer(query, runs, _run_fields(living.ledger, now), render))


async def get_pipeline_run(call: Call) -> Response:
    run = _run(call)
    return JSONResponse(rendering.pipeline_run(run, call.factory.ledger, call.factory.factory, call.now))


async def query_activity_runs(call: Call) -> Response:
    run, now, factory = _run(call), call.now, call.factory.factory
    query = queries.read_query(queries.ACTIVITY_RUNS, call.body())
    begun = rendering.activity_runs(run, now) if query else []
    within = [a for a in begun if query and query.after <= _last_event(a, now) <= query.before]

    def render(activity: ActivityRun) -> dict[str, Any]:
        return rendering.activity_run(activity, run, factory, now)

    return JSONResponse(queries.answer(query, within, _activity_fields(now), render))


async def create_run(call: Call) -> Response:
    living = call.factory
    pipeline = _pipeline(call)
    given = call.body()
    waiting = [run for run in living.ledger.roots(pipeline.name) if run.status_at(call.now) == "Queued"]
    if len(waiting) >= MOST_QUEUED:
        raise bad_request(
            "Pipeline execution throttled: too many queued runs of this pipeline.", code="TooManyQueuedRuns"
        )
    reference = _reference(call, pipeline)
    call.record("pipelines/createrun/action", f"pipelines/{pipeline.name}")
    if reference is None:
        return _started(living.create_run(pipeline, given, call.now))
    parameters = {**reference.order.parameters, **given}
    if not call.flag("isRecovery") or parameters != dict(reference.order.parameters):
        return _started(living.create_run(pipeline, parameters, call.now))
    return _started(living.rerun(reference, call.now, _again(call, pipeline, reference)))


async def cancel_run(call: Call) -> Response:
    run = _run(call)
    if run.status_at(call.now) not in ("InProgress", "Queued"):
        raise bad_request(
            f"The pipeline run '{run.id}' is not running and cannot be cancelled.",
            f"pipelineruns/{run.id}",
            code="PipelineRunNotRunning",
        )
    call.factory.cancel(run, call.now, call.flag("isRecursive"))
    call.record("pipelineruns/cancel/action", f"pipelineruns/{run.id}")
    return Response(status_code=200)


def _again(call: Call, pipeline: Pipeline, reference: PipelineRun) -> frozenset[str] | None:
    """Which activities run again. Starting from failure counts only when no start activity is given."""
    start = call.query.get("startActivityName")
    if start:
        if start not in {activity.name for activity in pipeline.activities}:
            raise bad_request(f"The activity '{start}' is not in the pipeline.", f"pipeline/{pipeline.name}/")
        return orders.only_from(pipeline, start)
    if call.flag("startFromFailure"):
        return orders.only_failed(pipeline, reference)
    return None


def _reference(call: Call, pipeline: Pipeline) -> PipelineRun | None:
    run_id = call.query.get("referencePipelineRunId")
    if not run_id:
        return None
    run = call.factory.ledger.get(run_id, call.now)
    if run is None or run.order.pipeline.name != pipeline.name:
        raise bad_request(
            f"Referenced pipeline run id {run_id} is not a valid run id.",
            f"pipeline/{pipeline.name}/",
            code="ReferencedPipelineRunNotValid",
        )
    return run


def _started(run: PipelineRun) -> Response:
    return JSONResponse({"runId": run.id})


def _pipeline(call: Call) -> Pipeline:
    name = call.names["name"]
    resource = call.factory.factory.get("pipelines", name)
    pipeline = call.factory.factory.pipeline(resource.name) if resource else None
    if pipeline is None:
        raise ArmError(404, "PipelineNotFound", f"The pipeline '{name}' was not found.", f"pipeline/{name}")
    return pipeline


def _run(call: Call) -> PipelineRun:
    run_id = call.names["run"]
    run = call.factory.ledger.get(run_id, call.now)
    if run is None:
        raise ArmError(
            404, "PipelineRunNotFound", f"The pipeline run '{run_id}' was not found.", f"pipelineruns/{run_id}"
        )
    return run


def _last_event(activity: ActivityRun, now: datetime) -> datetime:
    return activity.end if activity.end is not None and activity.end <= now else activity.start


def _run_fields(ledger: Ledger, now: datetime) -> Mapping[str, Any]:
    def ended(run: PipelineRun) -> str | None:
        return None if run.end is None or run.end > now or run.end_unrecorded else stamp(run.end)

    return {
        "pipelineName": lambda run: run.order.pipeline.name,
        "runStart": lambda run: stamp(run.order.queued_at),
        "runEnd": ended,
        "status": lambda run: run.status_at(now),
        "runGroupId": lambda run: run.order.group_id,
        "isLatest": lambda run: ledger.is_latest(run, now),
        "invokedByName": lambda run: run.order.invoker.name,
    }


def _activity_fields(now: datetime) -> Mapping[str, Any]:
    return {
        "activityName": lambda run: run.activity.name,
        "activityRunStart": lambda run: stamp(run.start),
        "activityRunEnd": lambda run: stamp(run.end) if run.end is not None and run.end <= now else None,
        "activityType": lambda run: run.activity.type,
        "status": lambda run: run.status_at(now),
    }


OPERATIONS = (
    Operation("pipeline_runs_query_by_factory", "POST", "~/queryPipelineRuns", query_pipeline_runs),
    Operation("pipeline_runs_get", "GET", "~/pipelineruns/{run}", get_pipeline_run),
    Operation("pipeline_runs_cancel", "POST", "~/pipelineruns/{run}/cancel", cancel_run),
    Operation(
        "activity_runs_query_by_pipeline_run", "POST", "~/pipelineruns/{run}/queryActivityruns", query_activity_runs
    ),
    Operation("pipelines_create_run", "POST", "~/pipelines/{name}/createRun", create_run),
)
