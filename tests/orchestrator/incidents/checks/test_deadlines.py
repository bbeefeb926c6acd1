"""An agreed time is told before it is broken, once, and until a run ends well."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.incidents.checks.rota import CHECKS
from orchestrator.incidents.desk import Desk
from orchestrator.incidents.severity import by_policy
from orchestrator.policy.reading import parse
from tests.orchestrator.incidents.night import LOGIN, Night
from tests.tools_worker.datafactory.build import NOW
from tools_worker.datafactory.models import Pipeline, PipelineRun

DEADLINES = tuple(check for check in CHECKS if check.name == "deadlines")
POLICY = """
importance:
  - {factory: "adf-*", pipelines: [LoadSales], severity: 1, why: finance, finish_by: "06:00", timezone: Europe/Berlin%s}
"""
DUE = NOW.replace(hour=5, minute=0)  # 06:00 in Berlin


def night_of(told: str = "", *, runs: bool = True, names: str = "[LoadSales]", takes: float = 30) -> Night:
    """A Tuesday, 04:00 UTC: it ran each night before at 03:30, for half an hour, and not yet tonight."""
    policy = parse((POLICY % told).replace("[LoadSales]", names))
    night = Night(now=DUE - timedelta(hours=1), checks=DEADLINES, policy=policy)
    night.factory.definitions = [Pipeline("LoadSales"), Pipeline("Other")]
    for day in range(1, 6) if runs else ():
        ran(night, DUE - timedelta(days=day, minutes=90), takes=takes)
    return night


def ran(night: Night, start: datetime, status: str = "Succeeded", takes: float = 30) -> PipelineRun:
    night.runs += 1
    run = night.run(status=status)
    end = None if status in ("InProgress", "Queued") else start + timedelta(minutes=takes)
    run = replace(run, start=start, end=end, updated=end or start, duration_ms=int(takes * 60_000) if end else None)
    night.factory.runs[-1] = run
    return run


async def test_a_pipeline_that_has_not_begun_in_time_to_end_is_at_risk() -> None:
    night = night_of()
    assert await night.look(minutes_later=20) == []
    (incident,) = await night.look(minutes_later=15)
    assert (incident.kind, incident.pipelines) == ("sla_risk", ("LoadSales",))
    assert incident.title == "LoadSales may miss its agreed time, 06:00 (Europe/Berlin)"
    assert "No run has begun. It usually takes 30 min 0 s: 2026-03-10 05:05 UTC at the earliest." in incident.summary
    assert len(night.notifier.sent) == 1


async def test_it_is_broken_when_the_time_has_passed_and_is_the_same_incident_told_once() -> None:
    night = night_of()
    for _ in range(8):
        found = await night.look(minutes_later=10)
    (incident,) = found
    assert incident.title == "LoadSales missed its agreed time, 06:00 (Europe/Berlin)"
    assert [entry.text for entry in incident.timeline if entry.what in ("opened", "seen")] == [
        "At risk: no run has ended well for 2026-03-10 05:00 UTC.",
        "Broken: no run has ended well for 2026-03-10 05:00 UTC.",
    ]
    assert len(night.notifier.sent) == 1


async def test_it_is_over_when_a_run_ended_well_be_it_late() -> None:
    night = night_of()
    for _ in range(8):
        await night.look(minutes_later=10)
    run = ran(night, night.now)
    (incident,) = await night.look(minutes_later=40)
    assert incident.resolution == f"LoadSales ended well, 2026-03-10 05:50 UTC (run {run.run_id})."
    assert len(night.notifier.sent) == 2


async def test_a_run_that_ended_in_time_keeps_it() -> None:
    night = night_of()
    ran(night, DUE - timedelta(minutes=90))
    assert [await night.look(minutes_later=10) for _ in range(9)] == [[]] * 9


@pytest.mark.parametrize(("begun", "risk"), [(30, False), (29, True)])
async def test_a_run_that_goes_on_is_at_risk_when_what_is_left_of_it_is_too_long(begun: int, risk: bool) -> None:
    night = night_of()
    run = ran(night, DUE - timedelta(minutes=begun), "InProgress")
    night.now = DUE - timedelta(minutes=20)
    found = await night.look()
    assert [each.runs[0].run_id for each in found] == ([run.run_id] if risk else [])


async def test_a_run_beyond_all_that_is_usual_is_expected_to_need_as_long_as_a_new_one() -> None:
    night = night_of()
    ran(night, DUE - timedelta(minutes=100), "InProgress")
    assert await night.look(minutes_later=25) == []
    (incident,) = await night.look(minutes_later=10)
    assert "has been InProgress for 1 h 15 min" in incident.summary


async def test_a_run_that_failed_has_to_be_made_again() -> None:
    night = night_of()
    run = ran(night, DUE - timedelta(minutes=90), "Failed", takes=5)
    await night.look()
    found = await night.look(minutes_later=35)
    (incident,) = [each for each in found if each.kind == "sla_risk"]
    assert f"Its newest run {run.run_id} ended Failed, 2026-03-10 03:35 UTC." in incident.summary
    assert LOGIN not in incident.summary


async def test_on_a_day_that_is_not_agreed_nothing_is_at_risk() -> None:
    night = night_of(", days: [monday]")
    assert [await night.look(minutes_later=10) for _ in range(9)] == [[]] * 9
    assert night.factory.calls["pipelines"] == 0


@pytest.mark.parametrize(("names", "told"), [("[loadsales]", 1), ('["Load*"]', 0)])
async def test_a_pipeline_that_never_runs_is_waited_for_only_where_it_is_named(names: str, told: int) -> None:
    night = night_of(runs=False, names=names)
    for _ in range(8):
        found = await night.look(minutes_later=10)
    assert len(found) == told
    assert all("How long it takes is not known." in each.summary for each in found)


async def test_what_a_person_closed_stays_closed_for_that_time_and_the_next_one_is_told() -> None:
    night = night_of()
    (incident,) = await night.look(minutes_later=35)
    await Desk(night.incidents, lambda: night.now).resolve(incident.id, "ana", "Not today.")
    for _ in range(5):
        (same,) = await night.look(minutes_later=10)
    assert same.ended
    night.now = DUE + timedelta(hours=23, minutes=50)
    first, second = await night.look()
    assert (first.ended, second.ended) == (True, False)


async def test_its_severity_is_that_of_the_policy() -> None:
    night = night_of()
    night.judge = by_policy(lambda: night.policy)
    (incident,) = await night.look(minutes_later=35)
    assert (incident.severity, incident.severity_reason) == (1, "LoadSales: finance")


async def test_the_policy_of_another_factory_costs_nothing() -> None:
    night = night_of()
    night.policy = parse((POLICY % "").replace("adf-*", "other"))
    assert await night.look(minutes_later=35) == []
    assert night.factory.calls["pipelines"] == 0
