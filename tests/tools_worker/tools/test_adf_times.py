"""The tools about time, over a world in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import InvalidArguments, NotFound, UpstreamRefused
from tests.tools_worker.datafactory.build import ago, guid, make_activity, make_run
from tests.tools_worker.tools.asking import ask, prod
from tools_worker.datafactory.client import Found
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import Change, Pipeline, Trigger, TriggerRun
from tools_worker.tools import adf_missed_runs, adf_run_history, adf_stuck_runs, adf_triggers

STARTS: dict[str, Any] = {"pipelines": [{"pipelineReference": {"referenceName": "LoadSales"}}]}
HOURLY: dict[str, Any] = {"recurrence": {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z"}}
WINDOWED: dict[str, Any] = {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z"}


def schedule(state: str = "Started") -> Trigger:
    return Trigger("Hourly", "ScheduleTrigger", state, {**STARTS, "typeProperties": HOURLY})


def fired(*hours: int) -> list[TriggerRun]:
    return [TriggerRun(f"t{hour}", "Hourly", status="Succeeded", at=ago(hours=hour)) for hour in hours]


def window(hour: int, status: str) -> TriggerRun:
    begin = ago(hours=hour + 1).isoformat()
    return TriggerRun(f"w{hour}", "Windows", status=status, at=ago(hours=hour), dimension={"windowStartTime": begin})


async def test_names_the_due_time_without_a_run() -> None:
    world = prod(triggers=[schedule()], trigger_runs=fired(1, 2, 4, 5))
    reply = await ask(adf_missed_runs.TOOL, world, hours=5)
    assert reply.data["triggers"][0]["missed_at"] == ["2026-03-10T05:00:00Z"]
    assert "1 due time without a run, at 2026-03-10 05:00 UTC" in reply.summary


async def test_says_that_nothing_was_missed() -> None:
    reply = await ask(adf_missed_runs.TOOL, prod(triggers=[schedule()], trigger_runs=fired(1, 2, 3)), hours=3)
    assert "No due time of a schedule or window was missed" in reply.summary


async def test_says_that_the_trigger_is_stopped() -> None:
    reply = await ask(adf_missed_runs.TOOL, prod(triggers=[schedule("Stopped")]), hours=3)
    assert ": is stopped; 2 due times without a run" in reply.summary


async def test_names_the_failed_window_that_blocks_the_others() -> None:
    waits = {"type": "SelfDependencyTumblingWindowTriggerReference", "offset": "-01:00:00"}
    settings = {**WINDOWED, "dependsOn": [waits]}
    trigger = Trigger("Windows", "TumblingWindowTrigger", "Started", {"typeProperties": settings})
    runs = [window(4, "Succeeded"), window(3, "Failed"), window(2, "Waiting"), window(1, "Waiting")]
    reply = await ask(adf_missed_runs.TOOL, prod(triggers=[trigger], trigger_runs=runs), hours=4)
    assert reply.data["triggers"][0]["blocked_by"]["from"] == "2026-03-10T04:00:00Z"
    assert "wait for the window from 2026-03-10 04:00 UTC, which failed, trigger run w3" in reply.summary


async def test_a_window_that_was_run_again_well_is_not_open() -> None:
    trigger = Trigger("Windows", "TumblingWindowTrigger", "Started", {"typeProperties": WINDOWED})
    again = TriggerRun("r", "Windows", status="Succeeded", at=ago(minutes=5), dimension=window(1, "").dimension)
    reply = await ask(
        adf_missed_runs.TOOL, prod(triggers=[trigger], trigger_runs=[window(1, "Failed"), again]), hours=2
    )
    assert reply.data["triggers"] == []


async def test_a_run_far_beyond_its_history_is_late() -> None:
    runs = [make_run(n, status="Succeeded", start=ago(days=n)) for n in range(1, 10)]
    runs.append(make_run(99, status="Succeeded", start=ago(hours=3), minutes=120))
    reply = await ask(adf_missed_runs.TOOL, prod(runs=runs, triggers=[schedule()]), hours=4)
    assert [each["run_id"] for each in reply.data["late"]] == [guid(99)]


async def test_tells_when_a_trigger_fires_next() -> None:
    reply = await ask(adf_triggers.TOOL, prod(triggers=[schedule()], trigger_runs=fired(2)))
    assert (
        "Hourly in adf-prod (Started) starts LoadSales every hour (UTC), next at 2026-03-10 09:00 UTC" in reply.summary
    )
    assert [evidence.id for evidence in reply.evidence] == ["t2"]


async def test_a_stopped_trigger_fires_nothing() -> None:
    reply = await ask(adf_triggers.TOOL, prod(triggers=[schedule("Stopped")]))
    assert "Not started, so they fire nothing: Hourly." in reply.summary
    assert reply.data["triggers"][0]["next"] == []


async def test_says_that_a_trigger_has_no_pipeline() -> None:
    reply = await ask(adf_triggers.TOOL, prod(triggers=[Trigger("Bare", "ScheduleTrigger", "Started")]))
    assert "Without a pipeline, so they start nothing: Bare." in reply.summary


async def test_says_that_an_event_subscription_is_disabled() -> None:
    world = prod(triggers=[Trigger("Files", "BlobEventsTrigger", "Started", STARTS)])
    world.event_subscriptions["Files"] = "Disabled"
    assert "event subscription Disabled" in (await ask(adf_triggers.TOOL, world)).summary


async def test_offers_the_closest_trigger() -> None:
    with pytest.raises(NotFound, match="'Hourly'"):
        await ask(adf_triggers.TOOL, prod(triggers=[schedule()]), trigger="Hourl")


async def test_counts_by_day_of_the_time_zone() -> None:
    late_evening = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    world = prod(runs=[make_run(1, status="Succeeded", start=late_evening)])
    reply = await ask(adf_run_history.TOOL, world, pipeline="loadsales", timezone="Europe/Berlin")
    assert reply.data["factories"]["adf-prod"]["by_day"] == {"2026-03-09": {"Succeeded": 1}}


async def test_history_looks_two_weeks_back_or_as_far_as_it_is_told() -> None:
    world = prod(runs=[make_run(n, status="Succeeded", start=ago(days=n)) for n in range(1, 30)])
    for hours, total in (({}, 14), ({"hours": 72}, 3)):
        reply = await ask(adf_run_history.TOOL, world, pipeline="LoadSales", **hours)
        assert reply.data["factories"]["adf-prod"]["total"] == total


async def test_counts_only_between_the_dates() -> None:
    runs = [make_run(n, status="Succeeded", start=ago(days=n)) for n in range(6)]
    days = {"since": "2026-03-07", "until": "2026-03-08"}
    reply = await ask(adf_run_history.TOOL, prod(runs=runs), pipeline="LoadSales", **days)
    assert reply.data["factories"]["adf-prod"]["total"] == 2


async def test_names_since_when_it_is_slower() -> None:
    runs = [make_run(n, status="Succeeded", start=ago(days=n), minutes=30 if n <= 6 else 10) for n in range(1, 14)]
    reply = await ask(adf_run_history.TOOL, prod(runs=runs), pipeline="LoadSales")
    assert reply.data["factories"]["adf-prod"]["shift"]["run_id"] == guid(6)
    assert "It is slower since 2026-03-04" in reply.summary


async def test_finds_the_run_that_changed_among_thousands() -> None:
    runs = [
        make_run(n, status="Succeeded", start=ago(minutes=5 * n), minutes=30 if n <= 777 else 10)
        for n in range(1, 3001)
    ]
    reply = await ask(adf_run_history.TOOL, prod(runs=runs), pipeline="LoadSales")
    assert reply.data["factories"]["adf-prod"]["shift"]["run_id"] == guid(777)


async def test_one_odd_run_is_no_trend() -> None:
    runs = [make_run(n, status="Succeeded", start=ago(days=n), minutes=90 if n == 3 else 10) for n in range(1, 14)]
    assert "No lasting change" in (await ask(adf_run_history.TOOL, prod(runs=runs), pipeline="LoadSales")).summary


async def test_tells_which_rerun_belongs_to_which_run() -> None:
    again = make_run(2, status="Succeeded", start=ago(hours=2), group=guid(1))
    reply = await ask(adf_run_history.TOOL, prod(runs=[make_run(1), again]), pipeline="LoadSales")
    assert f"the newest rerun of run {guid(1)} is {guid(2)}: Succeeded" in reply.summary


@pytest.mark.parametrize("days", [{"since": "2026-03-05", "until": "2026-03-01"}, {"since": "2027-01-01"}])
async def test_refuses_inverted_and_future_dates(days: dict[str, str]) -> None:
    with pytest.raises(InvalidArguments):
        await ask(adf_run_history.TOOL, prod(), pipeline="LoadSales", **days)


async def test_a_run_far_beyond_its_usual_time_is_stuck() -> None:
    good = [make_run(n, status="Succeeded", start=ago(days=n)) for n in range(1, 6)]
    going = make_run(99, status="InProgress", start=ago(hours=9))
    inside = {guid(99): [make_activity(1, status="InProgress")]}
    reply = await ask(adf_stuck_runs.TOOL, prod(runs=[*good, going], activities=inside))
    assert reply.data["runs"][0]["verdict"] == "stuck"
    assert (
        f"for 9 h 0 min since 2026-03-09 23:00 UTC; usually 10 min 0 s (run {guid(99)}), in activity" in reply.summary
    )


async def test_names_the_run_that_has_the_place() -> None:
    good = [make_run(n, status="Succeeded", start=ago(days=n)) for n in range(1, 6)]
    going = [
        make_run(98, status="InProgress", start=ago(hours=9)),
        make_run(99, status="Queued", start=ago(hours=8)),
    ]
    world = prod(runs=[*good, *going], pipelines=[Pipeline("LoadSales", {"concurrency": 1})])
    assert (
        f"behind its concurrency of 1: run {guid(98)} has the place" in (await ask(adf_stuck_runs.TOOL, world)).summary
    )


async def test_does_not_judge_without_history() -> None:
    reply = await ask(adf_stuck_runs.TOOL, prod(runs=[make_run(1, status="InProgress", start=ago(hours=1))]))
    assert reply.data["verdicts"] == {"unknown": 1}
    assert "cannot be judged" in reply.summary


async def test_says_that_nothing_is_going_on() -> None:
    assert (await ask(adf_stuck_runs.TOOL, prod())).summary == "No run is queued or in progress in 'adf-prod'."


async def test_names_who_stopped_a_trigger_that_missed_its_times() -> None:
    stopped = Change("c1", ago(hours=5), "ada@contoso.example", "stop", "triggers", "hourly", "Succeeded")
    other = Change("c2", ago(hours=4), "bob@contoso.example", "stop", "triggers", "Other", "Succeeded")
    found = await ask(
        adf_missed_runs.TOOL,
        prod(
            triggers=[schedule("Stopped")], trigger_runs=fired(6, 7), pipelines=["LoadSales"], changes=[stopped, other]
        ),
        hours=12,
    )
    assert "ada stopped it at 2026-03-10 03:00 UTC" in found.summary
    assert ("activity_log", "c1") in {(each.kind, each.id) for each in found.evidence}
    assert "bob" not in found.summary


async def test_a_log_that_may_not_be_read_is_told_and_hides_nothing() -> None:
    class Closed(MemoryDataFactory):
        async def changes(self, since: datetime, until: datetime | None = None) -> Found[Change]:
            raise UpstreamRefused("The identity may not read the Activity Log.", hint="Give it Monitoring Reader.")

    factory = Closed("adf-prod", triggers=[schedule("Stopped")], trigger_runs=fired(6, 7), pipelines=["LoadSales"])
    found = await ask(adf_missed_runs.TOOL, factory, hours=12)
    assert "due times without a run" in found.summary
    assert "Monitoring Reader" in found.summary
