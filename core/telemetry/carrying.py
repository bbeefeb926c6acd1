"""A trace crosses our queues: what a message carries is W3C's `traceparent`, and is read strictly.

No `tracestate` travels: it is for vendors, of any content, and nobody here needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.telemetry.setup import providers

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

FIELD = "traceparent"  # of an envelope, and of an HTTP request
_IN_REPLY = re.compile(r',"trace":"(00-[0-9a-f]{32}-[0-9a-f]{16}-01)"}\Z')
_FORM = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


def valid(text: object) -> str:
    """The traceparent, or nothing where it is none."""
    return text if isinstance(text, str) and _FORM.fullmatch(text) else ""


def current() -> str:
    """Of the span that is open here; empty without one."""
    if providers() is None:
        return ""
    from opentelemetry import trace

    return written(trace.get_current_span().get_span_context())


def written(context: SpanContext) -> str:
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"


def read(traceparent: object) -> SpanContext | None:
    """Of somewhere else. Only for when telemetry is on."""
    found = _FORM.fullmatch(traceparent) if isinstance(traceparent, str) else None
    if found is None:
        return None
    from opentelemetry.trace import SpanContext, TraceFlags

    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & 1))


def parent(traceparent: object) -> Any:
    """The context in which spans have this parent; None for the one that is current."""
    found = read(traceparent)
    if found is None:
        return None
    from opentelemetry.trace import NonRecordingSpan, set_span_in_context

    return set_span_in_context(NonRecordingSpan(found))


def in_reply(traceparent: str) -> dict[str, str]:
    """The last entry of a tool's reply: by it whoever follows the agents finds the trace of the tool's own work, which
    began with a message of the agent service's. Nothing without one."""
    return {"trace": traceparent} if traceparent else {}


def out_of_reply(text: str) -> tuple[str, str]:
    """The reply without that entry, and what it said. Nothing else of the text is touched."""
    found = _IN_REPLY.search(text)
    if found is None or not valid(found[1]):
        return text, ""
    return f"{text[: found.start()]}}}", found[1]


@contextmanager
def continuing(traceparent: str) -> Iterator[None]:
    """What is done inside belongs to that trace: of a run, say, that another process began. Nothing if it is none."""
    context = parent(traceparent) if providers() else None
    if context is None:
        yield
        return
    from opentelemetry.context import attach, detach

    token = attach(context)
    try:
        yield
    finally:
        detach(token)
