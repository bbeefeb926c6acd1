"""The same small world twice: in memory, and as the stand-in plays it, asked through the real client."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

import httpx

from core.clients import LoopbackCredential
from tests.tools_worker.datafactory.build import NOW, ago, make_activity, make_run
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import Dataset, FactoryId, Pipeline, Trigger, TriggerRun
from tools_worker.datafactory.operations.memory import MemoryOperations
from tools_worker.datafactory.operations.model import Operation, OperationKind, Plan
from tools_worker.datafactory.operations.planning import plan
from tools_worker.datafactory.operations.sdk import SdkOperations
from tools_worker.datafactory.operations.sending import Operations
from tools_worker.datafactory.sdk import SdkDataFactory
from tools_worker.datafactory.traffic import Freshness

PROD = FactoryId("00000000-0000-0000-0000-000000000001", "rg-data-prod", "adf-prod")
LOAD, TWO_STEPS, HOURLY = "LoadInventory", "SyncCrm", "EveryHour"  # pipelines, and a trigger of SyncCrm alone
SHARED = "NightlyLoads"  # a trigger of two pipelines
Loss = Literal["lost_before", "lost_after"]


class World(Protocol):
    factory: DataFactory
    operations: Operations

    async def now(self) -> datetime: ...

    async def pass_(self, seconds: float) -> None:
        """Lets time pass: what was started ends well."""
        ...

    async def lose(self, loss: Loss, operation: str) -> None:
        """Of the next answer: the operation is done, or is not."""
        ...

    async def sent(self, operation: str) -> int:
        """How many requests came, by the stand-in's names of operations."""
        ...


async def planned(world: World, kind: OperationKind, **arguments: Any) -> Plan:
    return await plan(world.factory, Operation(kind, world.factory.id.path, arguments), await world.now())


# In memory

NAMES = {
    "pipelines_create_run": "create_run",
    "pipeline_runs_cancel": "cancel_run",
    "triggers_start": "start_trigger",
    "triggers_stop": "stop_trigger",
    "trigger_runs_rerun": "rerun_window",
}


class MemoryWorld:
    def __init__(self) -> None:
        self._now = NOW
        self.factory: DataFactory = memory_factory()
        assert isinstance(self.factory, MemoryDataFactory)
        self._memory = self.factory
        self._operations = MemoryOperations(self._memory, clock=lambda: self._now)
        self.operations: Operations = self._operations

    async def now(self) -> datetime:
        return self._now

    async def pass_(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        for number, run in enumerate(self._memory.runs):
            if run.unfinished:
                self._memory.runs[number] = replace(
                    run, status="Succeeded", end=self._now, updated=self._now, duration_ms=int(seconds * 1000)
                )
        for number, fired in enumerate(self._memory.trigger_run_list):
            if fired.status == "Inprogress":
                self._memory.trigger_run_list[number] = replace(fired, status="Succeeded")

    async def lose(self, loss: Loss, operation: str) -> None:
        self._operations.troubles.append(loss)

    async def sent(self, operation: str) -> int:
        return self._operations.sent[NAMES[operation]]


def copying(name: str, **sink: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "Copy",
        "typeProperties": {"source": {"type": "RestSource"}, "sink": {"type": "AzureSqlSink", **sink}},
        "outputs": [{"referenceName": "Table", "type": "DatasetReference"}],
    }


def memory_factory() -> MemoryDataFactory:
    after = {"dependsOn": [{"activity": "FetchCrmChanges", "dependencyConditions": ["Succeeded"]}]}
    recurrence = {"recurrence": {"frequency": "Hour", "interval": 1, "startTime": "2024-01-01T00:05:00Z"}}
    window = {"windowStartTime": "2026-03-10T05:00:00Z", "windowEndTime": "2026-03-10T06:00:00Z"}
    sync = {"activities": [copying("FetchCrmChanges", writeBehavior="upsert"), copying("Apply") | after]}
    tumbling = {"frequency": "Hour", "interval": 1, "startTime": "2026-03-01T00:00:00Z"}
    return MemoryDataFactory(
        "adf-prod",
        runs=[
            make_run(1, pipeline=LOAD, start=ago(hours=3)),
            make_run(2, pipeline=TWO_STEPS, start=ago(minutes=5), status="InProgress"),
            make_run(3, pipeline="LoadStockWindow", start=ago(hours=2)),
        ],
        activities={make_run(1).run_id: [make_activity(1, name="CopyInventory")]},
        pipelines=[
            Pipeline(LOAD, {"activities": [copying("CopyInventory", writeBehavior="insert")]}),
            Pipeline(TWO_STEPS, sync | {"parameters": {"since": {"type": "string", "defaultValue": ""}}}),
            Pipeline("LoadCustomers", {"activities": []}),
            Pipeline("LoadStockWindow", {"activities": [copying("CopyStock", writeBehavior="upsert")]}),
        ],
        datasets=[Dataset("Table", "AzureSqlTable", "Warehouse", place={"schema": "dw", "table": "Sales"})],
        triggers=[
            Trigger(HOURLY, "ScheduleTrigger", "Started", starting(TWO_STEPS) | {"typeProperties": recurrence}),
            Trigger(
                SHARED, "ScheduleTrigger", "Started", starting(LOAD, "LoadCustomers") | {"typeProperties": recurrence}
            ),
            Trigger(
                "StockWindows",
                "TumblingWindowTrigger",
                "Started",
                {"pipeline": starting("LoadStockWindow")["pipelines"][0], "typeProperties": tumbling},
            ),
        ],
        trigger_runs=[
            TriggerRun(
                "0858-window",
                "StockWindows",
                "TumblingWindowTrigger",
                "Failed",
                ago(hours=2),
                properties=window,
                pipelines={"LoadStockWindow": make_run(3).run_id},
                dimension=window,
            )
        ],
    )


def starting(*pipelines: str) -> dict[str, Any]:
    references = [{"referenceName": name, "type": "PipelineReference"} for name in pipelines]
    return {"pipelines": [{"pipelineReference": reference} for reference in references]}


# As the stand-in plays it


class StandInWorld:
    """Answers of the factory may be a minute old: what depends on the present has to ask past the cache."""

    def __init__(self, url: str, factory: FactoryId = PROD) -> None:
        self._url = url
        self._arm = Arm(LoopbackCredential(), factory.subscription, endpoint=url, freshness=Freshness(60, 60))
        self.factory: DataFactory = SdkDataFactory(self._arm, factory)
        self.operations: Operations = SdkOperations(LoopbackCredential(), endpoint=url)

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self._steer("GET", "/_clock"))["now"]).astimezone(UTC)

    async def pass_(self, seconds: float) -> None:
        await self._steer("POST", "/_clock", {"advance_seconds": seconds})

    async def lose(self, loss: Loss, operation: str) -> None:
        kind = {"kind": "reset"} if loss == "lost_after" else {"kind": "status", "status": 503}
        await self._steer("POST", "/_faults", kind | {"operation": operation, "count": 1})

    async def sent(self, operation: str) -> int:
        return int((await self._steer("GET", "/_stats"))["requests"].get(operation, 0))

    async def close(self) -> None:
        await self._arm.close()

    async def reset(self) -> None:
        await self._steer("POST", "/_reset")

    async def _steer(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        async with httpx.AsyncClient(base_url=self._url, trust_env=False) as http:
            answer = await http.request(method, path, json=body)
            answer.raise_for_status()
            return answer.json() if answer.content else None


@contextmanager
def stand_in(*options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "localcloud.adf", "--port", "0", "--exit-with-stdin", *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()
