"""Reading ADF's JSON without trusting it: a field comes in its type, or as an empty value; nothing here raises.

Any field may be missing, null, of another type or of a value nobody has seen. What cannot be read is left out; nothing
is made up in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NOTHING: Mapping[str, Any] = {}
MAX_WHOLE = 2**63 - 1  # ADF counts in 64 bits; beyond it a number is broken, and overflows where times are reckoned
FIRST_YEAR, LAST_YEAR = 1900, 9000  # .NET writes "no date" as the year 1 or 9999: a day before or after it overflows
MAX_MILLISECONDS = 10 * 366 * 24 * 3_600_000  # ten years: no run lasts longer, and sums of it stay within reason
MAX_TEXT = 40_000  # characters of a message: its layers stand at its ends, and megabytes would be masked many times
MAX_NAME = 1_000  # ADF's own names have up to 260, its trigger run ids some 40
_HALF = re.compile(r"[\ud800-\udfff]")
_FRACTION = re.compile(r"(\.\d{6})\d+")  # ADF writes seven digits, datetime holds six


def mapping(raw: object, key: str) -> Mapping[str, Any]:
    return as_mapping(as_mapping(raw).get(key))


def as_mapping(raw: object) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else NOTHING


def items(raw: object, key: str) -> list[Any]:
    found = as_mapping(raw).get(key)
    return found if isinstance(found, list) else []


def text(raw: object, key: str) -> str:
    """A string as it is, but for halves of surrogate pairs and the middle of a very long one; a number as its digits;
    anything else is empty."""
    found = as_mapping(raw).get(key)
    if isinstance(found, str):
        return sound(found if len(found) <= MAX_TEXT else _ends(found))
    if isinstance(found, int | float) and not isinstance(found, bool) and -MAX_WHOLE <= found <= MAX_WHOLE:
        return str(found)
    return ""


def name(raw: object, key: str) -> str:
    """An id, a name, a status or a type. What is longer than any of them is none: it is empty, not cut."""
    found = text(raw, key)
    return found if len(found) <= MAX_NAME else ""


def _ends(text: str) -> str:
    half = MAX_TEXT // 2
    return f"{text[:half]} … ({len(text) - MAX_TEXT} more characters) … {text[-half:]}"


def sound(text: str) -> str:
    """Text that can be sent on: JSON may hold half of a surrogate pair (a message cut in an emoji), UTF-8 may not."""
    return text if text.isascii() else _HALF.sub("\N{REPLACEMENT CHARACTER}", text)


def whole(raw: object, key: str) -> int | None:
    """Of a number with a fraction the part before it. None for what does not fit 64 bits, NaN and infinity too."""
    found = as_mapping(raw).get(key)
    if isinstance(found, bool) or not isinstance(found, int | float) or not -MAX_WHOLE <= found <= MAX_WHOLE:
        return None
    return int(found)


def duration(raw: object, key: str) -> int | None:
    """Milliseconds. None for less than nothing and for more than ten years: unknown, not zero."""
    found = whole(raw, key)
    return found if found is not None and 0 <= found <= MAX_MILLISECONDS else None


def flag(raw: object, key: str) -> bool | None:
    found = as_mapping(raw).get(key)
    return found if isinstance(found, bool) else None


def moment(raw: object, key: str) -> datetime | None:
    """An aware datetime in UTC. A time without a zone is taken as UTC, which is what ADF means."""
    found = as_mapping(raw).get(key)
    if not isinstance(found, str):
        return None
    try:
        read = datetime.fromisoformat(_FRACTION.sub(r"\1", found.strip()))
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return read if FIRST_YEAR <= read.year <= LAST_YEAR else None
