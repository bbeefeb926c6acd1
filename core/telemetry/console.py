"""Spans and metrics as lines on standard error: `telemetry ` and an object in JSON each. Spans are told when they end,
metrics every minute and at the end of the process."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    ConsoleMetricExporter,
    HistogramDataPoint,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

PREFIX = "telemetry "


def set_up() -> None:
    traces = TracerProvider()
    traces.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr, formatter=span_line)))
    trace.set_tracer_provider(traces)
    exporter = ConsoleMetricExporter(out=sys.stderr, formatter=metric_lines)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(exporter)]))


def span_line(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None  # an ended span has one
    told: dict[str, Any] = {
        "span": span.name,
        "kind": span.kind.name.lower(),
        "at": (span.start_time or 0) / 1e9,
        "seconds": round(((span.end_time or 0) - (span.start_time or 0)) / 1e9, 6),
        "trace": f"{context.trace_id:032x}",
        "id": f"{context.span_id:016x}",
        "parent": f"{span.parent.span_id:016x}" if span.parent else "",
        "links": [
            {"trace": f"{each.context.trace_id:032x}", "id": f"{each.context.span_id:016x}"} for each in span.links
        ],
        "failed": not span.status.is_ok,
        "attributes": dict(span.attributes or {}),
    }
    return _line(told)


def metric_lines(data: MetricsData) -> str:
    found = [
        {"metric": metric.name, "unit": metric.unit, **_value(point), "attributes": dict(point.attributes or {})}
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    ]
    return "".join(map(_line, found))


def _value(point: Any) -> dict[str, Any]:
    if isinstance(point, HistogramDataPoint):
        return {"count": point.count, "sum": point.sum, "min": point.min, "max": point.max}
    return {"value": getattr(point, "value", None)}


def _line(told: dict[str, Any]) -> str:
    return f"{PREFIX}{json.dumps(told, ensure_ascii=False)}{os.linesep}"
