"""Which digest is due, and which time it is about, by the clock of a place and over the changes of that clock.

A time that the clock leaves out comes as much later, one that comes twice is its first; a day has one digest whatever
the clock does, and each begins where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from core.settings import Settings

Span = Literal["daily", "weekly"]
LENGTH: dict[Span, timedelta] = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
LATE = timedelta(hours=1)  # by so much any may be late, also where its day is over before


@dataclass(frozen=True, slots=True)
class Edition:
    """Due at `until`, where the time it is about ends; worth sending before `late`, for the next one is nearer then."""

    span: Span
    day: date  # of the place: there is one edition of a span for it
    since: datetime
    until: datetime
    late: datetime

    @property
    def key(self) -> str:
        return f"{self.span}-{self.day:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Timetable:
    at: time
    zone: tzinfo
    weekly_on: int | None = None  # 0 is Monday

    @classmethod
    def of(cls, settings: Settings) -> Timetable | None:
        """None where no digest is to be sent."""
        if settings.digest_at is None:
            return None
        return cls(settings.digest_at, ZoneInfo(settings.digest_timezone), settings.digest_weekly_on)

    def due(self, now: datetime) -> list[Edition]:
        """Those that may be sent now: of today, and of a yesterday that has only just ended."""
        today = now.astimezone(self.zone).date()
        found = [edition for day in (today - timedelta(days=1), today) for edition in self._of(day)]
        return [edition for edition in found if edition.until <= now < edition.late]

    def _of(self, day: date) -> Iterator[Edition]:
        until = self._moment(day)
        late = max(self._midnight_after(until), until + LATE)
        for span in ("daily", "weekly") if day.weekday() == self.weekly_on else ("daily",):
            since = self._moment(day - LENGTH[span])
            if since < until:  # a day that the calendar of a place leaves out has no time of its own
                yield Edition(span, day, since, until, late)

    def _moment(self, day: date) -> datetime:
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def _midnight_after(self, moment: datetime) -> datetime:
        tomorrow = moment.astimezone(self.zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), self.zone).astimezone(UTC)
