"""Times as people say them: how far back, how far ahead, which day."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "twelve": 12, "fourteen": 14, "thirty": 30, "couple of": 2, "few": 3, "": 1,
}  # fmt: skip
UNITS = {
    "minute": timedelta(minutes=1), "min": timedelta(minutes=1), "hour": timedelta(hours=1), "hr": timedelta(hours=1),
    "h": timedelta(hours=1), "day": timedelta(days=1), "night": timedelta(days=1), "d": timedelta(days=1),
    "week": timedelta(weeks=1), "fortnight": timedelta(weeks=2), "month": timedelta(days=30),
    "quarter": timedelta(days=91), "year": timedelta(days=365),
}  # fmt: skip
SPAN = re.compile(
    r"(?<![\w-])(?:(last|past|previous|next|coming|within|in|for|over|this)\s+)?(?:the\s+)?(?:(last|past|previous|next|coming)\s+)?"
    r"(\d+|couple of|few|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|thirty|)\s*"
    r"(minute|min|hour|hr|h|day|night|d|week|fortnight|month|quarter|year)s?(?![\w-])(\s+ago)?",
    re.IGNORECASE,
)
PHRASES = (
    (re.compile(r"\bthe day before yesterday\b", re.I), timedelta(days=3)),
    (re.compile(r"\b(since )?yesterday\b", re.I), timedelta(days=2)),
    (re.compile(r"\b(over ?night|last night|tonight|today|this (morning|afternoon|evening)|last evening)\b", re.I),
     timedelta(days=1)),
    (re.compile(r"\b(this|last|past) weekend\b", re.I), timedelta(days=7)),
    (re.compile(r"\bsince (monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b", re.I), timedelta(days=7)),
    (re.compile(r"\b(lately|recently)\b", re.I), timedelta(days=7)),
)  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ISO = re.compile(r"\b(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?)?")


def span_of(text: str) -> timedelta | None:
    """How long a stretch of time the text speaks of, or None."""
    for phrase, span in PHRASES:
        if phrase.search(text):
            return span
    for match in SPAN.finditer(text):
        lead, second, amount, unit, _ = match.groups()
        if amount or lead or second:
            count = int(amount) if amount.isdigit() else NUMBERS[amount.lower()]
            return count * UNITS[unit.lower()]
    return None


def counted(text: str, unit: str) -> int | None:
    """The number that stands before a unit of time: 'for 3 nights'."""
    for match in SPAN.finditer(text):
        if match.group(4).lower() == unit and match.group(3):
            amount = match.group(3)
            return int(amount) if amount.isdigit() else NUMBERS[amount.lower()]
    return None


def day_of(text: str, now: datetime) -> date | None:
    """The day the text names: as a date, relative to now, or by its weekday (the next of that name)."""
    low = text.lower()
    if match := ISO.search(text):
        return date.fromisoformat(match.group(1))
    for word, days in (("day after tomorrow", 2), ("tomorrow", 1), ("yesterday", -1), ("last night", -1)):
        if word in low:
            return (now + timedelta(days=days)).date()
    if re.search(r"\b(today|tonight|now|this (morning|afternoon|evening))\b", low):
        return now.date()
    for number, name in enumerate(DAYS):
        if re.search(rf"\b{name}\b", low):
            return (now + timedelta(days=(number - now.weekday() - 1) % 7 + 1)).date()
    return None
