"""The interval of a recurrence, kept where dates can follow it."""

from __future__ import annotations

from tools_worker.datafactory import fields

CENTURY = {"minute": 52_596_000, "hour": 876_600, "day": 36_525, "week": 5_217, "month": 1_200}


def interval_of(raw: object, frequency: str) -> int:
    """At least 1, at most a century: what comes later never comes, and dates end with the year 9999."""
    return min(max(1, fields.whole(raw, "interval") or 1), CENTURY[frequency])
