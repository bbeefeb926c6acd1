"""Timer schedules: NCRONTAB expressions of six fields (or five, from minutes on) and constant periods, in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from localcloud.host.host_json import TIMESPAN, timespan
from localcloud.host.settings import LoadError

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LOOK_AHEAD_DAYS = 366 * 9  # 29 February may be eight years away


class Schedule(Protocol):
    def next_after(self, moment: datetime) -> datetime | None: ...


@dataclass(frozen=True)
class Period:
    seconds: float

    def next_after(self, moment: datetime) -> datetime:
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Field:
    name: str
    first: int
    last: int
    names: Sequence[str] = ()

    def parse(self, text: str) -> tuple[int, ...]:
        return tuple(sorted({value for part in text.split(",") for value in self._part(part)}))

    def _part(self, text: str) -> range:
        spread, _, step = text.partition("/")
        start, _, end = spread.partition("-")
        if spread == "*":
            low, high = self.first, self.last
        else:
            low = self._value(start)
            high = self._value(end) if end else (self.last if step else low)
        if not self.first <= low <= high <= self.last or (step and not step.isdigit()) or step == "0":
            raise ValueError(f"{text!r} is no {self.name} ({self.first}-{self.last})")
        return range(low, high + 1, int(step or 1))

    def _value(self, text: str) -> int:
        for index, name in enumerate(self.names):
            if text.lower().startswith(name):
                return index + self.first
        if not text.isdigit():
            raise ValueError(f"{text!r} is no {self.name} ({self.first}-{self.last})")
        return int(text) % 7 if self.names is DAYS else int(text)  # both 0 and 7 are Sunday


FIELDS = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, DAYS),
)


@dataclass(frozen=True)
class Crontab:
    seconds: Sequence[int]
    minutes: Sequence[int]
    hours: Sequence[int]
    days: Sequence[int]
    months: Sequence[int]
    weekdays: Sequence[int]

    def next_after(self, moment: datetime) -> datetime | None:
        """Strictly after `moment`; None for a day that never comes."""
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        for ahead in range(LOOK_AHEAD_DAYS):
            day = start.date() + timedelta(days=ahead)
            if self._has_day(day):
                found = self._first_time(start.time() if ahead == 0 else time())
                if found is not None:
                    return datetime.combine(day, found, moment.tzinfo)
        return None

    def _has_day(self, day: date) -> bool:
        """Day and weekday must both agree, unlike in Unix cron."""
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def _first_time(self, least: time) -> time | None:
        for hour in (hour for hour in self.hours if hour >= least.hour):
            for minute in (minute for minute in self.minutes if (hour, minute) >= (least.hour, least.minute)):
                for second in self.seconds:
                    if time(hour, minute, second) >= least:
                        return time(hour, minute, second)
        return None


def read_schedule(text: str) -> Schedule:
    if TIMESPAN.fullmatch(text.strip()):
        return Period(timespan(text.strip()))
    fields = text.split()
    fields = ["0", *fields] if len(fields) == 5 else fields
    if len(fields) != len(FIELDS):
        raise LoadError(f"Schedule {text!r} has {len(fields)} fields, not six: second minute hour day month weekday.")
    try:
        return Crontab(*(field.parse(part) for field, part in zip(FIELDS, fields, strict=True)))
    except ValueError as exc:
        raise LoadError(f"Schedule {text!r} is not NCRONTAB: {exc}.") from exc
