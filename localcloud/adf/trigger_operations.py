"""Triggers at work: start, stop, event subscriptions, and their runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from localcloud.adf import queries, rendering
from localcloud.adf.arm import ArmError, bad_request
from localcloud.adf.calls import Call, Operation
from localcloud.adf.clock import stamp
from localcloud.adf.factory import Resource
from localcloud.adf.ledger import Ledger, TriggerRun
from localcloud.adf.resource_operations import KINDS, body_of, found

SETTLES = timedelta(
    seconds=1
)  # starting and stopping take that long; meanwhile nothing else may be done to the trigger
EVENT_TRIGGERS = ("BlobEventsTrigger", "CustomEventsTrigger")
TRIGGERS = next(kind for kind in KINDS if kind.key == "triggers")


async def start_trigger(call: Call) -> Response:
    return _switch(call, "Started")


async def stop_trigger(call: Call) -> Response:
    return _switch(call, "Stopped")


async def operation_result(call: Call) -> Response:
    """What the Location of a long-running operation leads to."""
    trigger = found("triggers", call)
    until = call.factory.switching.get(trigger.name)
    if until is None or until <= call.now:
        return Response(status_code=200)
    return Response(status_code=202, headers=_later(call, trigger))


async def subscription_status(call: Call) -> Response:
    trigger = found("triggers", call)
    if trigger.properties.get("type") not in EVENT_TRIGGERS:
        raise bad_request(f"The trigger '{trigger.name}' has no event subscription.", trigger.name)
    started = trigger.properties.get("runtimeState") == "Started"
    return JSONResponse({"triggerName": trigger.name, "status": "Enabled" if started else "Disabled"})


async def query_triggers(call: Call) -> Response:
    """All triggers, or the children of one: those whose window depends on it."""
    factory = call.factory.factory
    parent = call.body().get("parentTriggerName")
    items = [item for item in factory.all("triggers") if parent is None or parent in _upstream(item)]
    return JSONResponse({"value": [body_of(factory, TRIGGERS, item) for item in items]})


async def query_trigger_runs(call: Call) -> Response:
    living, now = call.factory, call.now
    query = queries.read_query(queries.TRIGGER_RUNS, call.body())
    runs = sorted(living.ledger.trigger_runs.values(), key=lambda run: (run.fired_at, run.id)) if query else []
    within = [run for run in runs if query and query.after <= run.fired_at <= min(query.before, now)]

    def render(run: TriggerRun) -> dict[str, Any]:
        return rendering.trigger_run(run, living.ledger, now)

    return JSONResponse(queries.answer(query, within, _fields(living.ledger, now), render))


async def rerun_trigger_run(call: Call) -> Response:
    trigger, run = found("triggers", call), _trigger_run(call)
    if run.window_start is None:
        raise bad_request("Only runs of a tumbling window trigger can be rerun.", run.id)
    if rendering.trigger_status(run, call.factory.ledger, call.now) == "Inprogress":
        raise bad_request("The trigger run is still in progress.", run.id)
    call.factory.rerun_window(run, trigger, call.now)
    return Response(status_code=200)


async def cancel_trigger_run(call: Call) -> Response:
    run, living = _trigger_run(call), call.factory
    if rendering.trigger_status(run, living.ledger, call.now) != "Inprogress":
        raise bad_request("The trigger run has ended and cannot be cancelled.", run.id)
    for run_id in run.run_ids.values():
        pipeline_run = living.ledger.get(run_id, call.now)
        if pipeline_run is not None:
            living.cancel(pipeline_run, call.now, recursive=True)
    living.ledger.trigger_runs[run.id] = replace(run, cancelled=True)
    return Response(status_code=200)


def _switch(call: Call, state: str) -> Response:
    living, trigger = call.factory, found("triggers", call)
    if living.switching.get(trigger.name, call.now) > call.now:
        raise ArmError(
            409, "TriggerConcurrentOperation", "Concurrent operations on a trigger are not allowed.", trigger.name
        )
    if state == "Started" and not trigger.properties.get("pipelines") and not trigger.properties.get("pipeline"):
        raise bad_request(f"Missing or invalid pipeline references for trigger {trigger.name}", trigger.name)
    living.factory.put("triggers", trigger.name, {**trigger.properties, "runtimeState": state})
    living.switching[trigger.name] = call.now + SETTLES
    call.record(f"triggers/{'start' if state == 'Started' else 'stop'}/action", f"triggers/{trigger.name}")
    return Response(status_code=200, headers=_later(call, trigger))


def _later(call: Call, trigger: Resource) -> Mapping[str, str]:
    path = f"{call.factory.factory.path}/triggers/{trigger.name}/operationresults/latest"
    return {"Location": call.link(path), "Retry-After": "1"}


def _trigger_run(call: Call) -> TriggerRun:
    run = call.factory.ledger.trigger_runs.get(call.names["run"])
    if run is None or run.trigger != found("triggers", call).name or run.fired_at > call.now:
        raise ArmError(404, "TriggerRunNotFound", f"The trigger run '{call.names['run']}' was not found.")
    return run


def _upstream(trigger: Resource) -> list[str]:
    listed = (trigger.properties.get("typeProperties") or {}).get("dependsOn") or ()
    return [str((item.get("referenceTrigger") or {}).get("referenceName")) for item in listed]


def _fields(ledger: Ledger, now: datetime) -> Mapping[str, Any]:
    return {
        "triggerName": lambda run: run.trigger,
        "triggerRunTimestamp": lambda run: stamp(run.fired_at),
        "status": lambda run: rendering.trigger_status(run, ledger, now),
    }


OPERATIONS = (
    Operation("triggers_query_by_factory", "POST", "~/querytriggers", query_triggers),
    Operation("triggers_start", "POST", "~/triggers/{name}/start", start_trigger),
    Operation("triggers_stop", "POST", "~/triggers/{name}/stop", stop_trigger),
    Operation("triggers_operation_result", "GET", "~/triggers/{name}/operationresults/{id}", operation_result),
    Operation(
        "triggers_get_event_subscription_status",
        "POST",
        "~/triggers/{name}/getEventSubscriptionStatus",
        subscription_status,
    ),
    Operation("trigger_runs_query_by_factory", "POST", "~/queryTriggerRuns", query_trigger_runs),
    Operation("trigger_runs_rerun", "POST", "~/triggers/{name}/triggerRuns/{run}/rerun", rerun_trigger_run),
    Operation("trigger_runs_cancel", "POST", "~/triggers/{name}/triggerRuns/{run}/cancel", cancel_trigger_run),
)
