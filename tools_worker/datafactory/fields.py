"""Reading ADF's JSON without trusting it: a field comes in its type, or as an empty value; nothing here raises.

Any field may be missing, null, of another type or of a value nobody has seen. What cannot be read is left out; nothing
is made up in its place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NOTHING: Mapping[str, Any] = {}
_FRACTION = re.compile(r"(\.\d{6})\d+")  # ADF writes seven digits, datetime holds six


def mapping(raw: object, key: str) -> Mapping[str, Any]:
    return as_mapping(as_mapping(raw).get(key))


def as_mapping(raw: object) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else NOTHING


def items(raw: object, key: str) -> list[Any]:
    found = as_mapping(raw).get(key)
    return found if isinstance(found, list) else []


def text(raw: object, key: str) -> str:
    """A string as it is; a number as its digits; anything else is empty."""
    found = as_mapping(raw).get(key)
    if isinstance(found, str):
        return found
    if isinstance(found, int | float) and not isinstance(found, bool):
        return str(found)
    return ""


def whole(raw: object, key: str) -> int | None:
    found = as_mapping(raw).get(key)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return int(found)


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
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
