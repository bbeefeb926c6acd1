"""How runs, times and counts are put into sentences, the same way in every answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tools_worker.datafactory.masking import mask

MAX_SHOWN_FROM = 50_000  # a message of megabytes is not masked whole to show its first words
MAX_ERROR = 300  # characters of an error message in an answer


def at(when: datetime | None) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC") if when else "an unknown time"


def stamp(when: datetime | None) -> str | None:
    """For data: ISO 8601 to the second."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None


def lasted(milliseconds: int | None) -> str:
    if milliseconds is None or milliseconds < 0:
        return "an unknown time"
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def age(since: datetime, now: datetime) -> str:
    return lasted(int(max(now - since, timedelta()).total_seconds() * 1000))


def count(number: int, noun: str, complete: bool = True) -> str:
    """`1 run`, `3 runs`, `at least 3 runs`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{'' if complete else 'at least '}{number} {noun if number == 1 else plural}"


def listed(words: Sequence[str], most: int = 5) -> str:
    """`a, b and c`; beyond `most` the rest is counted."""
    shown = list(words[:most])
    if len(words) > most:
        shown.append(f"{len(words) - most} more")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" and {shown[-1]}" if shown else ""


def spoken(category: str) -> str:
    return category.replace("_", " ")


def times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def sentences(*parts: str) -> str:
    """Joined by spaces; empty ones are left out."""
    return " ".join(part for part in parts if part)


def safe(text: str, most: int = MAX_ERROR) -> str:
    """Text from ADF as it may be shown: masked, on one line, cut with the number of characters left out."""
    flat = " ".join(text[:MAX_SHOWN_FROM].split())
    clean = mask(flat)
    left_out = len(clean) - most + max(0, len(text) - MAX_SHOWN_FROM)
    return clean if left_out <= 0 else f"{clean[:most]}… ({left_out} more characters)"
