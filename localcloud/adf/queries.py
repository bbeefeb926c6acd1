"""Run queries: the mandatory window, filters, order, pages of a hundred, and the refusals of the real service."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from localcloud.adf.arm import bad_request
from localcloud.adf.clock import parse, stamp

PAGE = 100
OPERATORS = ("Equals", "NotEquals", "In", "NotIn")
Run = TypeVar("Run")
Fields = Mapping[str, Callable[[Run], Any]]  # how to read the fields of an answer off a run, without rendering it
Passes = Callable[[Callable[[str], Any]], bool]


@dataclass(frozen=True, slots=True)
class Subject:
    """What can be asked of one kind of run: operands and order fields, each with the field of the answer it reads."""

    kind: str
    operands: Mapping[str, str]
    orders: Mapping[str, str]


PIPELINE_RUNS = Subject(
    "pipeline runs",
    {
        "PipelineName": "pipelineName",
        "RunStart": "runStart",
        "RunEnd": "runEnd",
        "Status": "status",
        "RunGroupId": "runGroupId",
        "LatestOnly": "isLatest",
        "TriggeredByName": "invokedByName",  # works, although the published list of operands lacks it
    },
    {"RunStart": "runStart", "RunEnd": "runEnd", "PipelineName": "pipelineName", "Status": "status"},
)
ACTIVITY_RUNS = Subject(
    "activity runs",
    {
        "ActivityName": "activityName",
        "ActivityRunStart": "activityRunStart",
        "ActivityRunEnd": "activityRunEnd",
        "ActivityType": "activityType",
        "Status": "status",
    },
    {
        "ActivityName": "activityName",
        "ActivityRunStart": "activityRunStart",
        "ActivityRunEnd": "activityRunEnd",
        "Status": "status",
    },
)
TRIGGER_RUNS = Subject(
    "trigger runs",
    {"TriggerName": "triggerName", "TriggerRunTimestamp": "triggerRunTimestamp", "Status": "status"},
    {"TriggerName": "triggerName", "TriggerRunTimestamp": "triggerRunTimestamp", "Status": "status"},
)


@dataclass(frozen=True, slots=True)
class Query:
    subject: Subject
    after: datetime
    before: datetime
    filters: tuple[Passes, ...]
    order: tuple[tuple[str, bool], ...]
    skip: int


def read_query(subject: Subject, body: Mapping[str, Any]) -> Query | None:
    """None when only a continuation token was sent: the service answers that with nothing. Raises ArmError."""
    token = body.get("continuationToken")
    if token and body.get("lastUpdatedAfter") is None and body.get("lastUpdatedBefore") is None:
        return None
    after, before = _moment(body, "lastUpdatedAfter"), _moment(body, "lastUpdatedBefore")
    if after > before:
        raise bad_request("The value of 'lastUpdatedAfter' must not be later than 'lastUpdatedBefore'.")
    return Query(
        subject,
        after,
        before,
        tuple(_filter(subject, item) for item in _list(body, "filters")),
        tuple(_order(subject, item) for item in _list(body, "orderBy")),
        _read_token(token) if token else 0,
    )


def answer(
    query: Query | None, runs: Iterable[Run], fields: Fields[Run], render: Callable[[Run], Any]
) -> dict[str, Any]:
    """One page of the runs, which come oldest first."""
    if query is None:
        return {"value": []}
    kept = [run for run in runs if all(passes(_reader(fields, run)) for passes in query.filters)]
    for field, descending in reversed(query.order):
        read = fields[field]
        kept.sort(key=partial(_nulls_first, read), reverse=descending)
    page: dict[str, Any] = {"value": [render(run) for run in kept[query.skip : query.skip + PAGE]]}
    if len(kept) > query.skip + PAGE:
        page["continuationToken"] = _token(query.skip + PAGE)
    return page


def _reader(fields: Fields[Run], run: Run) -> Callable[[str], Any]:
    return lambda field: fields[field](run)


def _nulls_first(read: Callable[[Run], Any], run: Run) -> tuple[bool, Any]:
    value = read(run)
    return value is not None, value or ""


def _moment(body: Mapping[str, Any], key: str) -> datetime:
    value = body.get(key)
    if value is None:
        raise bad_request(f"The '{key}' property is required in the filter parameters.")
    try:
        return parse(value)
    except (TypeError, ValueError, AttributeError) as exc:
        raise bad_request(f"The value {value!r} of '{key}' is not a date and time.") from exc


def _list(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = body.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_request(f"The '{key}' property must be a list of objects.")
    return value


def _filter(subject: Subject, item: Mapping[str, Any]) -> Passes:
    operand, operator, values = str(item.get("operand")), str(item.get("operator")), item.get("values")
    if operand not in subject.operands:
        allowed = ", ".join(subject.operands)
        raise bad_request(
            f"The filter operand '{operand}' is not valid for a query of {subject.kind}. Allowed: {allowed}."
        )
    if operator not in OPERATORS:
        raise bad_request(f"The filter operator '{operator}' is not valid. Allowed: {', '.join(OPERATORS)}.")
    if not isinstance(values, list) or not values:
        raise bad_request(f"The filter on '{operand}' has no values.")
    if operand == "LatestOnly":
        return _latest_only(values)
    if operand == "RunGroupId" and len(values) > 1:
        raise bad_request("The filter on 'RunGroupId' takes one value.")
    return _compare(subject.operands[operand], operand, operator, values)


def _latest_only(values: list[Any]) -> Passes:
    """Only the JSON boolean counts; the service ignores the text "True" without a word."""
    if values[0] is True:
        return lambda read: bool(read("isLatest"))
    return lambda read: True


def _compare(field: str, operand: str, operator: str, values: list[Any]) -> Passes:
    if operator in ("Equals", "NotEquals"):
        values = values[:1]
    wanted = {
        _instant(value) if operand.endswith(("Start", "End", "Timestamp")) else value for value in map(str, values)
    }
    positive = operator in ("Equals", "In")

    def passes(read: Callable[[str], Any]) -> bool:
        return (read(field) in wanted) is positive

    return passes


def _instant(text: str) -> str | None:
    try:
        return stamp(parse(text))
    except ValueError as exc:
        raise bad_request(f"The filter value {text!r} is not a date and time.") from exc


def _order(subject: Subject, item: Mapping[str, Any]) -> tuple[str, bool]:
    field, order = str(item.get("orderBy")), item.get("order")
    if field not in subject.orders:
        raise bad_request(f"A query of {subject.kind} cannot be ordered by '{field}'.")
    if order not in ("ASC", "DESC"):
        raise bad_request(f"The order '{order}' is not valid. Allowed: ASC, DESC.")
    return subject.orders[field], order == "DESC"


def _token(skip: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"skip": skip}).encode()).decode()


def _read_token(token: Any) -> int:
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["skip"])
    except (ValueError, TypeError, KeyError) as exc:
        raise bad_request("The continuation token is not valid.") from exc
