"""Calendars: times that have a name, such as business hours or a change freeze, on the clock of a place."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from orchestrator.policy.deadlines import WEEK, TimeZone, WeekDay
from orchestrator.policy.parts import Part, Text
from tools_worker.datafactory.schedules.zones import zone_of

MIDNIGHT = 24 * 60
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


def _minutes(told: Any) -> int:
    found = _CLOCK.fullmatch(told) if isinstance(told, str) else None
    if found is None:
        raise ValueError(f"{told!r} is no time of the day such as 08:00, 22:30 or 24:00")
    return int(found[1]) * 60 + int(found[2]) if found[1] else MIDNIGHT


def _days(told: Any) -> tuple[date, date]:
    try:
        first, _, last = str(told).partition("..")
        days = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError:
        raise ValueError(
            f"{told!r} is no date such as 2026-12-24, nor a range such as 2026-12-18..2027-01-06"
        ) from None
    if days[0] > days[1]:
        raise ValueError(f"{told!r} ends before it begins")
    return days


Clock = Annotated[int, BeforeValidator(_minutes)]  # minutes since midnight
Days = Annotated[tuple[date, date], BeforeValidator(_days)]  # both belong to it


class Calendar(Part):
    """Whatever is given must hold: the day of the week, the date, the time of the day.

    It is the clock on the wall that counts. Where an hour comes twice both are in, where one is left out none is. A
    time over midnight belongs to the day on which it began.
    """

    name: Text
    timezone: TimeZone = "UTC"
    weekdays: tuple[WeekDay, ...] | None = Field(default=None, min_length=1)
    dates: tuple[Days, ...] | None = Field(default=None, min_length=1)
    since: Clock = Field(default=0, alias="from")
    until: Clock = MIDNIGHT  # no longer in it

    @model_validator(mode="after")
    def _says_something(self) -> Calendar:
        if self.since == self.until:
            raise ValueError("from and until are the same time: leave both out for whole days")
        if self.since == MIDNIGHT:
            raise ValueError("from is 24:00: the day begins at 00:00")
        if self.weekdays is None and self.dates is None and (self.since, self.until) == (0, MIDNIGHT):
            raise ValueError("give weekdays, dates, or from and until: as it stands it is always")
        return self

    def holds(self, at: datetime) -> bool:
        local = at.astimezone(zone_of(self.timezone).info)
        minute, today = local.hour * 60 + local.minute, local.date()
        if self.since < self.until:
            return self.since <= minute < self.until and self._day(today)
        began_today = minute >= self.since and self._day(today)
        return began_today or (minute < self.until and self._day(today - timedelta(days=1)))

    @property
    def is_never(self) -> bool:
        """None of its dates falls on one of its days of the week."""
        return self.dates is not None and not any(self._day(day) for span in self.dates for day in _week(*span))

    def _day(self, day: date) -> bool:
        on_weekday = self.weekdays is None or WEEK[day.weekday()] in self.weekdays
        return on_weekday and (self.dates is None or any(first <= day <= last for first, last in self.dates))


def _week(first: date, last: date) -> list[date]:
    """The days of a span, seven at most: after these the days of the week come again."""
    return [first + timedelta(days=n) for n in range(min(7, (last - first).days + 1))]
