"""A tumbling window trigger: its windows, when each is due, and what it waits for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from tools_worker.datafactory import fields
from tools_worker.datafactory.schedules.intervals import interval_of

_SPAN = re.compile(r"(?P<sign>-?)(?:(?P<days>\d{1,5})\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{2}):(?P<seconds>\d{2})")
MAX_WINDOWS = 20_000
MONTH = "month"


@dataclass(frozen=True, slots=True)
class Dependency:
    """On another tumbling trigger, or on earlier windows of its own (`trigger` is empty)."""

    trigger: str = ""
    offset: timedelta = timedelta()
    size: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Tumbling:
    frequency: str
    interval: int
    start: datetime
    end: datetime | None
    delay: timedelta
    concurrency: int | None
    depends_on: tuple[Dependency, ...]

    @classmethod
    def of(cls, definition: object) -> Self | None:
        raw = fields.mapping(definition, "typeProperties")
        start = fields.moment(raw, "startTime")
        frequency = fields.text(raw, "frequency").strip().casefold()
        if start is None or frequency not in {"minute", "hour", MONTH}:
            return None
        return cls(
            frequency=frequency,
            interval=interval_of(raw, frequency),
            start=start,
            end=fields.moment(raw, "endTime"),
            delay=span(fields.text(raw, "delay")) or timedelta(),
            concurrency=fields.whole(raw, "maxConcurrency"),
            depends_on=tuple(_dependency(each) for each in fields.items(raw, "dependsOn")),
        )

    @property
    def waits_for_itself(self) -> bool:
        return any(not each.trigger for each in self.depends_on)

    def windows(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Windows that became due with after < due <= until: a window is due at its end plus the delay."""
        if self.start > until:
            return
        number = self._first(after)
        for _ in range(MAX_WINDOWS):
            begin, end = self._edge(number), self._edge(number + 1)
            due = end + self.delay
            if due > until or (self.end is not None and begin >= self.end):
                return
            if due > after:
                yield begin, end
            number += 1

    def _first(self, after: datetime) -> int:
        if self.frequency == MONTH:
            return 0
        return max(0, (after - self.delay - self.start) // self._step - 1)

    @property
    def _step(self) -> timedelta:
        return timedelta(**{f"{self.frequency}s": self.interval})

    def _edge(self, number: int) -> datetime:
        if self.frequency != MONTH:
            return self.start + number * self._step
        month = self.start.month - 1 + number * self.interval
        year, month = self.start.year + month // 12, month % 12 + 1
        return self.start.replace(year=year, month=month, day=min(self.start.day, 28))  # short months: not documented


def span(text: str) -> timedelta | None:
    """`d.hh:mm:ss`, as ADF writes time spans."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        return None
    parts = {unit: int(match[unit] or 0) for unit in ("days", "hours", "minutes", "seconds")}
    return timedelta(**parts) * (-1 if match["sign"] else 1)


def moment_of(text: str) -> datetime | None:
    """A time in a trigger run's properties: ISO, or the month first, as .NET writes it by itself."""
    read = fields.moment({"at": text}, "at")
    if read is not None:
        return read
    for form in ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"):
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _dependency(raw: object) -> Dependency:
    reference = fields.mapping(raw, "referenceTrigger")
    return Dependency(
        trigger=fields.text(reference, "referenceName"),
        offset=span(fields.text(raw, "offset")) or timedelta(),
        size=span(fields.text(raw, "size")),
    )
