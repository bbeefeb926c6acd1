"""Telemetry kept in memory, for the length of a `with` block: spans as they ended, metrics as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Sampler

from core.telemetry.setup import Providers, using


class Recorded:
    def __init__(self, sampler: Sampler | None = None, processor: SpanProcessor | None = None) -> None:
        self._spans, self._metrics = InMemorySpanExporter(), InMemoryMetricReader()
        traces = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        if processor is not None:
            traces.add_span_processor(processor)
        traces.add_span_processor(SimpleSpanProcessor(self._spans))
        self.providers = Providers(traces, MeterProvider([self._metrics], shutdown_on_exit=False))

    @property
    def spans(self) -> list[ReadableSpan]:
        """In the order in which they ended."""
        return list(self._spans.get_finished_spans())

    def span(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def tree(self, root: str) -> Any:
        """Names, each with what lies below it in the order in which it began."""
        return self._tree(self.span(root))

    def _tree(self, span: ReadableSpan) -> Any:
        below = [each for each in self.spans if each.parent and each.parent.span_id == own(span).span_id]
        return span.name, [self._tree(each) for each in sorted(below, key=lambda each: each.start_time or 0)]

    def metric(self, name: str) -> list[tuple[Mapping[str, Any], float]]:
        """Attributes, and the sum, of each series."""
        return [(dict(point.attributes or {}), _sum(point)) for point in self._points(name)]

    def point(self, name: str) -> Any:
        """The one series of a metric, as the SDK has it."""
        (found,) = self._points(name)
        return found

    def _points(self, name: str) -> list[Any]:
        data = self._metrics.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


def _sum(point: Any) -> float:
    return float(point.sum if hasattr(point, "sum") else point.value)


def own(span: ReadableSpan) -> Any:
    return span.get_span_context()


def traceparent(span: ReadableSpan) -> str:
    return f"00-{own(span).trace_id:032x}-{own(span).span_id:016x}-01"


@contextmanager
def recording(sampler: Sampler | None = None, processor: SpanProcessor | None = None) -> Iterator[Recorded]:
    recorded = Recorded(sampler, processor)
    with using(recorded.providers):
        yield recorded


UNSAMPLED = ALWAYS_OFF
