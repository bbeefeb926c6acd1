"""When: the times and windows of alerts, as their senders write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from tools_worker.datafactory.fields import moment, text

LATE = timedelta(minutes=10)  # how late Data Factory's metrics may be
DEFAULT_WINDOW = timedelta(minutes=5)
LONGEST_WINDOW = timedelta(days=14)
REPEATED_WITHIN = timedelta(minutes=10)
_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:\.\d+)?S)?)?")


def first(raw: object, *names: str) -> datetime | None:
    """The first of these times that can be read."""
    return next((when for name in names if (when := moment(raw, name))), None)


def when_told(told: datetime | None, received_at: datetime) -> datetime:
    """A sender that tells no time and repeats itself within ten minutes, say after a lost answer, means one alert:
    then the time is the last whole ten minutes."""
    if told is not None:
        return told
    return received_at - timedelta(seconds=received_at.timestamp() % REPEATED_WITHIN.total_seconds())


def window_size(raw: object, name: str) -> timedelta:
    """Of an ISO duration such as `PT5M`; five minutes where it is not told."""
    found = _DURATION.fullmatch(text(raw, name).strip().upper()[:40])
    if not found:
        return DEFAULT_WINDOW
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    size = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return min(size, LONGEST_WINDOW) or DEFAULT_WINDOW


def window(
    since: datetime | None, until: datetime | None, fired: datetime, size: timedelta
) -> tuple[datetime, datetime]:
    """As told, else what a rule of this window has looked at when it fired."""
    if since and until and since <= until:
        return since, until
    return fired - size - LATE, fired
