"""A data factory in memory: the same promises as the real one, for tests and for trying things out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from core.errors import NotFound, not_found
from tools_worker.datafactory import activity_log
from tools_worker.datafactory.client import Found, Status
from tools_worker.datafactory.models import (
    ActivityRun,
    Change,
    Dataset,
    FactoryId,
    IntegrationRuntime,
    Pipeline,
    PipelineRun,
    Trigger,
    TriggerRun,
)

T = TypeVar("T")
_NEVER = datetime.min.replace(tzinfo=UTC)


class MemoryDataFactory:
    """Lists in, queries out. `calls` counts what was asked, by operation."""

    def __init__(
        self,
        name: str = "adf-test",
        *,
        runs: Iterable[PipelineRun] = (),
        activities: Mapping[str, Sequence[ActivityRun]] | None = None,
        pipelines: Iterable[Pipeline | str] = (),
        triggers: Iterable[Trigger] = (),
        trigger_runs: Iterable[TriggerRun] = (),
        integration_runtimes: Iterable[IntegrationRuntime] = (),
        datasets: Iterable[Dataset] = (),
        monitoring: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        changes: Iterable[Change] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self._id = FactoryId("00000000-0000-0000-0000-000000000001", "rg-test", name)
        self.runs = list(runs)
        self.activities = {run_id: list(found) for run_id, found in (activities or {}).items()}
        self.definitions = [Pipeline(p) if isinstance(p, str) else p for p in pipelines]
        self.trigger_list = list(triggers)
        self.trigger_run_list = list(trigger_runs)
        self.event_subscriptions: dict[str, str] = {}  # by trigger; Enabled when not named
        self.runtimes = list(integration_runtimes)
        self.change_list = list(changes)
        self.dataset_list = list(datasets)
        self.monitoring = dict(monitoring or {})  # runtime → its nodes
        self.tag_values = dict(tags or {})
        self.calls: Counter[str] = Counter()

    @property
    def id(self) -> FactoryId:
        return self._id

    @property
    def name(self) -> str:
        return self._id.name

    def fresh(self) -> MemoryDataFactory:
        return self

    async def pipeline_runs(
        self,
        since: datetime,
        until: datetime | None = None,
        *,
        status: Status = None,
        pipeline: str | None = None,
        group: str | None = None,
        newest_first: bool = True,
        limit: int | None = None,
    ) -> Found[PipelineRun]:
        self.calls["pipeline_runs"] += 1
        found = [
            run
            for run in self.runs
            if _active(run.start, run.updated or run.end or run.start, since, until)
            and _one_of(run.status, status)
            and pipeline in (None, run.pipeline)
            and group in (None, run.group_id)
        ]
        found.sort(key=lambda run: run.start or _NEVER, reverse=newest_first)
        return _cut(found, limit)

    async def pipeline_run(self, run_id: str) -> PipelineRun:
        self.calls["pipeline_run"] += 1
        for run in self.runs:
            if run.run_id == run_id:
                return run
        raise NotFound(f"No pipeline run with id {run_id!r} in {self.name!r}.")

    async def activity_runs(self, run: PipelineRun) -> Found[ActivityRun]:
        self.calls["activity_runs"] += 1
        found = sorted(self.activities.get(run.run_id, ()), key=lambda activity: activity.start or _NEVER)
        return Found(tuple(found))

    async def trigger_runs(
        self,
        since: datetime,
        until: datetime | None = None,
        *,
        status: Status = None,
        trigger: str | None = None,
        limit: int | None = None,
    ) -> Found[TriggerRun]:
        self.calls["trigger_runs"] += 1
        found = [
            run
            for run in self.trigger_run_list
            if _active(run.at, run.at, since, until) and _one_of(run.status, status) and trigger in (None, run.trigger)
        ]
        found.sort(key=lambda run: run.at or _NEVER, reverse=True)
        return _cut(found, limit)

    async def pipelines(self) -> Sequence[Pipeline]:
        self.calls["pipelines"] += 1
        return tuple(self.definitions)

    async def pipeline(self, name: str) -> Pipeline:
        self.calls["pipeline"] += 1
        for definition in self.definitions:
            if definition.name == name:
                return definition
        raise not_found("pipeline", name, [d.name for d in self.definitions], self.name)

    async def triggers(self) -> Sequence[Trigger]:
        self.calls["triggers"] += 1
        return tuple(self.trigger_list)

    async def event_subscription(self, trigger: str) -> str:
        self.calls["event_subscription"] += 1
        known = [each.name for each in self.trigger_list]
        if trigger not in known:
            raise not_found("trigger", trigger, known, self.name)
        return self.event_subscriptions.get(trigger, "Enabled")

    async def integration_runtime(self, name: str) -> IntegrationRuntime:
        self.calls["integration_runtime"] += 1
        for runtime in self.runtimes:
            if runtime.name == name:
                return runtime
        raise not_found("integration runtime", name, [r.name for r in self.runtimes], self.name)

    async def datasets(self) -> Sequence[Dataset]:
        self.calls["datasets"] += 1
        return tuple(self.dataset_list)

    async def integration_runtimes(self) -> Sequence[IntegrationRuntime]:
        self.calls["integration_runtimes"] += 1
        return tuple(self.runtimes)

    async def runtime_monitoring(self, name: str) -> Sequence[Mapping[str, Any]]:
        self.calls["runtime_monitoring"] += 1
        if name not in {runtime.name for runtime in self.runtimes}:
            raise not_found("integration runtime", name, [r.name for r in self.runtimes], self.name)
        return tuple(self.monitoring.get(name, ()))

    async def changes(self, since: datetime, until: datetime | None = None) -> Found[Change]:
        self.calls["changes"] += 1
        found = [c for c in self.change_list if c.at is not None and c.at >= since and (until is None or c.at <= until)]
        return Found(tuple(activity_log.once_each(found)))

    async def tags(self) -> Mapping[str, str]:
        self.calls["tags"] += 1
        return dict(self.tag_values)

    async def close(self) -> None:
        """Nothing is open."""


def _active(start: datetime | None, updated: datetime | None, since: datetime, until: datetime | None) -> bool:
    return updated is not None and updated >= since and (until is None or start is None or start < until)


def _one_of(status: str, wanted: Status) -> bool:
    return wanted is None or status == wanted or (not isinstance(wanted, str) and status in wanted)


def _cut(found: list[T], limit: int | None) -> Found[T]:
    return Found(tuple(found[:limit]), complete=limit is None or len(found) <= limit)
