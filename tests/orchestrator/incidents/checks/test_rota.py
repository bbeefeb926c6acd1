"""Checks have their turns, cost what is stated, and do not stand in the way of failures."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.incidents import rounds
from orchestrator.incidents.checks.rota import CHECKS, LOOKS, QUERIES_AN_HOUR, QUERIES_AN_HOUR_BUSY, Check
from orchestrator.incidents.checks.trouble import Findings
from orchestrator.incidents.checks.turn import Turn
from orchestrator.policy.reading import parse
from tests.orchestrator.incidents.checks.test_missed import hourly
from tests.orchestrator.incidents.night import Night
from tools_worker.datafactory.client import DataFactory, Found
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import Pipeline, PipelineRun, Trigger

Made = list[tuple[datetime, datetime]]


def failing(made: Made, well: int = 0) -> Check:
    """After it went well so many times."""

    async def find(_: DataFactory, turn: Turn) -> Findings:
        made.append((turn.since, turn.now))
        if len(made) <= well:
            return Findings()
        raise UpstreamUnavailable("no", hint="")

    return Check("missed", ("missed",), timedelta(minutes=10), 2, find)


async def test_an_hour_of_looks_at_an_idle_factory_costs_what_is_stated() -> None:
    night = hourly(*range(-1, 30))
    night.checks = CHECKS
    stopped = [Trigger(f"Old-{number}", "ScheduleTrigger", "Stopped") for number in range(20)]
    night.factory.trigger_list += stopped
    for _ in range(60):
        await night.look(minutes_later=1)
    assert await night.known() == []
    assert night.factory.calls.total() <= QUERIES_AN_HOUR
    assert night.factory.calls["triggers"] == 6 + 2  # they were made


class Paged(MemoryDataFactory):
    """A list costs a query for each hundred, as in Data Factory."""

    async def pipeline_runs(self, *args: Any, **options: Any) -> Found[PipelineRun]:
        found = await super().pipeline_runs(*args, **options)
        self.calls["pages"] += max(0, (len(found) - 1) // 100)
        return found


AGREED = """
importance:
  - {pipelines: ["Load-1?"], severity: 1, why: finance, finish_by: "09:30"}
"""


def busy() -> Night:
    """40 pipelines of runs of twenty minutes, ten that go on too long, a failure, agreed times, twenty triggers of
    windows."""
    night = hourly(*range(-1, 30), policy=parse(AGREED))
    night.checks = CHECKS
    night.factory = Paged("adf-test", triggers=night.factory.trigger_list, trigger_runs=night.factory.trigger_run_list)
    names = [f"Load-{number}" for number in range(40)]
    night.factory.definitions = [Pipeline(name) for name in names]
    for name in names:
        for day in range(1, 7):
            worked(night, name, minutes_ago=day * 1440)
    for number in range(10):
        night.run(f"Load-{number}", "InProgress", minutes_ago=20 + number)
    night.run("Broken")
    kept = {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z"}
    night.factory.trigger_list += [
        Trigger(f"Windows-{number}", "TumblingWindowTrigger", "Started", {"typeProperties": kept})
        for number in range(20)
    ]
    return night


def worked(night: Night, pipeline: str, minutes_ago: float = 0) -> None:
    run = night.run(pipeline, "Succeeded", minutes_ago=minutes_ago)
    made = replace(night.activity(run, ""), status="Succeeded", output={"rowsRead": 0, "rowsCopied": 0})
    night.factory.activities[run.run_id] = [made]
    night.factory.runs[-1] = replace(run, duration_ms=20 * 60_000)


async def test_an_hour_of_looks_at_a_busy_factory_costs_what_is_stated() -> None:
    night = busy()
    for minute in range(60):
        for number in range(200 * minute // 60, 200 * (minute + 1) // 60):
            worked(night, f"Load-{number % 40}")
        await night.look(minutes_later=1)
    measured = night.factory.calls.total()
    assert QUERIES_AN_HOUR < measured <= QUERIES_AN_HOUR_BUSY
    assert night.factory.calls["activity_runs"] > 60  # what is costly was done
    assert {"failure", "stuck"} <= {each.kind for each in await night.known()}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
async def test_a_turn_of_a_check_costs_at_most_what_it_states(check: Check) -> None:
    night = busy()
    night.now = night.now.replace(hour=9)
    for number in range(100):
        worked(night, f"Load-{number % 40}")
    turn = Turn((), night.policy, night.now - timedelta(minutes=30), night.now, check.queries)
    await check.find(night.factory, turn)
    assert 1 <= night.factory.calls.total() <= check.queries


def test_what_the_checks_may_cost_together_is_what_is_stated() -> None:
    assert LOOKS + sum(check.queries_an_hour for check in CHECKS) <= QUERIES_AN_HOUR_BUSY


async def test_where_data_factory_is_slow_checks_wait_for_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Made = []
    night = Night(checks=(failing(made, well=9),))
    monkeypatch.setattr(rounds, "ROUND_SECONDS", rounds.CHECK_SECONDS - 1)
    await night.look()
    assert made == []
    monkeypatch.undo()
    await night.look(minutes_later=1)
    assert len(made) == 1


async def test_a_check_that_fails_waits_for_its_turn_and_ends_nothing() -> None:
    made: Made = []
    night = Night(checks=(failing(made),))
    for _ in range(21):
        await night.look(minutes_later=1)
    assert len(made) == 3


async def test_what_a_check_that_failed_did_not_see_is_seen_by_the_next_one() -> None:
    made: Made = []
    night = Night(checks=(failing(made, well=1),))
    for _ in range(4):
        await night.look(minutes_later=20)
    assert len(made) == 4
    assert {since for since, _ in made[1:]} == {made[0][1]}


async def test_failed_runs_are_told_although_a_check_fails() -> None:
    night = Night(checks=(failing([]),))
    night.run()
    (incident,) = await night.look()
    assert incident.status == "diagnosed"


async def test_an_alert_does_not_wait_for_checks_nor_are_they_made_twice_at_once() -> None:
    begun, go_on, turns = asyncio.Event(), asyncio.Event(), list[Turn]()

    async def find(_: DataFactory, turn: Turn) -> Findings:
        turns.append(turn)
        begun.set()
        await go_on.wait()
        return Findings()

    night = Night(checks=(Check("missed", ("missed",), timedelta(minutes=10), 2, find),))
    slow = asyncio.create_task(night.look())
    await begun.wait()
    night.run()
    await night.alert()
    (incident,) = await night.look()
    assert (incident.status, incident.alerts_count) == ("diagnosed", 1)
    go_on.set()
    await slow
    assert len(turns) == 1
    await night.look(minutes_later=10)
    assert [turn.since for turn in turns[1:]] == [turns[0].now]


async def test_an_idle_app_looks_back_over_what_it_slept_through() -> None:
    made: Made = []
    night = Night(checks=(failing(made, well=2),))
    await night.look()
    await night.look(minutes_later=300)
    since, now = made[-1]
    assert now - since == timedelta(minutes=300)
