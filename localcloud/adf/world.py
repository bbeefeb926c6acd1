"""The world the stand-in serves: a clock, living factories, and the way back to its beginning."""

from __future__ import annotations

from datetime import datetime

from localcloud.adf.clock import Clock
from localcloud.adf.factory import Factory
from localcloud.adf.living import LivingFactory
from localcloud.adf.scenario import RuntimeState, Scenario


class World:
    def __init__(self, scenario: Scenario, seed: int = 7, fixed: datetime | None = None, speed: float = 1.0) -> None:
        self.scenario, self.seed, self._fixed, self._speed = scenario, seed, fixed, speed
        self.reset()

    def reset(self) -> None:
        self.clock = Clock(self._fixed)
        self.anchor = self.clock.now()
        self.factories = [
            LivingFactory(Factory(seed, self.scenario.subscription), self.scenario, self.anchor, self.seed, self._speed)
            for seed in self.scenario.factories
        ]

    def now(self) -> datetime:
        """The present; whatever was due by now has happened."""
        now = self.clock.now()
        for factory in self.factories:
            factory.advance(now)
        return now

    def find(self, group: str, name: str) -> LivingFactory | None:
        wanted = (group.casefold(), name.casefold())
        for living in self.factories:
            if (living.factory.group.casefold(), living.factory.name.casefold()) == wanted:
                return living
        return None

    def has_group(self, group: str) -> bool:
        return any(living.factory.group.casefold() == group.casefold() for living in self.factories)

    def runtime_state(self, factory: str, name: str) -> RuntimeState | None:
        """What the scenario says of it; None where it is as usual, or is so again."""
        since = (self.clock.now() - self.anchor).total_seconds() / 60
        found = (state for state in self.scenario.runtimes if (state.factory, state.name) == (factory, name))
        return next((state for state in found if state.back_minutes is None or since < state.back_minutes), None)

    def is_crowded(self, factory: str, runtime: str) -> bool:
        now = self.clock.now()
        found = [each for each in self.scenario.congestion if (each.factory, each.runtime) == (factory, runtime)]
        return any(each.lasts_at(now, self.anchor) for each in found)
