"""The Activity Log over its REST API, as Azure Monitor serves it: a filter in OData's words, newest first, in pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from localcloud.adf import activity_log
from localcloud.adf.arm import ArmError, bad_request
from localcloud.adf.calls import Call, Operation
from localcloud.adf.clock import parse, stamp

PAGE = 50
VERSION = "2015-04-01"
_TERM = re.compile(r"(\w+) (ge|le|eq) '([^']*)'")
_BOUNDS = {"eventTimestamp ge": "after", "eventTimestamp le": "before"}
_FIELDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {  # what can be asked, and how it is read off an event
    "resourceGroupName eq": lambda event: event["resourceGroupName"],
    "resourceProvider eq": lambda event: event["resourceProviderName"]["value"],
    "resourceUri eq": lambda event: event["resourceId"],
    "correlationId eq": lambda event: event["correlationId"],
}
Terms = Mapping[str, str]


async def list_events(call: Call) -> Response:
    call.check_subscription()
    terms = _terms(call.query.get("$filter", ""))
    after, before = _window(terms, call.now)
    found = [
        event
        for living in call.world.factories
        for deed in living.deeds
        for event in activity_log.events(living.factory, deed)
        if (stamp(after) or "") <= event["eventTimestamp"] <= (stamp(before) or "") and _fits(event, terms)
    ]
    found.sort(key=lambda event: str(event["eventTimestamp"]), reverse=True)
    return JSONResponse(_page(call, found, int(call.query.get("$skipToken") or 0)))


def _terms(text: str) -> dict[str, str]:
    """Raises ArmError for what the service does not filter on."""
    found: dict[str, str] = {}
    for part in filter(None, re.split(r"\s+and\s+", text.strip())):
        match = _TERM.fullmatch(part.strip())
        name = f"{match[1]} {match[2]}" if match else ""
        if match is None or name not in {*_BOUNDS, *_FIELDS}:
            raise bad_request(f"The filter '{part}' is not supported.")
        found[name] = match[3]
    return found


def _window(terms: Terms, now: datetime) -> tuple[datetime, datetime]:
    if "eventTimestamp ge" not in terms:
        raise bad_request("The filter must have a start: eventTimestamp ge '...'.")
    try:
        after, before = parse(terms["eventTimestamp ge"]), parse(terms.get("eventTimestamp le", now.isoformat()))
    except ValueError as exc:
        raise bad_request(f"The times of the filter cannot be read: {exc}.") from exc
    if after < now - activity_log.KEPT - timedelta(minutes=5):
        raise ArmError(400, "BadRequest", "The start time cannot be more than 90 days in the past.")
    return after, min(before, now)


def _fits(event: Mapping[str, Any], terms: Terms) -> bool:
    return all(read(event).casefold() == terms[name].casefold() for name, read in _FIELDS.items() if name in terms)


def _page(call: Call, found: list[dict[str, Any]], skip: int) -> dict[str, Any]:
    wanted = {name for name in call.query.get("$select", "").split(",") if name}
    shown = [{k: v for k, v in e.items() if not wanted or k in wanted} for e in found[skip : skip + PAGE]]
    if len(found) <= skip + PAGE:
        return {"value": shown}
    path = f"/subscriptions/{call.names['subscription']}/{PATH}"
    more = {key: call.query[key] for key in ("$filter", "$select") if key in call.query}
    version = {"api-version": VERSION, "$skipToken": str(skip + PAGE)}
    return {"value": shown, "nextLink": call.link(path, **version, **more)}


PATH = "providers/Microsoft.Insights/eventtypes/management/values"
OPERATIONS = (Operation("activity_logs_list", "GET", f"/subscriptions/{{subscription}}/{PATH}", list_events, VERSION),)
