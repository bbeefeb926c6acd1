"""When triggers fire: recurrences of schedule triggers, windows of tumbling triggers, arrivals of events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from localcloud.adf import dice
from localcloud.adf.clock import parse
from localcloud.adf.definitions import Json

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# The service takes Windows zone names; the common ones; else an IANA name; failing that, UTC.
ZONES = {
    "UTC": "UTC",
    "W. Europe Standard Time": "Europe/Berlin",
    "Romance Standard Time": "Europe/Paris",
    "GMT Standard Time": "Europe/London",
    "Eastern Standard Time": "America/New_York",
    "Pacific Standard Time": "America/Los_Angeles",
}
EVENTS_A_DAY = 6
_STEPS = {
    "Minute": timedelta(minutes=1),
    "Hour": timedelta(hours=1),
    "Day": timedelta(days=1),
    "Week": timedelta(days=7),
}


@dataclass(frozen=True, slots=True)
class Firing:
    moment: datetime
    window_start: datetime | None = None  # of a tumbling window; its end is the moment


def firings(trigger: Json, after: datetime, until: datetime, seed: object) -> Iterator[Firing]:
    """Firings with after < moment <= until, oldest first. `trigger` is the properties object of its definition."""
    settings = trigger.get("typeProperties") or {}
    if trigger.get("type") == "TumblingWindowTrigger":
        yield from _windows(settings, after, until)
    elif trigger.get("type") == "ScheduleTrigger":
        yield from (Firing(moment) for moment in _recurrences(settings.get("recurrence") or {}, after, until))
    else:
        yield from (Firing(moment) for moment in _arrivals(after, until, seed))


def _windows(settings: Json, after: datetime, until: datetime) -> Iterator[Firing]:
    step = _STEPS.get(settings.get("frequency", "Hour"), _STEPS["Hour"]) * _interval(settings)
    first = _start(settings) + step
    moment = first + max(0, -(-(after - first) // step)) * step
    while moment <= until:
        if moment > after:
            yield Firing(moment, moment - step)
        moment += step


def _recurrences(recurrence: Json, after: datetime, until: datetime) -> Iterator[datetime]:
    start, interval = _start(recurrence), _interval(recurrence)
    end = _moment(recurrence.get("endTime")) or until
    zone = _zone(recurrence.get("timeZone", "UTC"))
    frequency = recurrence.get("frequency", "Day")
    if frequency in ("Minute", "Hour"):
        moments = _steps(start, _STEPS[frequency] * interval, after)
    else:
        moments = _days(frequency, interval, recurrence.get("schedule") or {}, start.astimezone(zone), after)
    for moment in moments:
        if moment > min(until, end):
            return
        if moment > after and moment >= start:
            yield moment


def _steps(start: datetime, step: timedelta, after: datetime) -> Iterator[datetime]:
    moment = start + max(0, (after - start) // step) * step
    while True:
        yield moment
        moment += step


def _days(frequency: str, interval: int, schedule: Json, start: datetime, after: datetime) -> Iterator[datetime]:
    hours = schedule.get("hours") or [start.hour]
    minutes = schedule.get("minutes") or [start.minute]
    day = max(start, after.astimezone(start.tzinfo) - timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    while True:
        if _runs_on(frequency, interval, schedule, start, day):
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    yield day.replace(hour=hour, minute=minute, second=start.second).astimezone(UTC)
        day += timedelta(days=1)


def _runs_on(frequency: str, interval: int, schedule: Json, start: datetime, day: datetime) -> bool:
    if frequency == "Week":
        return WEEKDAYS[day.weekday()] in (schedule.get("weekDays") or [WEEKDAYS[start.weekday()]])
    if frequency == "Month":
        return day.day in (schedule.get("monthDays") or [start.day])
    return (day.date() - start.date()).days % interval == 0


def _arrivals(after: datetime, until: datetime, seed: object) -> Iterator[datetime]:
    day = after.replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= until:
        count = dice.whole(EVENTS_A_DAY // 2, EVENTS_A_DAY * 3 // 2, "events", seed, day)
        offsets = sorted(dice.whole(6 * 3600, 20 * 3600, "event", seed, day, index) for index in range(count))
        yield from (moment for s in offsets if after < (moment := day + timedelta(seconds=s)) <= until)
        day += timedelta(days=1)


def _interval(settings: Json) -> int:
    interval = settings.get("interval")
    return interval if isinstance(interval, int) and interval > 0 else 1


def _start(settings: Json) -> datetime:
    return _moment(settings.get("startTime")) or datetime(2020, 1, 1, tzinfo=UTC)


def _moment(text: object) -> datetime | None:
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(ZONES.get(name, name))
    except (KeyError, ValueError, OSError):  # unknown here, or a machine without time zone data
        return UTC
