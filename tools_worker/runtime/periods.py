"""Arguments about time that tools share: dates and times with a time zone, or hours back."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from tools_worker.datafactory.period import RETENTION_DAYS, Period, between, last_hours
from tools_worker.runtime.tools import Arguments, Reply


class Dates(Arguments):
    """`since`, `until` and `timezone`."""

    since: str | None = Field(
        default=None,
        max_length=40,
        description="From this day (2026-03-09) or time (2026-03-09T22:00:00+01:00). One day: the same as until.",
    )
    until: str | None = Field(
        default=None, max_length=40, description="To the end of this day, or to this time. Omit for up to now."
    )
    timezone: str | None = Field(
        default=None, max_length=60, description="Time zone of dates and of times without offset, e.g. Europe/Berlin."
    )

    def dated(self, now: datetime) -> Period | None:
        """None when neither end is given. Raises InvalidArguments."""
        if not self.since and not self.until:
            return None
        return between(self.since or "", self.until or "", self.timezone or "", now)


class HoursOrDates(Dates):
    hours: int = Field(
        default=24,
        ge=1,
        le=24 * RETENTION_DAYS,
        description="How far back to look, in hours: 168 is a week. Not used when since or until is given.",
    )

    def period(self, now: datetime) -> Period:
        return self.dated(now) or last_hours(self.hours, now, self.timezone or "")


def nothing_kept(period: Period, now: datetime) -> Reply:
    """The answer about a period that is gone."""
    return Reply(summary=period.caveat, data={"window": period.as_data(now), "kept": False, "exact": False})
