"""Stretches of the calendar as people say them: between two dates, on a day, in a month; zones, times of day."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import available_timezones

from localcloud.foundry.thinking.times import NUMBERS, SPAN, UNITS

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
MONTH = "|".join((*MONTHS, *(name[:3] for name in MONTHS if name != "may"), "sept"))
ISO = r"\d{4}-\d{2}-\d{2}"
STAMP = re.compile(rf"\b{ISO}T\d{{2}}:\d{{2}}(?::\d{{2}})?(?:Z|[+-]\d{{2}}:\d{{2}})?")
DAY = re.compile(
    rf"\b(?P<iso>{ISO})\b|\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m1>{MONTH})\b\.?(?:,? (?P<y1>\d{{4}}))?"
    rf"|\b(?P<m2>{MONTH})\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<y2>\d{{4}}))?",
    re.IGNORECASE,
)
WHOLE_MONTH = re.compile(rf"\b(?:in|of|for|during|since|from)\s+(?P<m>{MONTH})\b(?:\s+(?P<y>\d{{4}}))?", re.IGNORECASE)
OPEN_END = re.compile(r"\b(since|from|after)\s+(?:the\s+)?$", re.IGNORECASE)
OPEN_START = re.compile(r"\b(until|till|before|up to)\s+(?:the\s+)?$", re.IGNORECASE)
CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d"
CLOCKS = re.compile(rf"\b(?:between|from)\s+({CLOCK})\s+(?:and|to|until|till)\s+({CLOCK})\b", re.IGNORECASE)
SINCE_CLOCK = re.compile(rf"\b(?:since|after)\s+(?:around\s+|about\s+)?({CLOCK})\b", re.IGNORECASE)
BY_CLOCK = re.compile(
    rf"\b(?:by|before|at|until)\s+({CLOCK}|(?:\d{{1,2}}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|noon)"
    r"(?:\s*(am|pm)|\s+o'?clock)?)(?![\w:-])",
    re.IGNORECASE,
)
ZONE = re.compile(r"\b[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?\b|\bUTC\b")
TOWN = re.compile(r"\b([A-Z][a-z]+(?: [A-Z][a-z]+)?)(?:'s)? (?:local )?time\b")

Stretch = tuple[str, str]  # first and last; empty where it is open


def stretch_of(text: str, now: datetime) -> Stretch | None:
    """The dates or times that the text names, as ISO texts; None when it names none."""
    times = [match.group() for match in STAMP.finditer(text)]
    if len(times) >= 2:
        return times[0], times[1]
    days = [(match, found) for match in DAY.finditer(text) if (found := day_in(match, now))]
    if len(days) >= 2:
        first, last = days[0][1], days[1][1]
        return first.isoformat(), last.isoformat()
    if days:
        return around(days[0][1], text[: days[0][0].start()])
    return clocks_of(text, now) or month_of(text, now) or yesterday_of(text, now)


def around(day: date, before: str) -> Stretch:
    if OPEN_END.search(before):
        return day.isoformat(), ""
    return ("", day.isoformat()) if OPEN_START.search(before) else (day.isoformat(), day.isoformat())


def day_in(match: re.Match[str], now: datetime) -> date | None:
    try:
        if match["iso"]:
            return date.fromisoformat(match["iso"])
        month, day = month_number(match["m1"] or match["m2"]), int(match["d1"] or match["d2"])
        year = int(match["y1"] or match["y2"] or now.year)
        found = date(year, month, day)
    except ValueError:  # the 31st of June
        return None
    named = match["y1"] or match["y2"]
    return found if named or found <= now.date() else found.replace(year=year - 1)


def month_number(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name.lower()[:3]))


def month_of(text: str, now: datetime) -> Stretch | None:
    if not (match := WHOLE_MONTH.search(text)):
        return None
    number = month_number(match["m"])
    year = int(match["y"]) if match["y"] else now.year - (number > now.month)
    last = date(year, number, monthrange(year, number)[1])
    return date(year, number, 1).isoformat(), last.isoformat()


def clocks_of(text: str, now: datetime) -> Stretch | None:
    """Between two times of day, or since one: today's, or yesterday's when they are still to come."""
    if match := CLOCKS.search(text):
        first, last = (clock_at(clock, now) for clock in match.groups())
        return (first, last) if first <= last else (a_day_before(first), last)
    if match := SINCE_CLOCK.search(text):
        return clock_at(match.group(1), now), ""
    return None


def clock_at(clock: str, now: datetime) -> str:
    hour, minute = (int(part) for part in clock.split(":"))
    when = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (when if when <= now else when - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def a_day_before(stamp: str) -> str:
    return (datetime.fromisoformat(stamp) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def yesterday_of(text: str, now: datetime) -> Stretch | None:
    """'Yesterday' alone is a day; 'since yesterday' goes on until now, which is a span."""
    if re.search(r"(?<!since )(?<!from )(?<!before )\byesterday\b(?! (?:night|evening))", text, re.IGNORECASE):
        day = (now - timedelta(days=1)).date().isoformat()
        return day, day
    return None


def long_ago(text: str, now: datetime) -> date | None:
    """The day that is 'three months ago'."""
    for match in SPAN.finditer(text):
        if match.group(5) and match.group(3):
            amount = match.group(3)
            count = int(amount) if amount.isdigit() else NUMBERS[amount.lower()]
            return (now - count * UNITS[match.group(4).lower()]).date()
    return None


def zone_of(text: str) -> str | None:
    if match := ZONE.search(text):
        return match.group() if match.group() in {*available_timezones(), "UTC"} else None
    match = TOWN.search(text)
    return towns().get(match.group(1).lower()) if match else None


@lru_cache(maxsize=1)
def towns() -> dict[str, str]:
    return {zone.rpartition("/")[2].replace("_", " ").lower(): zone for zone in sorted(available_timezones())}


def agreed_clock(text: str) -> str | None:
    """'By seven', 'before 06:30', 'at 7 pm' as HH:MM."""
    if not (match := BY_CLOCK.search(text)):
        return None
    said, half = match.group(1).lower(), (match.group(2) or "").lower()
    if ":" in said:
        return said.zfill(5)
    word = re.sub(r"\s*(am|pm|o'?clock)$", "", said)
    hour = 12 if word == "noon" else int(word) if word.isdigit() else NUMBERS[word]
    hour = hour + 12 if half == "pm" and hour < 12 else hour
    return f"{hour:02d}:00" if hour < 24 else None
