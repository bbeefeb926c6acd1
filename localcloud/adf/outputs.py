"""What an activity run reports as its input and output: counts, durations and the billing reference, by type."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.adf import dice
from localcloud.adf.clock import stamp
from localcloud.adf.definitions import Activity
from localcloud.adf.factory import Factory
from localcloud.adf.simulated import ActivityRun
from localcloud.adf.wording import run_page

DIU = 4
BYTES_A_ROW = 118
CONTROL = frozenset(
    {"SetVariable", "AppendVariable", "Filter", "Fail", "Wait", "IfCondition", "Switch", "ForEach", "Until"}
)


def input_of(run: ActivityRun) -> dict[str, Any]:
    settings = run.activity.settings
    keys = {
        "Copy": ("source", "sink", "enableStaging", "translator", "parallelCopies"),
        "Lookup": ("source", "dataset", "firstRowOnly"),
        "GetMetadata": ("dataset", "fieldList"),
        "ExecutePipeline": ("pipeline", "parameters"),
        "SqlServerStoredProcedure": ("storedProcedureName", "storedProcedureParameters"),
        "DatabricksNotebook": ("notebookPath", "baseParameters"),
        "ExecuteDataFlow": ("dataflow", "dataFlow", "compute"),
        "WebActivity": ("method", "url"),
        "Wait": ("waitTimeInSeconds",),
    }.get(run.activity.type, ())
    return {key: settings[key] for key in keys if key in settings}


def output_of(run: ActivityRun, factory: Factory) -> dict[str, Any]:
    """The output of an ended run. A failed copy bills and counts too, most others report nothing when they fail."""
    if run.child is not None:
        child = run.child
        return {"pipelineName": child.order.pipeline.name, "pipelineRunId": child.id, "pipelineReturnValue": {}}
    if run.activity.type == "Copy":
        return _copy(run, factory)
    if run.activity.type in CONTROL:
        return {}
    if run.status != "Succeeded":
        return _failed(run, factory)
    writer = _WRITERS.get(run.activity.type, _external)
    return writer(run, factory)


def runtime_of(activity: Activity, factory: Factory) -> str:
    """The integration runtime that does the work."""
    return factory.runtime_of(_linked_service(activity, factory))


def compute_service(run: ActivityRun) -> str:
    """The linked service of the compute that does the work, empty for copies and control activities."""
    return _reference(run.activity.raw.get("linkedServiceName")) or ""


def is_self_hosted(name: str, factory: Factory) -> bool:
    resource = factory.get("integrationruntimes", name)
    return resource is not None and resource.properties.get("type") == "SelfHosted"


def _seconds(run: ActivityRun) -> int:
    return 0 if run.end is None else max(0, round((run.end - run.start).total_seconds()))


def waited(run: ActivityRun) -> int:
    """Seconds in the queue of a busy integration runtime."""
    return min(_seconds(run), round(run.queued.total_seconds()))


def _copy(run: ActivityRun, factory: Factory) -> dict[str, Any]:
    seconds = max(1, _seconds(run) - waited(run) - 4)
    done = run.status == "Succeeded"
    rows = (run.rows or 0) if done else 0
    read = rows if run.notes.get("rowsRead") is None else run.notes["rowsRead"]
    runtime, hosted = _effective(run, factory)
    size = (rows if done else 0) * BYTES_A_ROW
    output: dict[str, Any] = {
        "dataRead": read * BYTES_A_ROW,
        "dataWritten": size,
        "sourcePeakConnections": 2,
        "sinkPeakConnections": 2,
        "rowsRead": read,
        "rowsCopied": rows,
        "copyDuration": seconds,
        "throughput": round(size / 1024 / seconds, 3),
        "errors": [] if done or run.failure is None else [_copy_error(run.failure.message)],
        "effectiveIntegrationRuntime": runtime,
        "billingReference": _billing("DataMovement", seconds, hosted, moves=True),
        "usedParallelCopies": 1,
        "executionDetails": [_execution(run, seconds, hosted, factory)],
        "dataConsistencyVerification": {"VerificationResult": "NotVerified"},
        "durationInQueue": {"integrationRuntimeQueue": _usual_queue(run, hosted) + waited(run)},
    }
    if not hosted:
        output["usedDataIntegrationUnits"] = DIU
    if run.notes.get("rowsSkipped") is not None:
        output["rowsSkipped"] = run.notes["rowsSkipped"]
    return output


def _execution(run: ActivityRun, seconds: int, hosted: bool, factory: Factory) -> dict[str, Any]:
    """One step of the copy: it counts the time in the queue as its own, `seconds` do not."""
    queue = min(seconds - 1, dice.whole(2, 7, "queued", run.id))
    transfer = max(0, seconds - queue)
    queue, seconds = queue + waited(run), seconds + waited(run)
    reading = round(transfer * 0.6)
    source, sink = _store(run, "inputs", factory), _store(run, "outputs", factory)
    details: dict[str, Any] = {
        "source": {"type": source, **_throttled(run, "source")},
        "sink": {"type": sink, **_throttled(run, "sink")},
        "status": run.status,
        "start": stamp(run.start),
        "duration": seconds,
        "usedParallelCopies": 1,
        "profile": {
            "queue": {"status": "Completed", "duration": queue},
            "transfer": {
                "status": "Completed",
                "duration": transfer,
                "details": {
                    "readingFromSource": {
                        "type": source,
                        "workingDuration": reading,
                        "timeToFirstByte": min(2, reading),
                    },
                    "writingToSink": {"type": sink, "workingDuration": round(transfer * 0.3)},
                },
            },
        },
        "detailedDurations": {
            "queuingDuration": queue,
            "timeToFirstByte": min(2, reading),
            "transferDuration": transfer,
        },
    }
    return details if hosted else {**details, "usedDataIntegrationUnits": DIU}


def _throttled(run: ActivityRun, side: str) -> dict[str, int]:
    """How often that store refused to go on at such a pace."""
    refused = (run.notes.get("throttled") or {}).get(side)
    return {} if refused is None else {"throttlingErrors": refused}


def _usual_queue(run: ActivityRun, hosted: bool) -> int:
    return dice.whole(0, 9, "queue", run.id) if hosted else 0


def _copy_error(message: str) -> dict[str, Any]:
    return {
        "Code": 22301,
        "Message": message,
        "EventType": 0,
        "Category": 5,
        "Data": {},
        "MsgId": None,
        "ExceptionType": None,
        "Source": None,
        "StackTrace": None,
        "InnerEventInfos": [],
    }


def _failed(run: ActivityRun, factory: Factory) -> dict[str, Any]:
    if run.activity.type == "DatabricksNotebook":
        return {"runPageUrl": run_page(run.activity, run.id), **_worked(run, factory, "ExternalActivity")}
    return {}


def _lookup(run: ActivityRun, factory: Factory) -> dict[str, Any]:
    first_only = run.activity.settings.get("firstRowOnly", True)
    row = {"value": stamp(run.start)}
    found: dict[str, Any] = {"firstRow": row} if first_only else {"count": 1, "value": [row]}
    return {**found, **_worked(run, factory, "PipelineActivity")}


def _metadata(run: ActivityRun, factory: Factory) -> dict[str, Any]:
    found = {"exists": True, "itemName": "incoming", "childItems": [{"name": "part-0000.parquet", "type": "File"}]}
    wanted = run.activity.settings.get("fieldList") or ["exists"]
    kept = {key: found[key] for key in wanted if isinstance(key, str) and key in found}
    return {**kept, **_worked(run, factory, "PipelineActivity")}


def _data_flow(run: ActivityRun, factory: Factory) -> dict[str, Any]:
    hours = round(_seconds(run) / 3600 * _cores(run), 6)
    meter = {"meterType": "General", "duration": hours, "unit": "coreHour", "sessionType": "JobCluster"}
    return {
        "runStatus": {"status": "Succeeded", "metrics": {"sink1": {"rowsWritten": run.rows or 0}}},
        "effectiveIntegrationRuntime": _effective(run, factory)[0],
        "billingReference": {"activityType": "executedataflow", "billableDuration": [meter]},
        "reportLineageToPurview": {"status": "NotReported"},
    }


def _cores(run: ActivityRun) -> int:
    compute = run.activity.settings.get("compute")
    cores = compute.get("coreCount") if isinstance(compute, Mapping) else None
    return cores if isinstance(cores, int) else 8


def _databricks(run: ActivityRun, factory: Factory) -> dict[str, Any]:
    return {"runPageUrl": run_page(run.activity, run.id), **_worked(run, factory, "ExternalActivity")}


def _external(run: ActivityRun, factory: Factory) -> dict[str, Any]:
    return _worked(run, factory, "ExternalActivity")


def _delete(run: ActivityRun, factory: Factory) -> dict[str, Any]:
    return {"filesDeleted": dice.whole(1, 9, "deleted", run.id), **_worked(run, factory, "PipelineActivity")}


def _worked(run: ActivityRun, factory: Factory, kind: str) -> dict[str, Any]:
    runtime, hosted = _effective(run, factory)
    return {
        "effectiveIntegrationRuntime": runtime,
        "executionDuration": _seconds(run) - waited(run),
        "durationInQueue": {"integrationRuntimeQueue": waited(run)},
        "billingReference": _billing(kind, _seconds(run) - waited(run), hosted),
    }


def _billing(kind: str, seconds: int, hosted: bool, *, moves: bool = False) -> dict[str, Any]:
    """Each activity is rounded up to a minute; copies on Azure count data integration units."""
    hours = math.ceil(max(1, seconds) / 60) / 60
    if moves and not hosted:
        meter: dict[str, Any] = {"meterType": "AzureIR", "duration": hours * DIU, "unit": "DIUHours"}
    else:
        meter = {"meterType": "SelfhostedIR" if hosted else "AzureIR", "duration": hours, "unit": "Hours"}
    return {"activityType": kind, "billableDuration": [meter], "totalBillableDuration": [dict(meter)]}


def _effective(run: ActivityRun, factory: Factory) -> tuple[str, bool]:
    name = runtime_of(run.activity, factory)
    hosted = is_self_hosted(name, factory)
    return (name if hosted else f"{name} ({_region(factory.location)})"), hosted


def _region(location: str) -> str:
    return {"westeurope": "West Europe", "northeurope": "North Europe", "eastus": "East US"}.get(location, location)


def _store(run: ActivityRun, side: str, factory: Factory) -> str:
    service = factory.linked_service_of(_reference((run.activity.raw.get(side) or [None])[0]))
    resource = factory.get("linkedservices", service) if service else None
    return str(resource.properties.get("type")) if resource else "AzureSqlDatabase"


def _linked_service(activity: Activity, factory: Factory) -> str | None:
    """The linked service that decides on the integration runtime: a self-hosted one before any other."""
    raw, settings = activity.raw, activity.settings
    if reference := _reference(raw.get("linkedServiceName")):
        return reference
    datasets = [*(raw.get("inputs") or ()), *(raw.get("outputs") or ()), settings.get("dataset")]
    services = [factory.linked_service_of(_reference(dataset)) for dataset in datasets if dataset]
    hosted = [name for name in services if name and is_self_hosted(factory.runtime_of(name), factory)]
    return next(iter([*hosted, *services]), None)


def _reference(value: Any) -> str | None:
    name = value.get("referenceName") if isinstance(value, Mapping) else None
    return name if isinstance(name, str) else None


_WRITERS: Mapping[str, Callable[[ActivityRun, Factory], dict[str, Any]]] = {
    "Lookup": _lookup,
    "GetMetadata": _metadata,
    "Delete": _delete,
    "Validation": _metadata,
    "ExecuteDataFlow": _data_flow,
    "DatabricksNotebook": _databricks,
}
