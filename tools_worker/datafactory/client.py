"""The port to one data factory: what tools and diagnosis may ask of ADF. `sdk.py` and `memory.py` implement it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from core.errors import not_found
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
Status = str | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What a query gave. Not `complete`: there is more, so a count of it is a lower bound."""

    items: tuple[T, ...] = ()
    complete: bool = True

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class DataFactory(Protocol):
    """One factory. Raises core.errors only: NotFound, InvalidArguments and the Upstream family.

    A window means the runs that were active in it: updated at or after `since` and started before `until`. So a run
    that began before the window and failed inside it is there. Names are compared exactly: see `resolve_pipeline`.
    """

    @property
    def id(self) -> FactoryId: ...

    @property
    def name(self) -> str: ...

    def fresh(self) -> DataFactory:
        """The same factory, never answered from what was asked before. For what is to be changed, or was just now."""
        ...

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
        """By start time. All pages unless `limit` is reached. A `group` is a run and its reruns."""
        ...

    async def pipeline_run(self, run_id: str) -> PipelineRun: ...

    async def activity_runs(self, run: PipelineRun) -> Found[ActivityRun]:
        """Every attempt and iteration of this run, oldest first; children are runs of their own."""
        ...

    async def trigger_runs(
        self,
        since: datetime,
        until: datetime | None = None,
        *,
        status: Status = None,
        trigger: str | None = None,
        limit: int | None = None,
    ) -> Found[TriggerRun]:
        """Newest first."""
        ...

    async def pipelines(self) -> Sequence[Pipeline]: ...

    async def pipeline(self, name: str) -> Pipeline: ...

    async def triggers(self) -> Sequence[Trigger]: ...

    async def event_subscription(self, trigger: str) -> str:
        """Of an event trigger: Enabled, Provisioning, Deprovisioning, Disabled, Unknown; empty when not told."""
        ...

    async def integration_runtime(self, name: str) -> IntegrationRuntime:
        """Its state now."""
        ...

    async def datasets(self) -> Sequence[Dataset]: ...

    async def integration_runtimes(self) -> Sequence[IntegrationRuntime]:
        """Their definitions: ask `integration_runtime` for the state of one."""
        ...

    async def runtime_monitoring(self, name: str) -> Sequence[Mapping[str, Any]]:
        """CPU, memory and jobs of each node of a self-hosted runtime, now."""
        ...

    async def changes(self, since: datetime, until: datetime | None = None) -> Found[Change]:
        """What people and applications did to this factory, newest first, one for each action. Kept for 90 days: an
        older `since` means these. Raises UpstreamRefused where the identity may not read the Activity Log."""
        ...

    async def tags(self) -> Mapping[str, str]:
        """Of the factory itself, as a resource of Azure."""
        ...

    async def close(self) -> None: ...


async def resolve_pipeline(factory: DataFactory, name: str) -> str:
    """The pipeline's own spelling of a name given in any case. NotFound offers the closest names."""
    known = [pipeline.name for pipeline in await factory.pipelines()]
    if name in known:
        return name
    wanted = name.strip().casefold()
    for candidate in known:
        if candidate.casefold() == wanted:
            return candidate
    raise not_found("pipeline", name, known, factory.name)
