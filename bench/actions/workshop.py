"""A factory in production on which every kind of change can be tried, as the Data Factory stand-in is given it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcloud.launch.cloud import SUBSCRIPTION

Json = dict[str, Any]
FACTORY, GROUP = "adf-works", "rg-works"
RESOURCE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DataFactory/factories/{FACTORY}"
)
MENDED, STARTED, LONG = "LoadOrders", "LoadDay", "RebuildIndex"  # one fails, one is started by hand, one runs for hours
DAILY, IDLE = "EveryDay", "EveryMonth"  # the one is on, the other is not
PAUSED, ON, OFF = "CopyRates", ("AtNoon", "AtNight"), "AtDawn"  # has two schedules on, and one that somebody stopped
SECONDS = 4  # that an activity takes
POLICY = """
rules:
  - name: two agree
    why: it is paid for by two departments
    match: {pipelines: ["Shared*"]}
    effect: ask
    ask: {roles: [approver], approvals: 2, four_eyes: true, expires_minutes: 600}
  - name: somebody else agrees
    why: it is production
    effect: ask
    ask: {roles: [approver], four_eyes: true, expires_minutes: 600}
"""
DEADLOCK = {
    "side": "Sink",
    "code": "SqlOperationFailed",
    "message": "A database operation failed with the following error: 'Transaction (Process ID 61) was deadlocked on "
    "lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.'",
    "inner": {
        "type": "System.Data.SqlClient.SqlException",
        "message": "Transaction (Process ID 61) was deadlocked on lock resources with another process and has been "
        "chosen as the deadlock victim. Rerun the transaction.",
        "source": ".Net SqlClient Data Provider",
        "numbers": {"SqlErrorNumber": 1205, "Class": 13, "ErrorCode": -2146232060, "State": 45},
    },
}


def names(count: int) -> list[str]:
    """Pipelines of which each has one failed run; of every fifth two persons have to agree on a rerun."""
    return [f"Shared{number:03}" if number % 5 == 4 else f"Own{number:03}" for number in range(count)]


def write(folder: Path, failing: Sequence[str] = ()) -> Path:
    """The scenario and its definitions, in JSON, which is YAML. `failing` have a failed run each, as MENDED has."""
    pipelines: Json = {name: loading(name) for name in (MENDED, STARTED, PAUSED, *failing)}
    pipelines[STARTED]["parameters"] = {"day": {"type": "string", "defaultValue": ""}}
    pipelines[LONG] = {"activities": [{"name": "Rebuild", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 1}}]}
    definitions = {
        "linkedservices": {"Store": {"type": "AzureSqlDatabase", "typeProperties": {"connectionString": "Server=s"}}},
        "datasets": {f"{kind}{name}": table(f"{kind}{name}") for name in pipelines for kind in ("From", "To")},
        "pipelines": pipelines,
        "triggers": {
            DAILY: schedule("Day", (STARTED,), on=True),
            IDLE: schedule("Month", (STARTED,), on=False),
            **{name: schedule("Month", (PAUSED,), on=True) for name in ON},
            OFF: schedule("Month", (PAUSED,), on=False),
        },
    }
    (folder / f"{FACTORY}.yaml").write_text(json.dumps(definitions), encoding="utf-8")
    path = folder / "works.yaml"
    path.write_text(json.dumps(_scenario([MENDED, *failing])), encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    return path


def _scenario(failing: Sequence[str]) -> Json:
    seconds = [
        {"factory": FACTORY, "pipeline": name, "activity": each, "seconds": SECONDS}
        for name in (*failing, STARTED)
        for each in ("ReadState", "CopyRows")
    ]
    runs = [{"label": f"failed-{name}", "factory": FACTORY, "pipeline": name, "minutes_ago": 40} for name in failing]
    return {
        "subscription": SUBSCRIPTION,
        "days": 1,
        "factories": {
            FACTORY: {"resource_group": GROUP, "tags": {"env": "prod"}, "definitions": f"{FACTORY}.yaml"},
        },
        "profile": [*seconds, {"factory": FACTORY, "pipeline": LONG, "activity": "Rebuild", "seconds": 20 * 3600}],
        "faults": [
            {
                "id": f"failed-{name}",
                "factory": FACTORY,
                "pipeline": name,
                "activity": "CopyRows",
                "when": {"label": f"failed-{name}"},
                "seconds": SECONDS,
                "error": DEADLOCK,
            }
            for name in failing
        ],
        "runs": [*runs, {"label": "long", "factory": FACTORY, "pipeline": LONG, "minutes_ago": 30}],
    }


def loading(name: str) -> Json:
    """What is read first never fails; the copy may be done again, for it upserts."""
    policy = {"timeout": "0.01:00:00", "retry": 0, "retryIntervalInSeconds": 30}
    read = {
        "name": "ReadState",
        "type": "Lookup",
        "dependsOn": [],
        "policy": policy,
        "typeProperties": {
            "source": {"type": "AzureSqlSource", "sqlReaderQuery": "select max(at) from ctl.State"},
            "dataset": reference(f"From{name}", "DatasetReference"),
        },
    }
    copy = {
        "name": "CopyRows",
        "type": "Copy",
        "dependsOn": [{"activity": "ReadState", "dependencyConditions": ["Succeeded"]}],
        "policy": policy,
        "typeProperties": {
            "source": {"type": "AzureSqlSource"},
            "sink": {"type": "AzureSqlSink", "writeBehavior": "upsert", "upsertSettings": {"keys": ["Id"]}},
        },
        "inputs": [reference(f"From{name}", "DatasetReference")],
        "outputs": [reference(f"To{name}", "DatasetReference")],
    }
    return {"activities": [read, copy]}


def table(name: str, store: str = "Store") -> Json:
    return {
        "type": "AzureSqlTable",
        "linkedServiceName": reference(store, "LinkedServiceReference"),
        "schema": [],
        "typeProperties": {"schema": "dw", "table": name},
    }


def schedule(frequency: str, pipelines: Sequence[str], *, on: bool) -> Json:
    recurrence = {"frequency": frequency, "interval": 1, "startTime": "2030-01-01T00:00:00Z", "timeZone": "UTC"}
    return {
        "type": "ScheduleTrigger",
        "runtimeState": "Started" if on else "Stopped",
        "pipelines": [{"pipelineReference": reference(name, "PipelineReference")} for name in pipelines],
        "typeProperties": {"recurrence": recurrence},
    }


def reference(name: str, kind: str) -> Mapping[str, str]:
    return {"referenceName": name, "type": kind}
