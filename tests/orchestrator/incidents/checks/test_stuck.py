"""Runs far beyond their usual time are told while they go on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.incidents.checks.rota import CHECKS
from orchestrator.incidents.desk import Desk
from orchestrator.incidents.severity import by_policy
from orchestrator.notify.console import MemoryNotifier
from orchestrator.policy.reading import parse
from tests.orchestrator.incidents.night import LOGIN, Night
from tests.tools_worker.datafactory.build import calls
from tools_worker.datafactory.models import PipelineRun

STUCK = tuple(check for check in CHECKS if check.name == "stuck")


def known(pipeline: str = "LoadSales") -> Night:
    """Its runs take ten minutes."""
    night = Night(checks=STUCK)
    for day in range(1, 6):
        night.run(pipeline, "Succeeded", minutes_ago=day * 1440)
    return night


def going(night: Night, pipeline: str = "LoadSales", status: str = "InProgress", minutes: float = 60) -> PipelineRun:
    return night.run(pipeline, status, minutes_ago=minutes)


def ended(night: Night, run: PipelineRun, status: str) -> None:
    end = replace(run, status=status, end=night.now, updated=night.now, message=f"Operation on target X: {LOGIN}")
    night.factory.runs[night.factory.runs.index(run)] = end


async def test_a_run_far_beyond_its_usual_time_is_told_once_while_it_goes_on() -> None:
    night = known()
    run = going(night)
    await night.look()
    (incident,) = await night.look(minutes_later=20)
    assert (incident.kind, incident.title) == ("stuck", "LoadSales runs far beyond its usual time")
    assert [ref.run_id for ref in incident.runs] == [run.run_id]
    assert "usually 10 min" in incident.summary
    assert [message.about for message in night.notifier.sent] == [incident.id]


async def test_a_run_within_its_usual_time_is_no_trouble() -> None:
    night = known()
    going(night, minutes=5)
    assert await night.look() == []


async def test_it_is_over_when_the_run_ends() -> None:
    night = known()
    run = going(night)
    await night.look()
    ended(night, run, "Succeeded")
    (incident,) = await night.look(minutes_later=20)
    assert incident.resolution == f"Run {run.run_id} ended Succeeded, 2026-03-10 08:00 UTC."
    assert len(night.notifier.sent) == 2


async def test_what_a_person_closed_is_not_opened_again() -> None:
    night = known()
    going(night)
    (incident,) = await night.look()
    await Desk(night.incidents, lambda: night.now).resolve(incident.id, "ana", "Known.")
    (same,) = await night.look(minutes_later=20)
    assert same.ended


async def test_a_stuck_run_that_fails_in_the_end_is_a_failure_like_any_other() -> None:
    night = known()
    run = going(night)
    await night.look()
    night.factory.activities[run.run_id] = [night.activity(run, LOGIN)]
    ended(night, run, "Failed")
    incidents = await night.look(minutes_later=20)
    assert {(each.kind, each.status) for each in incidents} == {("stuck", "resolved"), ("failure", "diagnosed")}


async def test_a_parent_and_the_child_it_waits_for_are_one_incident() -> None:
    night = known("Nightly")
    for day in range(1, 6):
        night.run("LoadSales", "Succeeded", minutes_ago=day * 1440)
    parent = going(night, "Nightly", minutes=90)
    child = night.run("LoadSales", "InProgress", parent=parent.run_id, minutes_ago=80)
    call = calls(1, int(child.run_id[-12:]), status="InProgress")
    night.factory.activities[parent.run_id] = [replace(call, start=parent.start, end=None)]
    night.factory.activities[child.run_id] = [replace(night.activity(child, ""), status="InProgress", end=None)]
    (incident,) = await night.look()
    assert incident.pipelines == ("Nightly",)
    assert child.run_id in incident.summary


async def test_runs_that_wait_one_behind_another_are_told_once() -> None:
    night = known()
    waiting = [going(night, status="Queued", minutes=90 - 10 * number) for number in range(4)]
    (incident,) = await night.look()
    assert [ref.run_id for ref in incident.runs] == [waiting[0].run_id]
    assert incident.title == "LoadSales is queued far beyond its usual time"


def child_of(night: Night, parent: PipelineRun, minutes: float) -> PipelineRun:
    child = night.run("LoadSales", "InProgress", parent=parent.run_id, minutes_ago=minutes)
    call = calls(1, int(child.run_id[-12:]), status="InProgress")
    night.factory.activities[parent.run_id] = [replace(call, start=parent.start, end=None)]
    night.factory.activities[child.run_id] = [replace(night.activity(child, ""), status="InProgress", end=None)]
    return child


async def test_a_parent_that_is_stuck_later_joins_the_incident_of_the_child_it_waits_for() -> None:
    night = known()
    for day in range(1, 6):
        run = night.run("Nightly", "Succeeded", minutes_ago=day * 1440)
        night.factory.runs[-1] = replace(run, duration_ms=60 * 60_000)
    night.judge = by_policy(lambda: parse("importance:\n- {pipelines: [Nightly], severity: 0, why: all wait}"))
    parent = going(night, "Nightly", minutes=60)
    child = child_of(night, parent, 50)
    (incident,) = await night.look()
    assert (incident.runs[0].run_id, incident.severity) == (child.run_id, 3)
    for _ in range(4):
        (incident,) = await night.look(minutes_later=20)
    assert [ref.run_id for ref in incident.parents] == [parent.run_id]
    told = [entry.text for entry in incident.timeline if entry.what == "seen"]
    assert told == [f"Nightly (run {parent.run_id}) waits for it, and goes on far beyond its usual time, too."]
    assert (incident.title, incident.severity) == ("LoadSales runs far beyond its usual time", 0)
    assert len(night.notifier.sent) == 1


async def test_a_parent_that_is_still_stuck_after_its_child_ended_is_told_by_itself() -> None:
    night = known("Nightly")
    for day in range(1, 6):
        night.run("LoadSales", "Succeeded", minutes_ago=day * 1440)
    parent = going(night, "Nightly", minutes=10)
    child = child_of(night, parent, 60)
    await night.look()
    await night.look(minutes_later=40)
    ended(night, child, "Cancelled")
    night.factory.activities[parent.run_id] = []
    await night.look(minutes_later=20)
    first, second = await night.look(minutes_later=20)
    assert (first.ended, second.pipelines) == (True, ("Nightly",))


async def test_in_a_busy_factory_histories_are_read_of_what_goes_on_longest(caplog: pytest.LogCaptureFixture) -> None:
    night = known("Oldest")
    going(night, "Oldest", minutes=90)
    for number in range(40):
        going(night, f"A-{number}", minutes=10)
    with caplog.at_level("INFO", logger="incidents"):
        (incident,) = await night.look()
    assert incident.pipelines == ("Oldest",)
    assert night.factory.calls.total() <= 1 + STUCK[0].queries
    assert "check=stuck left_out=21 pipelines not held against their history" in caplog.text


async def test_its_run_can_be_opened_in_data_factory() -> None:
    night = known()
    going(night)
    await night.look()
    assert "Run in Data Factory" in str(night.notifier.sent[0].card)


async def test_a_message_that_was_not_taken_is_sent_at_the_next_look() -> None:
    night = known()
    night.notifier = MemoryNotifier(UpstreamUnavailable("no", hint=""))
    going(night)
    await night.look()
    assert night.notifier.sent == []
    await night.look(minutes_later=1)
    assert len(night.notifier.sent) == 1
