"""When the digest is sent: at which time of the day, where, and on which day that of the week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from core.settings.problems import Problem

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def digest(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """At a wrong time, or at one of a zone that is not known, none is sent."""
    at = _time(env.get("DIGEST_AT", ""), problems)
    zone = env.get("DIGEST_TIMEZONE", "") or "UTC"
    known = _is_zone(zone)
    if not known:
        text = f"{zone!r} is no name of a time zone, such as Europe/Berlin."
        problems.append(Problem("digest", "DIGEST_TIMEZONE", text))
    return {
        "digest_at": at if known else None,
        "digest_timezone": zone if known else "UTC",
        "digest_weekly_on": _day(env.get("DIGEST_WEEKLY_ON", ""), problems),
    }


def _time(text: str, problems: list[Problem]) -> time | None:
    if not text:
        return None
    hours, colon, minutes = text.partition(":")
    try:
        if not colon or not (hours + minutes).isdecimal() or len(minutes) != 2:
            raise ValueError
        return time(int(hours), int(minutes))
    except ValueError:
        problems.append(Problem("digest", "DIGEST_AT", f"{text!r} is no time of the day, such as 07:00."))
        return None


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (LookupError, ValueError, OSError):
        return False


def _day(text: str, problems: list[Problem]) -> int | None:
    if not text:
        return None
    if text.lower() in DAYS:
        return DAYS.index(text.lower())
    problems.append(Problem("digest", "DIGEST_WEEKLY_ON", f"{text!r} is no day of the week, such as monday."))
    return None
