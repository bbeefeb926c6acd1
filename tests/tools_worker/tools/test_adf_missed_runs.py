"""Missed and late runs, backlogs of windows and agreed times, over a world in memory. It is 2026-03-10 08:00 UTC."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import InvalidArguments, NotFound
from tests.tools_worker.datafactory.build import ago, guid, make_run
from tests.tools_worker.tools.asking import ask, prod
from tools_worker.datafactory.models import Trigger, TriggerRun
from tools_worker.tools.adf_missed_runs import TOOL

STARTS: dict[str, Any] = {"pipelines": [{"pipelineReference": {"referenceName": "LoadSales"}}]}
HOURLY: dict[str, Any] = {"recurrence": {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z"}}
WINDOWS: dict[str, Any] = {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z"}
ITSELF = {"type": "SelfDependencyTumblingWindowTriggerReference", "offset": "-01:00:00"}
UPSTREAM = {
    "type": "TumblingWindowTriggerDependencyReference",
    "referenceTrigger": {"referenceName": "Upstream", "type": "TriggerReference"},
}


def schedule(name: str = "Hourly", state: str = "Started") -> Trigger:
    return Trigger(name, "ScheduleTrigger", state, {**STARTS, "typeProperties": HOURLY})


def tumbling(name: str = "Windows", *waits: dict[str, Any], state: str = "Started", **settings: Any) -> Trigger:
    return Trigger(
        name, "TumblingWindowTrigger", state, {"typeProperties": {**WINDOWS, **settings, "dependsOn": list(waits)}}
    )


def window(hour: int, status: str, trigger: str = "Windows", **more: Any) -> TriggerRun:
    """Of the window that ended so many hours ago."""
    return TriggerRun(
        f"{trigger}-{hour}",
        trigger,
        status=status,
        at=ago(hours=hour),
        dimension={"windowStartTime": ago(hours=hour + 1).isoformat()},
        **more,
    )


def fired(*hours: float, trigger: str = "Hourly") -> list[TriggerRun]:
    return [TriggerRun(f"{trigger}-{hour}", trigger, status="Succeeded", at=ago(hours=hour)) for hour in hours]


async def test_finds_the_window_that_failed_weeks_ago_and_blocks_all_since() -> None:
    runs = [window(hour, "Succeeded") for hour in range(401, 405)]
    runs += [window(400, "Failed"), *(window(hour, "Waiting") for hour in range(1, 400))]
    reply = await ask(TOOL, prod(triggers=[tumbling("Windows", ITSELF)], trigger_runs=runs), hours=24)
    (row,) = reply.data["triggers"]
    assert row["blocked_by"]["trigger_run"] == "Windows-400"
    assert row["waiting"] == 399
    assert (
        "399 windows after it wait for the window from 2026-02-21 15:00 UTC, which failed, trigger run Windows-400, "
        "since 2026-02-21 16:00 UTC" in reply.summary
    )
    assert "Windows-400" in [evidence.id for evidence in reply.evidence]


async def test_names_what_a_waiting_window_waits_for() -> None:
    told = {"Upstream": {"status": "Failed"}, "Other": "Succeeded", "Third": {}}
    runs = [window(3, "Succeeded"), window(2, "WaitingOnDependency", dependencies=told), window(1, "Waiting")]
    runs += [window(2, "Failed", "Upstream")]
    world = prod(triggers=[tumbling("Windows", UPSTREAM), tumbling("Upstream")], trigger_runs=runs)
    reply = await ask(TOOL, world, hours=3, trigger="windows")
    (row,) = reply.data["triggers"]
    assert row["blocked_by"]["unmet"] == {"Upstream": "Failed", "Third": "unknown"}
    assert "window from 2026-03-10 05:00 UTC, which waits for what it depends on" in reply.summary
    assert (
        "it waits for 'Upstream', whose window from 2026-03-10 05:00 UTC failed (trigger run Upstream-2)"
        in reply.summary
    )


async def test_a_stopped_upstream_trigger_is_named() -> None:
    world = prod(
        triggers=[tumbling("Windows", UPSTREAM), tumbling("Upstream", state="Stopped")],
        trigger_runs=[window(2, "Succeeded"), window(1, "WaitingOnDependency")],
    )
    assert (
        "'Upstream', whose window from 2026-03-10 06:00 UTC is not started and which is stopped"
        in (await ask(TOOL, world, hours=2, trigger="Windows")).summary
    )


async def test_the_window_of_another_trigger_that_is_needed_is_named_and_no_other() -> None:
    before = UPSTREAM | {"offset": "-01:00:00"}
    runs = [window(3, "Succeeded"), window(2, "WaitingOnDependency"), window(1, "Waiting")]
    runs += [window(3, "Failed", "Upstream"), window(2, "Failed", "Upstream"), window(1, "Succeeded", "Upstream")]
    world = prod(triggers=[tumbling("Windows", before), tumbling("Upstream")], trigger_runs=runs)
    reply = await ask(TOOL, world, hours=3, trigger="windows")
    assert "'Upstream', whose window from 2026-03-10 04:00 UTC failed (trigger run Upstream-3)" in reply.summary
    assert "Upstream-2" not in reply.summary
    assert "Upstream-3" in {evidence.id for evidence in reply.evidence}


async def test_another_trigger_whose_window_went_well_is_not_blamed_although_it_is_stopped() -> None:
    runs = [window(2, "Succeeded"), window(1, "WaitingOnDependency"), window(1, "Succeeded", "Upstream")]
    world = prod(triggers=[tumbling("Windows", UPSTREAM), tumbling("Upstream", state="Stopped")], trigger_runs=runs)
    assert "it waits for 'Upstream'" not in (await ask(TOOL, world, hours=2, trigger="Windows")).summary


async def test_windows_that_wait_for_a_place_say_so() -> None:
    runs = [window(3, "Succeeded"), window(2, "Inprogress"), window(1, "Waiting")]
    world = prod(triggers=[tumbling("Windows", maxConcurrency=1)], trigger_runs=runs)
    reply = await ask(TOOL, world, hours=3)
    assert "as many windows run as may run at once (1)" in reply.summary
    assert reply.data["triggers"][0]["blocked_by"] is None


async def test_a_failed_window_blocks_nothing_where_windows_do_not_wait_for_each_other() -> None:
    runs = [window(3, "Failed"), window(2, "Succeeded"), window(1, "Inprogress")]
    reply = await ask(TOOL, prod(triggers=[tumbling()], trigger_runs=runs), hours=3)
    assert reply.data["triggers"][0]["blocked_by"] is None


async def test_windows_from_before_the_oldest_on_record_are_not_claimed() -> None:
    runs = [window(30, "Succeeded"), *(window(hour, "Succeeded") for hour in range(2, 30)), window(1, "Failed")]
    reply = await ask(TOOL, prod(triggers=[tumbling()], trigger_runs=runs), hours=24)
    assert reply.data["triggers"][0]["open_windows"] == 1


async def test_tells_since_when_a_stopped_trigger_is_silent() -> None:
    world = prod(triggers=[schedule(state="Stopped")], trigger_runs=fired(80, 81))
    reply = await ask(TOOL, world, hours=24)
    assert ": is stopped; " in reply.summary
    assert "it last fired 2026-03-07 00:00 UTC (trigger run Hourly-80)" in reply.summary
    assert reply.data["triggers"][0]["last_fired"] == {"id": "Hourly-80", "at": "2026-03-07T00:00:00Z"}


async def test_tells_between_which_times_a_paused_trigger_was_silent() -> None:
    reply = await ask(TOOL, prod(triggers=[schedule()], trigger_runs=fired(1, 2, 3, 8, 9)), hours=10)
    assert (
        "4 due times without a run, at 2026-03-10 01:00 UTC, 2026-03-10 02:00 UTC, 2026-03-10 03:00 UTC and "
        "2026-03-10 04:00 UTC; nothing fired between 2026-03-10 00:00 UTC and 2026-03-10 05:00 UTC, when it fired "
        "again (trigger run Hourly-3)." in reply.summary
    )


async def test_single_misses_are_not_called_a_silence() -> None:
    reply = await ask(TOOL, prod(triggers=[schedule()], trigger_runs=fired(1, 3, 5)), hours=6)
    assert "nothing fired" not in reply.summary


async def test_a_trigger_that_never_fired_says_so() -> None:
    reply = await ask(TOOL, prod(triggers=[schedule(state="Stopped")]), hours=3)
    assert "it has not fired in the 45 days that are kept" in reply.summary


async def test_looks_at_a_local_day() -> None:
    world = prod(triggers=[schedule()], trigger_runs=fired(*(hour for hour in range(1, 80) if hour != 40)))
    day = {"since": "2026-03-08", "until": "2026-03-08", "timezone": "America/New_York"}
    reply = await ask(TOOL, world, **day)
    assert reply.data["triggers"][0]["missed_at"] == ["2026-03-08T16:00:00Z"]


async def test_reads_history_only_of_pipelines_with_long_runs() -> None:
    runs = [make_run(n, status="Succeeded", start=ago(hours=n), minutes=5) for n in range(1, 20)]
    runs += [
        make_run(100 + n, pipeline="SyncCrm", status="Succeeded", start=ago(days=n), minutes=3) for n in range(2, 9)
    ]
    long = make_run(200, pipeline="SyncCrm", status="Succeeded", start=ago(hours=3), minutes=90)
    both = {"pipelines": [*STARTS["pipelines"], {"pipelineReference": {"referenceName": "SyncCrm"}}]}
    trigger = replace(schedule(), definition={**both, "typeProperties": HOURLY})
    world = prod(runs=[*runs, long], triggers=[trigger], trigger_runs=fired(*range(1, 25)))
    reply = await ask(TOOL, world)
    assert [each["run_id"] for each in reply.data["late"]] == [guid(200)]
    assert world.calls["pipeline_runs"] == 2  # the window's, and the history of SyncCrm


async def test_nothing_of_the_runs_is_read_when_no_trigger_fits() -> None:
    world = prod(triggers=[schedule()])
    reply = await ask(TOOL, world, pipeline="synccrm")
    assert "No trigger starts 'synccrm' in 'adf-prod'" in reply.summary
    assert world.calls["pipeline_runs"] + world.calls["trigger_runs"] == 0


@pytest.mark.parametrize(("argument", "closest"), [("trigger", "'Hourly'"), ("pipeline", "'LoadSales'")])
async def test_offers_the_closest_name(argument: str, closest: str) -> None:
    with pytest.raises(NotFound, match=closest):
        await ask(TOOL, prod(triggers=[schedule()]), **{argument: closest.strip("'")[:-1]})


NIGHTLY = [
    make_run(1, status="Succeeded", start=ago(days=2, hours=6), minutes=60),
    make_run(2, status="Succeeded", start=ago(days=1, hours=6), minutes=315),
    make_run(3, status="InProgress", start=ago(hours=6)),
]


async def test_late_against_the_agreed_time() -> None:
    world = prod(runs=NIGHTLY, triggers=[schedule()], trigger_runs=fired(*range(1, 80)))
    reply = await ask(
        TOOL, world, pipeline="loadsales", agreed_finish="06:00", timezone="Europe/Berlin", since="2026-03-08"
    )
    assert (
        "LoadSales in adf-prod, agreed to end well by 06:00 (Europe/Berlin): in time on 1 of 3 days." in reply.summary
    )
    assert (
        f"2026-03-10 (due 2026-03-10 05:00 UTC) was missed: run {guid(3)} is InProgress since 2026-03-10 02:00 UTC, "
        f"for 6 h 0 min and 2026-03-09 (due 2026-03-09 05:00 UTC) was missed by 2 h 15 min: run {guid(2)} ended "
        "2026-03-09 07:15 UTC." in reply.summary
    )
    assert [day["state"] for day in reply.data["agreed"][0]["days"]] == ["met", "late", "missed"]
    assert {guid(1), guid(2), guid(3)} <= {evidence.id for evidence in reply.evidence}


async def test_an_agreed_time_still_to_come_is_not_called_late() -> None:
    reply = await ask(TOOL, prod(runs=NIGHTLY), pipeline="LoadSales", agreed_finish="10:00", hours=20)
    assert f"2026-03-10 (due 2026-03-10 10:00 UTC) is still to come: run {guid(3)} is InProgress" in reply.summary


def test_an_agreed_time_needs_its_pipeline() -> None:
    with pytest.raises(ValidationError, match="needs pipeline"):
        TOOL.arguments.model_validate({"agreed_finish": "06:00"})


async def test_refuses_an_agreed_time_that_is_none() -> None:
    with pytest.raises(InvalidArguments, match="no time of day"):
        await ask(TOOL, prod(), pipeline="LoadSales", agreed_finish="6 am")


BROKEN: list[Any] = [None, "x", 7, -1, 10**30, True, [], {}, [None], {"a": None}]


@pytest.mark.parametrize("broken", BROKEN, ids=repr)
@pytest.mark.parametrize(
    "key", ["frequency", "interval", "startTime", "endTime", "delay", "maxConcurrency", "dependsOn"]
)
async def test_broken_windows_are_no_trouble(key: str, broken: Any) -> None:
    settings = {**WINDOWS, "dependsOn": [ITSELF, UPSTREAM], key: broken}
    trigger = Trigger("Windows", "TumblingWindowTrigger", "", {"typeProperties": settings})
    runs = [window(2, "Failed", dependencies={"a": broken}), window(1, ""), TriggerRun("", "Windows")]
    reply = await ask(TOOL, prod(triggers=[trigger], trigger_runs=runs), hours=3)
    assert "1 trigger in 'adf-prod' checked" in reply.summary


async def test_a_thousand_open_windows_fit_an_answer() -> None:
    runs = [window(hour, "Waiting") for hour in range(1, 1000)]
    reply = await ask(TOOL, prod(triggers=[tumbling()], trigger_runs=runs), hours=24)
    assert reply.data["triggers"][0]["open_windows"] == 999
