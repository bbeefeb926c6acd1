"""Spans. While telemetry is off they cost a function call and import nothing; no trouble of theirs reaches the app.

They hold names, ids, counts and outcomes: no question, no answer, no arguments or results of tools, no words of an
error, for these may hold anything. What comes from outside is cut.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

from core.errors import AppError
from core.telemetry import carrying, names
from core.telemetry.setup import Providers, providers

log = logging.getLogger("telemetry")
Kind = Literal["internal", "client", "server", "producer", "consumer"]
Attributes = Mapping[str, str | int | float | bool | None]
MAX_TEXT = 200


class Span:
    """One that was begun; without `inner` one that does nothing."""

    def __init__(self, inner: Any = None) -> None:
        self._inner = inner

    def set(self, attributes: Attributes) -> None:
        """Those that are None or empty are left out."""
        if self._inner is not None:
            with contained():
                self._inner.set_attributes(clean(attributes))

    def rename(self, name: str) -> None:
        if self._inner is not None:
            with contained():
                self._inner.update_name(name)

    def failed(self, error: str) -> None:
        """`error` is a code, never a sentence."""
        if self._inner is not None:
            with contained():
                from opentelemetry.trace import StatusCode

                self._inner.set_attributes(clean({names.ERROR: error, names.ERROR_TOLD: error}))
                self._inner.set_status(StatusCode.ERROR)

    def link(self, traceparent: object) -> None:
        """To a span of another trace, where this names one."""
        if self._inner is not None:
            with contained():
                if (other := carrying.read(traceparent)) is not None:
                    self._inner.add_link(other)

    def end(self, at: datetime | None = None) -> None:
        if self._inner is not None:
            with contained():
                self._inner.end(_nanoseconds(at))

    @property
    def traceparent(self) -> str:
        """Where it will be seen: recorded and sampled. Else empty."""
        with contained():
            if self._inner is not None and self._inner.is_recording():
                context = self._inner.get_span_context()
                return carrying.written(context) if context.trace_flags & 1 else ""
        return ""

    @contextmanager
    def current(self) -> Iterator[None]:
        """What is begun inside has it as parent. It is not ended."""
        if self._inner is None:
            yield
            return
        from opentelemetry.context import attach, detach
        from opentelemetry.trace import set_span_in_context

        token = attach(set_span_in_context(self._inner))
        try:
            yield
        finally:
            detach(token)


NOTHING = Span()


def begin(
    name: str,
    kind: Kind = "internal",
    attributes: Attributes | None = None,
    *,
    parent: Span | str | None = None,
    at: datetime | None = None,
) -> Span:
    """A span that its caller ends. `parent`: another one, or a traceparent; else the current one. `at`: aware."""
    if (ours := providers()) is None:
        return NOTHING
    with contained():
        from opentelemetry.trace import SpanKind

        inner = _tracer(ours).start_span(
            name,
            context=_context(parent),
            kind=SpanKind[kind.upper()],
            attributes=clean(attributes or {}),
            start_time=_nanoseconds(at),
        )
        return Span(inner)
    return NOTHING


@contextmanager
def span(
    name: str, kind: Kind = "internal", attributes: Attributes | None = None, *, parent: Span | str | None = None
) -> Iterator[Span]:
    """A span around what is done inside; it fails with what is raised there."""
    begun = begin(name, kind, attributes, parent=parent)
    try:
        with begun.current():
            yield begun
    except BaseException as exc:
        begun.failed(error_type(exc))
        raise
    finally:
        begun.end()


def error_type(exc: BaseException) -> str:
    return exc.code if isinstance(exc, AppError) else type(exc).__name__


def coded(told: str) -> str:
    """A code of somebody else's, which may be any text: as it is where it looks like one, else `other`."""
    return told if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,59}", told) else "other"


def clean(attributes: Attributes) -> dict[str, str | int | float | bool]:
    return {name: _cut(value) for name, value in attributes.items() if value is not None and value != ""}


def _cut(value: str | float) -> str | int | float | bool:
    if isinstance(value, int | float):
        return value
    text = str(value)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _context(parent: Span | str | None) -> Any:
    if isinstance(parent, str):
        return carrying.parent(parent)
    if parent is None or parent._inner is None:
        return None
    from opentelemetry.trace import set_span_in_context

    return set_span_in_context(parent._inner)


def _tracer(ours: Providers) -> Any:
    if "tracer" not in ours.kept:
        ours.kept["tracer"] = ours.traces.get_tracer(names.SCOPE)
    return ours.kept["tracer"]


def _nanoseconds(at: datetime | None) -> int | None:
    return round(at.timestamp() * 1e9) if at is not None else None


class contained:
    """Nothing that goes wrong with telemetry goes further than a line in the log."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, *_: object) -> bool:
        if not isinstance(exc, Exception):
            return False
        log.debug("outcome=not_measured", exc_info=exc)
        return True
