"""The stand-in's time: the real clock with an offset, or a fixed moment that only moves when told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self, fixed: datetime | None = None) -> None:
        self._fixed = fixed
        self._offset = timedelta()

    def now(self) -> datetime:
        return (self._fixed or datetime.now(UTC)) + self._offset

    def advance(self, seconds: float) -> datetime:
        self._offset += timedelta(seconds=seconds)
        return self.now()


def stamp(moment: datetime | None) -> str | None:
    """ISO 8601 with seven digits of a second, as the service writes it."""
    if moment is None:
        return None
    return moment.isoformat(timespec="microseconds")[:26] + "0Z"


def parse(text: str) -> datetime:
    """An ISO 8601 time as an aware datetime in UTC; more than six digits of a second are cut. Raises ValueError."""
    head, dot, rest = text.partition(".")
    if dot:
        digits = rest.rstrip("Zz").split("+")[0].split("-")[0]
        text = f"{head}.{digits[:6]}{rest[len(digits) :]}"
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
