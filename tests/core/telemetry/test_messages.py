"""A trace goes on where a message is worked on; of messages that others write nothing is believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.functions.queue import QueueMessage

from core.telemetry import carrying, names
from core.telemetry.messages import processing, resumed, sending
from core.telemetry.setup import using
from core.telemetry.spans import span
from tests.recorded import own, recording, traceparent

ELSEWHERE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
QUEUE = "run-requests"


def message(content: Any, inserted: datetime | None = None, delivery: int = 1) -> QueueMessage:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return QueueMessage(id="m-1", body=body, dequeue_count=delivery, insertion_time=inserted)


def test_who_works_on_a_message_goes_on_with_the_trace_of_its_sender() -> None:
    with recording() as recorded:
        with span("asked"), sending(QUEUE, {"run_id": "r"}) as envelope:
            pass
        with processing(QUEUE, message(envelope)), span("work"):
            pass
    assert recorded.tree("asked") == ("asked", [("send run-requests", [("process run-requests", [("work", [])])])])
    assert envelope["run_id"] == "r"
    told = dict(recorded.span("process run-requests").attributes or {})
    assert told == {
        "messaging.system": "azure_queue_storage",
        "messaging.destination.name": QUEUE,
        "messaging.operation.type": "process",
        "messaging.message.id": "m-1",
        "adf_ops.attempt": 1,
    }


def test_an_envelope_is_as_it_was_while_telemetry_is_off() -> None:
    with using(None), sending(QUEUE, {"run_id": "r"}, 30) as envelope:
        assert envelope == {"run_id": "r"}


def test_the_hosts_own_span_is_linked_where_the_sender_is_the_parent() -> None:
    with recording() as recorded, span("of the host"), processing(QUEUE, message({"traceparent": ELSEWHERE})):
        pass
    worked = recorded.span("process run-requests")
    assert traceparent(worked)[3:35] == ELSEWHERE[3:35]
    assert [link.context.span_id for link in worked.links] == [own(recorded.span("of the host")).span_id]


def test_a_message_that_carries_nothing_belongs_to_the_hosts_span() -> None:
    with recording() as recorded, span("of the host"), processing(QUEUE, message({"run_id": "r"})):
        pass
    assert recorded.tree("of the host") == ("of the host", [("process run-requests", [])])
    assert not recorded.span("process run-requests").links


@pytest.mark.parametrize(
    "told",
    [
        "",
        7,
        ["00"],
        "not a trace",
        ELSEWHERE.upper(),
        f" {ELSEWHERE}",
        f"{ELSEWHERE}\n",
        f"{ELSEWHERE}-more",
        ELSEWHERE.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
    ],
)
def test_what_is_no_trace_begins_a_new_one(told: Any) -> None:
    assert carrying.valid(told) == ""
    with recording() as recorded:
        with processing(QUEUE, message({"traceparent": told})):
            pass
        with carrying.continuing(told), span("alone"):
            pass
    assert recorded.span("process run-requests").parent is None
    assert recorded.span("alone").parent is None


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b'"text"'])
def test_a_message_out_of_form_is_left_to_whoever_works_on_it(content: bytes) -> None:
    with recording() as recorded, processing(QUEUE, message(content)):
        pass
    assert recorded.span("process run-requests").status.is_ok


def test_of_messages_that_others_write_nothing_is_read() -> None:
    foreign = message({"traceparent": ELSEWHERE, "delay_seconds": 99})
    with recording() as recorded, processing("azure-function-x-input", foreign, ours=False):
        pass
    assert recorded.span("process azure-function-x-input").parent is None


def age(**told: Any) -> list[float]:
    with recording() as recorded:
        with processing(QUEUE, message(told.pop("content", {}), **told)):
            pass
        return [value for _, value in recorded.metric(names.QUEUE_AGE)]


def test_a_queues_age_is_told_at_the_first_delivery_of_each_message() -> None:
    ago = datetime.now(UTC) - timedelta(seconds=100)
    assert age(inserted=ago)[0] == pytest.approx(100, abs=10)
    assert age(inserted=ago, delivery=2) == []
    assert age() == []


def test_a_message_that_was_to_wait_is_not_old_for_it() -> None:
    ago = datetime.now(UTC) - timedelta(seconds=100)
    with recording(), sending(QUEUE, {"id": "a"}, 90) as envelope:
        pass
    assert age(inserted=ago, content=envelope)[0] == pytest.approx(10, abs=9)


def test_a_time_without_a_zone_is_no_trouble_of_the_app() -> None:
    assert age(inserted=datetime(2026, 1, 1)) == []  # noqa: DTZ001 - that is what is tried


def test_a_message_that_was_given_up_is_sent_again_in_its_own_trace() -> None:
    with recording() as recorded, resumed(json.dumps({"traceparent": ELSEWHERE}).encode()), sending(QUEUE, {}):
        pass
    sent = recorded.span("send run-requests")
    assert (traceparent(sent)[3:35], f"{sent.parent.span_id:016x}" if sent.parent else "") == (
        ELSEWHERE[3:35],
        ELSEWHERE[36:52],
    )
    with using(None), resumed(b"anything"):
        pass
