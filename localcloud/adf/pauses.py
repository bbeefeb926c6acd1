"""Schedule triggers that somebody stopped: what would have fired meanwhile never does, and nothing makes up for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from localcloud.adf.activity_log import Deed
from localcloud.adf.factory import Factory
from localcloud.adf.scenario import BadScenario, Pause, Scenario


class Pauses:
    def __init__(self, factory: Factory, scenario: Scenario, anchor: datetime) -> None:
        self._factory, self._anchor = factory, anchor
        self._pauses = [pause for pause in scenario.pauses if pause.factory == factory.name]
        for pause in self._pauses:
            if factory.get("triggers", pause.trigger) is None:
                raise BadScenario(f"The scenario pauses {pause.trigger!r}, which {factory.name!r} does not have.")

    def hold(self, trigger: str, moment: datetime) -> bool:
        return any(p.trigger == trigger and self._begin(p) <= moment < self._end(p) for p in self._pauses)

    def settle(self) -> Iterator[Deed]:
        """Who stopped and started; what was not started again is stopped from now on."""
        for pause in self._pauses:
            resource = f"triggers/{pause.trigger}"
            yield Deed(self._begin(pause), "triggers/stop/action", resource, pause.by)
            if pause.until_hours_ago is not None:
                yield Deed(self._end(pause), "triggers/start/action", resource, pause.by)
            else:
                self._stop(pause.trigger)

    def _stop(self, name: str) -> None:
        trigger = self._factory.get("triggers", name)
        assert trigger is not None
        self._factory.put("triggers", trigger.name, {**trigger.properties, "runtimeState": "Stopped"})

    def _begin(self, pause: Pause) -> datetime:
        return self._anchor - timedelta(hours=pause.hours_ago)

    def _end(self, pause: Pause) -> datetime:
        return self._anchor if pause.until_hours_ago is None else self._anchor - timedelta(hours=pause.until_hours_ago)
