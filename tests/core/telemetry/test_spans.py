"""Spans: what they hold, what they never hold, and that nothing of theirs reaches whoever is measured."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from core.errors import NotFound
from core.telemetry import metrics, names
from core.telemetry.setup import Providers, using
from core.telemetry.spans import MAX_TEXT, NOTHING, begin, coded, span
from tests.recorded import UNSAMPLED, own, recording


def test_a_span_within_another_is_its_child() -> None:
    with recording() as recorded, span("outer"), span("inner", "client"):
        pass
    assert recorded.tree("outer") == ("outer", [("inner", [])])
    assert recorded.span("inner").kind.name == "CLIENT"


async def test_a_task_begun_within_a_span_belongs_to_it() -> None:
    async def work() -> None:
        with span("inner"):
            await asyncio.sleep(0)

    with recording() as recorded, span("outer"):
        await asyncio.create_task(work())
    assert recorded.tree("outer") == ("outer", [("inner", [])])


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (NotFound("No pipeline 'Payroll'."), "not_found"),
        (ValueError("secret"), "ValueError"),
        (asyncio.CancelledError(), "CancelledError"),
    ],
)
def test_a_failure_is_told_by_its_code_and_never_by_its_words(raised: BaseException, code: str) -> None:
    with recording() as recorded, pytest.raises(type(raised)), span("work"):
        raise raised
    failed = recorded.span("work")
    assert (failed.status.is_ok, dict(failed.attributes or {})) == (False, {"error.type": code, "adf_ops.error": code})
    assert not failed.events
    assert not failed.status.description


def test_text_from_outside_is_cut_and_what_is_empty_is_left_out() -> None:
    with recording() as recorded, span("work", attributes={"a": "x" * 5000, "b": None, "c": "", "d": 0, "e": False}):
        pass
    attributes = dict(recorded.span("work").attributes or {})
    assert attributes == {"a": "x" * (MAX_TEXT - 1) + "…", "d": 0, "e": False}


class Broken(SpanProcessor):
    def on_start(self, span: Any, parent_context: Any = None) -> None:
        raise RuntimeError("broken")

    def on_end(self, span: Any) -> None:
        raise RuntimeError("broken")


class BreaksAtTheEnd(SpanProcessor):
    def on_end(self, span: Any) -> None:
        raise RuntimeError("broken")


@pytest.mark.parametrize("processor", [Broken(), BreaksAtTheEnd()])
def test_trouble_of_telemetry_is_none_of_the_app(processor: SpanProcessor) -> None:
    with recording(processor=processor), span("work") as traced:
        traced.set({"a": 1})
        traced.failed("code")
        traced.link("00-x")
        done = True
    assert done


class Foreign(TracerProvider):
    """Somebody else's, whose spans are good for nothing."""

    def get_tracer(self, *arguments: Any, **more: Any) -> Any:
        tracer = Mock()
        tracer.start_span.return_value = Mock()
        for name in ("is_recording", "set_attributes", "set_status", "add_link", "update_name", "end"):
            getattr(tracer.start_span.return_value, name).side_effect = RuntimeError("broken")
        return tracer


def test_spans_of_another_maker_that_break_are_no_trouble_of_the_app() -> None:
    with using(Providers(Foreign(), MeterProvider())), span("work", attributes={"a": 1}) as traced:
        traced.set({"a": 1})
        traced.rename("other")
        traced.failed("code")
        traced.link("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        told = traced.traceparent
    assert told == ""


def test_a_metric_that_nobody_named_is_no_trouble_of_the_app() -> None:
    with recording() as recorded:
        metrics.record("no.such.metric", 1)
    assert recorded.metric("no.such.metric") == []


def test_while_it_is_off_every_span_is_the_same_nothing() -> None:
    with using(None), span("work") as traced:
        assert traced is NOTHING
        assert begin("more") is NOTHING
        assert traced.traceparent == ""


def test_only_a_span_that_is_kept_says_where_it_is() -> None:
    with recording(UNSAMPLED), span("work") as traced:
        assert traced.traceparent == ""
    with recording() as recorded:
        with span("work") as traced:
            told = traced.traceparent
        assert told == f"00-{own(recorded.span('work')).trace_id:032x}-{own(recorded.span('work')).span_id:016x}-01"


@pytest.mark.parametrize(
    ("told", "code"),
    [("rate_limit_exceeded", "rate_limit_exceeded"), ("", "other"), ("Run 0f9c failed.", "other"), ("a" * 99, "other")],
)
def test_a_code_of_somebody_else_is_kept_where_it_looks_like_one(told: str, code: str) -> None:
    assert coded(told) == code


def test_metrics_add_up_by_their_attributes() -> None:
    with recording() as recorded:
        for _ in range(2):
            metrics.count(names.POISONED, 2, {names.QUEUE: "actions"})
        metrics.count(names.POISONED, 0, {names.QUEUE: "callbacks"})
        metrics.record(names.QUEUE_AGE, 1.5, {names.QUEUE: "actions"})
        assert recorded.metric("adf_ops.queue.poisoned") == [({"messaging.destination.name": "actions"}, 4)]
        assert recorded.metric("adf_ops.queue.age") == [({"messaging.destination.name": "actions"}, 1.5)]
