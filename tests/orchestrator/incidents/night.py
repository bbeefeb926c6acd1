"""A night at one factory in memory: runs that fail, alerts that come, somebody who looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator.alerts.record import Alert
from orchestrator.incidents.checks.rota import Check
from orchestrator.incidents.explaining import Explainer
from orchestrator.incidents.investigator import Investigator
from orchestrator.incidents.record import Incident
from orchestrator.incidents.severity import Judge, plain
from orchestrator.notify.console import MemoryNotifier
from orchestrator.policy.model import Policy
from orchestrator.stores.alerts import MemoryAlertStore
from orchestrator.stores.incidents import MemoryIncidentStore
from orchestrator.stores.scopes import MemoryScopeStore
from tests.tools_worker.datafactory.build import NOW, make_activity, make_run
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import ActivityRun, PipelineRun

LOGIN = "Cannot connect to SQL Database. Login failed for user 'loader'. SqlErrorNumber=18456"
SCOPE = "adf-test"


@dataclass
class Night:
    now: datetime = NOW
    factory: MemoryDataFactory = field(default_factory=lambda: MemoryDataFactory(SCOPE))
    notifier: MemoryNotifier = field(default_factory=MemoryNotifier)
    alerts: MemoryAlertStore = field(init=False)
    incidents: MemoryIncidentStore = field(default_factory=MemoryIncidentStore)
    scopes: MemoryScopeStore = field(default_factory=MemoryScopeStore)
    runs: int = 0
    narrate: Callable[[Incident], Awaitable[str]] | None = None
    checks: Sequence[Check] = ()
    policy: Policy = field(default_factory=Policy)
    judge: Judge = plain

    def __post_init__(self) -> None:
        self.alerts = MemoryAlertStore(lambda: self.now)

    @property
    def investigator(self) -> Investigator:
        return Investigator(
            factories=Factories([self.factory]),
            incidents=self.incidents,
            alerts=self.alerts,
            scopes=self.scopes,
            explainer=Explainer(self.incidents, self.notifier, self.judge, lambda: self.now, narrate=self.narrate),
            owner="night",
            now=lambda: self.now,
            checks=self.checks,
            policy=lambda: self.policy,
        )

    def run(
        self, pipeline: str = "LoadSales", status: str = "Failed", error: str = LOGIN, parent: str = "", **more: float
    ) -> PipelineRun:
        """It ended `minutes_ago`; 5 where not said."""
        self.runs += 1
        start = self.now - timedelta(minutes=more.get("minutes_ago", 5) + 10)
        message = f"Operation on target Copy{pipeline} failed: {error}" if status == "Failed" else ""
        run = make_run(self.runs, pipeline=pipeline, status=status, start=start, message=message, parent=parent)
        self.factory.runs.append(run)
        if status == "Failed" and not parent.startswith("echo"):
            self.factory.activities[run.run_id] = [self.activity(run, error)]
        return run

    def activity(self, run: PipelineRun, error: str) -> ActivityRun:
        made = make_activity(self.runs, name=f"Copy{run.pipeline}", error=error)
        return replace(made, start=run.start, end=run.end)

    async def alert(self, pipeline: str = "LoadSales", **changes: object) -> Alert:
        fired = Alert(
            source="azure-monitor",
            kind="metric",
            instance=f"alert-{pipeline}",
            fired=True,
            at=self.now,
            received_at=self.now,
            title=f"{pipeline} failed",
            rule="pipeline failed",
            factory=SCOPE,
            pipeline=pipeline,
            since=self.now - timedelta(minutes=10),
            until=self.now - timedelta(minutes=4),
        )
        alert = replace(fired, **changes)  # type: ignore[arg-type]
        assert await self.alerts.add(alert)
        return alert

    async def look(self, minutes_later: float = 0, scope: str = SCOPE) -> Sequence[Incident]:
        """The incidents after somebody looked, oldest first."""
        self.now += timedelta(minutes=minutes_later)
        await self.scopes.want(scope)
        await self.investigator.look(scope)
        return await self.known()

    async def known(self) -> list[Incident]:
        listed = await self.incidents.listed(NOW - timedelta(days=30))
        return sorted(listed, key=lambda incident: incident.opened_at)
