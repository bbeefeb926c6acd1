"""A digest in tests: a factory in memory, what happened there, and the editor who tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from orchestrator.digest.editor import Editor
from orchestrator.digest.facts import Facts
from orchestrator.incidents.record import Incident, RunRef
from orchestrator.notify.cards.digest import Digest
from orchestrator.policy.model import Policy
from orchestrator.stores.incidents import MemoryIncidentStore
from tests.tools_worker.datafactory.build import NOW, make_activity, make_run
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import PipelineRun

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LOGIN = "Cannot connect to SQL Database. Login failed for user 'loader'. SqlErrorNumber=18456"


@dataclass
class Paper:
    factories: list[MemoryDataFactory] = field(default_factory=lambda: [MemoryDataFactory("adf-test")])
    incidents: MemoryIncidentStore = field(default_factory=MemoryIncidentStore)
    policy: Policy = field(default_factory=Policy)
    runs: int = 0

    @property
    def factory(self) -> MemoryDataFactory:
        return self.factories[0]

    @property
    def editor(self) -> Editor:
        return Editor(Factories(self.factories), self.incidents, lambda: self.policy, lambda: NOW)

    def run(
        self, pipeline: str = "LoadSales", status: str = "Succeeded", *, hours_ago: float = 6, minutes: float = 10
    ) -> PipelineRun:
        """It began so many hours before NOW."""
        self.runs += 1
        failed = status == "Failed"
        run = make_run(
            self.runs,
            pipeline=pipeline,
            status=status,
            start=NOW - timedelta(hours=hours_ago),
            minutes=minutes,
            message=f"Operation on target Copy{pipeline} failed: {LOGIN}" if failed else "",
        )
        self.factory.runs.append(run)
        if failed:
            self.factory.activities[run.run_id] = [make_activity(self.runs, name=f"Copy{pipeline}", error=LOGIN)]
        return run

    async def incident(self, *runs: PipelineRun, hours_ago: float = 5, **more: object) -> Incident:
        told: dict[str, object] = {
            "kind": "failure",
            "title": "LoadSales failed at CopyLoadSales of LoadSales (authentication)",
            "factory": "adf-test",
            "pipelines": tuple(dict.fromkeys(run.pipeline for run in runs)),
            "runs": tuple(RunRef(run.run_id, run.pipeline) for run in runs),
            "status": "diagnosed",
            "diagnosis": {"cause": "The login was refused."},
            **more,
        }
        self.runs += 1
        opened = NOW - timedelta(hours=hours_ago)
        made = Incident(
            id=f"inc-202603-{self.runs:012d}",
            cause=str(self.runs),
            opened_at=opened,
            last_seen_at=opened,
            **told,  # type: ignore[arg-type]
        )
        return await self.incidents.create(made)

    async def facts(self, *, weekly: bool = False, factory: str | None = None) -> Facts:
        span, length = ("weekly", WEEK) if weekly else ("daily", DAY)
        return await self.editor.fetch_facts(span, NOW - length, NOW, seconds=20, factory=factory)  # type: ignore[arg-type]

    async def digest(self, *, weekly: bool = False, factory: str | None = None) -> Digest:
        span, length = ("weekly", WEEK) if weekly else ("daily", DAY)
        return await self.editor.make(span, NOW - length, NOW, seconds=20, factory=factory)  # type: ignore[arg-type]


def silent(name: str, error: Exception, *operations: str) -> MemoryDataFactory:
    """A factory that answers these questions with this error."""
    factory = MemoryDataFactory(name)

    async def refuse(*_: object, **__: object) -> None:
        raise error

    for operation in operations:
        setattr(factory, operation, refuse)
    return factory
