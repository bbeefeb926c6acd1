"""Incidents with a plant that can be mended, or not, and the healer over them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from orchestrator.healing.healer import Healer
from orchestrator.incidents.record import Incident, RunRef
from tests.orchestrator.actions.desk import FACTORY, Afternoon
from tools_worker.datafactory.client import Found
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import FactoryId, IntegrationRuntime

RULES = "rules: [{name: all, why: it is a test, effect: allow}]\n"
AUTONOMOUS = 'healing: [{factories: ["*"], mode: autonomous}]\n'
REVIEW = 'healing: [{factories: ["*"], mode: review}]\n'
TRANSIENT = """
playbooks:
  - name: it passes
    when: {transience: [transient]}
    steps: [{rerun: from_failure}]
    attempts: 2
    pause_minutes: [5]
"""
RUNTIME = """
playbooks:
  - name: runtime
    when: {categories: [integration_runtime]}
    steps: [{wait_for: runtime, minutes: 60}, {rerun: from_failure}]
"""


class Ward(Afternoon):
    """`messages` of the base are for the executor; `due` are those for the healer."""

    def __init__(self, playbooks: str = TRANSIENT, healing: str = AUTONOMOUS, rules: str = RULES) -> None:
        super().__init__(rules + healing + playbooks)
        self.due: list[tuple[datetime, str]] = []
        self.looks: list[str] = []
        self.factory = Factory()
        self.factories = cast(Factories, _Both(self.factory))
        self.proposer = replace(self.proposer, factories=self.factories)
        self.telling = replace(self.telling, mending=self.wake)
        self.proposer = replace(self.proposer, telling=self.telling)
        self.healer = Healer(
            self.incidents,
            self.store,
            self.proposer,
            self.factories,
            lambda: self.policy,
            self.channel,
            self.later,
            self.look,
            self.clock,
        )

    async def wake(self, incident_id: str) -> None:
        self.due.append((self.now, incident_id))

    async def later(self, incident_id: str, seconds: int) -> None:
        self.due.append((self.now + timedelta(seconds=seconds), incident_id))

    async def look(self, factory: str) -> None:
        self.looks.append(factory)

    async def struck(self, **finding: Any) -> Incident:
        found = {"transience": "transient", "confidence": "high", "category": "network", **finding}
        incident = Incident(
            id="inc-202611-000000000001",
            kind="failure",
            title="LoadSales failed",
            cause="cause",
            opened_at=self.now,
            last_seen_at=self.now,
            status="diagnosed",
            factory="adf-prod",
            factory_id=FACTORY,
            pipelines=("LoadSales",),
            runs=(RunRef("r-1", "LoadSales", "adf-prod", self.now),),
            diagnosis={"outcome": "failed"},
        )
        return await self.incidents.create(replace(incident, **found))

    async def night(self, incident: Incident, most: int = 200) -> Incident:
        """Healer and executor take turns until nothing is left to do; the clock goes along."""
        self.due.append((self.now, incident.id))
        executor = replace(self.executor(), factories=self.factories, telling=self.telling)
        for _ in range(most):
            queue = sorted([*((at, 0, about) for at, about in self.due), *((at, 1, a) for at, a in self.messages)])
            if not queue:
                break
            at, kind, about = queue[0]
            (self.due if kind == 0 else self.messages).remove((at, about))
            self.now = max(self.now, at)
            await (self.healer.advance(about) if kind == 0 else executor.step(about))
        return await self.incidents.load(incident.id)


class Factory:
    """What waits and mappings ask."""

    name = "adf-prod"
    id = FactoryId.parse(FACTORY)

    def __init__(self) -> None:
        self.runtime_state = "Offline"
        self.activities: list[Any] = []
        self.definition: dict[str, Any] = {}

    def fresh(self) -> Factory:
        return self

    async def pipeline_run(self, run_id: str) -> Any:
        from tests.tools_worker.datafactory.build import make_run

        return replace(make_run(1), run_id=run_id, pipeline="LoadSales")

    async def activity_runs(self, run: Any) -> Found[Any]:
        return Found(tuple(self.activities))

    async def integration_runtimes(self) -> list[IntegrationRuntime]:
        return [IntegrationRuntime("SHIR-OnPrem", "SelfHosted"), IntegrationRuntime("Other")]

    async def integration_runtime(self, name: str) -> IntegrationRuntime:
        return IntegrationRuntime(name, "SelfHosted", self.runtime_state)

    async def pipeline(self, name: str) -> Any:
        from tools_worker.datafactory.models import Pipeline

        return Pipeline.of({"name": name, "properties": self.definition})


class _Both:
    def __init__(self, factory: Factory) -> None:
        self._factory = factory

    async def get(self, name: str | None = None) -> Factory:
        return self._factory
