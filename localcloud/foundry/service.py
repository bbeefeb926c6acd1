"""The parts of one stand-in, built together and closed together."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localcloud.foundry.faults import Faults
from localcloud.foundry.journal import Journal
from localcloud.foundry.project import PLANNER, Project
from localcloud.foundry.queues import Exchange
from localcloud.foundry.settings import ModelEndpoint, Settings
from localcloud.foundry.stats import Stats
from localcloud.foundry.store import Store
from localcloud.foundry.thinking.choice import choose_thinker
from localcloud.foundry.thinking.turns import Thinker

if TYPE_CHECKING:
    from localcloud.foundry.execution import Execution


@dataclass
class Service:
    settings: Settings
    thinker: Thinker
    stats: Stats
    faults: Faults
    journal: Journal
    exchange: Exchange
    store: Store = field(default_factory=Store)
    project: Project = field(default_factory=Project)
    executions: dict[str, Execution] = field(default_factory=dict)  # by run id, ended ones included

    @classmethod
    def build(cls, settings: Settings, thinker: Thinker | None = None) -> Service:
        stats, journal = Stats(), Journal(settings.log)
        faults = Faults(stats, settings.seed)
        faults.arm(dict(settings.faults))
        exchange = Exchange(settings, stats, faults, journal)
        service = cls(settings, thinker or choose_thinker(settings), stats, faults, journal, exchange)
        service.project = Project.serving(settings.model.name if settings.model else PLANNER)
        return service

    async def reset(self) -> None:
        """Forget everything but the settings; what runs is cancelled."""
        await self._stop_runs()
        self.store, self.executions = Store(), {}
        self.project.reset()
        self.faults.arm({"clear": True, "seed": self.settings.seed})
        self.stats.reset()

    async def _stop_runs(self) -> None:
        tasks = [one.task for one in self.executions.values() if one.task and not one.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        await self._stop_runs()
        await self.exchange.close()
        self.journal.close()


def model_from_environment() -> ModelEndpoint | None:
    return ModelEndpoint.from_env(dict(os.environ))
