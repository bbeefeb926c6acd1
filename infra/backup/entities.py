"""One row of a table as a line of JSON that keeps the types of its properties, and back."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID


class Unreadable(ValueError):
    """The line is no row that was saved here."""


def line(entity: Mapping[str, Any]) -> str:
    """Without what the service adds itself (Timestamp and ETag are metadata, not properties)."""
    return json.dumps({name: _told(name, value) for name, value in entity.items()}, ensure_ascii=False, sort_keys=True)


def entity(text: str) -> dict[str, Any]:
    """Raises Unreadable."""
    try:
        found = json.loads(text)
        row = {name: _read(value) for name, value in found.items()}
    except (ValueError, AttributeError, KeyError, TypeError) as exc:
        raise Unreadable(f"{text[:80]!r} is no row: {exc}") from exc
    if not {"PartitionKey", "RowKey"} <= set(row):
        raise Unreadable(f"{text[:80]!r} has no keys")
    return row


def _told(name: str, value: Any) -> Any:
    if isinstance(value, tuple) and len(value) == 2:  # an EntityProperty: of a number its width
        return {"int64": str(value[0])} if getattr(value[1], "value", "") == "Edm.Int64" else _told(name, value[0])
    if isinstance(value, bytes):
        return {"binary": b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, UUID):
        return {"guid": str(value)}
    if isinstance(value, str | bool | int | float):
        return value
    raise Unreadable(f"{name} is of a type that this copy does not know: {type(value).__name__}")


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    if kind == "int64":
        from azure.data.tables import EdmType, EntityProperty

        return EntityProperty(int(text), EdmType.INT64)
    readers: dict[str, Callable[[str], Any]] = {"binary": b64decode, "datetime": datetime.fromisoformat, "guid": UUID}
    return readers[kind](text)
