"""A trigger that is silent although it was due is told once, and until it fires again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from orchestrator.incidents.checks.rota import CHECKS
from orchestrator.policy.model import Importance, Policy
from tests.orchestrator.incidents.night import Night
from tests.tools_worker.datafactory.build import ago
from tools_worker.datafactory.models import Trigger, TriggerRun

MISSED = tuple(check for check in CHECKS if check.name == "missed")
STARTS: dict[str, Any] = {"pipelines": [{"pipelineReference": {"referenceName": "LoadSales"}}]}
HOURLY = {"recurrence": {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z"}}


def hourly(*fired: float, state: str = "Started", policy: Policy | None = None) -> Night:
    """It fired so many hours before 08:00; it is 08:15 now."""
    night = Night(checks=MISSED, policy=policy or Policy())
    night.now += timedelta(minutes=15)
    night.factory.trigger_list = [Trigger("Hourly", "ScheduleTrigger", state, {**STARTS, "typeProperties": HOURLY})]
    night.factory.trigger_run_list = [firing(hours) for hours in fired]
    return night


def firing(hours: float) -> TriggerRun:
    return TriggerRun(f"fired-{hours}", "Hourly", status="Succeeded", at=ago(hours=hours))


async def test_a_due_time_without_a_firing_is_told_with_what_it_starts() -> None:
    (incident,) = await hourly(1, 2, 3).look()
    assert (incident.kind, incident.resource, incident.pipelines) == ("missed", "Hourly", ("LoadSales",))
    assert incident.title == "LoadSales did not start: trigger Hourly did not fire"
    assert "2026-03-10 08:00 UTC" in incident.summary


async def test_a_trigger_that_fires_when_it_is_due_is_no_trouble() -> None:
    assert await hourly(0, 1, 2, 3).look() == []


async def test_what_was_missed_before_it_fired_again_is_history() -> None:
    assert await hourly(0, 3).look() == []


async def test_it_is_told_once_and_is_over_when_it_fires_again() -> None:
    night = hourly(1, 2, 3)
    await night.look()
    for _ in range(6):
        (incident,) = await night.look(minutes_later=10)
    assert not incident.ended
    night.factory.trigger_run_list.append(firing(-2))
    night.now = ago(hours=-2.2)
    (incident,) = await night.look()
    assert incident.resolution == "Trigger 'Hourly' fired again, 2026-03-10 10:00 UTC (trigger run fired--2)."
    assert len(night.notifier.sent) == 2


async def test_a_stopped_trigger_is_somebodys_will_unless_what_it_starts_matters() -> None:
    assert await hourly(1, 2, 3, state="Stopped").look() == []
    matters = Policy(importance=(Importance(pipelines=("LoadSales",), severity=1, why="finance closes on it"),))
    (incident,) = await hourly(1, 2, 3, state="Stopped", policy=matters).look()
    assert incident.severity == 3  # the judge of this night knows no policy
    assert incident.summary.endswith("It is stopped.")
