"""By when a pipeline has to have ended well: a time of the day, on the clock of a place, on some days of the week."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from tools_worker.datafactory.schedules.zones import zone_of

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEK: tuple[Day, ...] = get_args(Day)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _clock(told: Any) -> time:
    found = _CLOCK.fullmatch(told) if isinstance(told, str) else told if isinstance(told, time) else None
    if found is None:
        raise ValueError(f"{told!r} is no time of the day such as 06:00")
    return found if isinstance(found, time) else time(int(found[1]), int(found[2]))


def _known(zone: str) -> str:
    if caveat := zone_of(zone).caveat:
        raise ValueError(caveat.partition(",")[0])
    return zone


def _plain(day: Any) -> Any:
    return day.casefold() if isinstance(day, str) else day


FinishBy = Annotated[time, BeforeValidator(_clock)]
TimeZone = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_known)]
WeekDay = Annotated[Day, BeforeValidator(_plain)]


def dues(finish_by: time, zone: str, days: Sequence[str], after: datetime, until: datetime) -> Iterator[datetime]:
    """In UTC, with after < time <= until, in order. It is the clock on the wall that counts; of a time that comes twice
    the first, one that is left out is an hour later."""
    info = zone_of(zone).info
    day = after.astimezone(info).date() - timedelta(days=1)
    while day <= until.astimezone(info).date():
        due = datetime.combine(day, finish_by, info).astimezone(UTC)
        if after < due <= until and WEEK[day.weekday()] in days:
            yield due
        day += timedelta(days=1)
