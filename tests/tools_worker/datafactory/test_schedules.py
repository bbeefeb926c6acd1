from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools_worker.datafactory.models import Trigger
from tools_worker.datafactory.schedules import Recurrence, Tumbling, zone_of
from tools_worker.datafactory.schedules.tumbling import moment_of, span
from tools_worker.datafactory.schedules.words import described
from tools_worker.datafactory.schedules.zones import WINDOWS

NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ZONES = ["UTC", "W. Europe Standard Time", "Eastern Standard Time", "America/New_York"]
IANA = {"W. Europe Standard Time": "Europe/Berlin", "Eastern Standard Time": "America/New_York"}


def recurrence(**raw: Any) -> Recurrence:
    found = Recurrence.of({"typeProperties": {"recurrence": {"startTime": "2024-01-01T00:00:00", **raw}}})
    assert found is not None
    return found


def due(found: Recurrence, after: datetime, days: float) -> list[datetime]:
    return [each.at for each in found.due(after, after + timedelta(days=days))]


def slow(raw: dict[str, Any], after: datetime, until: datetime) -> list[datetime]:
    """Every UTC minute is asked what the clock on the wall shows; a time that comes twice counts once."""
    zone = ZoneInfo(IANA.get(raw["timeZone"], raw["timeZone"]))
    schedule = raw.get("schedule", {})
    start = datetime.fromisoformat(raw["startTime"])
    found, moment = [], after + timedelta(minutes=1)
    while moment <= until:
        wall = moment.astimezone(zone)
        right_time = wall.hour in (schedule.get("hours") or [start.hour]) and wall.minute in (
            schedule.get("minutes") or [start.minute]
        )
        if right_time and wall.fold == 0 and right_day(raw["frequency"], schedule, start.date(), wall.date()):
            found.append(moment)
        moment += timedelta(minutes=1)
    return found


def right_day(frequency: str, schedule: dict[str, Any], start: date, day: date) -> bool:
    if frequency == "Day":
        return True
    if frequency == "Week":
        return NAMES[day.weekday()] in (schedule.get("weekDays") or [NAMES[start.weekday()]])
    from_end = -1 if (day + timedelta(days=1)).month != day.month else 0
    return day.day in (schedule.get("monthDays") or [start.day]) or from_end in schedule.get("monthDays", [])


FREQUENCIES = st.sampled_from(["Day", "Week", "Month"])
AFTER = st.sampled_from(
    [
        datetime(2026, 3, 27, tzinfo=UTC),  # the clocks of Berlin go on
        datetime(2026, 10, 24, tzinfo=UTC),  # and back
        datetime(2026, 3, 7, tzinfo=UTC),  # New York
        datetime(2026, 10, 30, tzinfo=UTC),
        datetime(2024, 2, 27, tzinfo=UTC),  # a leap day
        datetime(2026, 12, 30, tzinfo=UTC),
    ]
)


@settings(max_examples=60, deadline=None)
@given(
    frequency=FREQUENCIES,
    zone=st.sampled_from(ZONES),
    after=AFTER,
    hours=st.lists(st.sampled_from([0, 4, 7, 12, 23]), max_size=3),
    minutes=st.lists(st.integers(0, 59), max_size=3),
    week_days=st.lists(st.sampled_from(NAMES), max_size=3),
    month_days=st.lists(st.sampled_from([1, 15, 28, 29, 30, 31, -1]), max_size=3),
)
def test_is_due_when_the_wall_clock_shows_it(
    frequency: str,
    zone: str,
    after: datetime,
    hours: list[int],
    minutes: list[int],
    week_days: list[str],
    month_days: list[int],
) -> None:
    schedule: dict[str, Any] = {"hours": hours, "minutes": minutes}
    schedule |= {"weekDays": week_days} if frequency == "Week" else {}
    schedule |= {"monthDays": month_days} if frequency == "Month" else {}
    raw = {"frequency": frequency, "startTime": "2024-01-01T05:10:00", "timeZone": zone, "schedule": schedule}
    assert due(recurrence(**raw), after, 4) == slow(raw, after, after + timedelta(days=4))


