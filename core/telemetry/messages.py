"""Messages between functions: what is sent carries its trace, and who works on it goes on with that trace."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from core.telemetry import carrying, metrics, names
from core.telemetry.setup import providers
from core.telemetry.spans import NOTHING, Span, contained, span

DELAY = "delay_seconds"  # of an envelope that was sent to be hidden for so long


class Message(Protocol):
    """A message as the Functions host hands it over."""

    @property
    def id(self) -> str | None: ...
    @property
    def dequeue_count(self) -> int | None: ...
    @property
    def insertion_time(self) -> datetime | None: ...
    def get_body(self) -> bytes: ...


@contextmanager
def sending(queue: str, content: Mapping[str, Any], delay_seconds: int = 0) -> Iterator[Mapping[str, Any]]:
    """A span around the sending, and the envelope to send: it holds the trace, where there is one."""
    if providers() is None:
        yield content
        return
    with span(names.sending(queue), "producer", _about(queue, "send")):
        carried = {carrying.FIELD: carrying.current()} if carrying.current() else {}
        late = {DELAY: delay_seconds} if delay_seconds else {}
        yield {**content, **carried, **late}


@contextmanager
def processing(queue: str, message: Message, *, ours: bool = True) -> Iterator[Span]:
    """A span around the work on a message. Its parent is who sent it, with a link to the host's own span of the
    function; of a message that is not `ours` nothing is read, for anybody may have written it."""
    if providers() is None:
        yield NOTHING
        return
    envelope = _envelope(message.get_body()) if ours else {}
    sender, host = carrying.valid(envelope.get(carrying.FIELD)), carrying.current()
    attempt = message.dequeue_count or 1
    about = {**_about(queue, "process"), names.MESSAGE: message.id, names.ATTEMPT: attempt}
    with span(names.processing(queue), "consumer", about, parent=sender or None) as begun:
        if sender:
            begun.link(host)
        if attempt == 1:
            _record_age(queue, message, envelope)
        yield begun


def resumed(body: bytes) -> AbstractContextManager[None]:
    """What is done inside goes on with the trace of this message of ours."""
    envelope = _envelope(body) if providers() else {}
    return carrying.continuing(carrying.valid(envelope.get(carrying.FIELD)))


def _record_age(queue: str, message: Message, envelope: Mapping[str, Any]) -> None:
    with contained():
        if (inserted := message.insertion_time) is not None:
            late = envelope.get(DELAY)
            due = inserted + timedelta(seconds=late if isinstance(late, int) else 0)
            metrics.record(names.QUEUE_AGE, max((datetime.now(UTC) - due).total_seconds(), 0.0), {names.QUEUE: queue})


def _about(queue: str, operation: str) -> dict[str, str | int | float | bool | None]:
    return {names.MESSAGING: names.AZURE_QUEUES, names.QUEUE: queue, names.MESSAGING_OPERATION: operation}


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):  # whoever works on it will say so
        return {}
    return read if isinstance(read, dict) else {}
