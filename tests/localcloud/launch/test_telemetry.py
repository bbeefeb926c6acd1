"""The trace of a question as `make ask` shows it, and whose settings a local run does not take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.launch import telemetry
from localcloud.launch.cloud import base_environment


def span(name: str, own: str, parent: str = "", **told: Any) -> str:
    whole = {"span": name, "at": 1.0, "seconds": 0.5, "trace": "a" * 32, "id": own, "parent": parent, "links": []}
    return "telemetry " + json.dumps({**whole, "failed": False, "attributes": {}, **told})


def metric(name: str, **told: Any) -> str:
    return "telemetry " + json.dumps({"metric": name, "attributes": {"queue": "actions"}, **told})


def shown(folder: Path, *lines: str) -> list[str]:
    log = folder / "app.log"
    log.write_text("\n".join(lines), encoding="utf-8")
    return telemetry.lines(log)


def test_spans_are_a_tree_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    """They are told in the order in which they end."""
    lines = shown(
        tmp_path,
        span("second", "3", "1", at=3.0),
        "2026-11-21 12:00:00,000 INFO runs: run=run-1 outcome=done",
        span("first", "2", "1", at=2.0, failed=True, attributes={"error.type": "not_found"}),
        span("root", "1", "of the caller", at=1.0),
    )
    assert lines == [
        f"    0.500 s  root  trace {'a' * 32}",
        "    0.500 s    first  failed: not_found",
        "    0.500 s    second",
    ]


def test_a_link_is_shown_where_what_it_leads_to_is(tmp_path: Path) -> None:
    other = {"trace": "b" * 32, "id": "2"}
    called = span("called", "1", links=[other, {"trace": "c" * 32, "id": "9"}])
    (first, _) = shown(tmp_path, called, span("work", "2", at=2.0, trace="b" * 32))
    assert first == f"    0.500 s  called  → trace bbbbbbbb  trace {'a' * 32}"


def test_of_a_metric_the_last_is_shown_for_it_holds_all(tmp_path: Path) -> None:
    lines = shown(
        tmp_path,
        metric("poisoned", value=1),
        metric("poisoned", value=3),
        metric("age", count=2, sum=1.25, min=0.5, max=0.75),
    )
    assert lines == ["poisoned  3  queue=actions", "age  2 times, 1.25 in all  queue=actions"]


@pytest.mark.parametrize("line", ["telemetry of something", "telemetry []", "telemetry {", "telemetry {}"])
def test_other_lines_of_the_log_are_passed_over(tmp_path: Path, line: str) -> None:
    assert shown(tmp_path, line) == []


def test_an_app_without_a_log_has_told_nothing(tmp_path: Path) -> None:
    assert telemetry.lines(tmp_path / "no.log") == []


def test_nothing_of_a_local_run_goes_to_a_real_project(monkeypatch: pytest.MonkeyPatch) -> None:
    real = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=real",
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://real",
    }
    for name, value in {**real, "TELEMETRY": "console"}.items():
        monkeypatch.setenv(name, value)
    taken = base_environment()
    assert real.keys() & taken.keys() == set()
    assert taken["TELEMETRY"] == "console"
