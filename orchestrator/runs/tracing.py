"""The spans of one turn, read off what is seen of it: the agent, its tools, its specialists and theirs.

A call's span begins when it is first seen and ends when it is seen ended. What was over when it came into sight, as a
specialist's tools always are, has the agent service's own times, which are whole seconds of another clock: they are
kept within those of the caller. Where a tool's reply named the trace of its work, the span has a link to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.telemetry import metrics, names
from core.telemetry.spans import NOTHING, Attributes, Span, begin, coded, contained, error_type
from orchestrator.foundry.port import AgentRef, Call, Turn
from orchestrator.runs.progress import reply_of

MAX_SECONDS = 3600.0
LEFT_OPEN = "left_open"  # the turn ended, and nobody saw this call's end


@dataclass
class _Open:
    call: Call
    span: Span
    began: datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Following:
    """Of one turn. While telemetry is off nothing is kept."""

    def __init__(self, agent: AgentRef, model: str, conversation: str, now: Callable[[], datetime] = _utc_now) -> None:
        self._agent, self._model, self._now = agent, model, now
        self._began = now()
        about = {names.AGENT_ID: agent.id, names.CONVERSATION: conversation, **self._of_span(agent.name)}
        self._span = begin(names.invoking(agent.name), "client", about)
        self._open: dict[str, _Open] = {}
        self._over: set[str] = set()
        self._last: Turn | None = None

    def seen(self, turn: Turn) -> None:
        self._last = turn
        if self._span is not NOTHING:
            with contained():  # what the service shows may be of any shape, and the answer does not wait for it
                self._look(turn.calls, "", self._span, self._began, None)

    def end(self, error: str = "") -> None:
        """`error`: why it was not followed to its end."""
        if self._span is NOTHING:
            return
        for each in reversed(self._open.values()):
            each.span.failed(LEFT_OPEN)
            each.span.end()
        self._open.clear()
        error = error or self._error()
        if self._last is not None:
            usage = self._last.usage
            self._span.set({names.INPUT_TOKENS: usage.input_tokens, names.OUTPUT_TOKENS: usage.output_tokens})
            self._count_tokens(names.INPUT, usage.input_tokens)
            self._count_tokens(names.OUTPUT, usage.output_tokens)
        if error:
            self._span.failed(error)
        self._span.end()
        self._record(self._agent.name, (self._now() - self._began).total_seconds(), error)

    def _error(self) -> str:
        if self._last is None:
            return "no_turn"
        if self._last.status == "failed":
            return coded(self._last.error_code or "agent_failed")
        return "" if self._last.status == "done" else str(self._last.status)

    def _look(self, calls: Sequence[Call], path: str, caller: Span, since: datetime, until: datetime | None) -> None:
        """`since` and `until`: of the caller, as far as it is over."""
        for index, call in enumerate(calls):
            key = f"{path}/{index}"
            if key in self._over:
                continue
            if key not in self._open and not call.name:
                continue  # its name has not come yet
            known = self._open.get(key) or self._begun(key, call, caller, since, until)
            ended = _end_of(call, known.began, until) if until else self._now()
            self._look(call.calls, key, known.span, known.began, ended if call.ended else None)
            if call.ended:
                self._ended(key, known, call, ended)

    def _begun(self, key: str, call: Call, caller: Span, since: datetime, until: datetime | None) -> _Open:
        over = call.ended and until is not None
        began = _within(call.began_at, since, until) if over else self._now()
        agent = call.kind == "agent"
        name = names.invoking(call.name) if agent else names.executing(call.name)
        about = self._of_span(call.name) if agent else _of_tool(call)
        self._open[key] = _Open(
            call, begin(name, "client" if agent else "internal", about, parent=caller, at=began), began
        )
        return self._open[key]

    def _ended(self, key: str, known: _Open, call: Call, at: datetime) -> None:
        del self._open[key]
        self._over.add(key)
        error = _error_of(call)
        if error:
            known.span.failed(error)
        known.span.link(call.trace)
        known.span.end(at)
        if call.kind == "agent":
            self._record(call.name, (at - known.began).total_seconds(), error)

    def _of_agent(self, name: str) -> dict[str, str | int | float | bool | None]:
        return {
            names.OPERATION: names.INVOKE_AGENT,
            names.PROVIDER: names.AGENT_SERVICE,
            names.AGENT_NAME: name,
            names.REQUEST_MODEL: self._model,
        }

    def _of_span(self, name: str) -> dict[str, str | int | float | bool | None]:
        return {**self._of_agent(name), names.SYSTEM: names.AGENT_SERVICE}

    def _record(self, agent: str, seconds: float, error: str) -> None:
        metrics.record(names.AGENT_SECONDS, max(seconds, 0.0), {**self._of_agent(agent), names.ERROR: error})

    def _count_tokens(self, kind: str, amount: int) -> None:
        about: Attributes = {
            names.OPERATION: names.INVOKE_AGENT,
            names.PROVIDER: names.AGENT_SERVICE,
            names.REQUEST_MODEL: self._model,
            names.TOKEN_TYPE: kind,
        }
        if amount:
            metrics.record(names.TOKENS, amount, about)


@contextmanager
def following(agent: AgentRef, model: str, conversation: str) -> Iterator[Callable[[Turn], None]]:
    """Tell what is given back of each turn that is seen."""
    spans = Following(agent, model, conversation)
    try:
        yield spans.seen
    except BaseException as exc:
        spans.end(error_type(exc))
        raise
    spans.end()


def _of_tool(call: Call) -> Attributes:
    return {
        names.OPERATION: names.EXECUTE_TOOL,
        names.TOOL_NAME: call.name,
        names.TOOL_TYPE: names.TOOL_TYPES.get(call.kind, "extension"),
        names.TOOL_CALL: call.id,
    }


def _error_of(call: Call) -> str:
    if call.error:
        return "call_failed"
    reply = reply_of(call) if call.kind == "queue" else {}
    return coded(str(reply.get("code") or "tool_failed")) if reply.get("ok") is False else ""


def _end_of(call: Call, began: datetime, until: datetime) -> datetime:
    """The service's seconds are whole, a tool's own are exact."""
    told = reply_of(call).get("seconds") if call.kind == "queue" else None
    took = timedelta(seconds=told) if isinstance(told, int | float) and 0 <= told < MAX_SECONDS else timedelta()
    return min(max(call.ended_at or began, began + took), until)


def _within(when: datetime | None, since: datetime, until: datetime | None) -> datetime:
    """Not before the caller began, nor after it ended; at its beginning where nothing is told."""
    least = max(when or since, since)
    return min(least, until) if until else least
