"""The rows over which queries are tried are those that Azure Monitor's own exporter makes of what the app tells.

Which column of a table each field of an envelope becomes is told by Microsoft's pages only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.monitor.opentelemetry.exporter.export.logs._exporter import _convert_log_to_envelope
from azure.monitor.opentelemetry.exporter.export.metrics._exporter import _convert_point_to_envelope
from azure.monitor.opentelemetry.exporter.export.trace._exporter import _convert_span_to_envelope
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from core.breaker import Breaker
from core.telemetry import metrics, names
from core.telemetry import spans as telling
from tests.infra.test_queries import Row, line, metric, question, raised, span
from tests.recorded import Recorded, recording

NEVER = {"TimeGenerated"}
TABLES = {"MessageData": "AppTraces", "ExceptionData": "AppExceptions"}


def measured(recorded: Recorded, name: str) -> Row:
    envelope: Any = _convert_point_to_envelope(recorded.point(name), name)
    told = envelope.data.base_data.as_dict()
    (data,) = told["metrics"]
    row = {"Name": data["name"], "Sum": data["value"], "ItemCount": data["count"], "Max": data.get("max") or 0.0}
    return {**row, "Properties": told["properties"]}


def same(row: tuple[str, Row], told: Row) -> bool:
    return {key: value for key, value in row[1].items() if key in told and key not in NEVER} == told


def test_a_histogram() -> None:
    with recording() as recorded:
        for _ in range(2):
            metrics.record(names.QUESTION_SECONDS, 10.0, {names.OUTCOME: "done"})
        told = measured(recorded, names.QUESTION_SECONDS)
    assert same(question("done", 2, 10.0), told), told


def test_a_counter() -> None:
    with recording() as recorded:
        metrics.count(names.POISONED, 3, {names.QUEUE: "actions"})
        told = measured(recorded, names.POISONED)
    assert same(metric(names.POISONED, 3, QUEUE="actions"), told), told


def test_a_span_of_a_question() -> None:
    with recording() as recorded:
        with telling.span(names.WORKFLOW, attributes={names.RUN: "run-1", names.OUTCOME: "done"}):
            pass
        envelope: Any = _convert_span_to_envelope(recorded.span(names.WORKFLOW))
    told = envelope.data.base_data.as_dict()
    table, row = span(names.WORKFLOW, "t-1", RUN="run-1", OUTCOME="done")
    assert (table, envelope.data.base_type) == ("AppDependencies", "RemoteDependencyData")
    assert (told["name"], told["properties"]) == (row["Name"], row["Properties"])


@contextmanager
def logged(name: str) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """(table, row) of each line of this logger, as the distribution's own handler takes it."""
    kept: Any = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    rows: list[tuple[str, dict[str, Any]]] = []
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    handler, logger = LoggingHandler(logger_provider=provider), logging.getLogger(name)
    logger.addHandler(handler)
    try:
        yield rows
    finally:
        logger.removeHandler(handler)
    for record in kept.get_finished_logs():
        data: Any = _convert_log_to_envelope(record).data
        told = data.base_data.as_dict()
        failed = (told.get("exceptions") or [{}])[0]
        level = int(told["severityLevel"])
        row = (
            {"Message": told["message"], "SeverityLevel": level}
            if not failed
            else {
                "OuterMessage": failed["message"],
                "ExceptionType": failed["typeName"],
                "SeverityLevel": level,
            }
        )
        rows.append((TABLES[data.base_type], row))


def test_a_line_of_the_log() -> None:
    with logged("breaker") as rows:
        breaker = Breaker("Azure Data Factory")
        for _ in range(5):
            breaker.failed()
    wanted = line("outcome=left_alone failures=5 upstream=Azure Data Factory")
    assert [(table, same(wanted, row)) for table, row in rows] == [(wanted[0], True)], rows


def test_a_line_with_an_exception_is_no_trace() -> None:
    with logged("api") as rows:
        try:
            raise KeyError("x")
        except KeyError as exc:
            logging.getLogger("api").exception("path=%s outcome=bug error=%s", "/api/ask", exc.__class__.__name__)
    wanted = raised("path=/api/ask outcome=bug error=KeyError")
    assert [(table, same(wanted, row)) for table, row in rows] == [(wanted[0], True)], rows
