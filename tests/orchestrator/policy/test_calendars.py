"""Calendars: the clock on the wall of a place, its two odd days a year, and days that begin the evening before."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestrator.policy.calendars import Calendar

BERLIN = ZoneInfo("Europe/Berlin")


def make_calendar(**parts: Any) -> Calendar:
    return Calendar.model_validate({"name": "calendar", "timezone": "Europe/Berlin", **parts})


def utc(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(tzinfo=UTC)


def hours(calendar: Calendar, day: str) -> list[str]:
    """The minutes of this day in UTC at which it begins to hold and at which it ends."""
    minutes = [utc(day) + timedelta(minutes=n) for n in range(-1, 24 * 60)]
    states = [calendar.holds(at) for at in minutes]
    pairs = zip(minutes[1:], states, states[1:], strict=False)
    return [f"{'+' if now else '-'}{at:%H:%M}" for at, before, now in pairs if before != now]


OFFICE = {"weekdays": ["Monday", "friday"], "from": "08:00", "until": "18:30"}


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-11-23T06:59:59", False),  # a Monday, in winter an hour behind Berlin
        ("2026-11-23T07:00", True),
        ("2026-11-23T17:29:59", True),
        ("2026-11-23T17:30", False),
        ("2026-11-24T12:00", False),
        ("2026-07-20T06:00", True),  # in summer two hours
        ("2026-07-20T16:30", False),
    ],
)
def test_hours_are_those_of_the_place(at: str, holds: bool) -> None:
    assert make_calendar(**OFFICE).holds(utc(at)) is holds


def test_it_does_not_matter_on_which_clock_the_time_is_told() -> None:
    at = datetime(2026, 11, 23, 8, tzinfo=BERLIN)
    assert make_calendar(**OFFICE).holds(at)
    assert make_calendar(**OFFICE).holds(at.astimezone(ZoneInfo("Asia/Tokyo")))


def test_without_hours_a_day_is_whole() -> None:
    assert hours(make_calendar(weekdays=["monday"]), "2026-11-22") == ["+23:00"]
    assert hours(make_calendar(weekdays=["monday"]), "2026-11-23") == ["-23:00"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-29", ["+01:00", "-02:00"]),  # 02:30 is left out: it begins at 03:00, which comes at once
        ("2026-10-25", ["+00:30", "-01:00", "+01:30", "-03:00"]),  # 02:30 comes twice, 03:00 once
        ("2026-06-01", ["+00:30", "-02:00"]),
    ],
)
def test_on_the_day_the_clocks_change_it_is_the_wall_that_counts(day: str, expected: list[str]) -> None:
    assert hours(make_calendar(**{"from": "02:30", "until": "04:00"}), day) == expected


def test_an_hour_that_is_left_out_is_not_there_and_one_that_comes_twice_is_in_twice() -> None:
    calendar = make_calendar(**{"from": "02:00", "until": "03:00"})
    assert hours(calendar, "2026-03-29") == []
    assert hours(calendar, "2026-10-25") == ["+00:00", "-02:00"]


def test_a_time_over_midnight_belongs_to_the_day_it_began_on() -> None:
    night = make_calendar(**{"timezone": "UTC", "weekdays": ["friday"], "from": "22:00", "until": "06:00"})
    assert hours(night, "2026-11-20") == ["+22:00"]
    assert hours(night, "2026-11-21") == ["-06:00"]
    assert hours(night, "2026-11-22") == []


def test_dates_are_single_or_spans_with_both_ends() -> None:
    freeze = make_calendar(timezone="UTC", dates=["2026-12-18..2027-01-06", "2027-05-01"])
    days = [date(2026, 12, 1) + timedelta(days=n) for n in range(200)]
    held = [day for day in days if freeze.holds(datetime.combine(day, time(12), UTC))]
    assert (held[0], held[-2], held[-1], len(held)) == (date(2026, 12, 18), date(2027, 1, 6), date(2027, 5, 1), 21)


def test_dates_and_weekdays_must_both_hold() -> None:
    calendar = make_calendar(timezone="UTC", dates=["2026-11-20..2026-11-30"], weekdays=["monday"])
    assert [day for day in range(1, 31) if calendar.holds(datetime(2026, 11, day, tzinfo=UTC))] == [23, 30]


@pytest.mark.parametrize(
    ("dates", "never"),
    [(["2026-11-21"], True), (["2026-11-21", "2026-11-23"], False), (["2026-01-01..2026-12-31"], False)],
)
def test_it_is_seen_that_no_date_falls_on_a_weekday(dates: list[str], never: bool) -> None:
    assert make_calendar(dates=dates, weekdays=["monday"]).is_never is never


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.integers(0, 2 * 365 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "W. Europe Standard Time"]
    ),
)
def test_with_the_hours_turned_round_it_holds_just_when_it_did_not(
    at: datetime, since: int, until: int, zone: str
) -> None:
    """At every moment, the odd ones of the year too, it is either within the hours or without."""
    if since == until or (since, until) == (0, 1440):
        return
    begin, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (since, until))
    hours = make_calendar(**{"timezone": zone, "from": begin, "until": end})
    rest = make_calendar(
        **{"timezone": zone, "from": "00:00" if until == 1440 else end, "until": begin if since else "24:00"}
    )
    assert hours.holds(at) != rest.holds(at)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({}, "as it stands it is always"),
        ({"from": "8:00"}, "'8:00' is no time of the day"),
        ({"from": "08:00", "until": "25:00"}, "'25:00' is no time of the day"),
        ({"from": "08:00", "until": "08:00"}, "the same time"),
        ({"from": "24:00", "until": "08:00"}, "the day begins at 00:00"),
        ({"from": 480}, "480 is no time of the day"),
        ({"weekdays": ["mon"]}, "Input should be 'monday'"),
        ({"weekdays": []}, "at least 1 item"),
        ({"dates": ["24.12.2026"]}, "'24.12.2026' is no date"),
        ({"dates": ["2026-02-30"]}, "'2026-02-30' is no date"),
        ({"dates": ["2027-01-06..2026-12-18"]}, "ends before it begins"),
        ({"weekdays": ["monday"], "timezone": "Europe/Berlim"}, "Time zone 'Europe/Berlim' is not known"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(parts: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make_calendar(**parts)
    assert told in str(caught.value)
