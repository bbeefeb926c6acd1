"""Small JSON for a model that pays for each character: rows of like things, without what says nothing.

`table` spells the names of fields once for all rows; `compact` drops empty fields and shortens times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

FEW = 5  # up to so many rows are objects: they read more easily, and a table saves little
EMPTY: tuple[Any, ...] = (None, "", [], {})
# fields that hold times; a name may look like one
TIMES = frozenset({"since", "until", "asked_since", "start", "end", "ended", "first", "last", "at", "from",
                   "first_seen", "next", "as_of", "missed_at", "due", "last_connected"})  # fmt: skip
EXACT = frozenset({"proposal"})  # is taken as it is by whoever reads it
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z")


def table(found: Sequence[Mapping[str, Any]], few: int = FEW) -> list[dict[str, Any]] | dict[str, Any]:
    """Few rows as they are. Many as `columns` and `rows`; a field that is the same in all of them stands in `all`."""
    if len(found) <= few:
        return [dict(row) for row in found]
    names = list(dict.fromkeys(name for row in found for name in row))
    same = {name: found[0].get(name) for name in names if _same([row.get(name) for row in found])}
    columns = [name for name in names if name not in same]
    found_rows = {"columns": columns, "rows": [[row.get(name) for name in columns] for row in found]}
    return {"all": same, **found_rows} if same else found_rows


def is_table(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("columns"), list) and isinstance(part.get("rows"), list)


def compact(value: Any, key: str = "") -> Any:
    """Without empty fields, times to the minute. Rows of a table keep their places."""
    if isinstance(value, str):
        return _STAMP.sub(r"\1 \2Z", value) if key in TIMES and _STAMP.fullmatch(value) else value
    if is_table(value):
        told = value | {"rows": [_cells(value["columns"], row) for row in value["rows"]]}
        return told | {"all": compact(value["all"])} if "all" in value else told
    if isinstance(value, Mapping):
        inner = {name: part if name in EXACT else compact(part, str(name)) for name, part in value.items()}
        return {name: part for name, part in inner.items() if not _says_nothing(name, part)}
    if isinstance(value, list | tuple):
        return [compact(part, key) for part in value]
    return value


def _cells(columns: Sequence[str], row: Sequence[Any]) -> list[Any]:
    return [compact(cell, name) for name, cell in zip(columns, row, strict=True)]


def _says_nothing(key: str, part: Any) -> bool:
    nothing_cut = key.endswith("left_out") and part == 0
    return nothing_cut or any(type(part) is type(empty) and part == empty for empty in EMPTY)


def _same(values: Sequence[Any]) -> bool:
    return all(type(value) is type(values[0]) and value == values[0] for value in values)
