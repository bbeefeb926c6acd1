"""Log alerts, of both versions: what a query over Data Factory's logs has found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from orchestrator.alerts.shapes.places import CORRELATIONS, Names, dimensions, without_runs
from orchestrator.alerts.shapes.times import first, window, window_size
from orchestrator.alerts.shapes.told import MAX_RUNS, Told
from tools_worker.datafactory.fields import as_mapping, items, mapping, text, whole

MAX_COLUMNS = 200
MAX_MINUTES = 14 * 24 * 60
STARTS = ("windowStartTime", "SearchIntervalStartTimeUtc")
LINKS = (
    "linkToFilteredSearchResultsUI",
    "linkToSearchResultsUI",
    "LinkToFilteredSearchResultsUI",
    "LinkToSearchResults",
)
ENDS = ("windowEndTime", "SearchIntervalEndtimeUtc", "SearchIntervalEndTimeUtc")


def read(context: object, fired: datetime) -> Told:
    """Of a context of version 2, of version 1 (with the rows it found), or of an alert of the older schema."""
    condition = mapping(context, "condition")
    criteria = [as_mapping(each) for each in items(condition, "allOf")]
    told = dimensions(each for criterion in (*criteria, context) for each in items(criterion, "dimensions"))
    rows = list(_rows(context))
    named = [Names(told, mapping(context, "properties"), row) for row in rows or [{}]]
    size = window_size(condition, "windowSize") if condition else _interval(context)
    since, until = window(
        first(condition, *STARTS) or first(context, *STARTS),
        first(condition, *ENDS) or first(context, *ENDS),
        fired,
        size,
    )
    return Told(
        title=_title(context, criteria),
        factory=_common([each.factory for each in named]),
        pipeline=_common([each.pipeline for each in named]),
        run_ids=[run_id for each in named for run_id in each.run_ids(*CORRELATIONS)],
        since=since,
        until=until,
        dimensions=without_runs(told),
        link=_first([*criteria, context], *LINKS),
        details={
            "query": _first([*criteria, context], "searchQuery", "SearchQuery"),
            "results": text(context, "ResultCount"),
            "criteria": criteria,
            "rows": rows,
        },
    )


def _rows(context: object) -> Iterator[Mapping[str, Any]]:
    tables = items(mapping(context, "SearchResults"), "tables") or items(mapping(context, "SearchResult"), "tables")
    for table in tables[:3]:
        columns = [text(column, "name") for column in items(table, "columns")[:MAX_COLUMNS]]
        for row in items(table, "rows")[:MAX_RUNS]:
            if isinstance(row, list):
                yield dict(zip(columns, row, strict=False))


def _common(values: list[str]) -> str:
    """The value they all share; empty where they differ."""
    return values[0] if len(set(values)) == 1 else ""


def _interval(context: object) -> timedelta:
    minutes = text(context, "SearchIntervalInMinutes") or text(context, "SearchIntervalDurationMin")
    seconds = whole(context, "SearchIntervalInSeconds") or 0
    told = int(minutes) if minutes.isascii() and minutes.isdigit() and len(minutes) < 8 else seconds // 60
    return timedelta(minutes=min(max(told, 5), MAX_MINUTES))


def _title(context: object, criteria: list[Mapping[str, Any]]) -> str:
    value = _first(criteria, "metricValue") or text(context, "ResultCount")
    return f"A log query found {value.removesuffix('.0')}" if value else "A log query found something"


def _first(told: list[Any], *names: str) -> str:
    return next((found for each in told for name in names if (found := text(each, name))), "")
