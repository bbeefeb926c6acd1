"""When triggers fire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.adf.schedule import firings

MONDAY = datetime(2026, 3, 16, tzinfo=UTC)


def fires(days: float = 1, kind: str = "ScheduleTrigger", **settings: Any) -> list[datetime]:
    properties = {"type": kind, "typeProperties": settings}
    return [firing.moment for firing in firings(properties, MONDAY, MONDAY + timedelta(days=days), "seed")]


def recurrence(**settings: Any) -> dict[str, Any]:
    return {"startTime": "2026-01-01T00:00:00Z", "interval": 1, "timeZone": "UTC", **settings}


def test_a_day_has_one_firing_at_the_scheduled_time() -> None:
    assert fires(recurrence=recurrence(frequency="Day", schedule={"hours": [2], "minutes": [30]})) == [
        MONDAY + timedelta(hours=2, minutes=30)
    ]


def test_hours_count_from_the_start_time() -> None:
    moments = fires(recurrence=recurrence(frequency="Hour", interval=8, startTime="2026-01-01T05:00:00Z"))
    assert [moment.hour for moment in moments] == [5, 13, 21]


def test_a_week_fires_on_its_weekdays() -> None:
    moments = fires(
        7, recurrence=recurrence(frequency="Week", schedule={"weekDays": ["Tuesday", "Friday"], "hours": [6]})
    )
    assert [f"{moment:%A}" for moment in moments] == ["Tuesday", "Friday"]


def test_a_month_fires_on_its_days() -> None:
    moments = fires(31, recurrence=recurrence(frequency="Month", schedule={"monthDays": [1, 20]}))
    assert [(moment.month, moment.day) for moment in moments] == [(3, 20), (4, 1)]


def test_local_time_follows_the_clock_change() -> None:
    settings = recurrence(frequency="Day", timeZone="W. Europe Standard Time", schedule={"hours": [2], "minutes": [0]})
    hours = {moment.hour for moment in fires(20, recurrence=settings)}
    assert hours == {0, 1}


def test_nothing_fires_after_the_end_time() -> None:
    assert fires(recurrence=recurrence(frequency="Hour", endTime="2026-03-16T03:30:00Z"))[-1] == MONDAY + timedelta(
        hours=3
    )


def test_a_tumbling_window_fires_at_its_end_and_knows_its_beginning() -> None:
    settings = {"frequency": "Hour", "interval": 6, "startTime": "2026-01-01T00:00:00Z"}
    found = list(
        firings({"type": "TumblingWindowTrigger", "typeProperties": settings}, MONDAY, MONDAY + timedelta(days=1), 1)
    )
    assert [firing.moment.hour for firing in found] == [6, 12, 18, 0]
    assert all(firing.moment - timedelta(hours=6) == firing.window_start for firing in found)


def test_events_arrive_at_times_that_the_seed_decides() -> None:
    assert fires(3, "BlobEventsTrigger") == fires(3, "BlobEventsTrigger")
    assert len(fires(3, "BlobEventsTrigger")) >= 6


def test_looking_twice_at_halves_of_a_span_gives_each_firing_once() -> None:
    trigger = {"type": "ScheduleTrigger", "typeProperties": {"recurrence": recurrence(frequency="Hour")}}
    middle, end = MONDAY + timedelta(hours=9), MONDAY + timedelta(days=1)
    halves = [*firings(trigger, MONDAY, middle, 1), *firings(trigger, middle, end, 1)]
    assert halves == list(firings(trigger, MONDAY, end, 1))
