"""Metric alerts: which of Data Factory's counters rose, and for which pipeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator.alerts.shapes.places import Names, dimensions
from orchestrator.alerts.shapes.times import first, window, window_size
from orchestrator.alerts.shapes.told import Told
from tools_worker.datafactory.fields import as_mapping, items, mapping, text


def read(context: object, fired: datetime) -> Told:
    condition = mapping(context, "condition")
    criteria = [as_mapping(each) for each in items(condition, "allOf")]
    told = dimensions(each for criterion in criteria for each in items(criterion, "dimensions"))
    names = {name.lower(): value for name, value in told.items()}
    metric = next((found for each in criteria if (found := text(each, "metricName"))), "")
    since, until = window(
        first(condition, "windowStartTime"),
        first(condition, "windowEndTime"),
        fired,
        window_size(condition, "windowSize"),
    )
    return Told(
        title=_title(criteria, metric, names.get("name", "")),
        pipeline=_pipeline(metric, names),
        since=since,
        until=until,
        dimensions=told,
        details={"metric": metric, "criteria": criteria},
    )


def _pipeline(metric: str, names: dict[str, str]) -> str:
    """`Name` is of what the metric counts: pipelines, activities or triggers."""
    told = dict(names)
    if metric.lower().startswith("pipeline"):
        told.setdefault("pipelinename", told.get("name", ""))
    return Names(told).pipeline


def _title(criteria: list[Any], metric: str, name: str) -> str:
    if not metric:
        return ""
    value = next((found for each in criteria if (found := text(each, "metricValue"))), "")
    of = f" of {name}" if name and name != "*" else ""
    return f"{metric}{of}" + (f" is {value.removesuffix('.0')}" if value else "")
