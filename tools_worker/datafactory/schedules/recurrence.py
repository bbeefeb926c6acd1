"""A schedule trigger's recurrence: when it is due, from its definition alone.

After the documentation of schedule triggers: recurrences of minutes and hours go on at even steps of time, those of
days and above follow the clock on the wall; elements of the schedule that are larger than the frequency limit it,
smaller ones add to it; a day that a month lacks is left out. What the documentation leaves open makes a time `unsure`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Any, Self

from tools_worker.datafactory import fields
from tools_worker.datafactory.schedules.intervals import interval_of
from tools_worker.datafactory.schedules.zones import Zone, zone_of

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
FREQUENCIES = (*STEPS, "day", "week", "month")
MAX_STEPS = 200_000  # a definition can ask for nonsense; four months of minutes are more than any answer needs
MAX_IDLE_DAYS = 366 * 5  # a schedule of 30 February is never due


@dataclass(frozen=True, slots=True)
class Due:
    at: datetime
    unsure: bool = False  # the wall clock skips or repeats this time, or the rule is not documented


@dataclass(frozen=True, slots=True)
class Recurrence:
    frequency: str
    interval: int
    start: datetime
    end: datetime | None
    zone: Zone
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    week_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    occurrences: tuple[tuple[int, int | None], ...] = ()  # weekday, which one of the month (negative: from its end)

    @classmethod
    def of(cls, definition: object) -> Self | None:
        """From a trigger's properties; None when there is no recurrence that can be read."""
        raw = fields.mapping(fields.mapping(definition, "typeProperties"), "recurrence")
        frequency = fields.text(raw, "frequency").strip().casefold()
        zone = zone_of(fields.text(raw, "timeZone"))
        start = local_moment(raw, "startTime", zone.info)
        if frequency not in FREQUENCIES or start is None:
            return None
        schedule = fields.mapping(raw, "schedule")
        return cls(
            frequency=frequency,
            interval=interval_of(raw, frequency),
            start=start,
            end=local_moment(raw, "endTime", zone.info),
            zone=zone,
            minutes=_numbers(schedule, "minutes", 0, 59),
            hours=_numbers(schedule, "hours", 0, 23),
            week_days=tuple(sorted({DAYS.index(day) for day in _words(schedule, "weekDays") if day in DAYS})),
            month_days=_numbers(schedule, "monthDays", -31, 31),
            occurrences=tuple(_occurrences(schedule)),
        )

    def due(self, after: datetime, until: datetime) -> Iterator[Due]:
        """Times with after < time <= until, in order. At least the start and at most the end of the recurrence."""
        last = until if self.end is None else min(until, self.end)
        source = self._by_time(after, last) if self.frequency in STEPS else self._by_day(after, last)
        for found in islice(source, MAX_STEPS):
            if found.at > last:
                return
            if found.at > after and found.at >= self.start:
                yield found

    def next(self, now: datetime, number: int = 3) -> tuple[Due, ...]:
        return tuple(islice(self.due(now, now + timedelta(days=366)), number))

    def _by_time(self, after: datetime, last: datetime) -> Iterator[Due]:
        step = STEPS[self.frequency] * self.interval
        moment = self.start + max(0, (after - self.start) // step) * step
        for _ in range(MAX_STEPS):
            if moment > last:
                return
            local = moment.astimezone(self.zone.info)
            if self._allows(local):
                yield from self._minutes_of(moment, local)
            moment += step

    def _allows(self, local: datetime) -> bool:
        minute_fits = self.frequency != "minute" or not self.minutes or local.minute in self.minutes
        hour_fits = not self.hours or local.hour in self.hours
        return minute_fits and hour_fits and self._limits(local.date())

    def _minutes_of(self, moment: datetime, local: datetime) -> Iterator[Due]:
        if self.frequency == "minute" or not self.minutes:
            yield Due(moment)
            return
        for minute in self.minutes:
            yield Due(moment + timedelta(minutes=minute - local.minute))

    def _by_day(self, after: datetime, last: datetime) -> Iterator[Due]:
        local = self.start.astimezone(self.zone.info)
        first = max(local.date(), after.astimezone(self.zone.info).date() - timedelta(days=1))
        for ahead in range(min((last.date() - first).days + 3, MAX_IDLE_DAYS)):
            day = first + timedelta(days=ahead)
            if self._on(day, local.date()):
                yield from self._times(day, local)

    def _times(self, day: date, start: datetime) -> Iterator[Due]:
        clock = (
            time(hour, minute, start.second)
            for hour in self.hours or (start.hour,)
            for minute in self.minutes or (start.minute,)
        )
        found = [_on_the_wall(datetime.combine(day, each), self.zone.info) for each in clock]
        for due in sorted(found, key=lambda each: each.at):
            yield Due(due.at, due.unsure or self._weeks_unsure)

    @property
    def _weeks_unsure(self) -> bool:
        """With several week days and an interval, where a week begins is not documented."""
        return self.frequency == "week" and self.interval > 1 and bool(self.week_days)

    def _on(self, day: date, start: date) -> bool:
        if self.frequency == "day":
            return (day - start).days % self.interval == 0 and self._limits(day)
        if self.frequency == "week":
            weeks = (_monday(day) - _monday(start)).days // 7
            return weeks % self.interval == 0 and day.weekday() in (self.week_days or (start.weekday(),))
        months = (day.year - start.year) * 12 + day.month - start.month
        return months % self.interval == 0 and self._of_month(day, start)

    def _of_month(self, day: date, start: date) -> bool:
        if not self.month_days and not self.occurrences and not self.week_days:
            return day.day == start.day
        return self._limits(day)

    def _limits(self, day: date) -> bool:
        month_fits = not self.month_days or bool({day.day, day.day - _length(day) - 1} & set(self.month_days))
        week_fits = not self.week_days or day.weekday() in self.week_days
        return month_fits and week_fits and (not self.occurrences or any(_is(day, *each) for each in self.occurrences))


def local_moment(raw: object, key: str, zone: tzinfo) -> datetime | None:
    """A time without an offset is meant in the trigger's own zone."""
    found = fields.text(raw, key).strip()
    moment = fields.moment(raw, key)
    if moment is None or found.endswith(("Z", "z")) or "+" in found or found.count("-") > 2:
        return moment
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _on_the_wall(naive: datetime, zone: tzinfo) -> Due:
    early = naive.replace(tzinfo=zone).astimezone(UTC)
    late = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return Due(early, unsure=early != late)  # skipped: fold 0 reads the offset before the change, so the clock moves on


def _is(day: date, weekday: int, which: int | None) -> bool:
    if day.weekday() != weekday:
        return False
    return which in (None, (day.day - 1) // 7 + 1, -((_length(day) - day.day) // 7 + 1))


def _length(day: date) -> int:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _numbers(raw: object, key: str, low: int, high: int) -> tuple[int, ...]:
    found = {int(each) for each in fields.items(raw, key) if _is_whole(each)}
    return tuple(sorted(each for each in found if low <= each <= high and (each or low == 0)))


def _is_whole(each: Any) -> bool:
    if isinstance(each, str):
        return each.strip().removeprefix("-").isdecimal() and len(each) < 4
    return isinstance(each, int) and not isinstance(each, bool)


def _words(raw: object, key: str) -> Sequence[str]:
    return [each.strip().casefold() for each in fields.items(raw, key) if isinstance(each, str)]


def _occurrences(schedule: object) -> Iterator[tuple[int, int | None]]:
    for each in fields.items(schedule, "monthlyOccurrences"):
        day = fields.text(each, "day").strip().casefold()
        if day in DAYS:
            yield DAYS.index(day), fields.whole(each, "occurrence") or None
