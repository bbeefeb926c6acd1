"""Lists as the service pages them. Clients ask for the next page until `last_id` is null, whatever `has_more` says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from starlette.datastructures import QueryParams

from localcloud.foundry.errors import bad_request
from localcloud.foundry.records import Json
from localcloud.foundry.store import Record

DEFAULT_LIMIT, MAX_LIMIT = 20, 100

R = TypeVar("R", bound=Record)


def page(records: Iterable[R], query: QueryParams, places: dict[str, int], as_json: Callable[[R], Json]) -> Json:
    """One page of `records`, newest first unless told otherwise. `places` orders ids, the deleted ones included."""
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise bad_request(f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.", param="order")
    sign = 1 if order == "asc" else -1
    ordered = sorted(records, key=lambda record: sign * places[record.id])
    if after := query.get("after"):
        bound = sign * place(after, places, "after")
        ordered = [record for record in ordered if sign * places[record.id] > bound]
    if before := query.get("before"):
        bound = sign * place(before, places, "before")
        ordered = [record for record in ordered if sign * places[record.id] < bound]
    limit = limit_of(query)
    shown = ordered[-limit:] if query.get("before") and not query.get("after") else ordered[:limit]
    return {
        "object": "list",
        "data": [as_json(record) for record in shown],
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
        "has_more": len(ordered) > len(shown),
    }


def place(key: str, places: dict[str, int], param: str) -> int:
    if key not in places:
        raise bad_request(f"Invalid '{param}': no object found with id '{key}'.", param=param)
    return places[key]


def limit_of(query: QueryParams) -> int:
    text = query.get("limit", str(DEFAULT_LIMIT))
    if not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise bad_request(f"Invalid 'limit': '{text}'. Expected an integer from 1 to {MAX_LIMIT}.", param="limit")
    return int(text)
