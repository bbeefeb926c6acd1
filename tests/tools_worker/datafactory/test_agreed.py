"""Runs held against an agreed time of day. It is 2026-03-10 08:00 UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from core.errors import InvalidArguments
from tests.tools_worker.datafactory.build import NOW, make_run
from tools_worker.datafactory.models import InvokedBy, PipelineRun
from tools_worker.datafactory.period import between, last_hours
from tools_worker.datafactory.punctuality.agreed import Held, clock, due_times, held

PERIOD = between("2026-03-08T00:00Z", "", "", NOW)


def began(number: int, day: int, hour: float, minutes: float, status: str = "Succeeded", **more: str) -> PipelineRun:
    start = datetime(2026, 3, day, int(hour), round(hour % 1 * 60), tzinfo=UTC)
    return make_run(number, status=status, start=start, minutes=minutes, **more)


def at_six(*runs: PipelineRun) -> dict[int, Held]:
    days = held(runs, due_times(time(6), PERIOD, NOW), NOW)
    return {each.day.day: each for each in days}


def test_what_ended_before_the_time_met_it() -> None:
    assert at_six(began(1, 9, 2, 60))[9].state == "met"


def test_what_ended_after_it_is_late_by_the_difference() -> None:
    day = at_six(began(1, 9, 2, 300))[9]
    assert day.state == "late"
    assert day.late_by is not None
    assert day.late_by.total_seconds() == 3600


def test_a_day_without_a_run_is_missed() -> None:
    days = at_six(began(1, 9, 2, 60))
    assert [(day, days[day].state, days[day].run) for day in (8, 10)] == [(8, "missed", None), (10, "missed", None)]


def test_a_failed_run_does_not_meet_it_and_is_named() -> None:
    day = at_six(began(1, 9, 2, 10, "Failed"))[9]
    assert day.state == "missed"
    assert day.run is not None
    assert day.run.status == "Failed"


def test_a_repair_in_the_morning_serves_the_day_that_was_missed_and_not_the_next() -> None:
    failed, repair = began(1, 9, 2, 10, "Failed"), began(2, 9, 7, 30)
    days = at_six(failed, repair, began(3, 10, 2, 10, "Failed"))
    assert (days[9].state, days[9].run, days[10].state) == ("late", repair, "missed")


def test_a_run_that_began_before_one_time_and_ended_before_the_next_serves_the_first() -> None:
    long = began(1, 8, 5.5, 120)
    days = at_six(long)
    assert (days[8].state, days[9].state) == ("late", "missed")


def test_what_a_person_starts_in_the_afternoon_serves_the_day_that_was_missed() -> None:
    repair = replace(began(2, 9, 15, 30), invoked_by=InvokedBy("somebody", type="Manual"))
    days = at_six(began(1, 9, 2, 10, "Failed"), repair, began(3, 10, 2, 10, "Failed"))
    assert (days[9].state, days[9].run, days[10].state) == ("late", repair, "missed")


def test_a_run_that_always_begins_just_after_the_time_is_late_and_not_a_day_early() -> None:
    runs = [began(day, day, 6.1, 20) for day in (7, 8, 9, 10)]
    assert [each.state for each in at_six(*runs).values()] == ["late", "late", "late"]


def test_the_next_days_run_does_not_make_a_missed_day_late() -> None:
    days = at_six(began(1, 10, 2, 60))
    assert (days[9].state, days[10].state) == ("missed", "met")


def test_a_rerun_a_day_later_still_belongs_to_its_first_attempt() -> None:
    first = began(1, 8, 2, 10, "Failed")
    again = began(2, 8, 20, 10, group=first.group_id)
    assert at_six(first, again)[8].state == "late"


def test_a_time_still_to_come_is_open() -> None:
    going = began(1, 10, 7, 0, "InProgress")
    days = held([going], due_times(time(9), PERIOD, NOW), NOW)
    assert (days[-1].state, days[-1].run) == ("open", going)


def test_the_time_is_local_and_follows_the_clock_change() -> None:
    period = between("2026-03-07", "", "America/New_York", NOW)  # clocks change on the 8th
    dues = [due.hour for _, due in due_times(time(6), period, NOW)]
    assert dues == [11, 10, 10, 10]


def test_hours_back_hold_the_times_in_them() -> None:
    days = due_times(time(6), last_hours(24, NOW), NOW)
    assert [day.day for day, _ in days] == [10]


def test_an_end_that_is_left_out_is_told_by_the_duration() -> None:
    run = PipelineRun("r", "P", "Succeeded", start=datetime(2026, 3, 9, 2, tzinfo=UTC), duration_ms=3_600_000)
    assert at_six(run)[9].state == "met"


def test_a_run_without_times_is_left_out() -> None:
    assert at_six(PipelineRun("r", "P", "Succeeded"))[9].state == "missed"


@pytest.mark.parametrize("text", ["25:00", "6", "six", "06:00:00", "", "6:-1"])
def test_refuses_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(InvalidArguments, match="HH:MM"):
        clock(text)
