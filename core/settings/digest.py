"""When the digest is sent: at which time of the day, where, and on which day that of the week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from core.settings.problems import Problem
from core.settings.setting import Setting

DIGEST_AT = Setting(
    "DIGEST_AT",
    "digest",
    "the time of the day at which the digest of the day before is sent",
    example="07:00",
    without="no digest is sent; GET /api/digest makes one.",
    part="digest",
)
DIGEST_TIMEZONE = Setting("DIGEST_TIMEZONE", "digest", "where it is that time", default="UTC", example="Europe/Berlin")
DIGEST_WEEKLY_ON = Setting(
    "DIGEST_WEEKLY_ON",
    "digest",
    "the day of the week on which the digest of the week is sent too",
    example="monday",
    without="no digest of the week is sent.",
)
SETTINGS = (DIGEST_AT, DIGEST_TIMEZONE, DIGEST_WEEKLY_ON)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def digest(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """At a wrong time, or at one of a zone that is not known, none is sent."""
    at = _time(DIGEST_AT.of(env), problems)
    zone = DIGEST_TIMEZONE.of(env)
    known = _is_zone(zone)
    if not known:
        text = f"{zone!r} is no name of a time zone, such as Europe/Berlin."
        problems.append(Problem("digest", DIGEST_TIMEZONE.name, text))
    return {
        "digest_at": at if known else None,
        "digest_timezone": zone if known else DIGEST_TIMEZONE.default,
        "digest_weekly_on": _day(DIGEST_WEEKLY_ON.of(env), problems),
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
        problems.append(Problem("digest", DIGEST_AT.name, f"{text!r} is no time of the day, such as 07:00."))
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
    problems.append(Problem("digest", DIGEST_WEEKLY_ON.name, f"{text!r} is no day of the week, such as monday."))
    return None
