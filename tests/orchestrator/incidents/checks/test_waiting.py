"""Tumbling windows that wait too long are told once for each trigger, until none waits so long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.incidents.checks.rota import CHECKS
from orchestrator.incidents.desk import Desk
from orchestrator.policy.model import Importance, Policy
from tests.orchestrator.incidents.night import Night
from tests.tools_worker.datafactory.build import ago
from tools_worker.datafactory.models import Trigger, TriggerRun

WAITING = tuple(check for check in CHECKS if check.name == "waiting")
STARTS: dict[str, Any] = {"pipeline": {"pipelineReference": {"referenceName": "LoadSales"}}}


def windows(*waiting: float, state: str = "Started", hours: int = 1, policy: Policy | None = None) -> Night:
    """It is 08:00. Windows that began so many hours before wait; those of the ten hours before them went well."""
    night = Night(checks=WAITING, policy=policy or Policy())
    kept = {"frequency": "Hour", "interval": hours, "startTime": "2026-01-01T00:00:00Z"}
    night.factory.trigger_list = [
        Trigger("Windows", "TumblingWindowTrigger", state, {**STARTS, "typeProperties": kept}),
    ]
    first = int(max(waiting, default=0)) + hours
    good = [window(begin, "Succeeded") for begin in range(first, first + 10 * hours, hours)]
    night.factory.trigger_run_list = [*good, *(window(hours, "WaitingOnDependency") for hours in waiting)]
    return night


def window(hours: float, status: str) -> TriggerRun:
    begin = ago(hours=hours)
    return TriggerRun(
        f"window-{hours}",
        "Windows",
        "TumblingWindowTrigger",
        status,
        begin + timedelta(hours=1),
        dimension={"windowStartTime": begin.isoformat()},
        dependencies={"Upstream": "Waiting"} if status == "WaitingOnDependency" else {},
    )


async def test_a_window_that_waits_longer_than_it_takes_is_told_with_what_it_waits_for() -> None:
    (incident,) = await windows(2, 1).look(minutes_later=5)
    assert (incident.kind, incident.resource, incident.pipelines) == ("late", "Windows", ("LoadSales",))
    assert incident.title == "LoadSales is late: windows of trigger Windows wait"
    assert "the oldest from 2026-03-10 06:00 UTC" in incident.summary
    assert incident.summary.endswith("Not there yet: Upstream (Waiting).")


@pytest.mark.parametrize("waiting", [(1.0,), ()])
async def test_a_window_that_waits_a_little_or_none_is_no_trouble(waiting: tuple[float, ...]) -> None:
    assert await windows(*waiting).look() == []


async def test_a_daily_window_is_late_after_six_hours() -> None:
    night = windows(32, hours=24)  # it ended at midnight
    night.now -= timedelta(hours=3)
    assert await night.look() == []
    (incident,) = await night.look(minutes_later=60)
    assert incident.kind == "late"


async def test_it_is_told_once_and_is_over_when_no_window_waits_so_long() -> None:
    night = windows(2, 1)
    for _ in range(4):
        (incident,) = await night.look(minutes_later=30)
    assert not incident.ended
    night.factory.trigger_run_list = [window(hours, "Succeeded") for hours in range(-2, 10)]
    (incident,) = await night.look(minutes_later=30)
    assert incident.resolution == "No window of trigger 'Windows' waits that long any more."
    assert len(night.notifier.sent) == 2


async def test_a_stopped_trigger_is_somebodys_will_unless_what_it_starts_matters() -> None:
    assert await windows(3, 2, 1, state="Stopped").look() == []
    matters = Policy(importance=(Importance(pipelines=("LoadSales",), severity=1, why="finance closes on it"),))
    assert len(await windows(3, 2, 1, state="Stopped", policy=matters).look()) == 1


@pytest.mark.parametrize("gone", [True, False])
async def test_it_is_over_when_the_trigger_is_stopped_or_gone(gone: bool) -> None:
    night = windows(3, 2, 1)
    await night.look()
    (trigger,) = night.factory.trigger_list
    night.factory.trigger_list = [] if gone else [Trigger(trigger.name, trigger.type, "Stopped", trigger.definition)]
    (incident,) = await night.look(minutes_later=30)
    assert incident.resolution == f"Trigger 'Windows' {'does not exist any more' if gone else 'is stopped'}."


async def test_a_window_that_runs_is_told_by_its_run() -> None:
    night = windows(3)
    night.factory.trigger_run_list[-1] = window(3, "Inprogress")
    night.factory.trigger_run_list += [window(2, "Succeeded"), window(1, "Succeeded")]
    assert await night.look() == []


async def test_what_a_person_closed_is_not_opened_again_for_the_same_windows() -> None:
    night = windows(3, 2, 1)
    (incident,) = await night.look()
    await Desk(night.incidents, lambda: night.now).resolve(incident.id, "ana", "The source is shut today.")
    night.now += timedelta(hours=2)
    assert all(each.ended for each in await night.look())
