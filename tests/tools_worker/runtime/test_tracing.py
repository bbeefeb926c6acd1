"""A tool call is a trace of its own, for the agent service writes its message; its reply says where that is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.telemetry import names
from core.telemetry.carrying import out_of_reply
from core.telemetry.setup import using
from tests.recorded import UNSAMPLED, recording, traceparent
from tests.tools_worker.runtime.sample import Echo, make_worker
from tests.tools_worker.runtime.test_handler import call, delivery
from tools_worker.runtime import messages
from tools_worker.runtime.answers import MemoryAnswerSlots
from tools_worker.runtime.handler import answer, shortened

SPAN = "execute_tool test_echo"


async def replied(body: object, answers: MemoryAnswerSlots | None = None, **changes: Any) -> str:
    reply = await answer(Echo().spec, delivery(body, **changes), make_worker(answers))
    return str(json.loads(reply or "")["Value"])


@pytest.mark.parametrize("given", [{}, {"lines": 3}, {"fail": "request"}, {"hours": 99}], ids=str)
async def test_a_reply_says_last_where_the_trace_of_its_work_is(given: dict[str, Any]) -> None:
    with recording() as recorded:
        value = await replied(call(text="hello", **given))
    assert list(json.loads(value))[-1] == "trace"
    rest, trace = out_of_reply(value)
    assert trace == traceparent(recorded.span(SPAN))
    assert "trace" not in json.loads(rest)


@pytest.mark.parametrize("lines", [1, 2000, 4000])
async def test_there_is_room_for_it_in_the_largest_reply(lines: int) -> None:
    """A large one is cut to what a message holds: with that entry in it."""
    with recording():
        reply = await answer(Echo().spec, delivery(call(text="hello", lines=lines)), make_worker())
    assert len((reply or "").encode()) <= messages.MAX_REPLY_BYTES
    value = json.loads(reply or "")["Value"]
    assert out_of_reply(value)[1]
    if lines == 4000:
        assert json.loads(value)["omitted"]


async def test_a_reply_is_silent_where_nothing_is_kept() -> None:
    with using(None):
        off = await replied(call(text="hello"))
    with recording(UNSAMPLED):
        unsampled = await replied(call(text="hello"))
    assert "trace" not in json.loads(off)
    assert "trace" not in json.loads(unsampled)


async def test_a_call_that_comes_again_is_answered_with_the_first_ones_trace() -> None:
    answers = MemoryAnswerSlots()
    with recording() as recorded:
        first = await replied(call(text="hello"), answers)
        assert await replied(call(text="hello"), answers, deliveries=2) == first
    assert len([span for span in recorded.spans if span.name == SPAN]) == 1


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({}, "ok"),
        ({"fail": "request"}, "not_found"),
        ({"fail": "upstream"}, "upstream_unavailable"),
        ({"hours": 99}, "invalid_arguments"),
    ],
)
async def test_its_span_and_its_metric_tell_how_it_ended(given: dict[str, Any], outcome: str) -> None:
    with recording() as recorded:
        await replied(call(text="a secret", **given))
        ((about, _),) = recorded.metric(names.TOOL_SECONDS)
    assert about == {"gen_ai.tool.name": "test_echo", "adf_ops.outcome": outcome}
    told = dict(recorded.span(SPAN).attributes or {})
    assert told == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "test_echo",
        "gen_ai.tool.type": "function",
        "adf_ops.correlation": "42",
        "adf_ops.outcome": outcome,
        **({} if outcome == "ok" else {"error.type": outcome, "adf_ops.error": outcome}),
    }


async def test_a_bug_fails_its_span_and_still_propagates() -> None:
    with recording() as recorded, pytest.raises(KeyError):
        await replied(call(text="hello", fail="bug"))
    assert dict(recorded.span(SPAN).attributes or {})["error.type"] == "KeyError"


@pytest.mark.parametrize(
    ("correlation", "told"),
    [("42", "42"), (7, "7"), ({"b": 1, "a": 2}, '{"a": 2, "b": 1}'), ("x" * 201, 64), ("\ud800" * 300, 64)],
)
def test_a_correlation_is_told_as_it_is_or_by_its_hash(correlation: object, told: str | int) -> None:
    found = shortened(correlation)
    assert found == told if isinstance(told, str) else len(found) == told
