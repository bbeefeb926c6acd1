"""Pipelines, behaviours and simulated runs in a few words, for tests that care about one thing each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.adf.behaviour import Cancellation, Mishap, Spot
from localcloud.adf.definitions import Pipeline, read_pipeline
from localcloud.adf.engine import Engine
from localcloud.adf.simulated import Failure, Invoker, Order, Origin, PipelineRun

START = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)


def an_activity(
    name: str, kind: str = "Copy", after: Mapping[str, str] | None = None, **settings: Any
) -> dict[str, Any]:
    """`after` maps the name of an activity to the condition on it."""
    depends = [{"activity": a, "dependencyConditions": [condition]} for a, condition in (after or {}).items()]
    policy = {key: settings.pop(key) for key in ("retry", "timeout", "retryIntervalInSeconds") if key in settings}
    return {"name": name, "type": kind, "dependsOn": depends, "policy": policy, "typeProperties": settings}


def calls(name: str, pipeline: str, after: Mapping[str, str] | None = None, **settings: Any) -> dict[str, Any]:
    reference = {"referenceName": pipeline, "type": "PipelineReference"}
    return an_activity(name, "ExecutePipeline", after, pipeline=reference, **settings)


def a_pipeline(*activities: dict[str, Any], name: str = "Main", **properties: Any) -> Pipeline:
    return read_pipeline(name, {"activities": list(activities), **properties})


def breaks(message: str = "it broke", attempts: int | None = None) -> Mishap:
    return Mishap(Failure("2200", message), attempts=attempts, seconds=5)


@dataclass
class Stage:
    """A behaviour in which everything takes ten seconds and only what is named goes wrong."""

    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    mishaps: Mapping[str, Mishap] = field(default_factory=dict)
    branches: Mapping[str, str] = field(default_factory=dict)
    items: int = 3
    at_round: int | None = None
    cancellations: dict[str, Cancellation] = field(default_factory=dict)
    queued: float = 0.0

    def pipeline(self, name: str) -> Pipeline | None:
        return self.pipelines.get(name)

    def mishap(self, spot: Spot) -> Mishap | None:
        here = self.at_round is None or spot.rounds[:1] == (self.at_round,)
        return self.mishaps.get(spot.activity.name) if here else None

    def seconds(self, spot: Spot) -> float:
        return 10.0

    def queue_seconds(self, spot: Spot) -> float:
        return self.queued

    def rows(self, spot: Spot) -> int:
        return 100

    def rounds(self, spot: Spot) -> int:
        return self.items

    def branch(self, spot: Spot) -> str:
        return self.branches[spot.activity.name]

    def cancellation(self, run_id: str) -> Cancellation | None:
        return self.cancellations.get(run_id)


def simulate(pipeline: Pipeline, stage: Stage | None = None, run_id: str = "run-1", **order: Any) -> PipelineRun:
    asked = Order(
        run_id, run_id, pipeline, START, Invoker("Manual", "1", "Manual"), Origin(pipeline.name, START), **order
    )
    return Engine(stage or Stage()).run(asked, START)


def statuses(run: PipelineRun) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for activity in run.activities:
        found.setdefault(activity.activity.name, []).append(activity.status)
    return found
