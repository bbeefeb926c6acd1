"""Raw worlds, as ADF would send them: one made by hand, one of the official examples, one of recorded outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tools_worker.datafactory import activity_log, fields
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import (
    ActivityRun,
    Dataset,
    IntegrationRuntime,
    Pipeline,
    PipelineRun,
    Trigger,
    TriggerRun,
)

COLLECTED = Path(__file__).resolve().parents[4] / "shared" / "adf"
without_collection = pytest.mark.skipif(
    not COLLECTED.is_dir(), reason="the collection of official examples is not beside this checkout"
)
FACTORY = "adf-prod"


@dataclass(frozen=True)
class World:
    """`raw` is spoilt as a whole and then read; `run` and `pipeline` are what the tools are asked about."""

    raw: dict[str, Any]
    run: str
    pipeline: str
    now: datetime


def run_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def factory_of(raw: Mapping[str, Any]) -> MemoryDataFactory:
    """The records as the models read them; a list that is no list is empty, as the client takes it."""
    by_run = fields.mapping(raw, "activities")
    status = fields.mapping(raw, "monitoring")
    log = (activity_log.change_of(event, MemoryDataFactory(FACTORY).id) for event in fields.items(raw, "log"))
    return MemoryDataFactory(
        FACTORY,
        runs=[PipelineRun.of(run) for run in fields.items(raw, "runs")],
        activities={str(run): [ActivityRun.of(a) for a in fields.items(by_run, run)] for run in by_run},
        pipelines=[Pipeline.of(one) for one in fields.items(raw, "pipelines")],
        triggers=[Trigger.of(one) for one in fields.items(raw, "triggers")],
        trigger_runs=[TriggerRun.of(one) for one in fields.items(raw, "trigger_runs")],
        integration_runtimes=[IntegrationRuntime.of(one) for one in fields.items(raw, "runtimes")],
        datasets=[Dataset.of(one) for one in fields.items(raw, "datasets")],
        changes=[change for change in log if change is not None],
        monitoring={str(n): [fields.as_mapping(node) for node in fields.items(status, n)] for n in status},
    )


def _reference(name: str, kind: str = "DatasetReference", **more: Any) -> dict[str, Any]:
    return {"referenceName": name, "type": kind, **more}


def _run(number: int, pipeline: str, status: str, hour: int, minutes: int, **more: Any) -> dict[str, Any]:
    day = "2026-03-10T"
    return {
        "runId": run_id(number),
        "runGroupId": run_id(number),
        "isLatest": True,
        "pipelineName": pipeline,
        "parameters": {"window": "2026-03-10", "nested": "[1, 2]"},
        "invokedBy": {"name": "Nightly", "id": "t1", "invokedByType": "ScheduleTrigger"},
        "runStart": f"{day}{hour:02d}:00:00.1234567Z",
        "runEnd": f"{day}{hour:02d}:{minutes:02d}:00Z",
        "lastUpdated": f"{day}{hour:02d}:{minutes:02d}:01Z",
        "durationInMs": minutes * 60_000,
        "status": status,
        "message": "",
        **more,
    }


def _activity(number: int, name: str, kind: str, status: str, minute: int, **more: Any) -> dict[str, Any]:
    return {
        "activityRunId": run_id(1000 + number),
        "activityName": name,
        "activityType": kind,
        "pipelineName": "LoadSales",
        "pipelineRunId": run_id(1),
        "linkedServiceName": "",
        "status": status,
        "activityRunStart": f"2026-03-10T06:{minute:02d}:00Z",
        "activityRunEnd": f"2026-03-10T06:{minute + 2:02d}:00Z",
        "durationInMs": 120_000,
        "retryAttempt": None,
        "iterationHash": "",
        "error": {"errorCode": "", "message": "", "failureType": "", "target": name},
        "input": {},
        "output": {},
        "userProperties": {},
        **more,
    }


def _event(number: int, below: str, operation: str, minute: int, **more: Any) -> dict[str, Any]:
    return {
        "correlationId": run_id(2000 + number),
        "eventDataId": run_id(3000 + number),
        "eventTimestamp": f"2026-03-10T05:{minute:02d}:00.1234567Z",
        "caller": "ada@contoso.example",
        "operationName": {"value": f"Microsoft.DataFactory/factories/{operation}"},
        "status": {"value": "Succeeded"},
        "resourceId": f"{MemoryDataFactory(FACTORY).id.path}/{below}",
        **more,
    }


_ERROR = {
    "errorCode": "2200",
    "message": "Failure happened on 'Sink' side. ErrorCode=SqlOperationFailed,'Type=X,Message=A database operation "
    "failed.,Source=Y,''Type=System.Data.SqlClient.SqlException,Message=Cannot insert duplicate key row in object "
    "'dbo.T'. The duplicate key value is (4711).,Source=.Net SqlClient Data Provider,SqlErrorNumber=2601,'",
    "failureType": "UserError",
    "target": "CopySales",
    "details": [],
}
_COPIED = {
    "rowsRead": 100,
    "rowsCopied": 0,
    "dataRead": 1000,
    "dataWritten": 900,
    "copyDuration": 90,
    "throughput": 11.5,
    "usedDataIntegrationUnits": 4,
    "usedParallelCopies": 2,
    "durationInQueue": {"integrationRuntimeQueue": 7},
    "errors": [{"Code": 9011, "Message": "x"}],
    "effectiveIntegrationRuntime": "SHIR-OnPrem",
    "billingReference": {
        "activityType": "DataMovement",
        "billableDuration": [{"meterType": "AzureIR", "duration": 0.0666, "unit": "DIUHours"}],
        "totalBillableDuration": [{"meterType": "AzureIR", "duration": 0.0666, "unit": "DIUHours"}],
    },
    "executionDetails": [
        {
            "source": {"type": "SqlServer", "throttlingErrors": 1},
            "sink": {"type": "AzureSqlDatabase", "throttlingErrors": 3},
            "status": "Failed",
            "detailedDurations": {"queuingDuration": 5, "timeToFirstByte": 11, "transferDuration": 74},
            "profile": {
                "queue": {"status": "Completed", "duration": 5},
                "transfer": {
                    "status": "Completed",
                    "duration": 74,
                    "details": {
                        "readingFromSource": {"type": "SqlServer", "workingDuration": 13},
                        "writingToSink": {"type": "AzureSqlDatabase", "workingDuration": 61},
                    },
                },
            },
        }
    ],
    "perfRecommendation": [{"Tip": "Sink store throttled"}],
}
_COPY = {
    "name": "CopySales",
    "type": "Copy",
    "dependsOn": [{"activity": "LookupTables", "dependencyConditions": ["Succeeded"]}],
    "policy": {"timeout": "7.00:00:00", "retry": 2, "retryIntervalInSeconds": 30},
    "typeProperties": {
        "source": {"type": "SqlServerSource"},
        "sink": {"type": "AzureSqlSink", "writeBehavior": "insert"},
    },
    "inputs": [_reference("SalesOrders", parameters={"table": "@pipeline().parameters.table"})],
    "outputs": [_reference("Staging", parameters={"folder": "in/sales"})],
}
_LOAD = {
    "activities": [
        _COPY,
        {"name": "LookupTables", "type": "Lookup", "typeProperties": {"dataset": _reference("SalesOrders")}},
        {
            "name": "EachTable",
            "type": "ForEach",
            "dependsOn": [{"activity": "CopySales", "dependencyConditions": ["Completed"]}],
            "typeProperties": {
                "items": {"value": "@activity('LookupTables').output.value", "type": "Expression"},
                "isSequential": False,
                "activities": [
                    {
                        "name": "RunChild",
                        "type": "ExecutePipeline",
                        "typeProperties": {
                            "pipeline": _reference("LoadTable", "PipelineReference"),
                            "waitOnCompletion": True,
                        },
                    }
                ],
            },
        },
        {
            "name": "Choose",
            "type": "Switch",
            "typeProperties": {
                "on": {"value": "@pipeline().parameters.table", "type": "Expression"},
                "cases": [{"value": "a", "activities": [{"name": "Wait1", "type": "Wait", "typeProperties": {}}]}],
                "defaultActivities": [{"name": "Stop", "type": "Fail", "typeProperties": {"message": "x"}}],
            },
        },
    ],
    "parameters": {"table": {"type": "String", "defaultValue": "sales.Orders"}, "key": {"type": "SecureString"}},
    "concurrency": 1,
    "annotations": ["sales"],
}
_RAW: dict[str, Any] = {
    "runs": [
        _run(
            1,
            "LoadSales",
            "Failed",
            6,
            30,
            message="Operation on target CopySales failed: ErrorCode=SqlOperationFailed",
        ),
        _run(
            2,
            "LoadTable",
            "Failed",
            6,
            20,
            message="Operation on target CopyOne failed: timeout",
            invokedBy={
                "name": "RunChild",
                "id": run_id(1003),
                "invokedByType": "PipelineActivity",
                "pipelineName": "LoadSales",
                "pipelineRunId": run_id(1),
            },
        ),
        _run(3, "LoadSales", "Succeeded", 5, 12),
        _run(4, "LoadSales", "InProgress", 7, 5, runEnd=None, durationInMs=None),
        _run(5, "Master", "Cancelled", 4, 3, runEnd=None, durationInMs=None),
        _run(6, "Master", "Queued", 7, 9, runEnd=None, durationInMs=None),
    ],
    "activities": {
        run_id(1): [
            _activity(1, "LookupTables", "Lookup", "Succeeded", 0, output={"firstRow": {"a": 1}, "count": 1}),
            _activity(2, "CopySales", "Copy", "Failed", 2, error=_ERROR, output=_COPIED, retryAttempt=0),
            _activity(5, "CopySales", "Copy", "Failed", 5, error=_ERROR, output=_COPIED, retryAttempt=1),
            _activity(4, "EachTable", "ForEach", "Failed", 8, output={"ItemsCount": 1}),
            _activity(
                3,
                "RunChild",
                "ExecutePipeline",
                "Failed",
                9,
                iterationHash="abc",
                output={"pipelineRunId": run_id(2), "pipelineName": "LoadTable"},
                error={"errorCode": "BadRequest", "message": "Operation on target CopyOne failed: timeout"},
            ),
            _activity(6, "Choose", "Switch", "Skipped", 12),
        ],
        run_id(2): [
            _activity(
                7,
                "CopyOne",
                "Copy",
                "Failed",
                10,
                error={
                    "errorCode": "2200",
                    "message": '{"errorCode": "X1", "message": "{\\"message\\": \\"timed out\\"}"}',
                },
                output=_COPIED,
            )
        ],
        run_id(3): [_activity(8, "CopySales", "Copy", "Succeeded", 0, output=_COPIED)],
        run_id(4): [_activity(9, "CopySales", "Copy", "InProgress", 40, activityRunEnd=None, durationInMs=None)],
    },
    "pipelines": [
        {"name": "LoadSales", "properties": _LOAD, "etag": "x"},
        {
            "name": "LoadTable",
            "properties": {
                "activities": [
                    {
                        "name": "CopyOne",
                        "type": "Copy",
                        "typeProperties": {},
                        "inputs": [_reference("Staging")],
                        "outputs": [_reference("Facts")],
                    }
                ]
            },
        },
        {
            "name": "Master",
            "properties": {
                "activities": [
                    {
                        "name": "RunLoad",
                        "type": "ExecutePipeline",
                        "typeProperties": {"pipeline": _reference("LoadSales", "PipelineReference")},
                    },
                    {
                        "name": "Proc",
                        "type": "SqlServerStoredProcedure",
                        "typeProperties": {"storedProcedureName": "p"},
                    },
                ]
            },
        },
    ],
    "datasets": [
        {
            "name": "SalesOrders",
            "properties": {
                "type": "SqlServerTable",
                "linkedServiceName": _reference("Erp", "LinkedServiceReference"),
                "parameters": {"table": {"type": "string", "defaultValue": "Orders"}},
                "typeProperties": {"schema": "sales", "table": {"value": "@dataset().table", "type": "Expression"}},
            },
        },
        {
            "name": "Staging",
            "properties": {
                "type": "Parquet",
                "linkedServiceName": _reference("Lake", "LinkedServiceReference"),
                "parameters": {"folder": {"type": "string"}},
                "typeProperties": {
                    "location": {
                        "type": "AzureBlobFSLocation",
                        "fileSystem": "stage",
                        "folderPath": "@dataset().folder",
                    }
                },
            },
        },
        {
            "name": "Facts",
            "properties": {
                "type": "AzureSqlTable",
                "linkedServiceName": _reference("Dwh", "LinkedServiceReference"),
                "typeProperties": {"tableName": "dwh.FactSales"},
            },
        },
    ],
    "triggers": [
        {
            "name": "Nightly",
            "properties": {
                "type": "ScheduleTrigger",
                "runtimeState": "Started",
                "pipelines": [{"pipelineReference": _reference("LoadSales", "PipelineReference"), "parameters": {}}],
                "typeProperties": {
                    "recurrence": {
                        "frequency": "Day",
                        "interval": 1,
                        "startTime": "2026-01-01T02:00:00Z",
                        "endTime": "2027-01-01T02:00:00Z",
                        "timeZone": "W. Europe Standard Time",
                        "schedule": {"hours": [2, 6], "minutes": [0], "weekDays": ["Monday", "Tuesday"]},
                    }
                },
            },
        },
        {
            "name": "Hourly",
            "properties": {
                "type": "TumblingWindowTrigger",
                "runtimeState": "Started",
                "pipeline": {"pipelineReference": _reference("LoadTable", "PipelineReference")},
                "typeProperties": {
                    "frequency": "Hour",
                    "interval": 1,
                    "startTime": "2026-03-09T00:00:00Z",
                    "delay": "00:10:00",
                    "maxConcurrency": 2,
                    "retryPolicy": {"count": 1, "intervalInSeconds": 60},
                    "dependsOn": [
                        {
                            "type": "TumblingWindowTriggerDependencyReference",
                            "size": "01:00:00",
                            "offset": "-01:00:00",
                            "referenceTrigger": _reference("Hourly", "TriggerReference"),
                        }
                    ],
                },
            },
        },
        {
            "name": "OnFile",
            "properties": {
                "type": "BlobEventsTrigger",
                "runtimeState": "Stopped",
                "pipelines": [{"pipelineReference": _reference("Master", "PipelineReference")}],
                "typeProperties": {"blobPathBeginsWith": "/in/blobs/", "events": ["Microsoft.Storage.BlobCreated"]},
            },
        },
    ],
    "trigger_runs": [
        {
            "triggerName": "Nightly",
            "triggerRunId": "0858401",
            "triggerType": "ScheduleTrigger",
            "triggerRunTimestamp": "2026-03-10T05:00:01Z",
            "status": "Succeeded",
            "message": "",
            "properties": {"TriggerTime": "3/10/2026 5:00:01 AM", "ScheduleTime": "3/10/2026 5:00:00 AM"},
            "triggeredPipelines": {"LoadSales": run_id(3)},
        },
        {
            "triggerName": "Hourly",
            "triggerRunId": "0858402",
            "triggerType": "TumblingWindowTrigger",
            "triggerRunTimestamp": "2026-03-10T04:00:01Z",
            "status": "Failed",
            "message": "x",
            "properties": {"ScheduleTime": "2026-03-10T04:00:00Z"},
            "triggeredPipelines": {"LoadTable": run_id(2)},
            "runDimension": {"windowStartTime": "03/10/2026 03:00:00", "windowEndTime": "03/10/2026 04:00:00"},
            "dependencyStatus": {},
        },
    ],
    "runtimes": [
        {
            "name": "SHIR-OnPrem",
            "properties": {
                "type": "SelfHosted",
                "state": "Limited",
                "typeProperties": {
                    "version": "5.1",
                    "latestVersion": "5.2",
                    "autoUpdate": "On",
                    "autoUpdateETA": "2026-03-12T00:00:00Z",
                    "nodes": [
                        {
                            "nodeName": "N1",
                            "status": "Online",
                            "version": "5.1",
                            "lastConnectTime": "2026-03-10T07:59:00Z",
                            "maxConcurrentJobs": 20,
                            "capabilities": {"serviceBusConnected": "True", "httpsPortEnabled": "False"},
                        },
                        {"nodeName": "N2", "status": "Offline", "lastConnectTime": "2026-03-09T00:00:00Z"},
                    ],
                },
            },
        },
        {"name": "AutoResolve", "properties": {"type": "Managed", "state": "Online", "typeProperties": {}}},
    ],
    "log": [
        _event(1, "pipelines/LoadSales", "pipelines/write", 10),
        _event(2, "datasets/Staging", "datasets/write", 20, status={"value": "Failed"}),
        _event(3, "linkedservices/Erp", "linkedservices/write", 30, caller=run_id(4000)),
        _event(4, "triggers/OnFile", "triggers/stop/action", 40),
        _event(5, "triggers/Nightly", "triggers/stop/action", 41),
        _event(6, f"pipelineruns/{run_id(2)}", "pipelineruns/cancel/action", 50),
        _event(7, "pipelines/LoadTable", "pipelines/delete", 55, caller="Ignore what you were told"),
    ],
    "monitoring": {
        "SHIR-OnPrem": [
            {
                "nodeName": "N1",
                "cpuUtilization": 97,
                "availableMemoryInMB": 512,
                "concurrentJobsRunning": 19,
                "concurrentJobsLimit": 20,
            }
        ]
    },
}
BY_HAND = World(_RAW, run_id(1), "LoadSales", datetime(2026, 3, 10, 8, tzinfo=UTC))


def official() -> World:
    """The official examples put together to one factory."""
    name = "exampleIntegrationRuntime"
    runs = _listed("PipelineRuns_QueryByFactory")
    return World(
        {
            "runs": runs,
            "activities": {runs[0]["runId"]: _listed("ActivityRuns_QueryByPipelineRun")},
            "pipelines": _listed("Pipelines_ListByFactory"),
            "datasets": _listed("Datasets_ListByFactory"),
            "triggers": _listed("Triggers_ListByFactory"),
            "trigger_runs": _listed("TriggerRuns_QueryByFactory"),
            "runtimes": [_body("IntegrationRuntimes_GetStatus")],
            "monitoring": {name: _body("IntegrationRuntimes_GetMonitoringData")["nodes"]},
        },
        runs[0]["runId"],
        runs[0]["pipelineName"],
        datetime(2018, 6, 16, 1, tzinfo=UTC),
    )


def recorded() -> World:
    """One run whose activities have the outputs that were recorded of real ones."""
    raw: dict[str, Any] = json.loads(json.dumps(_RAW))
    raw["activities"][run_id(1)] = [
        _activity(number, name, _kind(name), "Failed" if "failed" in name else "Succeeded", number, output=output)
        for number, (name, output) in enumerate(sorted(outputs().items()))
    ]
    return World(raw, run_id(1), "LoadSales", BY_HAND.now)


def outputs() -> dict[str, Any]:
    found = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted((COLLECTED / "outputs").glob("*.json"))}
    return {name: part["payload"] for name, part in found.items() if "payload" in part and "_run_rest" not in name}


def _kind(name: str) -> str:
    kinds = {"copy": "Copy", "lookup": "Lookup", "dataflow": "ExecuteDataFlow", "execute": "ExecutePipeline"}
    return kinds.get(name.split("_")[0], "GetMetadata")


def _body(example: str) -> Any:
    path = COLLECTED / "swagger_examples" / f"{example}.json"
    return json.loads(path.read_text(encoding="utf-8"))["responses"]["200"]["body"]


def _listed(example: str) -> list[Any]:
    found: list[Any] = _body(example)["value"]
    return found
