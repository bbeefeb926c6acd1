"""Every tool call gets one answer: a result, an error the model can act on, or the answer it got before."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.tools_worker.runtime.sample import NOW, Echo, make_worker
from tools_worker.runtime import messages
from tools_worker.runtime.handler import Delivery, answer
from tools_worker.runtime.worker import Worker


def delivery(body: object, **changes: Any) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return replace(Delivery("message-1", raw, NOW - timedelta(seconds=1)), **changes)


def call(**arguments: object) -> dict[str, object]:
    return {"CorrelationId": "42", **arguments}


async def value(echo: Echo, body: object, worker: Worker | None = None, **changes: Any) -> dict[str, Any]:
    reply = await answer(echo.spec, delivery(body, **changes), worker or make_worker())
    message = json.loads(reply or "")
    assert set(message) == {"Value", "CorrelationId"}
    assert isinstance(message["Value"], str)
    result: dict[str, Any] = json.loads(message["Value"])
    return result


async def test_answers_the_classic_shape_with_the_same_correlation_id() -> None:
    reply = json.loads(await answer(Echo().spec, delivery(call(text="hello")), make_worker()) or "")
    assert reply["CorrelationId"] == "42"
    assert json.loads(reply["Value"])["summary"] == "hello (1)"


async def test_answers_the_wrapped_shape() -> None:
    body = {"CorrelationId": 7, "function_name": "test_echo", "function_args": {"text": "hello"}}
    reply = json.loads(await answer(Echo().spec, delivery(body), make_worker()) or "")
    assert reply["CorrelationId"] == 7
    assert json.loads(reply["Value"])["ok"]


async def test_ignores_the_queue_address_that_models_fill_in() -> None:
    assert (await value(Echo(), call(text="hello", outputqueueuri="https://elsewhere")))["ok"]


async def test_a_result_has_summary_data_evidence_and_hints() -> None:
    result = await value(Echo(), call(text="hello", lines=1))
    assert result["evidence"] == [{"kind": "pipeline_run", "id": "run-1", "factory": "adf-prod"}]
    assert result["next"] == ["test_echo text=again"]
    assert len(result["data"]["lines"]) == 1
    assert not result["truncated"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "Argument 'text' is missing. test_echo takes: text (string, required), hours (integer, default 24)"),
        ({"text": "x", "hours": 99}, "Argument 'hours': Input should be less than or equal to 48 (got '99')."),
        ({"text": "x", "hour": 1}, "There is no argument 'hour'. Closest: 'hours'."),
        ({"text": "x", "tone": "shrill"}, "Input should be 'calm' or 'loud'"),
        ({"text": ["x"]}, "Argument 'text': Input should be a valid string"),
    ],
)
async def test_tells_the_model_which_argument_is_wrong(arguments: dict[str, Any], said: str) -> None:
    result = await value(Echo(), call(**arguments))
    assert (result["ok"], result["code"]) == (False, "invalid_arguments")
    assert said in result["error"]


async def test_takes_nulls_and_empty_strings_as_left_out() -> None:
    assert (await value(Echo(), call(text="hello", hours=None, tone="")))["ok"]


async def test_tells_the_model_what_would_help() -> None:
    result = await value(Echo(), call(text="x", fail="request"))
    assert result == {
        "ok": False,
        "code": "not_found",
        "error": "No pipeline named 'LoadSale'. Closest: 'LoadSales'.",
        "retryable": False,
    }


async def test_says_that_an_upstream_failure_may_pass() -> None:
    assert (await value(Echo(), call(text="x", fail="upstream")))["retryable"]


async def test_a_tool_that_takes_too_long_is_answered_all_the_same() -> None:
    result = await value(Echo(), call(text="x", fail="slow"), make_worker(tool_deadline_seconds=1.05))
    assert result["code"] == "timeout"


async def test_a_stale_call_is_answered_as_expired_and_not_worked() -> None:
    echo = Echo()
    result = await value(echo, call(text="x"), inserted=NOW - timedelta(seconds=31))
    assert (result["code"], echo.worked) == ("expired", 0)


async def test_a_storage_clock_ahead_of_ours_does_not_lengthen_the_deadline() -> None:
    worker = make_worker(tool_deadline_seconds=0.05)
    result = await value(Echo(), call(text="x", fail="slow"), worker, inserted=NOW + timedelta(hours=1))
    assert result["code"] == "timeout"


async def test_a_bug_propagates_so_that_the_host_delivers_again() -> None:
    worker = make_worker()
    with pytest.raises(KeyError):
        await answer(Echo().spec, delivery(call(text="x", fail="bug")), worker)


async def test_a_redelivered_call_gets_the_same_bytes_without_being_worked_again() -> None:
    echo, worker = Echo(), make_worker()
    first = await answer(echo.spec, delivery(call(text="x")), worker)
    assert await answer(echo.spec, delivery(call(text="x"), deliveries=2), worker) == first
    assert echo.worked == 1


async def test_two_workers_on_one_call_send_the_same_bytes() -> None:
    echo, worker = Echo(), make_worker()
    replies = await asyncio.gather(*(answer(echo.spec, delivery(call(text="x")), worker) for _ in range(5)))
    assert len(set(replies)) == 1


async def test_calls_that_differ_get_answers_of_their_own() -> None:
    echo, worker = Echo(), make_worker()
    first = await answer(echo.spec, delivery(call(text="x")), worker)
    second = await answer(echo.spec, delivery(call(text="y")), worker)
    other = await answer(echo.spec, delivery({"CorrelationId": "43", "text": "x"}), worker)
    assert len({first, second, other}) == 3


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"[1]", b'{"text": "x"}', b'{"CorrelationId": null}', b"\xff\xfe", b"[" * 100_000]
)
async def test_what_cannot_be_answered_is_dropped_and_does_not_raise(body: bytes) -> None:
    assert await answer(Echo().spec, delivery(body), make_worker()) is None


async def test_a_large_reply_is_cut_to_a_queue_message_and_counts_what_is_left_out() -> None:
    reply = await answer(Echo().spec, delivery(call(text="x", lines=2000)), make_worker())
    assert len((reply or "").encode()) <= 49_152
    result = json.loads(json.loads(reply or "")["Value"])
    assert result["truncated"]
    assert result["omitted"]["lines"] + len(result["data"]["lines"]) == 2000
    assert result["summary"] == "x (1)"


async def test_a_huge_summary_and_correlation_id_still_fit() -> None:
    body = {"CorrelationId": "c" * 20_000, "text": "é" * 60_000}
    reply = await answer(Echo().spec, delivery(body), make_worker())
    assert len((reply or "").encode()) <= 49_152
    assert json.loads(reply or "")["CorrelationId"] == "c" * 20_000


async def test_secrets_do_not_leave_the_worker() -> None:
    secret = "AccountName=acct;AccountKey=Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy==;EndpointSuffix=x"
    reply = await answer(Echo().spec, delivery(call(text=f"failed with {secret}")), make_worker())
    assert "Zm9vYmFyZm9v" not in (reply or "")


async def test_a_correlation_id_that_leaves_no_room_for_a_reply_is_dropped() -> None:
    assert await answer(Echo().spec, delivery({"CorrelationId": "x" * 49_000, "text": "a"}), make_worker()) is None


async def test_a_refusal_of_a_huge_call_still_fits() -> None:
    wrong = {f"argument_{number}": "é" * 50 for number in range(400)}
    text = await answer(Echo().spec, delivery({"CorrelationId": "1", **wrong}), make_worker())
    assert text is not None
    assert len(text.encode()) <= messages.MAX_REPLY_BYTES
    assert "more are wrong" in json.loads(json.loads(text)["Value"])["error"]


async def test_a_correlation_id_that_is_half_a_character_comes_back_as_it_was() -> None:
    text = await answer(Echo().spec, delivery({"CorrelationId": "\ud800", "text": "a"}), make_worker())
    assert text is not None
    assert json.loads(text.encode())["CorrelationId"] == "\ud800"
