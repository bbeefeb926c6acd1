"""Checks have their turns, cost what is stated, and do not stand in the way of failures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.errors import UpstreamUnavailable
from orchestrator.incidents.checks.rota import CHECKS, QUERIES_AN_HOUR, Check
from orchestrator.incidents.checks.trouble import Findings
from orchestrator.incidents.record import Incident
from orchestrator.policy.model import Policy
from tests.orchestrator.incidents.checks.test_missed import hourly
from tests.orchestrator.incidents.night import Night
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.models import Trigger

Made = list[tuple[datetime, datetime]]


def failing(made: Made, well: int = 0) -> Check:
    """After it went well so many times."""

    async def find(_: DataFactory, __: Sequence[Incident], ___: Policy, since: datetime, now: datetime) -> Findings:
        made.append((since, now))
        if len(made) <= well:
            return Findings()
        raise UpstreamUnavailable("no", hint="")

    return Check("missed", timedelta(minutes=10), find)


async def test_an_hour_of_looks_at_an_idle_factory_costs_what_is_stated() -> None:
    night = hourly(*range(-1, 30))
    night.checks = CHECKS
    stopped = [Trigger(f"Old-{number}", "ScheduleTrigger", "Stopped") for number in range(20)]
    night.factory.trigger_list += stopped
    for _ in range(60):
        await night.look(minutes_later=1)
    assert await night.known() == []
    assert night.factory.calls.total() <= QUERIES_AN_HOUR
    assert night.factory.calls["triggers"] == 6  # they were made


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


async def test_an_idle_app_looks_back_over_what_it_slept_through() -> None:
    made: Made = []
    night = Night(checks=(failing(made, well=2),))
    await night.look()
    await night.look(minutes_later=300)
    since, now = made[-1]
    assert now - since == timedelta(minutes=300)
