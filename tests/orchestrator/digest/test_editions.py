"""Each day has one digest, due at a time of the place, over whatever its clock does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from core.settings import Settings
from orchestrator.digest.editions import Edition, Timetable

BERLIN, TUESDAY = "Europe/Berlin", 1


def table(at: str = "07:00", zone: str = BERLIN, weekly_on: int | None = None) -> Timetable:
    return Timetable(time.fromisoformat(at), ZoneInfo(zone), weekly_on)


def due(told: Timetable, now: str) -> list[Edition]:
    return told.due(datetime.fromisoformat(now).replace(tzinfo=UTC))


def over(told: Timetable, begin: datetime, end: datetime) -> dict[str, tuple[datetime, datetime]]:
    """What comes due at the turns of the timer from begin to end, each at its first."""
    found: dict[str, tuple[datetime, datetime]] = {}
    while begin < end:
        for edition in told.due(begin):
            assert found.setdefault(edition.key, (edition.since, edition.until)) == (edition.since, edition.until)
        begin += timedelta(minutes=15)
    return found


def test_nothing_is_due_before_its_time() -> None:
    assert due(table(), "2026-11-21T05:59:59") == []


def test_the_day_before_is_told_when_the_time_has_come() -> None:
    (edition,) = due(table(), "2026-11-21T06:00:00")
    assert edition.key == "daily-2026-11-21"
    assert (edition.since, edition.until) == (
        datetime(2026, 11, 20, 6, tzinfo=UTC),
        datetime(2026, 11, 21, 6, tzinfo=UTC),
    )


def test_one_that_was_missed_is_sent_late_the_same_day_and_not_the_day_after() -> None:
    (late,) = due(table(), "2026-11-21T22:59:00")  # 23:59 there
    assert late.until == datetime(2026, 11, 21, 6, tzinfo=UTC)
    assert due(table(), "2026-11-21T23:00:00") == []


def test_one_that_is_due_right_before_midnight_is_not_lost_to_the_next_turn() -> None:
    (edition,) = due(table("23:50", "UTC"), "2026-11-22T00:00:00")
    assert edition.day == date(2026, 11, 21)
    assert due(table("23:50", "UTC"), "2026-11-22T00:50:00") == []


def test_the_week_is_told_on_its_day_beside_the_day() -> None:
    assert [each.key for each in due(table(weekly_on=TUESDAY), "2026-11-24T06:00:00")] == [
        "daily-2026-11-24",
        "weekly-2026-11-24",
    ]
    weekly = due(table(weekly_on=TUESDAY), "2026-11-24T06:00:00")[1]
    assert weekly.since == datetime(2026, 11, 17, 6, tzinfo=UTC)
    assert len(due(table(weekly_on=TUESDAY), "2026-11-25T06:00:00")) == 1


def test_the_day_on_which_the_clock_goes_forward_is_an_hour_shorter() -> None:
    (edition,) = due(table(), "2026-03-29T05:00:00")
    assert edition.until - edition.since == timedelta(hours=23)


def test_the_day_on_which_it_goes_back_is_an_hour_longer() -> None:
    (edition,) = due(table(), "2026-10-25T06:00:00")
    assert edition.until - edition.since == timedelta(hours=25)


def test_a_time_that_does_not_exist_comes_as_much_later() -> None:
    assert due(table("02:30"), "2026-03-29T01:29:00") == []
    (edition,) = due(table("02:30"), "2026-03-29T01:30:00")  # 03:30 there; 02:30 was left out
    assert edition.day == date(2026, 3, 29)


def test_a_time_that_comes_twice_is_its_first() -> None:
    (first,) = due(table("02:30"), "2026-10-25T00:30:00")
    (again,) = due(table("02:30"), "2026-10-25T01:30:00")
    assert first == again


@pytest.mark.parametrize(
    ("at", "zone", "around"),
    [
        ("02:30", BERLIN, "2026-03-29"),
        ("02:30", BERLIN, "2026-10-25"),
        ("07:00", "Australia/Lord_Howe", "2026-04-05"),  # half an hour
        ("00:00", "America/Santiago", "2026-09-06"),  # where midnight is left out
        ("23:30", "America/Nuuk", "2024-03-30"),
        ("07:00", "Pacific/Apia", "2011-12-30"),  # a day that was left out
    ],
)
def test_every_moment_is_in_one_digest(at: str, zone: str, around: str) -> None:
    middle = datetime.fromisoformat(around).replace(tzinfo=UTC)
    found = over(table(at, zone), middle - timedelta(days=3), middle + timedelta(days=3))
    spans = sorted(found.values())
    assert len(spans) >= 5
    assert all(earlier[1] == later[0] for earlier, later in pairwise(spans))


def test_without_a_time_there_is_no_timetable() -> None:
    assert Timetable.of(Settings.load({"DIGEST_AT": "", "DIGEST_WEEKLY_ON": "monday"})) is None
    assert Timetable.of(Settings.load({"DIGEST_AT": "07:00", "DIGEST_TIMEZONE": BERLIN})) == table()