def test_a_time_that_the_clock_skips_is_unsure_and_moves_on() -> None:
    found = recurrence(frequency="Day", timeZone="Europe/Berlin", schedule={"hours": [2], "minutes": [30]})
    (each,) = found.due(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert (each.at, each.unsure) == (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), True)


def test_a_time_that_comes_twice_is_due_once_and_unsure() -> None:
    found = recurrence(frequency="Day", timeZone="Europe/Berlin", schedule={"hours": [2], "minutes": [30]})
    (each,) = found.due(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert (each.at, each.unsure) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True)


def test_hours_go_on_evenly_over_a_clock_change() -> None:
    found = recurrence(frequency="Hour", interval=6, timeZone="Europe/Berlin")
    times = due(found, datetime(2026, 3, 28, tzinfo=UTC), 3)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(hours=6)}


def test_the_last_friday_of_the_month() -> None:
    found = recurrence(frequency="Month", schedule={"monthlyOccurrences": [{"day": "Friday", "occurrence": -1}]})
    assert [each.day for each in due(found, datetime(2026, 1, 1, tzinfo=UTC), 89)] == [30, 27, 27]


def test_a_day_that_the_month_lacks_is_left_out() -> None:
    found = recurrence(frequency="Month", startTime="2026-01-31T00:00:00Z")
    assert [each.month for each in due(found, datetime(2026, 1, 1, tzinfo=UTC), 130)] == [1, 3]


def test_nothing_is_due_before_the_start_or_after_the_end() -> None:
    found = recurrence(frequency="Day", startTime="2026-01-03T00:00:00Z", endTime="2026-01-05T00:00:00Z")
    assert [each.day for each in due(found, datetime(2026, 1, 1, tzinfo=UTC), 30)] == [3, 4, 5]


def test_every_windows_name_of_the_table_is_a_zone() -> None:
    assert [name for name in WINDOWS if zone_of(name).caveat] == []


def test_an_unknown_zone_is_said() -> None:
    assert "'Mars Standard Time' is not known" in zone_of("Mars Standard Time").caveat


def test_a_window_is_due_at_its_end_and_delay() -> None:
    raw = {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z", "delay": "00:30:00"}
    found = Tumbling.of({"typeProperties": raw})
    assert found is not None
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert [begin.hour for begin, _ in found.windows(noon, noon + timedelta(hours=2))] == [11, 12]


@pytest.mark.parametrize("text", ["11/21/2026 1:05:00 PM", "2026-11-21T13:05:00Z", "11/21/2026 13:05:00"])
def test_reads_the_ways_in_which_times_are_written(text: str) -> None:
    assert moment_of(text) == datetime(2026, 11, 21, 13, 5, tzinfo=UTC)


def test_reads_negative_spans_of_days() -> None:
    assert span("-1.02:00:00") == -timedelta(days=1, hours=2)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["frequency", "interval", "startTime", "endTime", "timeZone", "schedule", "delay", "dependsOn", "maxConcurrency"]
)


@settings(max_examples=150, deadline=None)
@given(
    mutated=st.dictionaries(KEYS, JUNK, max_size=4), kind=st.sampled_from(["ScheduleTrigger", "TumblingWindowTrigger"])
)
def test_never_fails_on_a_definition(mutated: dict[str, Any], kind: str) -> None:
    raw = {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z"} | mutated
    definition = {"typeProperties": {**raw, "recurrence": raw}}
    assert described(Trigger("T", kind, "Started", definition))
    found, windows = Recurrence.of(definition), Tumbling.of(definition)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert all(each.at > now for each in (found.due(now, now + timedelta(days=1)) if found else ()))
    assert list(windows.windows(now, now + timedelta(hours=3)) if windows else ()) is not None
