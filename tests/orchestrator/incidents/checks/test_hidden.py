"""What went wrong in runs that succeeded is told once for each activity, until a later run is clean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.incidents.checks import hidden
from orchestrator.incidents.checks.rota import CHECKS
from orchestrator.policy.model import Importance, Policy
from tests.orchestrator.incidents.night import LOGIN, Night
from tests.tools_worker.datafactory.build import calls, make_activity
from tools_worker.datafactory.models import ActivityRun, PipelineRun

HIDDEN = tuple(check for check in CHECKS if check.name == "hidden")
ROWS = {"rowsRead": 500, "rowsCopied": 500}
NONE = {"rowsRead": 0, "rowsCopied": 0}


def good(
    night: Night, *activities: ActivityRun, pipeline: str = "LoadSales", minutes_ago: float = 5, parent: str = ""
) -> PipelineRun:
    """It succeeded with these activities."""
    run = night.run(pipeline, "Succeeded", minutes_ago=minutes_ago, parent=parent)
    mine = (replace(each, start=run.start, end=run.end) for each in activities)
    night.factory.activities[run.run_id] = [replace(each, id=f"{run.run_id}-{each.name}") for each in mine]
    return run


def copy(rows: Mapping[str, Any], name: str = "CopySales", iteration: str = "") -> ActivityRun:
    return make_activity(name=name, status="Succeeded", output=rows, iteration=iteration)


def failed(name: str = "TellTeam") -> ActivityRun:
    return make_activity(name=name, type="WebActivity", error=LOGIN)


def with_child(night: Night, *activities: ActivityRun, minutes_ago: float = 5) -> None:
    parent = good(night, pipeline="Nightly", minutes_ago=minutes_ago)
    child = good(night, *activities, parent=parent.run_id, minutes_ago=minutes_ago)
    call = calls(1, int(child.run_id[-12:]), status="Succeeded")
    night.factory.activities[parent.run_id] = [replace(call, start=parent.start, end=parent.end)]


def usually(*rows: Mapping[str, Any], policy: Policy | None = None) -> Night:
    """The copy moved that many, day after day."""
    night = Night(checks=HIDDEN, policy=policy or Policy())
    for day, each in enumerate(rows, start=1):
        good(night, copy(each), minutes_ago=day * 1440)
    return night


async def test_a_failure_that_was_hidden_is_told_with_its_diagnosis() -> None:
    night = Night(checks=HIDDEN)
    run = good(night, failed(), copy(ROWS))
    (incident,) = await night.look()
    assert (incident.kind, incident.resource) == ("masked", "TellTeam")
    assert incident.title == "LoadSales succeeded, but TellTeam failed"
    assert [ref.run_id for ref in incident.runs] == [run.run_id]
    assert incident.diagnosis["masked_failures"][0]["kind"] == "handled_failure"
    assert "but not all went well" in incident.summary
    assert LOGIN not in str(night.notifier.sent[0])


async def test_a_clean_run_costs_a_query_and_is_no_trouble() -> None:
    night = Night(checks=HIDDEN)
    good(night, copy(ROWS))
    assert await night.look() == []
    assert night.factory.calls == {"pipeline_runs": 2, "pipelines": 1, "activity_runs": 1}


async def test_a_copy_that_moved_nothing_is_told_where_it_always_moved_some() -> None:
    night = usually(ROWS, ROWS, ROWS)
    good(night, copy(NONE))
    (incident,) = await night.look()
    assert (incident.kind, incident.title) == ("zero_rows", "LoadSales succeeded, but CopySales moved no rows")


@pytest.mark.parametrize("before", [(NONE, NONE, NONE), (ROWS, ROWS, NONE, ROWS), (ROWS, ROWS), ()])
async def test_a_copy_that_often_moves_nothing_or_is_new_is_not_told(before: tuple[Mapping[str, Any], ...]) -> None:
    night = usually(*before)
    good(night, copy(NONE))
    assert await night.look() == []


async def test_turns_of_a_loop_vary() -> None:
    night = usually(ROWS, ROWS, ROWS)
    good(night, copy(NONE, iteration="a"))
    assert await night.look() == []


async def test_many_empty_copies_of_a_run_are_compared_at_once_and_told_as_one() -> None:
    night, names = Night(checks=HIDDEN), [f"Copy{number}" for number in range(20)]
    for day in (1, 2, 3):
        good(night, *(copy(ROWS, name) for name in names), minutes_ago=day * 1440)
    good(night, *(copy(NONE, name) for name in names))
    (incident,) = await night.look()
    assert incident.title == "LoadSales succeeded, but Copy0, Copy1, Copy2 and 17 more moved no rows"
    assert night.factory.calls["activity_runs"] < 20


async def test_a_copy_that_is_always_empty_does_not_keep_an_incident_open() -> None:
    night = Night(checks=HIDDEN)
    for day in (1, 2, 3):
        good(night, copy(ROWS), copy(NONE, "CopyDelta"), minutes_ago=day * 1440)
    good(night, copy(NONE), copy(NONE, "CopyDelta"))
    (incident,) = await night.look()
    assert incident.title == "LoadSales succeeded, but CopySales moved no rows"
    night.now += timedelta(minutes=30)
    good(night, copy(ROWS), copy(NONE, "CopyDelta"))
    (incident,) = await night.look()
    assert incident.ended


async def test_a_copy_in_a_child_stays_told_while_it_moves_nothing() -> None:
    night = Night(checks=HIDDEN)
    for minutes, rows in ((3 * 1440, ROWS), (2 * 1440, ROWS), (1440, ROWS), (5, NONE)):
        with_child(night, copy(rows), minutes_ago=minutes)
    await night.look()
    night.now += timedelta(minutes=30)
    with_child(night, copy(NONE))
    (incident,) = await night.look()
    assert (incident.ended, incident.runs_count) == (False, 2)


async def test_it_is_told_once_while_it_goes_on() -> None:
    night = usually(ROWS, ROWS, ROWS)
    runs = []
    for _ in range(5):
        runs.append(good(night, copy(NONE)).run_id)
        (incident,) = await night.look()
        night.now += timedelta(minutes=30)
    assert [ref.run_id for ref in incident.runs] == runs[::-1]
    assert (incident.ended, len(night.notifier.sent)) == (False, 1)


async def test_it_is_over_when_a_later_run_is_clean() -> None:
    night = usually(ROWS, ROWS, ROWS)
    good(night, copy(NONE), failed())
    await night.look()
    night.now += timedelta(minutes=30)
    run = good(night, copy(ROWS), failed())
    zero, masked = sorted(await night.look(), key=lambda each: each.kind, reverse=True)
    assert zero.resolution == f"Run {run.run_id} of LoadSales, 2026-03-10 08:25 UTC, went well."
    assert not masked.ended


async def test_of_a_pipelines_runs_the_newest_counts() -> None:
    night = Night(checks=HIDDEN)
    good(night, failed(), minutes_ago=20)
    good(night, copy(ROWS), minutes_ago=5)
    assert await night.look() == []


async def test_what_a_child_hides_is_told_once_from_above() -> None:
    night = Night(checks=HIDDEN)
    with_child(night, failed())
    (incident,) = await night.look()
    assert incident.title == "Nightly succeeded, but TellTeam failed"
    assert incident.pipelines == ("Nightly", "LoadSales")


async def test_a_child_that_failed_is_a_failure_and_not_told_twice() -> None:
    night = Night(checks=HIDDEN)
    parent = good(night, pipeline="Nightly")
    child = night.run("LoadSales", "Failed", parent=parent.run_id)
    call = calls(1, int(child.run_id[-12:]), status="Failed")
    night.factory.activities[parent.run_id] = [replace(call, start=parent.start, end=parent.end)]
    (incident,) = await night.look()
    assert incident.kind == "failure"


async def test_within_its_budget_what_matters_is_looked_at_first(caplog: pytest.LogCaptureFixture) -> None:
    matters = Policy(importance=(Importance(pipelines=("Ledger",), severity=1, why="finance closes on it"),))
    night = Night(checks=(replace(HIDDEN[0], queries=8),), policy=matters)
    good(night, failed(), pipeline="Ledger", minutes_ago=30)
    for number in range(4):
        good(night, failed(), pipeline=f"Load-{number}", minutes_ago=20 - number)
    with caplog.at_level("INFO", logger="incidents"):
        found = await night.look()
    assert sorted(each.pipelines[0] for each in found) == ["Ledger", "Load-3"]
    assert "check=hidden left_out=3 good runs" in caplog.text


async def test_a_run_that_cannot_be_looked_at_as_a_whole_ends_nothing() -> None:
    night = Night(checks=HIDDEN)
    good(night, failed())
    await night.look()
    night.now += timedelta(minutes=30)
    run = good(night)
    night.factory.activities[run.run_id] = [
        replace(calls(1, 999, status="Succeeded"), start=run.start, end=run.end)  # a child that is not there
    ]
    (incident,) = await night.look()
    assert not incident.ended


async def test_when_the_time_is_up_nothing_more_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hidden, "LOOK_SECONDS", 0.0)
    night = Night(checks=HIDDEN)
    good(night, failed())
    with caplog.at_level("INFO", logger="incidents"):
        assert await night.look() == []
    assert "check=hidden left_out=1 good run" in caplog.text
    assert night.factory.calls["activity_runs"] == 0


async def test_what_cannot_be_diagnosed_in_time_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "DIAGNOSIS_SECONDS", 0.0)
    night = Night(checks=HIDDEN)
    run = good(night, failed())
    (incident,) = await night.look()
    assert incident.diagnosis == {}
    assert incident.summary == (
        f"LoadSales in adf-test succeeded (run {run.run_id}, 2026-03-10 07:55 UTC), "
        "but TellTeam failed (authentication) and an on-failure path hid it."
    )


async def test_a_run_that_was_looked_at_is_not_diagnosed_again() -> None:
    night = Night(checks=(replace(HIDDEN[0], every=timedelta(minutes=5)),))
    good(night, failed())
    (first,) = await night.look()
    asked = night.factory.calls["activity_runs"]
    (second,) = await night.look(minutes_later=5)
    assert second == first
    assert night.factory.calls["activity_runs"] == asked + 1
