"""A pipeline that takes longer than usual is told once, milder than a failure, until it is as usual again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.incidents.checks.rota import CHECKS
from orchestrator.incidents.checks.trouble import FORGOTTEN
from orchestrator.incidents.desk import Desk
from tests.orchestrator.incidents.night import Night
from tools_worker.datafactory.models import PipelineRun

SLOW = tuple(check for check in CHECKS if check.name == "slow")
STUCK = tuple(check for check in CHECKS if check.name == "stuck")


def known(pipeline: str = "LoadSales", *, days: int = 6, hours: float = 1) -> Night:
    """Its runs take an hour, each day at the same time."""
    night = Night(checks=SLOW)
    for day in range(1, days + 1):
        ended(night, 60 * hours, pipeline, minutes_ago=day * 1440)
    return night


def ended(night: Night, minutes: float, pipeline: str = "LoadSales", minutes_ago: float = 5) -> PipelineRun:
    run = night.run(pipeline, "Succeeded", minutes_ago=minutes_ago)
    end = night.now - timedelta(minutes=minutes_ago)
    start = end - timedelta(minutes=minutes)
    run = replace(run, start=start, end=end, updated=end, duration_ms=int(minutes * 60_000))
    night.factory.runs[-1] = run
    return run


def going(night: Night, minutes: float, pipeline: str = "LoadSales") -> PipelineRun:
    return night.run(pipeline, "InProgress", minutes_ago=minutes - 10)


async def test_a_run_that_took_far_longer_than_usual_is_told_milder_than_a_failure() -> None:
    night = known()
    run = ended(night, 100)
    (incident,) = await night.look()
    assert (incident.kind, incident.title) == ("slow", "LoadSales takes longer than usual")
    assert [ref.run_id for ref in incident.runs] == [run.run_id]
    assert "took 1 h 40 min" in incident.summary
    assert "usually 1 h 0 min" in incident.summary
    assert (incident.severity, len(night.notifier.sent)) == (4, 1)


@pytest.mark.parametrize("minutes", [60, 85])
async def test_a_run_that_took_as_long_as_usual_or_little_more_is_no_trouble(minutes: float) -> None:
    night = known()
    ended(night, minutes)
    assert await night.look() == []


async def test_a_pipeline_of_few_runs_has_no_usual_time() -> None:
    night = known(days=4)
    ended(night, 300)
    assert await night.look() == []


async def test_short_runs_cost_no_history() -> None:
    night = Night(checks=SLOW)
    for number in range(20):
        ended(night, 9, f"Load-{number}")
    await night.look()
    assert night.factory.calls["pipeline_runs"] == 1 + 2  # failed runs; what ended, and what goes on


async def test_more_slow_runs_join_their_pipelines_incident() -> None:
    night = known()
    first = ended(night, 100)
    await night.look()
    night.now += timedelta(minutes=120)
    second = ended(night, 110)
    (incident,) = await night.look()
    assert [ref.run_id for ref in incident.runs] == [second.run_id, first.run_id]
    assert (incident.runs_count, len(night.notifier.sent)) == (2, 1)
    assert "took 1 h 50 min" in incident.summary
    (same,) = await night.look(minutes_later=30)
    assert same == incident


async def test_it_is_over_when_a_later_run_is_as_usual_again() -> None:
    night = known()
    ended(night, 100)
    await night.look()
    night.now += timedelta(minutes=120)
    good = ended(night, 61)
    (incident,) = await night.look()
    assert incident.resolution == f"LoadSales took 1 h 1 min again (run {good.run_id})."
    assert len(night.notifier.sent) == 2


async def test_a_slow_run_after_which_one_was_as_usual_is_history() -> None:
    night = known()
    ended(night, 100, minutes_ago=70)
    ended(night, 60, minutes_ago=5)
    assert await night.look(minutes_later=1) == []


async def test_the_slow_runs_themselves_do_not_make_slow_the_usual() -> None:
    night = known(days=5)
    for _ in range(4):
        ended(night, 100)
        (incident,) = await night.look()
        night.now += timedelta(minutes=120)
    assert (incident.ended, incident.runs_count) == (False, 4)


async def test_a_run_that_goes_on_too_long_is_told_before_it_is_stuck_and_then_goes_on_as_that() -> None:
    night = known(hours=4)
    night.checks = (*SLOW, *STUCK)
    run = going(night, 6.1 * 60)
    (incident,) = await night.look()
    assert (incident.kind, incident.runs[0].run_id) == ("slow", run.run_id)
    assert "has run for 6 h 6 min" in incident.summary
    for _ in range(13):
        await night.look(minutes_later=10)
    first, second = await night.known()
    assert first.resolution == f"Run {run.run_id} is stuck by now, and told as that."
    assert (second.kind, second.ended) == ("stuck", False)
    assert [message.key.split(":")[1] for message in night.notifier.sent] == ["opened", "opened"]


async def test_a_run_that_will_be_stuck_soon_is_told_as_that_alone() -> None:
    night = known()
    going(night, 100)
    assert await night.look() == []


async def test_what_a_person_closed_is_not_opened_again_for_the_same_run() -> None:
    night = known()
    ended(night, 100)
    (incident,) = await night.look()
    await Desk(night.incidents, lambda: night.now).resolve(incident.id, "ana", "A backfill.")
    night.scopes = type(night.scopes)()  # looked at anew
    (same,) = await night.look()
    assert same.ended


async def test_a_pipeline_that_never_ran_again_is_forgotten() -> None:
    night = known()
    ended(night, 100)
    await night.look()
    night.now += FORGOTTEN
    (incident,) = await night.look()
    assert incident.resolution == "Nothing was seen of it for 14 days."


async def test_beyond_its_budget_histories_of_what_matters_are_read_first(caplog: pytest.LogCaptureFixture) -> None:
    night = Night(checks=(replace(SLOW[0], queries=8),))
    for pipeline in ("A", "B", "C", "Last"):
        for day in range(1, 7):
            ended(night, 60, pipeline, minutes_ago=day * 1440)
        ended(night, 200 if pipeline == "Last" else 100, pipeline)
    with caplog.at_level("INFO", logger="incidents"):
        found = await night.look()
    assert sorted(each.resource for each in found) == ["A", "Last"]  # the one that took longest, then by name
    assert "check=slow left_out=2 pipelines with long runs not held against their history" in caplog.text
