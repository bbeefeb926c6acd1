"""The deep case: a run three pipelines deep with more than a thousand activity runs, at 20 ms for each request.

Its world is made here, in a temporary folder: DeepParent calls DeepChild calls DeepGrandchild, each with a loop; one of
a thousand tables fails in the last one. What counts is time, requests and memory; the diagnosis must be right besides.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.diagnosis.memory import Memory
from bench.diagnosis.playing import Played, play, warm_up
from bench.diagnosis.truth import DIAGNOSE, Case
from bench.diagnosis.witness import Tree, Witness, witness
from bench.tool_queue import COLD, ToolQueue, app_cloud, tool_queue

LATENCY_MS = 20
TABLES, REGIONS = 1000, 40
SPARE_CALLS = 12  # for what is around the run: history, definitions, runtime, changes
FACTORY = "adf-deep"
DEEP = Case(
    "deep",
    {
        "id": "deep",
        "level": 2,
        "story": "The source lacks one of a thousand tables, two pipelines below the one that was asked for.",
        "run": {"factory": FACTORY, "pipeline": "DeepParent", "nth": 1, "status": "Failed"},
        "outcome": "failed",
        "root_cause_path": [
            ["DeepParent", "RunChild"],
            ["DeepChild", "RunGrandchild"],
            ["DeepGrandchild", "ForEachTable"],
            ["DeepGrandchild", "CopyTable"],
        ],
        "category": "not_found",
        "transience": "permanent",
    },
)


@dataclass(frozen=True, slots=True)
class Deep:
    played: tuple[Played, ...]
    tree: Tree
    memory_mb: float | None

    @property
    def figures(self) -> dict[str, Any]:
        seconds = [each.seconds for each in self.played]
        return {
            "seconds_p50": round(statistics.median(seconds), 3),
            "seconds_max": round(max(seconds), 3),
            "adf_calls": max(each.adf_calls for each in self.played),
            "calls_allowed": self.tree.pages + self.tree.depth + SPARE_CALLS,
            "memory_mb_over_idle": None if self.memory_mb is None else round(self.memory_mb, 1),
            "activity_runs": len(self.tree.activities),
            "depth": self.tree.depth,
            "repetitions": len(self.played),
            "right": all(each.grade.right for each in self.played),
        }


async def measure_deep(repetitions: int) -> Deep:
    with TemporaryDirectory() as folder:
        world = write_world(Path(folder))
        arguments = ("--scenario", str(world), "--latency-ms", str(LATENCY_MS))
        async with (
            app_cloud(*arguments, settings=COLD) as cloud,
            witness(cloud.adf) as adf,
            tool_queue(cloud.storage, DIAGNOSE) as queue,
        ):
            return await _measure(queue, adf, cloud.app_pid, repetitions)


async def _measure(queue: ToolQueue, adf: Witness, app_pid: int, repetitions: int) -> Deep:
    known, (anchor, now) = await adf.known(), await adf.clock()
    await warm_up(queue)  # clients and modules are there now, and nothing of the run
    memory = Memory(app_pid)
    played = [await play(DEEP, queue, adf, known, anchor, now) for _ in range(repetitions)]
    peak = memory.over_idle_mb()
    return Deep(tuple(played), await adf.tree(FACTORY, played[0].run_id), peak)


def write_world(folder: Path) -> Path:
    """JSON is YAML too."""
    (folder / "definitions.yaml").write_text(json.dumps(definitions()), encoding="utf-8")
    path = folder / "deep.yaml"
    path.write_text(json.dumps(scenario()), encoding="utf-8")
    return path


def scenario() -> dict[str, Any]:
    message = "A database operation failed with the following error: 'Invalid object name 'dbo.Table737'.'"
    fault = {
        "id": "table-missing",
        "factory": FACTORY,
        "root": "DeepParent",
        "pipeline": "DeepGrandchild",
        "activity": "CopyTable",
        "iteration": 737,
        "when": {"latest": 1},
        "seconds": 12,
        "error": {"side": "Source", "code": "SqlOperationFailed", "message": message},
    }
    return {
        "days": 3,
        "factories": {FACTORY: {"resource_group": "rg-deep", "definitions": "definitions.yaml"}},
        "profile": [{"factory": FACTORY, **entry} for entry in _profile()],
        "faults": [fault],
    }


def _profile() -> Iterator[dict[str, Any]]:
    loops = {"DeepParent": REGIONS, "DeepChild": REGIONS, "DeepGrandchild": TABLES}
    for pipeline, rounds in loops.items():
        yield {"pipeline": pipeline, "activity": "ForEachTable", "rounds": rounds}
        yield {"pipeline": pipeline, "activity": "CopyTable", "seconds": 20, "rows": 4000}


def definitions() -> dict[str, Any]:
    nightly = {"frequency": "Day", "interval": 1, "startTime": "2024-01-01T00:00:00Z", "timeZone": "UTC"}
    return {
        "pipelines": {
            "DeepParent": {"activities": [*_loop(), _call("RunChild", "DeepChild")]},
            "DeepChild": {"activities": [*_loop(), _call("RunGrandchild", "DeepGrandchild")]},
            "DeepGrandchild": {"activities": _loop()},
        },
        "triggers": {
            "Nightly": {
                "type": "ScheduleTrigger",
                "runtimeState": "Started",
                "pipelines": [{"pipelineReference": _reference("DeepParent")}],
                "typeProperties": {"recurrence": nightly},
            }
        },
    }


def _loop() -> list[dict[str, Any]]:
    copy = {
        "name": "CopyTable",
        "type": "Copy",
        "dependsOn": [],
        "policy": {"timeout": "0.01:00:00", "retry": 0, "retryIntervalInSeconds": 30},
        "typeProperties": {"source": {"type": "AzureSqlSource"}, "sink": {"type": "ParquetSink"}},
    }
    items = {"value": "@range(0, 1000)", "type": "Expression"}
    settings = {"items": items, "isSequential": False, "batchCount": 50, "activities": [copy]}
    return [{"name": "ForEachTable", "type": "ForEach", "dependsOn": [], "typeProperties": settings}]


def _call(name: str, pipeline: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "ExecutePipeline",
        "dependsOn": [{"activity": "ForEachTable", "dependencyConditions": ["Succeeded"]}],
        "typeProperties": {"pipeline": _reference(pipeline), "waitOnCompletion": True},
    }


def _reference(pipeline: str) -> dict[str, str]:
    return {"referenceName": pipeline, "type": "PipelineReference"}
