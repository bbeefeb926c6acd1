"""Runs as the REST API shows them at a moment: fields, times, errors, and nothing of what is still to come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from localcloud.adf import outputs
from localcloud.adf.clock import stamp
from localcloud.adf.factory import Factory
from localcloud.adf.ledger import Ledger, TriggerRun
from localcloud.adf.orders import as_text
from localcloud.adf.simulated import ActivityRun, Invoker, PipelineRun

GOING = ("Queued", "InProgress")  # an activity waits for its integration runtime, or works


def pipeline_run(run: PipelineRun, ledger: Ledger, factory: Factory, now: datetime) -> dict[str, Any]:
    order, status = run.order, run.status_at(now)
    over = run.end is not None and run.end <= now
    ended = run.end if over and not run.end_unrecorded else None
    return {
        "id": f"{factory.path}/pipelineruns/{run.id}",
        "runId": run.id,
        "debugRunId": None,
        "runGroupId": order.group_id,
        "pipelineName": order.pipeline.name,
        "parameters": {key: as_text(value) for key, value in order.parameters.items() if value is not None},
        "invokedBy": _invoked_by(order.invoker),
        "runStart": stamp(order.queued_at),
        "runEnd": stamp(ended),
        "durationInMs": None if ended is None else _milliseconds(order.queued_at, ended),
        "status": status,
        "message": run.message if over else "",
        "lastUpdated": stamp(run.last_updated(now)),
        "annotations": list(order.pipeline.annotations),
        "runDimension": dict(order.dimension),
        "isLatest": ledger.is_latest(run, now),
    }


def activity_runs(run: PipelineRun, now: datetime) -> list[ActivityRun]:
    """Those that have begun by now."""
    return [activity for activity in run.activities if activity.start <= now]


def activity_run(activity: ActivityRun, run: PipelineRun, factory: Factory, now: datetime) -> dict[str, Any]:
    status = activity.status_at(now)
    over = status not in GOING
    ended = activity.end if over else None
    runtime = outputs.runtime_of(activity.activity, factory)
    return {
        "id": f"{factory.path}/pipelineruns/{run.id}/activityruns/{activity.id}",
        "activityRunId": activity.id,
        "activityName": activity.activity.name,
        "activityType": activity.activity.type,
        "pipelineName": run.order.pipeline.name,
        "pipelineRunId": run.id,
        "linkedServiceName": outputs.compute_service(activity),
        "status": status,
        "activityRunStart": stamp(activity.start),
        "activityRunEnd": stamp(ended),
        "durationInMs": None if ended is None else _milliseconds(activity.start, ended),
        "input": outputs.input_of(activity),
        "output": outputs.output_of(activity, factory) if over else _under_way(activity),
        "error": _error(activity if over else None, activity.activity.name),
        "retryAttempt": activity.attempt or None,
        "iterationHash": activity.iteration_hash,
        "userProperties": _user_properties(activity),
        "recoveryStatus": "None",
        "integrationRuntimeNames": [] if activity.activity.type in outputs.CONTROL else [runtime.lower()],
        "executionDetails": {"integrationRuntime": [_runtime(runtime, factory)]},
    }


def trigger_run(record: TriggerRun, ledger: Ledger, now: datetime) -> dict[str, Any]:
    properties = {"TriggerTime": _long(record.fired_at), "ScheduleTime": _long(record.scheduled_at)}
    dimension: dict[str, Any] = {}
    if record.window_start is not None:
        dimension = {"windowStartTime": stamp(record.window_start), "windowEndTime": stamp(record.scheduled_at)}
    return {
        "triggerRunId": record.id,
        "triggerName": record.trigger,
        "triggerType": record.type,
        "triggerRunTimestamp": stamp(record.fired_at),
        "status": trigger_status(record, ledger, now),
        "message": "",
        "properties": {**properties, **dimension},
        "triggeredPipelines": dict(record.run_ids),
        "runDimension": dimension,
        "dependencyStatus": {},
    }


def trigger_status(record: TriggerRun, ledger: Ledger, now: datetime) -> str:
    """A schedule has succeeded once it has started its runs; a tumbling window ends as its run does."""
    if record.cancelled:
        return "Cancelled"
    if record.waits:
        return "WaitingOnDependency"
    if record.window_start is None:
        return "Succeeded"
    runs = [ledger.get(run_id, now) for run_id in record.run_ids.values()]
    states = {run.status_at(now) for run in runs if run is not None}
    if states & {"InProgress", "Queued", "Canceling"}:
        return "Inprogress"
    return next((state for state in ("Failed", "Cancelled") if state in states), "Succeeded")


def _invoked_by(invoker: Invoker) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": invoker.id, "name": invoker.name, "invokedByType": invoker.type}
    if invoker.run_id is not None:
        shown |= {"pipelineName": invoker.pipeline, "pipelineRunId": invoker.run_id}
    return shown


def _error(run: ActivityRun | None, target: str) -> dict[str, Any]:
    """On success too there is an error object, of empty strings."""
    failure = run.failure if run is not None else None
    return {
        "errorCode": failure.code if failure else "",
        "message": failure.message if failure else "",
        "failureType": failure.type if failure else "",
        "target": target,
        "details": "" if failure is None else [],
    }


def _under_way(run: ActivityRun) -> dict[str, Any]:
    """A parent knows its child as soon as it has called it."""
    if run.child is None:
        return {}
    return {"pipelineName": run.child.order.pipeline.name, "pipelineRunId": run.child.id}


def _user_properties(run: ActivityRun) -> dict[str, Any]:
    listed = run.activity.raw.get("userProperties") or ()
    return {str(p["name"]): _user_property(p, run) for p in listed if isinstance(p, dict) and "name" in p}


def _user_property(given: dict[str, Any], run: ActivityRun) -> Any:
    """The items of a loop are not simulated, their place in it is: what names the item tells the place."""
    value = given.get("value")
    text = value.get("value") if isinstance(value, dict) else value
    if run.iteration is not None and isinstance(text, str) and "item()" in text:
        return f"{given['name']}_{run.iteration:03}"
    return text


def _runtime(name: str, factory: Factory) -> dict[str, Any]:
    hosted = outputs.is_self_hosted(name, factory)
    return {"name": name, "type": "SelfHosted" if hosted else "Managed", "location": "" if hosted else factory.location}


def _milliseconds(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds() * 1000)


def _long(moment: datetime) -> str:
    """As the service writes times in properties: 6/16/2018 12:43:15 AM."""
    half = "AM" if moment.hour < 12 else "PM"
    hour = (moment.hour - 1) % 12 + 1
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {half}"
